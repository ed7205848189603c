"""Meanwhile: what time alone brings to a request that waits, and to one that is done.

Each function looks whether its time has come, does the thing, moves its clock in the request on and saves that with
what must be said, in one transaction: so it is done once, whichever replica is up, also after a restart of hours.
The clocks themselves are in `bot/core/requests/timers.py`.
"""

from collections.abc import Callable, Mapping

from bot.core.requests import Request, Stage
from bot.ports import Claim
from bot.workflow.approval.escalation import count_down, escalate, remind
from bot.workflow.drift.aftercheck import look_after
from bot.workflow.expiry.expire import bring_back
from bot.workflow.expiry.remind_owner import tell_owner
from bot.workflow.followups.break_glass_review import remind_of_review
from bot.workflow.followups.handle import come_back_to_wishes, hear_wishes
from bot.workflow.force_stop import end_if_over
from bot.workflow.hold.reapply import put_back
from bot.workflow.paging import close_page
from bot.workflow.process.deps import Parts
from bot.workflow.requests.kill_switch_state import note_freeze

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
