"""Reevaluate a waiting request under the current policy and calendar.

Another policy may make the requirements stricter, and never easier; a freeze comes and goes.
"""

from dataclasses import replace
from datetime import timedelta

import structlog

from bot.core.audit.request_event import event
from bot.core.cards import voting as words
from bot.core.policy.model import Moment, Refuse
from bot.core.policy.requirements import is_outdated, with_original_requirements
from bot.core.requests import Request, Stage
from bot.errors import Unverified, UsageError
from bot.workflow.evaluate import evaluate, gather_facts
from bot.workflow.process.deps import Deps
from bot.workflow.requests.results import Closing, Decided, Result, Update

log = structlog.get_logger()


def reevaluate(deps: Deps, request: Request) -> Result:
    """Decide again if the policy was replaced since people were asked, or a freeze or window begins or ends.

    If people cannot be verified now, it is tried again soon; no vote counts less meanwhile.
    """
    policy, now = deps.in_force.policy.digest, deps.clock.now()
    is_open = request.approval is not None and now < request.approval.approve_by
    if request.stage is not Stage.WAITING or not is_open or not is_outdated(request, policy=policy, now=now):
        return request
    judged = with_original_requirements(request, policy=policy)
    try:
        given = gather_facts(deps, judged, Moment.VOTE)
        judged = given.request
        answer = evaluate(deps, given)
    except UsageError as error:
        return Closing(request, Stage.CANCELLED, words.replaced_policy(str(error)), "unknown_host")
    except Unverified as error:
        log.warning("request not reevaluated", request=request.id, why=str(error))
        if judged.approval is None or judged.approval.calendar_changes_at is None:
            return judged
        # A timer in the past would make the request due at once, for ever.
        soon = now + timedelta(seconds=deps.timings.not_verified)
        return Update(replace(judged, approval=replace(judged.approval, calendar_changes_at=soon)), is_urgent=False)
    if isinstance(answer, Refuse) and request.approval and request.approval.policy != policy:
        answer = replace(answer, reason=words.replaced_policy(answer.reason))
    evaluated = event(judged, "policy.evaluated", decision=type(answer).__name__, digest=judged.target.digest)
    return Decided(judged, answer, policy, [evaluated])
