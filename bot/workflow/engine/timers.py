"""Meanwhile: what time alone brings to a request that waits, and to one that is done.

Each function looks whether its time has come, does the thing, moves its clock in the request on and saves that with
what must be said, in one transaction: so it is done once, whichever replica is up, also after a restart of hours.
The clocks themselves are in `bot/core/clocks.py`.
"""

from collections.abc import Callable, Mapping

from bot.core.changes import Request, Stage
from bot.ports import Claim
from bot.workflow.afterlooks import look_after
from bot.workflow.frozen import note_freeze
from bot.workflow.holding import put_back
from bot.workflow.nudging import count_down, escalate, remind
from bot.workflow.paging import close_page
from bot.workflow.parts import Parts
from bot.workflow.returning import bring_back
from bot.workflow.slow_stops import end_if_over
from bot.workflow.telling import tell_owner
from bot.workflow.wishes.hearing import come_back_to_wishes, hear_wishes
from bot.workflow.wishes.reviewing import remind_of_review

# It gives back the request as it is stored afterwards, in whatever stage; one whose time has not come, as it was.
Timely = Callable[[Parts, Claim, Request], Request]

FIRST: tuple[Timely, ...] = (close_page, hear_wishes)
TIMELY: Mapping[Stage, tuple[Timely, ...]] = {
    Stage.WAITING: (end_if_over, note_freeze, escalate, count_down, remind),
    Stage.APPROVED: (end_if_over, note_freeze),
    Stage.DONE: (bring_back, put_back, tell_owner, look_after),
}
LAST: tuple[Timely, ...] = (remind_of_review, come_back_to_wishes)


def do_what_is_due(parts: Parts, claim: Claim, request: Request) -> Request:
    """Everything that time has come for, in its order, for as long as the request stays in its stage."""
    stage = request.stage
    for timely in (*FIRST, *TIMELY.get(stage, ()), *LAST):
        if request.stage is stage:
            request = timely(parts, claim, request)
    return request
