"""Carry an approved rollout out, wave by wave. Each target's own request does the work; nothing is sent from here."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from bot.core.audit.chain import Event
from bot.core.audit.request_event import event
from bot.core.cards.rollout import notes, reasons
from bot.core.policy.model import Allow, NeedsApproval, Refuse
from bot.core.requests import Aftercare, Request, Rollout, RolloutTarget, Stage, TargetStatus, Verb
from bot.core.requests.expiry import begin_aftercare
from bot.core.rollout.keep_active import keeping_enough, stops_units
from bot.core.rollout.next_wave import Turn, next_turn
from bot.core.rollout.steering import stop
from bot.errors import NotSealed, NotYet, UsageError
from bot.ports import Message, MessageKind
from bot.workflow.evaluate import evaluate_again
from bot.workflow.hosts.keep_active import count_active
from bot.workflow.process.deps import Deps
from bot.workflow.process.update import update
from bot.workflow.requests.closing import close, end_messages
from bot.workflow.requests.kill_switch_state import active_kill_switch
from bot.workflow.requests.marks import mark_lifted, mark_undone, mark_undone_until_now
from bot.workflow.requests.results import Closing, Decided, Ending, Result, Stages, Update, save
from bot.workflow.rollout.extension import extend_rollout
from bot.workflow.rollout.target_progress import (
    NotRecorded,
    as_now,
    is_checked,
    mark_progress,
    wave_as_now,
    why_not_recorded,
)

_NOT_BEGUN = (Stage.ASKED, Stage.WAITING, Stage.APPROVED)
_POLL = timedelta(seconds=5)  # every target that moves wakes its rollout anyway


def begin_rollout(deps: Deps, request: Request) -> Update | Decided | Closing | Ending:
    """Let an approved rollout begin, if the policy still allows it. Raises `NotYet` while it has to wait."""
    if request.ask.extends:
        return extend_rollout(deps, request)
    place, is_new = request.ask.place, request.is_new_mask
    if is_new and not place.is_shell and not all(deps.store.card(request.id)):
        raise NotYet("Its card is not posted yet.", again_in=deps.timings.host_busy)
    try:
        _, decision = evaluate_again(deps, request)
    except UsageError as error:
        return Closing(request, Stage.CANCELLED, str(error), "too_late")
    if not isinstance(decision, Allow):
        return Decided(request, decision, deps.in_force.policy.digest)
    now = deps.clock.now()
    running = request.move(Stage.RUNNING, begun_at=now, due_at=now, because=decision.because)
    return Update(running, [event(running, "exec.started", digest=running.target.digest)])


def advance_rollout(deps: Deps, request: Request) -> Stages:
    """See how far the targets have come, and begin what comes next. Raises `NotYet` while only targets move."""
    try:
        rollout, found = as_now(deps, request)
    except NotRecorded as error:
        return (yield _wait(deps, request, request.rollout or Rollout(), str(error)))
    mark_undone_until_now(deps, request, rollout)
    if _time_is_up(request, deps.clock.now()):
        rollout = rollout if rollout.stopped_at else stop(rollout, reasons.TIME_IS_UP, deps.clock.now())
    turn = next_turn(rollout, deps.clock.now(), is_checked=is_checked(rollout, found))
    if turn.begin and request.is_new_mask and (stopped := active_kill_switch(deps, request)):
        return (yield _wait(deps, request, rollout, reasons.kill_switch_is_on(stopped.by_name)))
    is_new_wave = turn.rollout.wave != rollout.wave
    if is_new_wave and (held := _instead_of_wave(deps, request, rollout)):
        return (yield from _go_on(deps, request, Turn(held), held))
    begin, waits_for = with_enough_active(deps, request, turn.rollout, turn.begin)
    if no := why_not_recorded(deps, begin):
        return (yield _wait(deps, request, rollout, no))
    begun = turn.rollout.put(*(replace(one, status=TargetStatus.STARTED) for one in begin))
    begun = replace(begun, waits_for=waits_for)
    # saved first: whoever lost the rollout to another replica begins nothing, and a target runs only by what is saved
    if is_new_wave:
        request = yield _begin_wave(deps, request, begun)
    elif begin:
        request = yield Update(replace(request, rollout=begun), is_urgent=False)
    for target in begin:
        begin_target(deps, request, target)
    if turn.is_over and not _is_still_made(deps, request):
        return (yield _finish(deps, request, begun))
    return (yield from _go_on(deps, request, turn, begun))


def with_enough_active(
    deps: Deps, request: Request, rollout: Rollout, wanted: Sequence[RolloutTarget]
) -> tuple[Sequence[RolloutTarget], str]:
    """The targets that may begin without leaving too few hosts that run a unit, and why the others wait."""
    rules, change = rollout.settings.keep_active, request.ask.change
    if not (rules and wanted and stops_units(change)):
        return wanted, ""
    begun = {(one.host, one.unit) for one in rollout.with_status(TargetStatus.STARTED)}  # also those not approved yet
    counts, _ = count_active(deps, rules, [(one.host, one.unit) for one in wanted], user=change.user, begun=begun)
    begin, short = keeping_enough(counts, wanted)
    return begin, reasons.too_few_active(short) if short else ""


def _go_on(deps: Deps, request: Request, turn: Turn, rollout: Rollout) -> Stages:
    if turn.is_over:
        rollout = replace(rollout, waits_for=reasons.STILL_MADE)
    before = request.rollout or Rollout()
    if rollout.paused_at and not before.paused_at:
        return (yield _pause(deps, request, rollout))
    return (yield _later(deps, request, rollout, turn.at))


def _later(deps: Deps, request: Request, rollout: Rollout, at: datetime | None) -> Result:
    """Wait for the targets, or for the pause to be over."""
    now = deps.clock.now()
    due_at = min(filter(None, (at, now + _POLL)))
    is_same = rollout == request.rollout
    later = replace(request, rollout=rollout, due_at=due_at)
    return later if is_same else Update(later, is_urgent=False)


def _wait(deps: Deps, request: Request, rollout: Rollout, why: str) -> Result:
    """Begin nothing, and say why."""
    return _later(deps, request, replace(rollout, waits_for=why), None)


def _begin_wave(deps: Deps, request: Request, rollout: Rollout) -> Update:
    begun = replace(request, rollout=rollout, due_at=deps.clock.now())
    hosts = sorted({one.host for one in rollout.in_wave(rollout.wave)})
    told = event(begun, "rollout.wave_begun", wave=rollout.wave, of=rollout.last_wave, hosts=hosts)
    return Update(begun, [told], is_urgent=False)


def _pause(deps: Deps, request: Request, rollout: Rollout) -> Update:
    """It pauses by itself, and calls its owner."""
    paused = replace(request, rollout=rollout, due_at=deps.clock.now() + _POLL)
    told = event(paused, "rollout.paused", outcome="failure", code="by_itself", why=rollout.why_paused)
    body = notes.paused_by_itself(paused, rollout)
    return Update(paused, [told], [Message(MessageKind.NOTE, body=body, mentions=(request.owner.user,))])


def begin_target(deps: Deps, whole: Request, target: RolloutTarget) -> None:
    """Let the request of one target run: the rollout's approval is its own, for the plan that people approved."""
    now = deps.clock.now()

    def begun(request: Request) -> tuple[Request, list[Event]]:
        if request.stage is not Stage.WAITING or request.approval is not None:
            return request, []
        approved = request.move(Stage.APPROVED, because=whole.because, approved_at=now, due_at=now)
        began = event(
            approved, "rollout.target_begun", digest=approved.target.digest, wave=target.wave, rollout=whole.id
        )
        return approved, [began]

    update(deps, target.request_id, begun)


