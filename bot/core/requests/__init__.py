"""Requests and what belongs to them: the change asked for, votes, stages, outcomes, and the moves that are legal."""

from bot.core.requests.aftercare import Loss, Prolonging, Standing, Watched
from bot.core.requests.approval import Approval, Tally, Verdict, Vote
from bot.core.requests.ask import Ask, Change, Verb
from bot.core.requests.break_glass import Glass, Signature
from bot.core.requests.calendar_and_limits import Raised
from bot.core.requests.duration import Term
from bot.core.requests.escalation import REMIND, Nudges, Rung
from bot.core.requests.followups import Handover, Remark, Wanted, Wish
from bot.core.requests.hold import Held, Hold
from bot.core.requests.kill_switch import Frozen
from bot.core.requests.paging import Cause, Paging
from bot.core.requests.request import Request
from bot.core.requests.routing import Route
from bot.core.requests.scheduled_window import Window
from bot.core.requests.stages import Outcome, Stage
from bot.core.requests.target import Forced, Sent, Target, Waiting

__all__ = [
    "REMIND",
    "Approval",
    "Ask",
    "Cause",
    "Change",
    "Forced",
    "Frozen",
    "Glass",
    "Handover",
    "Held",
    "Hold",
    "Nudges",
    "Loss",
    "Outcome",
    "Paging",
    "Prolonging",
    "Raised",
    "Remark",
    "Request",
    "Route",
    "Rung",
    "Sent",
    "Signature",
    "Stage",
    "Standing",
    "Tally",
    "Target",
    "Term",
    "Verb",
    "Verdict",
    "Vote",
    "Waiting",
    "Wanted",
    "Wish",
    "Watched",
    "Window",
]
