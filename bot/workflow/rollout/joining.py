"""A hold for many hosts goes on once it is in force: to hosts that join, and to those where it is not in force yet.

Each of them has a request of its own. Where its plan is one that people approved on another host, it runs at once;
otherwise it gets a card in the thread of the hold's card, and the approvers and the hold's owners are mentioned.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.core.audit.request_event import event
from bot.core.cards.rollout import notes, reasons
from bot.core.requests import Ask, Hold, Request, Rollout, RolloutTarget, TargetStatus, Verb
from bot.core.requests.timers import next_join
from bot.core.rollout import joining
from bot.core.rollout.next_wave import may_begin
from bot.core.rollout.targets import ask_of, triggers_of, with_triggers
from bot.core.systemd.units import UnitName
from bot.ports import Message, MessageKind, Query
from bot.workflow.people.membership import mention_ids
from bot.workflow.process.deps import Deps
from bot.workflow.process.update import update
from bot.workflow.requests.kill_switch_state import active_kill_switch
from bot.workflow.requests.lookup import undo_in_progress
from bot.workflow.requests.mask_inventory import SOON
from bot.workflow.requests.results import Stages, Update
from bot.workflow.requests.submit import submit
from bot.workflow.rollout.carry_out import begin_target, with_enough_active
from bot.workflow.rollout.target_list import expand_now
from bot.workflow.rollout.target_progress import as_recorded, real_names
from bot.workflow.rollout.whole_plan import as_planned, beside_it

_AT_ONCE = 16  # requests that are made in one turn, so that many hosts that join delay nobody else
_AGAIN_IN = timedelta(seconds=2)  # until the next ones
_MOST_HOLDS = 1000


def check_holds(deps: Deps) -> None:
    """Have each hold for many hosts look at once where it has to go, because hosts or rules may have changed."""
    now = deps.clock.now()
    for hold in deps.store.find(Query(live_masks=True, rollout="", limit=_MOST_HOLDS)):
        if hold.rollout and hold.rollout.joins_at:
            update(deps, hold.id, lambda whole: (_due(whole, now), ()))


def _due(whole: Request, now: datetime) -> Request:
    return replace(whole, rollout=replace(whole.rollout, joins_at=now)) if whole.rollout else whole


def go_on_with_hold(deps: Deps, whole: Request) -> Stages:
    """See how far its targets have come, ask for what is missing, and begin what may begin."""
    rollout, hold, now = whole.rollout, whole.approved_hold, deps.clock.now()
    if rollout is None or hold is None or whole.ask.change.verb is not Verb.MASK:
        return whole
    deps = deps.pinned()
    again_at = now + joining.pause(now - (whole.finished_at or now), deps.in_force.policy.holds.reapply_within)
    seen = as_recorded(deps, whole.id, rollout, lambda known, found: joining.as_it_stands(known, found, again_at))
    begin: Sequence[RolloutTarget] = ()
    if joins_at := next_join(whole):
        seen, begin = _go_on(deps, whole, seen, is_turn=joins_at <= now)
    news = joining.news(seen)
    seen = seen.put(*(replace(one, told=one.note) for one in news))
    if seen != rollout:
        whole = yield _went_on(deps, _still_lifted(whole, seen, now), hold, rollout, news)
    for one in begin:  # only now, so that whoever lifts the hold meanwhile knows of them
        begin_target(deps, whole, one)
    return whole


def _go_on(deps: Deps, whole: Request, rollout: Rollout, *, is_turn: bool) -> tuple[Rollout, tuple[RolloutTarget, ...]]:
    """The rollout with what is asked for and begun now, and what is begun.

    Nothing is while the kill switch is on, or while the hold is being lifted.
    """
    now = deps.clock.now()
    if active_kill_switch(deps, whole) or undo_in_progress(deps, whole):
        return replace(rollout, joins_at=now + _soon(deps)) if is_turn else rollout, ()
    if is_turn:
        rollout, joins_at = _ask_for_missing(deps, whole, rollout, now)
        rollout = replace(rollout, joins_at=joins_at)
    asked = _with_triggers(deps, whole, rollout)
    begin = _ready(deps, whole, asked)
    return asked.put(*(replace(one, status=TargetStatus.STARTED) for one in begin)), begin


def _still_lifted(whole: Request, seen: Rollout, now: datetime) -> Request:
    """The hold with its targets. What was masked in the very moment in which all of it was lifted is undone as well."""
    after = replace(whole, rollout=seen)
    if whole.undone_by and seen.has_masks:
        return replace(after, undone_by="", undone_at=None, aftercare=replace(whole.aftercare, expires_at=now))
    return after


def _went_on(deps: Deps, whole: Request, hold: Hold, before: Rollout, news: Sequence[RolloutTarget]) -> Update:
    """Tell the owners once for each reason why it is not in force somewhere, and whoever is asked anew."""
    why = {f"{one.unit} on {one.host}": one.note for one in news}
    missing = [event(whole, "hold.not_applied", outcome="failure", code="refused", why=why)] if why else []
    owners, now_full = mention_ids(deps, (hold.owners,)), whole.rollout.waits_for if whole.rollout else ""
    bodies = [notes.not_in_force(news)] * bool(news) + [now_full] * bool(now_full and now_full != before.waits_for)
    told = [Message(MessageKind.NOTE, body=body, mentions=owners) for body in bodies]
    return Update(whole, missing, [*told, *_asked_again(deps, whole, before, hold)], is_urgent=False)


def _until_next(deps: Deps, rollout: Rollout) -> timedelta:
    is_open = any(one.status.is_open or one.status is TargetStatus.READY for one in rollout.targets)
    return _soon(deps) if is_open else timedelta(seconds=deps.timings.watch_interval)


def _soon(deps: Deps) -> timedelta:
    return timedelta(seconds=deps.timings.watch_interval * SOON)


def _ask_for_missing(deps: Deps, whole: Request, rollout: Rollout, now: datetime) -> tuple[Rollout, datetime]:
    """Make a request for each target that joins or is tried again, a few at a time; and when that goes on.

    The same key finds what a lost turn asked for.
    """
    policy, selection = deps.in_force.policy.digest, whole.ask.selection
    if rollout.judged_by != policy:
        rollout = replace(joining.tried_now(rollout, now), judged_by=policy)
    named, most = [*expand_now(deps, selection)] if selection else [], deps.in_force.policy.limits.targets
    fits, beyond = joining.that_fit(rollout, named, most)
    rollout = replace(rollout, waits_for=reasons.is_full(beyond, most) if beyond else "")
    missing = [*joining.targets_to_ask(rollout, fits, now)]
    asked = rollout.put(*(_asked(deps, whole, one) for one in missing[:_AT_ONCE]))
    asked = as_recorded(deps, whole.id, asked) if missing else asked
    return asked, now + (_until_next(deps, asked) if len(missing) <= _AT_ONCE else _AGAIN_IN)


def _asked(deps: Deps, whole: Request, target: RolloutTarget) -> RolloutTarget:
    key = f"join:{whole.id}:{target.host}:{target.unit}:{target.tries}"
    return replace(target, request_id=submit(deps, _ask(whole, target), key=key).id)


def _ask(whole: Request, target: RolloutTarget) -> Ask:
    """On behalf of whoever owns the hold now, with the review that its owners set last."""
    ask, beside = ask_of(whole, target), beside_it(whole.rollout or Rollout(), target, {})
    change = replace(ask.change, hold=whole.hold, duration=None, scheduled_window=None, beside=beside)
    return replace(ask, change=change, requester=whole.owner, requester_name=whole.owner_name)


def _with_triggers(deps: Deps, whole: Request, rollout: Rollout) -> Rollout:
    """Of a set: what triggers a unit on a host that has joined comes before it."""
    if whole.ask.selection is None or not whole.ask.selection.with_triggers:
        return rollout

    def triggers(one: RolloutTarget) -> Sequence[UnitName]:
        return triggers_of(deps.store.get(one.request_id)) if _is_new(one) else ()

    found = with_triggers(rollout, triggers)
    known = frozenset(rollout.targets)
    new = [one for one in found.targets if one not in known]
    return found.put(*(_asked(deps, replace(whole, rollout=found), replace(one, tries=1)) for one in new))


def _is_new(target: RolloutTarget) -> bool:
    return target.status is TargetStatus.READY and target.tries > 0


def _ready(deps: Deps, whole: Request, rollout: Rollout) -> tuple[RolloutTarget, ...]:
    """What may begin now, with its digest where people approved that plan; without it, they are asked by a card."""
    kinds, checking = joining.approved_kinds(rollout), rollout.with_status(TargetStatus.PLANNING)
    hosts = {one.host for one in checking}
    new = [one for one in may_begin(rollout) if _is_new(one) and one.host not in hosts]
    begin, _ = with_enough_active(deps, whole, rollout, new)
    names = real_names(deps, rollout, {one.host for one in begin})
    planned = [as_planned(deps, rollout, one, names) for one in begin]
    return tuple(one if one.kind in kinds else replace(one, digest="") for one in planned)


def _asked_again(deps: Deps, whole: Request, before: Rollout, hold: Hold) -> Iterator[Message]:
    """Mention approvers and owners where the plan of a host is none that people approved."""
    known = {one.request_id for one in before.with_status(TargetStatus.ASKED_AGAIN)}
    for one in whole.rollout.with_status(TargetStatus.ASKED_AGAIN) if whole.rollout else ():
        approval = deps.store.get(one.request_id).approval if one.request_id not in known else None
        if approval:
            mentions = mention_ids(deps, tuple(dict.fromkeys((*approval.groups, hold.owners))))
            yield Message(MessageKind.NOTE, body=notes.differs(one), mentions=mentions)
