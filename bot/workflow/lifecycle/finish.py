"""Finish a change that ran: judge it by a full look, record the outcome, notify people, and mark what it undid."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from bot.core.audit.request_event import event
from bot.core.cards.expiry import left_over_message
from bot.core.cards.hold import back_message
from bot.core.cards.not_started import mask_is_gone
from bot.core.policy.model import Refuse
from bot.core.policy.rules.force_stop import STOP_IS_OVER
from bot.core.requests import HoldState, Outcome, Request, Stage, Verb
from bot.core.requests.expiry import begin_aftercare
from bot.core.requests.proof import caveats, disproofs
from bot.core.rollout.progress import OUR_MASK_IS_GONE
from bot.core.steps import Done
from bot.core.steps.restoring import OVER, is_over
from bot.errors import NotSealed
from bot.ports import Message, MessageKind
from bot.workflow.process.deps import Deps
from bot.workflow.process.render import in_words
from bot.workflow.requests.closing import end_messages
from bot.workflow.requests.marks import mark_forced, mark_repeated, mark_undone
from bot.workflow.requests.results import Ending, Update

_AUDIT_WORD = {
    Outcome.PROVEN: "success",
    Outcome.RESTORED: "success",
    Outcome.UNMASKED: "success",
    Outcome.EXTENDED: "success",
    Outcome.KILLED: "success",
    Outcome.CALLED_OFF: "success",
    Outcome.NO_CHANGE: "no_change",
    Outcome.UNKNOWN: "unknown",
}


_ROUNDS = 20  # the current one; nothing below decides by policy


def finish(deps: Deps, ending: Ending) -> Update:
    """The outcome with all messages about it. What it did to other requests is written into those before."""
    request, done = ending.request, _proven_or_not(ending)
    if request.ask.undoes and done.outcome in OUR_MASK_IS_GONE:
        is_restored, is_told = done.outcome is not Outcome.NOT_OURS, not _is_told_by_its_rollout(deps, request)
        mark_undone(deps, request.ask.undoes, by=request.id, is_restored=is_restored, is_told=is_told)
    if request.ask.forces and done.outcome is Outcome.KILLED:
        mark_forced(deps, request)
    if request.ask.repeats and done.outcome in _MASKED:
        mark_repeated(deps, request.ask.repeats, by=request.id)
    now = deps.clock.now()
    # A hold is lifted by its owners alone, and never without a vote.
    change = request.ask.change
    is_free = change.verb is Verb.MASK and not (change.hold or change.adopt)
    undo_until = now + deps.in_force.policy.undo_without_approval_for if is_free else None
    finished = request.on_target(
        after=ending.after, status_after=ending.status, outcome=done.outcome, note=done.note, unknown_since=None
    ).move(Stage.DONE, finished_at=now, due_at=None, undo_until=undo_until)
    history = _history(deps, finished, now) if finished.hold and finished.ask.repeats else HoldState()
    finished = replace(
        finished, aftercare=begin_aftercare(finished, now, deps.aftercare, ending.no_login), hold_state=history
    )
    recorded = event(
        finished,
        "request.finished",
        outcome=_AUDIT_WORD.get(done.outcome, "failure"),
        code=done.outcome,
        note=done.note,
        before=request.target.before.unit_states if request.target.before else None,
        after=ending.after.unit_states if ending.after else None,
        expires_at=finished.aftercare.expires_at,
        no_login=ending.no_login or None,
    )
    return Update(finished, [recorded], [*_to_all(finished), *_to_owner(deps, finished)])


def _is_told_by_its_rollout(deps: Deps, request: Request) -> bool:
    """Whether the undo of a whole rollout writes into that what became of it, for many targets at once."""
    with suppress(NotSealed):  # which tells nobody anything
        return bool(request.ask.rollout and deps.store.get(request.ask.rollout).ask.undoes)
    return False


def _history(deps: Deps, request: Request, now: datetime) -> HoldState:
    """A reapplied hold takes over the history of the request before it."""
    first = deps.store.get(request.ask.repeats)
    return HoldState(reapplied_at=(*first.hold_state.reapplied_at, now)[-_ROUNDS:] if request.ask.by_itself else ())


def _to_all(ended: Request) -> Iterator[Message]:
    """Commands go into the thread; a change that did nothing on a host and needed no approval is on its card only."""
    if ended.ask.rollout and ended.approval is None:  # the rollout's card and thread say it
        if ended.ask.is_reapply and ended.target.outcome is Outcome.PROVEN:
            yield Message(MessageKind.NOTE, body=back_message(ended))
        return
    if ended.target.outcome is not Outcome.EXTENDED:
        yield Message(MessageKind.EVIDENCE)
    if ended.target.outcome is not Outcome.EXTENDED or ended.approval:
        yield from end_messages(ended)


def _to_owner(deps: Deps, ended: Request) -> Iterator[Message]:
    """Tell the owner of an expired mask when its undo stopped and left the rest to people."""
    outcome = ended.target.outcome
    if ended.ask.by_itself and outcome in (Outcome.NOT_OURS, Outcome.RESTORED_PARTLY):
        mask = deps.store.get(ended.ask.undoes)
        is_gone = outcome is Outcome.RESTORED_PARTLY
        body = in_words(deps, mask, lambda: left_over_message(mask, ended.target.note, is_gone=is_gone))
        yield Message(MessageKind.DIRECT, to=mask.owner.user, body=body)


def nothing_to_do(deps: Deps, request: Request, refusal: Refuse) -> Ending | None:
    """The end of a change whose goal is reached already; None if it is refused for any other reason.

    A mask of ours that is gone was removed by somebody else, or by a reboot, and its own card has to say so.
    """
    mask = deps.store.get(request.ask.undoes) if request.ask.undoes else None
    before = request.target.before
    if refusal.code == "not_masked" and mask and not mask.undone_by and before and is_over(mask.target, before):
        return Ending(request, Done(Outcome.UNMASKED, OVER), after=before)
    if refusal.code == "not_masked" and mask and not mask.undone_by:
        return Ending(request, Done(Outcome.NOT_OURS, mask_is_gone(mask)), after=before)
    if refusal.code in ("already_masked", "not_masked", STOP_IS_OVER):
        return Ending(request, Done(Outcome.NO_CHANGE, refusal.sentence), after=before)
    return None


_MASKED = (Outcome.PROVEN, Outcome.MASKED_RUNNING, Outcome.MASKED_RESTARTED)


def _proven_or_not(ending: Ending) -> Done:
    """The outcome of a mask: proven only if nothing in the full look speaks against it."""
    done, target = ending.done, ending.request.target
    if done.outcome is not Outcome.PROVEN or ending.after is None:
        return done
    against = disproofs(ending.request.ask.change, target, ending.after)
    if against:
        outcome = Outcome.NOT_PROTECTED if ending.after.active.is_down else Outcome.NOT_LOADED
        return Done(outcome, "; ".join(against))
    return replace(done, note=" ".join(filter(None, (done.note, *caveats(target, ending.after)))))
