"""Handle recorded followups: verify each author, grant it or refuse it, and answer."""

from collections.abc import Callable, Mapping
from contextlib import suppress

from bot.core.cards.voting import TRY_AGAIN
from bot.core.policy.model import Refuse
from bot.core.requests import Followup, FollowupKind, Request, Stage
from bot.errors import NotYet, Unverified, UsageError
from bot.workflow.followups.break_glass import break_glass
from bot.workflow.followups.break_glass_sign_off import sign
from bot.workflow.followups.clarification import answer, ask_for_more
from bot.workflow.followups.ownership import hand_over
from bot.workflow.followups.record import check, refuse_followup
from bot.workflow.followups.steering import steer
from bot.workflow.process.deps import Deps
from bot.workflow.requests.results import Stages, Update

Grant = Callable[[Deps, Request, Followup], Update]
_GRANT: Mapping[FollowupKind, Grant] = {
    FollowupKind.BREAK_GLASS: break_glass,
    FollowupKind.ASK_FOR_MORE: ask_for_more,
    FollowupKind.ANSWER: answer,
    FollowupKind.HAND_OVER: hand_over,
    FollowupKind.SIGN_OFF: sign,
    FollowupKind.PAUSE: steer,
    FollowupKind.GO_ON: steer,
    FollowupKind.STOP_HERE: steer,
}


def handle_followups(deps: Deps, request: Request) -> Stages:
    """Handle followups in the order of their recording; one that cannot be verified yet keeps waiting."""
    for followup in request.open_followups if _are_taken(request) else ():
        with suppress(NotYet):
            request = yield _handle(deps, request, followup)
    return request


def _are_taken(request: Request) -> bool:
    """Whether followups are taken now: a request that runs takes them afterwards, a rollout at any time."""
    return request.stage is not Stage.RUNNING or request.rollout is not None


def _handle(deps: Deps, request: Request, followup: Followup) -> Update:
    """Check the followup again, because the request may have moved since it was recorded. Raises `NotYet`."""
    try:
        check(request, followup, deps.in_force.policy)
        return _GRANT[followup.kind](deps, request, followup)
    except Unverified as error:
        no = Refuse("identity_unverified", str(error), TRY_AGAIN)
    except UsageError as error:
        no = Refuse("too_late", str(error))
    return refuse_followup(request, followup, no)


def retry_followups(deps: Deps, request: Request) -> Request:
    """Retry followups after everything else, so that they delay nothing. Raises `NotYet` while one is open."""
    if request.open_followups and _are_taken(request):
        raise NotYet("Group members are not known yet.", again_in=deps.timings.not_verified)
    return request