def _instead_of_wave(deps: Deps, request: Request, rollout: Rollout) -> Rollout | None:
    """The rollout as it waits or pauses where its next wave must not begin; None if it may. Raises `NotYet`."""
    try:
        verified, is_checked_too = wave_as_now(deps, rollout)
    except NotRecorded as error:
        return replace(rollout, waits_for=str(error))
    if verified != rollout or not (is_checked_too or rollout.go_on):
        return verified
    # the first wave was judged a moment ago, and who lets it go on in spite of a no leaves the rest to each target
    no = "" if rollout.wave == 0 or rollout.go_on else _why_not_any_more(deps, request, rollout)
    return replace(rollout, paused_at=deps.clock.now(), paused_by="", why_paused=no) if no else None


def _why_not_any_more(deps: Deps, request: Request, rollout: Rollout) -> str:
    """What policy, calendar and people's rights say now against the next wave; empty if nothing. Raises `NotYet`."""
    left = replace(rollout, targets=rollout.with_status(TargetStatus.READY))
    try:
        _, decision = evaluate_again(deps, replace(request, rollout=left, act_by=None))
    except UsageError as error:
        return reasons.not_any_more(str(error))
    if isinstance(decision, Refuse):
        return reasons.not_any_more(decision.reason)
    return reasons.needs_more(decision.need) if isinstance(decision, NeedsApproval) else ""


