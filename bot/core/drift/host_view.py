"""A host as its watch saw it last, and since when it has not answered; the document of the watch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.core.systemd.scan import FoundMask, Scan
from bot.core.systemd.units import ActiveState, FileKind, LoadState


@dataclass(frozen=True, slots=True)
class HostOutage:
    """Since when a host does not answer, why, and how often it was tried."""

    since: datetime
    because: str
    tries: int = 1


@dataclass(frozen=True, slots=True)
class HostView:
    """The known masks of a host."""

    host: str
    seen_at: datetime | None = None
    scan: Scan | None = None
    ours: Mapping[str, str] = field(default_factory=dict)  # path of a mask that we made -> the id of its request
    unreachable: HostOutage | None = None


def write_host_view(view: HostView) -> dict[str, Any]:
    """The host view as a JSON document."""
    scan, unreachable = view.scan, view.unreachable
    return {
        "seen_at": view.seen_at.isoformat() if view.seen_at else None,
        "scan": _write_scan(scan) if scan else None,
        "ours": dict(view.ours),
        "unreachable": {
            "since": unreachable.since.isoformat(),
            "because": unreachable.because,
            "tries": unreachable.tries,
        }
        if unreachable
        else None,
    }


def read_host_view(host: str, document: Mapping[str, Any]) -> HostView:
    """The host view from a document of this or an older version; an empty one is of a host that was never scanned."""
    scan, unreachable, seen_at = document.get("scan"), document.get("unreachable"), document.get("seen_at")
    return HostView(
        host,
        datetime.fromisoformat(seen_at) if seen_at else None,
        _read_scan(scan) if scan else None,
        dict(document.get("ours", {})),
        HostOutage(datetime.fromisoformat(unreachable["since"]), unreachable["because"], unreachable["tries"])
        if unreachable
        else None,
    )


def _write_scan(scan: Scan) -> dict[str, Any]:
    return {
        "machine_id": scan.machine_id,
        "boot_id": scan.boot_id,
        "masks": [
            [mask.path, str(mask.kind), mask.identity, mask.load, mask.active, mask.file_state] for mask in scan.masks
        ],
        "total": scan.total,
        "vendor": scan.vendor,
        "agents": list(scan.agents),
        "failed": list(scan.failed),
    }


def _read_scan(written: Mapping[str, Any]) -> Scan:
    return Scan(
        written["machine_id"],
        written["boot_id"],
        tuple(_read_mask(mask) for mask in written["masks"]),
        written["total"],
        written["vendor"],
        tuple(written["agents"]),
        tuple(written["failed"]),
    )


def _read_mask(written: Sequence[Any]) -> FoundMask:
    path, kind, identity, load, active, file_state = written
    return FoundMask(
        path,
        FileKind(kind),
        identity,
        LoadState(load) if load else None,
        ActiveState(active) if active else None,
        file_state,
    )
