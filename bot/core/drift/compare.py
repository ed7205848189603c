"""Compare a scan of a host with the previous one and with the masks that we made, to find drift."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from bot.core.drift.host_view import HostView
from bot.core.requests import Loss, Request
from bot.core.requests.aftercheck import has_failed
from bot.core.systemd.remembered import RememberedMask
from bot.core.systemd.scan import FoundMask, Scan
from bot.core.systemd.units import FileKind, Layer, Snapshot


@dataclass(frozen=True, slots=True)
class ScanDrift:
    """The drift of one scan. It is reported once, because the next comparison starts from this scan."""

    missing: tuple[Request, ...] = ()  # masks of ours that the scan did not show: a look at each finds out why
    # units that depend on one of our masked units and have failed
    broken: tuple[tuple[Request, tuple[str, ...]], ...] = ()
    appeared: tuple[FoundMask, ...] = ()  # masks that are not ours
    vanished: tuple[FoundMask, ...] = ()


def with_known_state(view: HostView, scan: Scan, busy: Collection[str]) -> Scan:
    """The scan, with the last known state for units that we are changing now."""
    before = view.scan.masks if view.scan else ()
    kept = [mask for mask in scan.masks if mask.unit not in busy]
    known = [mask for mask in before if mask.unit in busy]
    masks = tuple(sorted((*kept, *known), key=lambda mask: mask.path))
    return replace(scan, masks=masks, total=scan.total + len(masks) - len(scan.masks))


def our_masks(scan: Scan, requests: Iterable[Request]) -> dict[str, str]:
    """The masks that are the very links that these requests made, by path."""
    made = {(link.path, link.identity): request.id for request in requests if (link := request.target.made)}
    owners = {mask.path: made.get((mask.path, mask.identity), "") for mask in scan.masks}
    return {path: owner for path, owner in owners.items() if owner}


def compare(
    view: HostView, scan: Scan, *, ours: Sequence[Request], owners: Collection[str], busy: Collection[str]
) -> ScanDrift:
    """The drift that a scan shows.

    `ours` are our live masks before the scan, `owners` the paths of all masks in it that we made, and `busy` the units
    that we are changing now, which are left out.
    """
    judged = [request for request in ours if str(request.target.unit) not in busy]
    missing = tuple(request for request in judged if not _is_there(request, scan))
    places = {link.path for request in missing if (link := request.target.made)}
    broken = ((request, _broken(request, scan)) for request in judged if request not in missing)
    return ScanDrift(
        missing,
        tuple((request, units) for request, units in broken if units),
        tuple(mask for mask in _new_masks(view, scan) if mask.path not in {*owners, *places}),
        tuple(_gone_masks(view, scan)),
    )


def loss(request: Request, seen: Snapshot, *, boot_id: str) -> Loss | None:
    """How a mask of ours was lost, judged by a look at its unit; None: it is in place."""
    made, after = request.target.made, request.target.after
    file = seen.layer(made.layer) if made else None
    if made is None or file is None or (file.kind, file.identity) == (made.kind, made.identity):
        return None
    if file.kind in (FileKind.MASK, FileKind.EMPTY):
        return Loss.REPLACED
    if made.layer is not Layer.RUNTIME or after is None:
        return Loss.REMOVED
    if after.around is not None and after.around.boot_id != boot_id:
        return Loss.REBOOTED
    return Loss.ENDED if after.manager and seen.manager not in ("", after.manager) else Loss.REMOVED


def is_remembered(request: Request, remembered: Iterable[RememberedMask]) -> bool:
    """Whether the guard remembers the mask of a request, as it does until it removes the mask itself."""
    made, whose = request.target.made, (str(request.target.unit), request.ask.change.user)
    own = [one for one in remembered if (one.unit, one.user) == whose]
    return any(one.request == request.id or (made is not None and one.identity == made.identity) for one in own)


def _is_there(request: Request, scan: Scan) -> bool:
    """A mask whose link we never saw cannot be told from another."""
    made = request.target.made
    found = scan.at(made.path) if made else None
    return made is None or (found is not None and found.identity == made.identity)


def _broken(request: Request, scan: Scan) -> tuple[str, ...]:
    """Units related to the masked unit that did not fail until our last look, and have failed since."""
    before, after = request.target.before, request.target.after
    if before is None or before.around is None:
        return ()
    related = {other.unit for other in (*before.around.would_stop, *before.around.triggers)}
    seen_after = after.around.failed if after and after.around else ()
    known = {*before.around.failed, *seen_after, *request.drift.failed}
    failed = related.intersection(scan.failed) - known
    return tuple(sorted(unit for unit in failed if has_failed(unit) not in request.aftercare.found))


def _new_masks(view: HostView, scan: Scan) -> Iterator[FoundMask]:
    """Masks that are new or were made again. After an incomplete scan, nobody knows what is new."""
    known = _previous_scan(view, scan)
    if known and known.is_whole:
        before = {(mask.path, mask.identity) for mask in known.masks}
        yield from (mask for mask in scan.masks if (mask.path, mask.identity) not in before)


def _gone_masks(view: HostView, scan: Scan) -> Iterator[FoundMask]:
    known = _previous_scan(view, scan)
    if known and scan.is_whole:
        yield from (mask for mask in known.masks if not scan.at(mask.path) and mask.path not in view.ours)


def _previous_scan(view: HostView, scan: Scan) -> Scan | None:
    """The last known state, if it is of the same machine: a reinstalled one starts anew."""
    return view.scan if view.scan and view.scan.machine_id == scan.machine_id else None
