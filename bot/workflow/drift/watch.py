"""Watch hosts for drift: scan each regularly, compare with the previous scan, and report each change once."""

import zlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from bot.core.drift import HostOutage, HostView, ScanDrift, compare, with_known_state
from bot.core.hosts.inventory import Host
from bot.core.requests import Request
from bot.core.systemd.scan import Scan
from bot.errors import HostError, Stale
from bot.ports import Periodic
from bot.workflow.drift.report import check_lost_masks, masks_by_others, masks_off_record, report_failed_scan
from bot.workflow.drift.unrecorded import unrecorded_masks
from bot.workflow.hold.pending import wake_pending_holds
from bot.workflow.hosts.look import scan
from bot.workflow.process.deps import Deps
from bot.workflow.process.documents import from_document, to_document
from bot.workflow.requests.mask_inventory import SOON, live_masks, owners_of, units_being_changed, watch_of
from bot.workflow.requests.own_changes import own_changes

log = structlog.get_logger()

_EARLIER = 0.1  # of the interval, at most: spreads the scans so that not all hosts are scanned at once


def schedule_watches(deps: Deps) -> None:
    """Make sure that every host is watched; the watch of a host that was removed from the configuration ends itself."""
    for host in deps.in_force.inventory.names:
        task = deps.store.get_periodic(watch_of(host))
        if task is None or task.due_at is None:
            begun = Periodic(watch_of(host), {}, deps.clock.now(), task.version if task else 0)
            with suppress(Stale):  # another replica was quicker
                deps.store.save_periodic(begun)


def watch(deps: Deps, task: Periodic) -> None:
    """One turn of the watch. Each report is saved in the transaction that records the drift, so it is posted once."""
    deps = deps.pinned()
    host = deps.in_force.inventory.get(task.name.partition(":")[2])
    if host is None:
        deps.store.save_periodic(Periodic(task.name, {}, None, task.version))
        return
    view = from_document(HostView, {"host": host.name, **task.document})
    try:
        newer, found = _turn(deps, host, view)
    except HostError as error:
        unreachable = _unreachable(deps, view, error)
        deps.store.save_periodic(replace(task, document=to_document(unreachable), due_at=_try_again(deps, unreachable)))
        return
    if view.unreachable:
        log.info("host reachable again", host=host.name, since=view.unreachable.since.isoformat())
        wake_pending_holds(deps, host.name)
    events, messages = masks_by_others(deps, view, found)
    events_too, messages_too = masks_off_record(deps, view, newer)
    kept = replace(task, document=to_document(newer), due_at=_next(deps, task))
    deps.store.save_periodic(kept, events=[*events, *events_too], messages=[*messages, *messages_too])


def _turn(deps: Deps, host: Host, view: HostView) -> tuple[HostView, ScanDrift]:
    """Scan, compare, and report on our own masks in their requests. Raises `HostError`."""
    live = live_masks(deps, host.name)
    ours = [request for request in live if not request.ask.change.user]
    seen = scan(deps, host)
    # read after the scan: what changed during the scan is then among them, or already on record
    at_work = units_being_changed(deps, host.name)
    seen = with_known_state(view, seen, at_work)
    owners = owners_of(deps, view, seen, ours)
    lost = unrecorded_masks(deps, host, view, seen, owners=owners)
    found = compare(view, seen, ours=ours, owners={*owners, *lost}, busy=at_work)
    for request in found.missing:
        check_lost_masks(deps, host, request, seen)
    told = set[str]()
    for request, units in found.broken:
        of_its_doing = [unit for unit in units if unit not in own_changes(deps, request).units]
        report_failed_scan(deps, request, of_its_doing, told)
        told.update(of_its_doing)
    _look_at_those_of_users(deps, host, [request for request in live if request.ask.change.user], seen)
    return HostView(host.name, deps.clock.now(), seen, owners, unrecorded=lost), found


def _look_at_those_of_users(deps: Deps, host: Host, theirs: Sequence[Request], seen: Scan) -> None:
    """Look at each of our masks in users' managers: a scan sees only the system's masks.

    A user manager that does not answer, because its user is gone, is no loss and does not make the host unreachable.
    """
    for request in theirs:
        try:
            check_lost_masks(deps, host, request, seen)
        except HostError as error:
            log.info("mask of a user manager not checked", request=request.id, why=error.code)


def _unreachable(deps: Deps, view: HostView, error: HostError) -> HostView:
    """Keep the last known state of a host that does not answer, and since when it is unknown."""
    if view.unreachable is None:
        log.warning("host unreachable", host=view.host, why=error.code)
        return replace(view, unreachable=HostOutage(deps.clock.now(), str(error)))
    return replace(view, unreachable=replace(view.unreachable, because=str(error), tries=view.unreachable.tries + 1))


def _try_again(deps: Deps, view: HostView) -> datetime:
    """Retry soon, then with growing pauses up to the usual interval."""
    tries = view.unreachable.tries if view.unreachable else 1
    pause = min(1.0, SOON * 2 ** (tries - 1)) * deps.timings.watch_interval
    return deps.clock.now() + timedelta(seconds=pause)


def _next(deps: Deps, task: Periodic) -> datetime:
    """An interval later or a little earlier: jitter that is fixed for a host and a turn."""
    scattered = zlib.crc32(f"{task.name}:{task.version}".encode()) / 2**32
    return deps.clock.now() + timedelta(seconds=deps.timings.watch_interval * (1 - _EARLIER * scattered))
