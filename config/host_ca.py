"""`host_ca:` in `hosts.yaml`: the CAs whose certificates are trusted for hosts, beside pins."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, BaseModel, Field

from bot.core.hosts.inventory import Authority
from bot.core.hosts.revocation import read_revocations
from config.host_keys import read_fingerprint, read_public_key
from config.strict_yaml import STRICT, Document

_PATTERN = re.compile(r"[a-z0-9*?][a-z0-9*?-]{0,62}", re.ASCII)
_PRINCIPAL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,252}", re.ASCII)


def _read_pattern(typed: str) -> str:
    if not _PATTERN.fullmatch(typed):
        raise ValueError(f"`{typed[:80]}` is not a pattern of host names, such as `web-*`")
    return typed


def read_principal(typed: str) -> str:
    """A name that a host's certificate may be for; never a pattern. Raises `ValueError`."""
    if not _PRINCIPAL.fullmatch(typed):
        raise ValueError(f"`{typed[:80]}` is not a name; patterns are not allowed")
    return typed


def _read_path(typed: str) -> str:
    if not typed.startswith("/") or typed.endswith("/"):
        raise ValueError("has to be the full path of a file, like /etc/maskbot/revoked.krl")
    return typed


class HostCaEntry(BaseModel):
    """One CA."""

    model_config = STRICT

    public_key: Annotated[str, AfterValidator(read_public_key)]
    names: list[Annotated[str, AfterValidator(_read_pattern)]] = Field(min_length=1)
    revoked_keys: list[Annotated[str, AfterValidator(read_fingerprint)]] = []
    revoked_serials: list[Annotated[int, Field(ge=0, lt=2**64)]] = []
    revoked: Annotated[str, AfterValidator(_read_path)] = ""


class Covered(NamedTuple):
    """A CA, and the patterns of the names that it may vouch for."""

    names: Sequence[str]
    authority: Authority


def covered(entries: Sequence[HostCaEntry]) -> Sequence[Covered]:
    """All CAs, with what each has revoked."""
    return [
        Covered(
            one.names,
            Authority(
                one.public_key,
                frozenset(one.revoked_keys),
                frozenset(one.revoked_serials),
                one.revoked,
                _digest(one.revoked) if one.revoked else "",
            ),
        )
        for one in entries
    ]


def authorities_of(name: str, cas: Sequence[Covered]) -> tuple[Authority, ...]:
    """The CAs that may vouch for a host of that name."""
    return tuple(one.authority for one in cas if any(fnmatchcase(name, pattern) for pattern in one.names))


def unread_lists(document: Document, entries: Sequence[HostCaEntry]) -> Iterator[str]:
    """Revocation lists that cannot be used: without its list a CA vouches for nobody."""
    for position, entry in enumerate(entries):
        if entry.revoked and (why := _why_unread(entry.revoked)):
            text = f"{entry.revoked} cannot be used ({why}). The bot logs in to no host of this CA until this is fixed"
            yield document.complaint(("host_ca", position, "revoked"), text)


def _why_unread(path: str) -> str:
    try:
        read_revocations(Path(path).read_bytes())
    except OSError as error:
        return str(error.strerror)
    except ValueError as why:
        return str(why)
    return ""


def _digest(path: str) -> str:
    """Another one once the list has changed, so that a reload ends a quarantine."""
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:16]
    except OSError:
        return "unread"
