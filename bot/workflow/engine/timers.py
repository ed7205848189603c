"""Handlers of the timers of waiting and finished requests.

Each function checks whether its timer is due, does the work, moves the timer on and saves that together with the
messages in one transaction: so the work is done once, whichever replica is up, also after hours of downtime. The timers
are in `bot/core/requests/timers.py`.
"""

from collections.abc import Callable, Mapping

from bot.core.requests import Request, Stage
from bot.ports import Claim
from bot.workflow.approval.escalation import count_down, escalate, remind
from bot.workflow.drift.aftercheck import look_after
from bot.workflow.expiry.expire import expire
from bot.workflow.expiry.remind_owner import remind_owner
from bot.workflow.followups.break_glass_review import remind_of_review
from bot.workflow.followups.handle import handle_followups, retry_followups
from bot.workflow.force_stop import end_if_over
from bot.workflow.hold.reapply import reapply
from bot.workflow.paging import close_page
from bot.workflow.process.deps import Deps
from bot.workflow.requests.kill_switch_state import start_kill_switch_state

# Returns the request as stored afterwards, in whatever stage; unchanged if its timer was not due.
Timely = Callable[[Deps, Claim, Request], Request]

FIRST: tuple[Timely, ...] = (close_page, handle_followups)
TIMELY: Mapping[Stage, tuple[Timely, ...]] = {
    Stage.WAITING: (end_if_over, start_kill_switch_state, escalate, count_down, remind),
    Stage.APPROVED: (end_if_over, start_kill_switch_state),
    Stage.DONE: (expire, reapply, remind_owner, look_after),
}
LAST: tuple[Timely, ...] = (remind_of_review, retry_followups)


def do_what_is_due(deps: Deps, claim: Claim, request: Request) -> Request:
    """Run every timer that is due, in order, as long as the request stays in its stage."""
    stage = request.stage
    for timely in (*FIRST, *TIMELY.get(stage, ()), *LAST):
        if request.stage is stage:
            request = timely(deps, claim, request)
    return request
