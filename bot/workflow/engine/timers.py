"""Handlers of the timers of waiting and finished requests.

Each handler does the work of its timer and moves the timer on, and that is saved together with the messages in one
transaction: so the work is done once, whichever replica is up, also after hours of downtime. The timers are in
`bot/core/requests/timers.py`.
"""

from collections.abc import Callable, Generator, Mapping

from bot.core.requests import Request, Stage
from bot.core.requests.timers import (
    Timer,
    end_of_approval,
    mask_expiry,
    next_aftercheck,
    next_approver_reminder,
    next_countdown,
    next_escalation_step,
    next_owner_reminder,
    next_reapply,
    next_sign_off_reminder,
    page_to_resolve,
    pending_followup,
    stop_to_force,
    targets_to_close,
)
from bot.workflow.approval.escalation import count_down, escalate, remind
from bot.workflow.drift.aftercheck import aftercheck
from bot.workflow.expiry.expire import expire
from bot.workflow.expiry.remind_owner import remind_owner
from bot.workflow.followups.break_glass_sign_off import remind_of_sign_off
from bot.workflow.followups.handle import handle_followups, retry_followups
from bot.workflow.force_stop import end_if_over
from bot.workflow.hold.reapply import reapply
from bot.workflow.lifecycle.start import end_unused
from bot.workflow.paging import close_page
from bot.workflow.process.deps import Deps
from bot.workflow.requests.kill_switch_state import show_kill_switch
from bot.workflow.requests.results import Result, Stages
from bot.workflow.rollout.carry_out import close_targets
from bot.workflow.rollout.joining import go_on_with_hold

Handler = Callable[[Deps, Request], Result | Stages]
Entry = tuple[Timer | None, Handler]  # when it is due (None: whenever the request is), and what is done then

FIRST: tuple[Entry, ...] = (
    (page_to_resolve, close_page),
    (targets_to_close, close_targets),
    (pending_followup, handle_followups),
)
BY_STAGE: Mapping[Stage, tuple[Entry, ...]] = {
    Stage.WAITING: (
        (stop_to_force, end_if_over),
        (None, show_kill_switch),
        (next_escalation_step, escalate),
        (next_countdown, count_down),
        (next_approver_reminder, remind),
    ),
    Stage.APPROVED: ((stop_to_force, end_if_over), (None, show_kill_switch), (end_of_approval, end_unused)),
    Stage.DONE: (
        (mask_expiry, expire),
        (next_reapply, reapply),
        (None, go_on_with_hold),
        (next_owner_reminder, remind_owner),
        (next_aftercheck, aftercheck),
    ),
}
LAST: tuple[Entry, ...] = ((next_sign_off_reminder, remind_of_sign_off), (pending_followup, retry_followups))


def run_due_timers(deps: Deps, request: Request) -> Stages:
    """Run every timer that is due, in order, as long as the request stays in its stage."""
    stage = request.stage
    for timer, handle in (*FIRST, *BY_STAGE.get(stage, ()), *LAST):
        if request.stage is stage and (timer is None or (at := timer(request)) and at <= deps.clock.now()):
            done = handle(deps, request)
            request = (yield from done) if isinstance(done, Generator) else (yield done)
    return request
