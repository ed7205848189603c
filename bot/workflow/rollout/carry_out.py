"""Carry an approved rollout out, wave by wave. Each target's own request does the work; nothing is sent from here."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.core.audit.chain import Event
from bot.core.audit.request_event import event
from bot.core.cards import not_started
from bot.core.cards.rollout import notes, reasons
from bot.core.policy.model import Allow, Moment
from bot.core.requests import Aftercare, Request, Rollout, RolloutTarget, Stage, TargetStatus, Verb
from bot.core.requests.expiry import begin_aftercare
from bot.core.rollout.progress import Progress, with_progress
from bot.core.rollout.steering import stop
from bot.core.rollout.turn import Turn, next_turn
from bot.errors import NotYet, Unverified, UsageError
from bot.ports import Message, MessageKind
from bot.workflow.evaluate import evaluate, gather_facts
from bot.workflow.process.deps import Deps
from bot.workflow.process.update import update
from bot.workflow.requests.closing import close, end_messages
from bot.workflow.requests.kill_switch_state import active_kill_switch
from bot.workflow.requests.marks import mark_undone
from bot.workflow.requests.results import Closing, Decided, Ending, Result, Stages, Update, save
from bot.workflow.rollout.extension import extend_rollout
from bot.workflow.rollout.keep_active import headroom, may_begin

_POLL = timedelta(seconds=5)  # every target that moves wakes its rollout anyway


def begin_rollout(deps: Deps, request: Request) -> Update | Decided | Closing | Ending:
    """Let an approved rollout begin, if the policy still allows it. Raises `NotYet` while it has to wait."""
    if request.ask.extends:
        return extend_rollout(deps, request)
    if request.act_by and deps.clock.now() > request.act_by:
        return Closing(request, Stage.TIMED_OUT, not_started.unused(request), "approval_timed_out")
    place, is_new = request.ask.place, request.is_new_mask
    if is_new and not place.is_shell and not all(deps.store.card(request.id)):
        raise NotYet("Its card is not posted yet.", again_in=deps.timings.host_busy)
    try:
        given = gather_facts(deps, request, Moment.ACT)
        decision = evaluate(deps, given)
    except Unverified as error:
        raise NotYet(str(error), again_in=deps.timings.not_verified) from error
    except UsageError as error:
        return Closing(request, Stage.CANCELLED, str(error), "too_late")
    if not isinstance(decision, Allow):
        return Decided(request, decision, deps.in_force.policy.digest)
    now = deps.clock.now()
    running = request.move(Stage.RUNNING, begun_at=now, due_at=now, because=decision.because)
    return Update(running, [event(running, "exec.started", digest=running.target.digest)])


def take_turn(deps: Deps, request: Request) -> Stages:
    """See how far the targets have come, and begin what comes next. Raises `NotYet` while only targets move."""
    found = deps.store.progress(request.id)
    rollout = with_progress(request.rollout or Rollout(), found)
    if _time_is_up(request, deps.clock.now()):
        rollout = rollout if rollout.stopped_at else stop(rollout, reasons.TIME_IS_UP, deps.clock.now())
    turn = next_turn(rollout, deps.clock.now(), is_checked=_is_checked(rollout, found))
    stopped = active_kill_switch(deps, request) if request.is_new_mask and turn.begin else None
    if stopped:
        waits = replace(rollout, waits_for=reasons.kill_switch_is_on(stopped.by_name))
        return (yield _later(deps, request, waits, None))
    if turn.rollout.wave != rollout.wave:
        _verify_wave(deps, rollout)
        request = yield _begin_wave(deps, request, turn.rollout)
    begin, waits_for = _with_enough_active(deps, request, turn)
    for target in begin:
        _begin_target(deps, request, target)
    begun = turn.rollout.put(*(replace(one, status=TargetStatus.STARTED) for one in begin))
    begun = replace(begun, waits_for=waits_for)
    if turn.is_over:
        return (yield _finish(deps, request, begun))
    return (yield from _go_on(deps, request, turn, begun))


def _with_enough_active(deps: Deps, request: Request, turn: Turn) -> tuple[Sequence[RolloutTarget], str]:
    """The targets that may begin without leaving too few hosts that run the unit, and why the others wait."""
    room = headroom(deps, request, turn.rollout) if turn.begin else None
    if room is None:
        return turn.begin, ""
    begin = may_begin(room, turn.rollout, [*turn.begin])
    return begin, "" if len(begin) == len(turn.begin) else reasons.too_few_active(room.rule, len(room.active))


def _go_on(deps: Deps, request: Request, turn: Turn, rollout: Rollout) -> Stages:
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


def _begin_wave(deps: Deps, request: Request, rollout: Rollout) -> Update:
    begun = replace(request, rollout=rollout, due_at=deps.clock.now())
    hosts = sorted({one.host for one in rollout.in_wave(rollout.wave)})
    return Update(begun, [event(begun, "rollout.wave_begun", wave=rollout.wave, of=rollout.last_wave, hosts=hosts)])


def _pause(deps: Deps, request: Request, rollout: Rollout) -> Update:
    """It pauses by itself, and calls its owner."""
    paused = replace(request, rollout=rollout, due_at=deps.clock.now() + _POLL)
    told = event(paused, "rollout.paused", outcome="failure", code="by_itself", why=rollout.why_paused)
    body = notes.paused_by_itself(paused, rollout)
    return Update(paused, [told], [Message(MessageKind.NOTE, body=body, mentions=(request.owner.user,))])


def _begin_target(deps: Deps, whole: Request, target: RolloutTarget) -> None:
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


def _verify_wave(deps: Deps, rollout: Rollout) -> None:
    """Believe that a wave has ended only by rows that are what a bot wrote. Raises `NotSealed`."""
    for one in rollout.in_wave(rollout.wave):
        deps.store.get(one.request_id)


def _is_checked(rollout: Rollout, found: list[Progress]) -> bool:
    """Whether each target of the wave was checked after its change, and nothing worse was found."""
    if not rollout.settings.wait_for_aftercheck:
        return True
    of_wave = {one.request_id for one in rollout.in_wave(rollout.wave) if one.status is TargetStatus.DONE}
    return all(one.looks > 0 and not one.found for one in found if one.request_id in of_wave)


def _time_is_up(request: Request, now: datetime) -> bool:
    duration, begun_at = request.ask.change.duration, request.begun_at
    return bool(duration and begun_at and duration.expires_at(begun_at) <= now)


def _finish(deps: Deps, request: Request, rollout: Rollout) -> Update:
    """Every target has its outcome. What is left of an undone rollout is said on its own card."""
    now, change = deps.clock.now(), request.ask.change
    is_free = change.verb is Verb.MASK and not change.hold
    undo_until = now + deps.in_force.policy.undo_without_approval_for if is_free else None
    done = replace(request, rollout=rollout).move(Stage.DONE, finished_at=now, due_at=None, undo_until=undo_until)
    care = begin_aftercare(done, request.begun_at or now, deps.aftercare) if done.is_live_mask else Aftercare()
    done = replace(done, aftercare=replace(care, look_at=None))
    if request.ask.undoes and not deps.store.get(request.ask.undoes).is_live_mask:
        mark_undone(deps, request.ask.undoes, by=request.id, is_restored=True)
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
        if one.stage in (Stage.ASKED, Stage.WAITING):
            target = deps.store.get(one.request_id)
            save(deps, close(Closing(target, Stage.CANCELLED, reasons.NOT_BEGUN, "rollout_over"), deps.clock.now()))
    return Update(replace(request, rollout=replace(request.rollout, is_closed=True)), is_urgent=False)
