"""A request that waits, by the policy and the calendar as they are now.

Another policy may make what was asked of it stricter, and never easier; a freeze comes and goes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import structlog

from bot.core import later
from bot.core.audit import Event
from bot.core.changes import Request, Stage
from bot.core.demands import asked_now, held_to_what_was_asked, is_outdated
from bot.core.policy import Allow, Decision, Moment, NeedsApproval, Refuse
from bot.errors import Unverified, UsageError
from bot.ports import Claim, Message
from bot.workflow.ending import end, event, limit_events, refuse
from bot.workflow.groups import with_names
from bot.workflow.judging import judge, with_all_hosts
from bot.workflow.losing import without_lost
from bot.workflow.parts import Parts

log = structlog.get_logger()
_REPLACED = "The policy was replaced while this waited."


def review(parts: Parts, request: Request, *, claim: Claim) -> Request:
    """Judge it anew if the policy was replaced since it was asked, or a freeze or a window begins or ends.

    If people cannot be verified now, it is tried again soon; a vote does not count for less meanwhile.
    """
    policy, now = parts.policy.digest, parts.clock.now()
    is_open = request.approval is not None and now < request.approval.decide_by
    if request.stage is not Stage.WAITING or not is_open or not is_outdated(request, policy=policy, now=now):
        return request
    held = with_all_hosts(parts, held_to_what_was_asked(request, policy=policy))
    try:
        answer = with_names(parts, judge(parts, held, Moment.VOTE))
    except UsageError as error:
        return end(parts, request, Stage.CANCELLED, f"{_REPLACED} {error}", code="unknown_host", claim=claim)
    except Unverified as error:
        log.warning("request not reviewed", request=request.id, why=str(error))
        return _again_soon(parts, held, claim=claim)
    if isinstance(answer, Refuse) and request.approval and request.approval.policy != policy:
        answer = replace(answer, reason=f"{_REPLACED} {answer.reason}")
    evaluated = event(held, "policy.evaluated", decision=type(answer).__name__, digest=held.target.digest)
    return follow(parts, held, answer, Told([evaluated]), claim=claim)


def _again_soon(parts: Parts, held: Request, *, claim: Claim) -> Request:
    """Stored as it has to be judged. Its clock must not stand in the past: it would be due again at once, for ever."""
    soon = parts.clock.now() + timedelta(seconds=parts.timings.not_verified)
    if held.approval is None or held.approval.turns_at is None:
        return held
    later = replace(held, approval=replace(held.approval, turns_at=soon))
    return parts.store.save(later, claim=claim, urgent=False)


@dataclass(frozen=True, slots=True)
class Told:
    """What is to be recorded and said along with an answer."""

    events: Sequence[Event] = ()
    messages: Sequence[Message] = ()


def follow(parts: Parts, request: Request, answer: Decision, told: Told, *, claim: Claim) -> Request:
    """Do to a request that waits what the answer says: end it, let it run, or ask for what is asked now."""
    match answer:
        case Refuse():
            return refuse(parts, parts.store.save(request, events=told.events, claim=claim), answer, claim=claim)
        case Allow() if request.approval is not None:
            approved = later.approved(request, answer.because, parts.clock.now(), request.approval.good_for)
            events = [*told.events, event(request, "approval.quorum")]
            return parts.store.save(approved, events=events, claim=claim)
        case NeedsApproval() if request.approval is not None:
            window = later.window_of(request)
            asked = asked_now(request.approval, answer, policy=parts.policy.digest, window=window)
            lost = without_lost(replace(request, approval=asked), answer)
            return parts.store.save(
                lost.request,
                events=[*told.events, *lost.events, *limit_events(request, answer)],
                messages=[*told.messages, *lost.messages],
                claim=claim,
            )
        case _:
            return parts.store.save(request, events=told.events, messages=told.messages, claim=claim)
