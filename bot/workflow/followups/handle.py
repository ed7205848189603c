"""Hearing what people want of a request: each is verified first, and answered, whatever became of the request."""

from collections.abc import Callable, Mapping
from contextlib import suppress

from bot.core.policy.model import Refuse
from bot.core.requests import Request, Stage, Wanted, Wish
from bot.errors import NotYet, Unverified, UsageError
from bot.ports import Claim
from bot.workflow.followups.break_glass import go_alone
from bot.workflow.followups.break_glass_review import sign
from bot.workflow.followups.clarification import answer, ask_for_more
from bot.workflow.followups.ownership import hand_over
from bot.workflow.followups.record import check, refuse_wish
from bot.workflow.process.deps import Parts

Grant = Callable[[Parts, Claim, Request, Wish], Request]
_GRANT: Mapping[Wanted, Grant] = {
    Wanted.GO_ALONE: go_alone,
    Wanted.ASK_FOR_MORE: ask_for_more,
    Wanted.ANSWER: answer,
    Wanted.HAND_OVER: hand_over,
    Wanted.SIGN: sign,
}


def hear_wishes(parts: Parts, claim: Claim, request: Request) -> Request:
    """Answer what was recorded, in the order in which it was; what nobody can tell yet keeps waiting."""
    for wish in request.open_wishes if request.stage is not Stage.RUNNING else ():
        with suppress(NotYet):
            request = _hear(parts, claim, request, wish)
    return request


def come_back_to_wishes(parts: Parts, _: Claim, request: Request) -> Request:
    """The last thing to do, so that it delays no other. Raises `NotYet` while something has no answer."""
    if request.open_wishes and request.stage is not Stage.RUNNING:
        raise NotYet("Who is in a group is not known yet.", again_in=parts.timings.not_verified)
    return request


def _hear(parts: Parts, claim: Claim, request: Request, wish: Wish) -> Request:
    """The request may have moved since the wish was recorded, so it is checked again."""
    try:
        check(request, wish, parts.policy)
        return _GRANT[wish.wanted](parts, claim, request, wish)
    except Unverified as error:
        no = Refuse("identity_unverified", str(error), "Try again in a moment.")
    except UsageError as error:
        no = Refuse("not_any_more", str(error))
    return refuse_wish(parts, claim, request, wish, no)
