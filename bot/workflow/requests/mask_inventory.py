"""The inventory of masks: each host's last scan, kept by its watch, beside our own records."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from bot.core.drift import HostView, MaskInventory, our_masks
from bot.core.requests import Request, Stage
from bot.core.systemd.scan import Scan
from bot.core.systemd.units import UnitName
from bot.errors import MaskbotError
from bot.ports import Query
from bot.workflow.process.deps import Deps
from bot.workflow.process.documents import from_document

SOON = 0.2  # of the interval: until the scan after a change, and until the first retry of an unreachable host

WATCH = "watch"
_OPEN = frozenset(stage for stage in Stage if not stage.is_final)
_MOST = 1000


def watch_of(host: str) -> str:
    """The name of the periodic task that watches a host."""
    return f"{WATCH}:{host}"


def live_masks(deps: Deps, *hosts: str) -> list[Request]:
    """Our live masks, on these hosts or on every host."""
    return deps.store.find(Query(hosts=hosts, live_masks=True, limit=_MOST))


def read_mask_inventory(deps: Deps, *hosts: str) -> MaskInventory:
    """The masks known now, on these hosts or on every host of the inventory."""
    deps = deps.pinned()
    documents = {task.name: task.document for task in deps.store.find_periodic(WATCH)}
    names = hosts or deps.in_force.inventory.names
    host_views = tuple(from_document(HostView, {"host": name, **documents.get(watch_of(name), {})}) for name in names)
    live = live_masks(deps, *hosts)
    return MaskInventory(
        now=deps.clock.now(),
        host_views=host_views,
        ours=(*live, *_half_made(deps, host_views, live)),
        open=tuple(deps.store.find(Query(hosts=hosts, stages=_OPEN, limit=_MOST))),
        sign_offs=tuple(deps.store.find(Query(hosts=hosts, sign_offs_owed=True, limit=_MOST))),
        types=deps.in_force.policy.unit_types,
        instances=deps.in_force.policy.instances,
    )


def units_being_changed(deps: Deps, host: str) -> frozenset[str]:
    """Units that are being changed on the host."""
    running = deps.store.find(Query(host=host, stages=frozenset({Stage.RUNNING})))
    return frozenset(str(request.target.unit) for request in running)


def owners_of(deps: Deps, view: HostView, seen: Scan, ours: Sequence[Request]) -> dict[str, str]:
    """The masks that are ours, by path: live ones, known ones, and for each new one whatever is on record."""
    owners = our_masks(seen, ours)
    known = {mask.path: mask.identity for mask in view.scan.masks} if view.scan else {}
    for mask in seen.masks:
        if known.get(mask.path) == mask.identity and mask.path in view.ours:
            owners.setdefault(mask.path, view.ours[mask.path])
        elif known.get(mask.path) != mask.identity and mask.path not in owners and UnitName.is_sendable(mask.unit):
            of_unit = deps.store.find(Query(host=view.host, unit=UnitName(mask.unit)))
            owners |= our_masks(replace(seen, masks=(mask,)), of_unit)
    return owners


def _half_made(deps: Deps, host_views: tuple[HostView, ...], live: list[Request]) -> list[Request]:
    """Links that we made and that did not become masks, if a look has shown them."""
    known = {request.id for request in live}
    others = {owner for view in host_views for owner in view.ours.values()} - known
    return [request for owner in sorted(others) if (request := deps.store.get(owner)).can_be_undone]


def watch_soon(deps: Deps, host: str) -> None:
    """Scan the host soon, because something was changed there. Best effort; the next regular scan comes anyway."""
    soon = deps.clock.now() + timedelta(seconds=deps.timings.watch_interval * SOON)
    with suppress(MaskbotError):
        task = deps.store.get_periodic(watch_of(host))
        if task and task.due_at and task.due_at > soon:
            deps.store.save_periodic(replace(task, due_at=soon))
