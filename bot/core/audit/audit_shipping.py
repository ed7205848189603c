"""Audit shipping: sinks, how much of the audit log each has received, and what its failure means."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

Record = Mapping[str, Any]

BEHIND = timedelta(seconds=10)  # a sink that takes nothing for so long, while records wait, counts as down
_NO_WORD = re.compile(r'[^!-~]|["\\\]]')
_PRIORITY = 13 * 8 + 6  # facility "log audit", severity "informational"


class SinkNeed(StrEnum):
    """What happens while a sink takes nothing."""

    REQUIRED = "required"  # no new mask is requested, approved or started
    BEST_EFFORT = "best_effort"  # people are told, and everything goes on


class SyslogTransport(StrEnum):
    """The transport to a syslog receiver."""

    TCP = "tcp"
    TLS = "tls"
    UNIX = "unix"


@dataclass(frozen=True, slots=True)
class SyslogAddress:
    """The address of a syslog receiver."""

    way: SyslogTransport
    host: str = ""
    port: int = 0
    path: str = ""


def read_address(text: str) -> SyslogAddress:
    """Parse `tcp://HOST:PORT`, `tls://HOST:PORT` or `unix:/PATH`. Raises `ValueError`."""
    wrong = "has to be like tcp://log.example.com:601, tls://log.example.com:6514 or unix:/run/log.sock"
    try:
        parts = urlsplit(text)
        way, host, port = SyslogTransport(parts.scheme), parts.hostname or "", parts.port or 0
    except ValueError:
        raise ValueError(wrong) from None
    if way is SyslogTransport.UNIX and parts.path.startswith("/") and not parts.netloc:
        return SyslogAddress(way, path=parts.path)
    if way is SyslogTransport.UNIX or not (host and port) or parts.path or parts.username or parts.query:
        raise ValueError(wrong)
    return SyslogAddress(way, host, port)


@dataclass(frozen=True, slots=True)
class ShippingProgress:
    """How much a sink has received; stored, so that another process goes on from there."""

    seq: int = 0  # the last record that it has taken
    at: datetime | None = None  # when it took that
    by: str = ""  # the process that ships now,
    until: datetime | None = None  # and until when it holds the lease
    failing_since: datetime | None = None
    why: str = ""

    def is_leased_by_another(self, owner: str, now: datetime) -> bool:
        """Whether another process ships."""
        return self.by != owner and self.until is not None and now < self.until

    def with_shipped(self, seq: int, now: datetime) -> "ShippingProgress":
        """The sink has taken all records up to this one; the next ones are shipped by whoever writes them."""
        return replace(self, seq=seq, at=now, until=None, failing_since=None, why="")

    def with_failure(self, why: str, now: datetime) -> "ShippingProgress":
        """The sink took nothing; the time of the first failure is kept."""
        return replace(self, failing_since=self.failing_since or now, why=why)

    def with_lease(self, owner: str, now: datetime, lease: timedelta) -> "ShippingProgress":
        """Hold the lease for a while."""
        return replace(self, by=owner, until=now + lease)


def trouble(name: str, progress: ShippingProgress, first_untaken: datetime | None, now: datetime) -> str:
    """Why a sink counts as down, in words; empty if it does not. `first_untaken` is when the next record was made."""
    if progress.failing_since:
        since = progress.failing_since.astimezone(UTC)
        return f"audit shipping to `{name}` has failed since {since:%Y-%m-%d %H:%M} UTC ({progress.why})"
    if first_untaken is None or now - max(first_untaken, progress.at or first_untaken) <= BEHIND:
        return ""
    return f"audit shipping to `{name}` is behind: nothing was shipped for {BEHIND.seconds} seconds"


def made_at(record: Record) -> datetime | None:
    """When a record was made; None if it does not say."""
    try:
        return datetime.fromisoformat(record["ts"]).astimezone(UTC)
    except (KeyError, TypeError, ValueError):
        return None


def syslog_lines(records: Sequence[Record], *, host: str) -> list[bytes]:
    """Each record as one message of RFC 5424: its hashes as structured data, and the record itself as JSON."""
    return [_syslog_line(record, host) for record in records]


def _syslog_line(record: Record, host: str) -> bytes:
    kind = _word(record, "type", 32)
    links = " ".join(f'{name}="{_word(record, name)}"' for name in ("seq", "hash", "prev"))
    head = f"<{_PRIORITY}>1 {_word(record, 'ts')} {host or '-'} maskbot - {kind} [maskbot@32473 {links}]"
    return f"{head} {as_json(record)}".encode("ascii")


def _word(record: Record, name: str, most: int = 64) -> str:
    """A part of a record as one word that ends nothing: what somebody broke is shipped too, once it is accepted."""
    return _NO_WORD.sub("_", str(record.get(name) or "-"))[:most]


def frame(line: bytes) -> bytes:
    """A message with its length in front (RFC 6587, octet counting), so that nothing in it can end it."""
    return str(len(line)).encode() + b" " + line


def as_json(value: object) -> str:
    """JSON on one line, in plain ASCII."""
    return json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"), default=repr)


def as_json_list(records: Sequence[Record]) -> bytes:
    """The body for a webhook: the records in their order."""
    return as_json({"version": 1, "records": [*records]}).encode()
