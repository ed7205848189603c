"""`host_ca:` in `hosts.yaml`: the CAs whose certificates are trusted for hosts, beside pins."""

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field

from bot.core.hosts.inventory import Authority
from config.host_keys import read_fingerprint, read_public_key
from config.strict_yaml import STRICT

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


class HostCaEntry(BaseModel):
    """One CA."""

    model_config = STRICT

    public_key: Annotated[str, AfterValidator(read_public_key)]
    names: list[Annotated[str, AfterValidator(_read_pattern)]] = Field(min_length=1)
    revoked_keys: list[Annotated[str, AfterValidator(read_fingerprint)]] = []
    revoked_serials: list[Annotated[int, Field(ge=0, lt=2**64)]] = []


def authorities_of(name: str, entries: Sequence[HostCaEntry]) -> tuple[Authority, ...]:
    """The CAs that may vouch for a host of that name."""
    return tuple(
        Authority(one.public_key, frozenset(one.revoked_keys), frozenset(one.revoked_serials))
        for one in entries
        if any(fnmatchcase(name, pattern) for pattern in one.names)
    )
