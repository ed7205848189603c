"""A host that is not trusted for now: it showed another key than the pinned one, or it refuses ours. What is kept."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from bot.core.hosts.inventory import Host

ANOTHER_KEY = "host_key_mismatch"
REFUSES_US = "ssh_auth_refused"
REFUSES_CERTIFICATE = "cert_time"
NOT_TRUSTED = frozenset({ANOTHER_KEY, REFUSES_US, REFUSES_CERTIFICATE})
SET_ASIDE = "host_set_aside"


@dataclass(frozen=True, slots=True)
class Quarantine:
    """Why one host is not trusted, and what is known of it since."""

    host: str
    code: str  # one of NOT_TRUSTED
    since: datetime
    pins: tuple[str, ...]  # those that were in force then
    is_told: bool = False
    is_over: bool = False  # it let us in since

    @property
    def is_set_aside(self) -> bool:
        """Whether nothing is sent to it, by anybody, while its pins are the same."""
        return self.code == ANOTHER_KEY

    def sets_aside(self, host: Host) -> bool:
        """Whether that is this host, as it is configured now: with other pins an operator has answered for it anew."""
        return self.is_set_aside and set(self.pins) == host.pins

    def has_ended(self, host: Host | None) -> bool:
        """Whether it is trusted again, or is not a host of ours any more."""
        return self.is_over or host is None or (self.is_set_aside and not self.sets_aside(host))


def quarantine_for(host: Host, code: str, now: datetime) -> Quarantine:
    """The beginning of it."""
    return Quarantine(host.name, code, now, tuple(sorted(host.pins)))


def encode(kept: Quarantine) -> Mapping[str, Any]:
    """As it is stored: nothing but what JSON knows."""
    return {**asdict(kept), "since": kept.since.isoformat(), "pins": list(kept.pins)}


def decode(document: Mapping[str, Any]) -> Quarantine | None:
    """What was stored; nothing where nothing speaks against the host."""
    if not document:
        return None
    return Quarantine(
        host=document["host"],
        code=document["code"],
        since=datetime.fromisoformat(document["since"]),
        pins=tuple(document["pins"]),
        is_told=document["is_told"],
        is_over=document["is_over"],
    )
