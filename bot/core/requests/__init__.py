"""Requests and what belongs to them: the change asked for, votes, stages, outcomes, and the moves that are legal."""

from bot.core.changes.asks import Ask, Change, Verb
from bot.core.changes.freezing import Frozen
from bot.core.changes.glass import Glass, Signature
from bot.core.changes.hold import Held, Hold
from bot.core.changes.nudges import REMIND, Nudges, Rung
from bot.core.changes.paging import Cause, Paging
from bot.core.changes.raised import Raised
from bot.core.changes.request import Request
from bot.core.changes.route import Route
from bot.core.changes.stages import Outcome, Stage
from bot.core.changes.standing import Loss, Prolonging, Standing, Watched
from bot.core.changes.targets import Forced, Sent, Target, Waiting
from bot.core.changes.term import Term
from bot.core.changes.votes import Approval, Tally, Verdict, Vote
from bot.core.changes.window import Window
from bot.core.changes.wishes import Handover, Remark, Wanted, Wish

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
