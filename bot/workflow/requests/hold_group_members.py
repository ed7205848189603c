"""Holds of a host group: one request for the group, and one of its own for each host after the first.

People approve the hold for the group, on its first host. `bot/workflow/hold/rollout.py` extends it to the other hosts,
and lifts it from all of them.
"""

from dataclasses import replace

from bot.core.hosts.inventory import Host
from bot.core.requests import Request, Verb
from bot.workflow.process.deps import Deps
from bot.workflow.process.update import update_periodic

HOLD_ROLLOUT = "hold_rollout"
_MOST = 1000


def newest_request(deps: Deps, mask_id: str) -> Request:
    """The newest request for the hold, which may have been reapplied by later requests."""
    mask = deps.store.get(mask_id)
    while mask.repeated_by:
        mask = deps.store.get(mask.repeated_by)
    return mask


def approved_request(deps: Deps, mask: Request) -> Request:
    """The request in which people approved the hold; reapplying it needs no approval."""
    while mask.ask.is_reapply:
        mask = deps.store.get(mask.ask.repeats)
    return mask


def hosts_in_group(deps: Deps, group: str) -> list[Host]:
    """The hosts of a group that are configured now, by name."""
    hosts = (host for host in deps.in_force.inventory.hosts if group in host.groups)
    return sorted(hosts, key=lambda host: host.name)


def other_hosts(deps: Deps, request: Request, mask: Request | None) -> tuple[Host, ...]:
    """The further hosts of a request: those that it would hold, or from which it would lift the hold."""
    first, hold = request.ask.change.host, request.ask.change.hold
    if request.ask.by_itself or request.ask.extends:
        return ()
    if hold and request.is_group_hold:
        return tuple(host for host in hosts_in_group(deps, hold.hosts) if host.name != first)
    if request.ask.change.verb is Verb.UNMASK and mask and mask.hold and mask.is_group_hold:
        held = (deps.in_force.inventory.get(name) for name, member in read_members(deps, mask).items() if member.hold)
        return tuple(host for host in held if host)
    return ()


def approved_group_hold(deps: Deps, request: Request) -> Request | None:
    """The approved request of the hold that this one belongs to; None once that was lifted."""
    hold = request.ask.change.hold
    if hold is None or not hold.group_request:
        return None
    return None if newest_request(deps, hold.group_request).undone_by else deps.store.get(hold.group_request)


def is_member_of(deps: Deps, member: Request, group_hold: Request) -> bool:
    """Whether the request belongs to just this hold; the host may be in other groups with holds of their own."""
    hold = member.ask.change.hold
    return (
        hold is not None and bool(hold.group_request) and newest_request(deps, hold.group_request).id == group_hold.id
    )


def read_members(deps: Deps, group_hold: Request) -> dict[str, Request]:
    """The request that holds each host, or was to hold it."""
    task = deps.store.get_periodic(rollout_name(approved_request(deps, group_hold)))
    written = task.document.get("hosts", {}) if task else {}
    return {host: newest_request(deps, one["request"]) for host, one in written.items()}


def rollout_name(group_hold: Request) -> str:
    """The name of the periodic task that rolls the hold out."""
    return f"{HOLD_ROLLOUT}:{group_hold.id}"


def make_rollout_due(deps: Deps, mask: Request) -> None:
    """Make the rollout of a group's hold due at once, even if it is being performed."""
    name = rollout_name(approved_request(deps, mask))
    update_periodic(deps, name, lambda task: (replace(task, due_at=deps.clock.now()), ()))
