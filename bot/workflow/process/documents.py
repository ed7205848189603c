"""The documents of periodic tasks: values of the core, written as JSON and read back.

As with requests, unknown keys are ignored and missing fields have their defaults, so that replicas of two versions can
run side by side. Anything else that does not match the types of the core is refused.
"""

import json
from collections.abc import Mapping
from typing import Any, Literal, TypeVar

from pydantic import TypeAdapter, ValidationError

from bot.errors import WrittenByNewerVersion

Value = TypeVar("Value")
_ADAPTERS = dict[type[Any], TypeAdapter[Any]]()  # one takes milliseconds to make


def to_document(value: object) -> Mapping[str, Any]:
    """The value as plain JSON values."""
    document: Mapping[str, Any] = _adapter(type(value)).dump_python(value, mode="json")
    return document


def from_document(
    kind: type[Value], document: Mapping[str, Any], *, unknown_keys: Literal["ignore", "forbid"] = "ignore"
) -> Value:
    """The value from its stored document. Raises `WrittenByNewerVersion` if a newer version wrote it, or it is broken.

    `forbid` is for what must not be understood by half.
    """
    try:
        value: Value = _adapter(kind).validate_json(json.dumps(document), strict=True, extra=unknown_keys)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
        why = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['type']}" for one in found[:3])
        raise WrittenByNewerVersion(
            f"The stored {kind.__name__} cannot be read ({why}). A newer maskbot may have written it."
        ) from error
    return value


def _adapter(kind: type[Any]) -> TypeAdapter[Any]:
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]