def _is_still_made(deps: Deps, request: Request) -> bool:
    """Whether what it undoes is just being made on a further host: a hold that was joined meanwhile.

    What is not known there holds up no undo.
    """
    made = deps.store.progress(request.ask.undoes) if request.ask.undoes else ()
    return any(one.stage is Stage.RUNNING and not one.is_unknown for one in made)


def _mark_what_it_undid(deps: Deps, request: Request, rollout: Rollout) -> None:
    """What is left of a hold is undone by itself from now on, on hosts that are away for one; unless it was
    stopped.
    """
    undone = mark_progress(deps, request.ask.undoes)
    is_unknown = undone.rollout is not None and undone.rollout.is_unknown
    if not undone.is_live_mask and not is_unknown:
        mark_undone(deps, undone.id, by=request.id, is_restored=True)
    elif not rollout.stopped_at:
        mark_lifted(deps, undone.id, by=request.id)


def _time_is_up(request: Request, now: datetime) -> bool:
    duration, begun_at = request.ask.change.duration, request.begun_at
    return bool(duration and begun_at and duration.expires_at(begun_at) <= now)


def _finish(deps: Deps, request: Request, rollout: Rollout) -> Update:
    """Every target has its outcome. What is left of an undone rollout is said on its own card."""
    now, change = deps.clock.now(), request.ask.change
    is_mask = change.verb is Verb.MASK
    is_free = is_mask and not change.hold
    undo_until = now + deps.in_force.policy.undo_without_approval_for if is_free else None
    done = replace(request, rollout=rollout).move(Stage.DONE, finished_at=now, due_at=None, undo_until=undo_until)
    may_have_masks = done.is_live_mask or (is_mask and rollout.is_unknown)
    care = begin_aftercare(done, request.begun_at or now, deps.aftercare) if may_have_masks else Aftercare()
    done = replace(done, aftercare=replace(care, look_at=None))
    if request.ask.undoes:
        _mark_what_it_undid(deps, done, rollout)
    if done.hold:
        told = rollout.put(*(replace(one, told=one.note) for one in rollout.targets))
        done = replace(done, rollout=replace(told, joins_at=now, judged_by=deps.in_force.policy.digest))
    counts = {str(status): len(rollout.with_status(status)) for status in TargetStatus if rollout.with_status(status)}
    is_whole = len(rollout.with_status(TargetStatus.DONE)) == len(rollout.planned)
    ended = event(
        done, "request.finished", outcome="success" if is_whole else "failure", code="rollout", targets=counts
    )
    return Update(done, [ended], [Message(MessageKind.EVIDENCE), *end_messages(done)])


def close_targets(deps: Deps, request: Request) -> Update | Request:
    """A rollout that is over: the requests of its targets that never began are over as well."""
    if request.rollout is None or request.rollout.is_closed:
        return request
    for one in deps.store.progress(request.id):
        if one.stage in _NOT_BEGUN:
            with suppress(NotSealed):  # which never runs, and keeps no rollout from its end
                target = deps.store.get(one.request_id)
                save(deps, close(Closing(target, Stage.CANCELLED, reasons.NOT_BEGUN, "rollout_over"), deps.clock.now()))
    rollout = request.rollout
    with suppress(NotRecorded):  # a target may have become known while the rollout ended
        rollout = as_now(deps, request)[0] if request.stage is Stage.DONE else rollout
    return Update(replace(request, rollout=replace(rollout, is_closed=True)), is_urgent=False)
