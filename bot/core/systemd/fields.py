"""Records of a host's answer, declared field by field: where each value stands, and how it is read.

The same declaration serves sections (`@related`) and properties (`LoadState=loaded`): both are named texts.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, fields
from typing import Any, TypeVar, cast

from bot.core.systemd.output import read_record, read_records
from bot.errors import HostError

_Value = TypeVar("_Value")
_Texts = Mapping[str, Any]


def from_key(key: str, read: Callable[[Any], _Value], otherwise: object = None) -> _Value:
    """A field that is read from one text. Without `otherwise` that text has to be there."""

    def read_key(found: _Texts) -> _Value:
        text = found.get(key, otherwise)
        if text is None:
            raise HostError(f"The host's answer lacks {key}.", code="incomplete_observation", passing=True)
        return read(text)

    return _field(read_key, (key,), required=() if otherwise is not None else (key,))


def from_keys(keys: tuple[str, ...], read: Callable[[_Texts], _Value], *, required: bool = False) -> _Value:
    """A field that is read from several texts together. `read` copes with those that are not there, unless required."""
    return _field(read, keys, required=keys if required else ())


def from_same(part: type[_Value]) -> _Value:
    """A field that is a record itself, read from the same texts."""
    return _field(reader_of(part), keys_of(part), required=required_keys(part))


def _field(read: Callable[[_Texts], _Value], keys: tuple[str, ...], *, required: tuple[str, ...]) -> _Value:
    return cast(_Value, field(metadata={"read": read, "keys": keys, "required": required}))


def reader_of(record: type[_Value]) -> Callable[[_Texts], _Value]:
    """What reads each field; raises `HostError` for a text that is not there, `HostileOutput` for an invalid one."""
    readers = [(one.name, one.metadata["read"]) for one in fields(cast(Any, record))]
    return lambda found: record(**{name: read(found) for name, read in readers})


def record_of(part: type[_Value]) -> Callable[[Sequence[str]], _Value]:
    """What reads a record from `Key=value` lines, of which no other may be among them."""
    read, keys = reader_of(part), frozenset(keys_of(part))
    return lambda lines: read(read_record(lines, keys))


def records_of(part: type[_Value]) -> Callable[[Sequence[str]], tuple[_Value, ...]]:
    """What reads the records of several units."""
    read, keys = reader_of(part), frozenset(keys_of(part))
    return lambda lines: tuple(map(read, read_records(lines, keys)))


def keys_of(record: type) -> tuple[str, ...]:
    """The names of all texts that the record is read from."""
    return tuple(key for one in fields(record) for key in one.metadata["keys"])


def required_keys(record: type) -> tuple[str, ...]:
    """The names of the texts that have to be there."""
    return tuple(key for one in fields(record) for key in one.metadata["required"])
