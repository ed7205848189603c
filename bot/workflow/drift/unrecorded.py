"""Masks that the guard made or removed for the bot though that is not on record: the database is an older backup."""

from collections.abc import Collection, Mapping

import structlog

from bot.core.drift import HostView, is_remembered
from bot.core.hosts.inventory import Host
from bot.core.requests import Request
from bot.core.systemd.remembered import RememberedMask
from bot.core.systemd.scan import Scan
from bot.core.systemd.units import Snapshot
from bot.errors import HostError
from bot.workflow.hosts.remembered import NOT_SAID, remembered_masks
from bot.workflow.process.deps import Deps

log = structlog.get_logger()


def unrecorded_masks(
    deps: Deps, host: Host, view: HostView, seen: Scan, *, owners: Collection[str]
) -> Mapping[str, RememberedMask]:
    """Those of a scan, by path. The guard is asked only where there is a new mask without an owner.

    Raises `HostError`.
    """
    others = [mask for mask in seen.masks if mask.path not in owners]
    before = {(mask.path, mask.identity) for mask in view.scan.masks} if view.scan else set()
    known = [mask for mask in others if (mask.path, mask.identity) in before]
    if len(known) == len(others):
        return {mask.path: view.unrecorded[mask.path] for mask in known if mask.path in view.unrecorded}
    made = {(one.unit, one.identity): one for one in _remembered(deps, host) or () if not one.user}
    return {mask.path: one for mask in others if (one := made.get((mask.unit, mask.identity)))}


def is_undone_off_record(deps: Deps, request: Request, seen: Snapshot) -> bool:
    """Whether the bot itself removed a mask that is on record as live. The guard forgets those, and no others.

    Raises `HostError`.
    """
    host = deps.in_force.inventory.get(request.target.host)
    remembered = None if host is None or request.target.adopted else _remembered(deps, host)
    if remembered is None:
        return False
    there = {file.identity for file in seen.layers}
    return not is_remembered(request, [one for one in remembered if one.identity not in there])


def _remembered(deps: Deps, host: Host) -> tuple[RememberedMask, ...] | None:
    """What its guard remembers; None where it never says so."""
    try:
        return remembered_masks(deps.hosts, host, deadline=deps.timings.look_deadline)
    except HostError as error:
        if error.code != NOT_SAID:
            raise
        log.warning("guard does not say what it remembers", host=host.name, why=str(error))
        return None
