"""Requests and what they are made of: the change asked for, approvals, stages, outcomes, timers and messages."""

from bot.core.requests.aftercare import Aftercare, Extension, Loss, NewKind, SeenDrift
from bot.core.requests.approval import Approval, Tally, Verdict, Vote, VoteCommand
from bot.core.requests.ask import Ask, Change, Verb
from bot.core.requests.break_glass import BreakGlass, Signature
from bot.core.requests.calendar_and_limits import ExtraApprovalReason
from bot.core.requests.duration import Duration
from bot.core.requests.escalation import REMIND, Escalation, EscalationStep
from bot.core.requests.followups import Followup, FollowupCommand, FollowupKind, Remark, Transfer
from bot.core.requests.hold import Hold, HoldState
from bot.core.requests.kill_switch import KillSwitch
from bot.core.requests.paging import Cause, Paging
from bot.core.requests.request import Request
from bot.core.requests.rollout import (
    KeepActive,
    Rollout,
    RolloutRule,
    RolloutSettings,
    RolloutTarget,
    Selection,
    TargetStatus,
)
from bot.core.requests.routing import Route
from bot.core.requests.scheduled_window import ScheduledWindow
from bot.core.requests.stages import Outcome, Stage
from bot.core.requests.target import Forced, Sent, SlowWait, Target

__all__ = [
    "REMIND",
    "Approval",
    "Ask",
    "Cause",
    "Change",
    "Forced",
    "KillSwitch",
    "BreakGlass",
    "Transfer",
    "HoldState",
    "Hold",
    "Escalation",
    "Loss",
    "NewKind",
    "Outcome",
    "Paging",
    "Extension",
    "ExtraApprovalReason",
    "Remark",
    "Request",
    "KeepActive",
    "Rollout",
    "RolloutRule",
    "RolloutSettings",
    "RolloutTarget",
    "Route",
    "Selection",
    "TargetStatus",
    "EscalationStep",
    "Sent",
    "Signature",
    "Stage",
    "Aftercare",
    "Tally",
    "Target",
    "Duration",
    "Verb",
    "Verdict",
    "Vote",
    "VoteCommand",
    "SlowWait",
    "FollowupKind",
    "Followup",
    "FollowupCommand",
    "SeenDrift",
    "ScheduledWindow",
]
