"""Quarantine of a host that showed another key than the pinned one, or that refuses our key."""

from dataclasses import dataclass
from datetime import datetime

from bot.core.hosts.inventory import Host

ANOTHER_KEY = "host_key_mismatch"
REFUSES_US = "ssh_auth_refused"
REFUSES_CERTIFICATE = "ssh_cert_refused"
CERTIFICATE_OVER = "cert_time"
NOT_TRUSTED = frozenset({ANOTHER_KEY, REFUSES_US, REFUSES_CERTIFICATE, CERTIFICATE_OVER})
SET_ASIDE = "host_set_aside"


@dataclass(frozen=True, slots=True)
class Quarantine:
    """Why a host is in quarantine, and what is known of it since."""

    host: str
    code: str  # one of NOT_TRUSTED
    since: datetime
    pins: tuple[str, ...]  # by what its key was trusted at that time
    is_told: bool = False
    is_over: bool = False  # it has accepted our login since

    @property
    def is_set_aside(self) -> bool:
        """Whether nothing is sent to the host as long as its pins are unchanged."""
        return self.code == ANOTHER_KEY

    def sets_aside(self, host: Host) -> bool:
        """Whether this host, as configured now, is in quarantine: with other pins an operator has confirmed it anew."""
        return self.is_set_aside and set(self.pins) == host.trusted

    def has_ended(self, host: Host | None) -> bool:
        """Whether the host is trusted again, or is not in the inventory any more."""
        return self.is_over or host is None or (self.is_set_aside and not self.sets_aside(host))


def quarantine_for(host: Host, code: str, now: datetime) -> Quarantine:
    """Start a quarantine."""
    return Quarantine(host.name, code, now, tuple(sorted(host.trusted)))
