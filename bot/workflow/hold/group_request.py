"""Turn a request for a host group's hold into a request for one of its hosts."""

from dataclasses import replace

from bot.core.drift import HostView
from bot.core.hosts.inventory import is_group
from bot.core.requests import Ask, Hold, Request, Verb
from bot.errors import UsageError
from bot.ports import Query
from bot.workflow.process.deps import Deps
from bot.workflow.process.documents import from_document
from bot.workflow.requests.hold_group_members import _MOST, hosts_in_group
from bot.workflow.requests.mask_inventory import watch_of


def on_one_host(deps: Deps, ask: Ask) -> Ask:
    """The request for the host that people are shown first: a hold for a group, or the end of one. Raises `UsageError`.

    An unmask that names a group is about its hold if it has one.
    """
    change = ask.change
    if not is_group(change.host):
        return ask
    if change.verb is Verb.UNMASK:
        held = _held(deps, change.host.removeprefix("@"), ask)
        return (
            replace(ask, change=held.ask.change.as_undo(held.target.unit), undoes=held.id, selection=None)
            if held
            else ask
        )
    return replace(ask, change=replace(change, host=_first(deps, change.hold, ask))) if change.hold else ask


def _held(deps: Deps, group: str, ask: Ask) -> Request | None:
    live = deps.store.find(Query(live_masks=True, limit=_MOST))
    candidates = (one for one in live if one.hold and one.hold.is_group_wide and one.hold.hosts == group)
    return next((one for one in candidates if ask.change.unit in (one.target.unit, one.ask.change.unit)), None)


def _first(deps: Deps, hold: Hold, ask: Ask) -> str:
    """A host that answered last time and on which the unit was not seen masked, if there is one."""
    names = [host.name for host in hosts_in_group(deps, hold.hosts)]
    if not names:
        raise UsageError(f"hosts.yaml has no host in a group `{hold.hosts}`.")
    return next((name for name in names if _is_fit(deps, name, str(ask.change.unit))), names[0])


def _is_fit(deps: Deps, host: str, unit: str) -> bool:
    task = deps.store.get_periodic(watch_of(host))
    view = from_document(HostView, {"host": host, **(task.document if task else {})})
    masks = view.scan.masks if view.scan else ()
    return view.unreachable is None and all(mask.unit != unit for mask in masks)
