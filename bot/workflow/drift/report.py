"""Report drift: a lost mask of ours, units that failed because of one, and masks made or removed by others."""

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from bot.core.audit.chain import Event
from bot.core.audit.request_event import event
from bot.core.cards import drift as words
from bot.core.cards import unrecorded
from bot.core.drift import HostView, ScanDrift, loss
from bot.core.hosts.inventory import Host
from bot.core.people.identity import Place
from bot.core.requests import Loss, Request, Stage, Verb
from bot.core.systemd.scan import FoundMask, Scan
from bot.core.systemd.units import Snapshot, UnitName
from bot.errors import Stale
from bot.ports import Message, MessageKind, Query
from bot.workflow.drift.unrecorded import is_undone_off_record
from bot.workflow.hold.reapply import report_removal
from bot.workflow.hosts.look import look
from bot.workflow.people.routing import place_of
from bot.workflow.process.deps import Deps
from bot.workflow.process.render import in_words
from bot.workflow.requests.lineage import current_hold
from bot.workflow.requests.mask_inventory import units_being_changed
from bot.workflow.requests.results import Update, save


def find_lost_mask(
    deps: Deps, request: Request, seen: Snapshot, *, boot_id: str, agents: tuple[str, ...]
) -> Update | None:
    """The loss that a look at the unit of a live mask reveals; None if the mask is there or is being undone.

    Raises `HostError`.
    """
    target = request.target
    is_ending = bool(request.aftercare.undo_request)  # the running undo will find it out, and report it
    became = loss(request, seen, boot_id=boot_id) if request.is_live_mask and not is_ending else None
    if became is None or str(target.unit) in units_being_changed(deps, target.host):
        return None
    if became in (Loss.REMOVED, Loss.REPLACED) and is_undone_off_record(deps, request, seen):
        became = Loss.UNDONE
    if current_hold(deps, request):
        return report_removal(deps, request, became, agents)
    drift = replace(request.drift, lost=became, lost_at=deps.clock.now(), suspects=agents)
    lost = replace(request, drift=drift)
    known = event(request, "drift.mask_lost", outcome="failure", code=became, agents=list(agents))
    body = in_words(deps, lost, lambda: words.loss_message(lost, seen))
    told = [Message(MessageKind.NOTE, body=body)]
    if became is not Loss.REBOOTED:  # that was to be expected
        channel = Place(place_of(deps, request).channel)
        told.append(Message(MessageKind.NOTE, body=body, place=channel, mentions=(request.owner.user,)))
    return Update(lost, [known], told)


def check_lost_masks(deps: Deps, host: Host, request: Request, seen: Scan) -> None:
    """A scan did not show a mask of ours: look at it, and report it if it is lost. Raises `HostError`."""
    found = look(deps, host, request.target.unit, user=request.ask.change.user)
    lost = find_lost_mask(deps, request, found, boot_id=seen.boot_id, agents=seen.agents)
    if lost and lost.events:
        with suppress(Stale):  # somebody has just undone it
            save(deps, lost)
            if request.ask.rollout:
                deps.store.make_due(request.ask.rollout)


def report_failed_scan(deps: Deps, request: Request, units: Sequence[str], told: Collection[str]) -> None:
    """Report failed units related to a unit that we masked. What was `told` in another thread is only recorded."""
    if not units:
        return
    drift = replace(request.drift, failed=(*request.drift.failed, *units))
    known = event(request, "drift.unit_failed", outcome="failure", code="failed_since", units=list(units))
    new = [unit for unit in units if unit not in told]
    body = in_words(deps, request, lambda: words.failed_units_message(request, new))
    note = Message(MessageKind.NOTE, body=body, mentions=(request.owner.user,))
    with suppress(Stale):
        deps.store.save(replace(request, drift=drift), events=[known], messages=[note] if new else [])


def masks_by_others(deps: Deps, view: HostView, found: ScanDrift) -> tuple[list[Event], list[Message]]:
    """Masks that are not ours are always recorded, and posted where the policy asks for it and names a channel."""
    gone = [mask for mask in found.vanished if not _removed_by_us(deps, view.host, mask, view.seen_at)]
    events, messages = list[Event](), list[Message]()
    for kind, masks, told in (
        ("appeared", found.appeared, words.new_masks_notice),
        ("vanished", gone, words.gone_masks_notice),
    ):
        if masks:
            data = {"host": view.host, "masks": [mask.path for mask in masks]}
            events.append(Event(f"drift.mask_{kind}", "success", data=data))
            messages.append(Message(MessageKind.NOTE, body=told(view.host, masks)))
    tells = deps.in_force.policy.tell_foreign_masks and bool(deps.in_force.policy.operations_channel)
    return events, messages if tells else []


def masks_off_record(deps: Deps, view: HostView, newer: HostView) -> tuple[list[Event], list[Message]]:
    """Masks of ours that are not on record, each recorded and posted once."""
    lost = {path: mask for path, mask in newer.unrecorded.items() if view.unrecorded.get(path) != mask}
    if not lost:
        return [], []
    data = {"host": view.host, "masks": list(lost), "requests": [mask.request for mask in lost.values()]}
    told = [Message(MessageKind.NOTE, body=unrecorded.notice(view.host, list(lost.values())))]
    is_told = bool(deps.in_force.policy.operations_channel)
    return [Event("drift.mask_unrecorded", "failure", data=data)], told if is_told else []


def _removed_by_us(deps: Deps, host: str, mask: FoundMask, since: datetime | None) -> bool:
    """Whether a request of ours removed that mask."""
    if not UnitName.is_sendable(mask.unit):
        return False
    done = deps.store.find(Query(host=host, unit=UnitName(mask.unit), stages=frozenset({Stage.DONE})))
    return any(since is None or at >= since for at in _times_of_unmasks(done))


def _times_of_unmasks(done: Sequence[Request]) -> list[datetime]:
    return [one.finished_at for one in done if one.ask.change.verb is Verb.UNMASK and one.finished_at]
