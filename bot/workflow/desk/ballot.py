"""Check a vote before it is recorded, without any look-up."""

from bot.core.cards import voting
from bot.core.cards.buttons import DIGEST_SIGNS
from bot.core.cards.request_status import describe_decision
from bot.core.requests import Request, Stage, Tally, Verdict, Vote, VoteCommand
from bot.errors import UsageError


def voted_before(request: Request, vote: Vote) -> str:
    """Whether the person has voted on this plan before; a recorded vote may count once it is verified."""
    mine = (old for old in request.votes if old.voter.is_same_as(vote.voter) and old.digest == vote.digest)
    return voting.DECIDED_ALREADY if any(old.tally is Tally.COUNTED for old in mine) else voting.BEING_CHECKED


def check_vote(request: Request, command: VoteCommand) -> None:
    """Raises `UsageError` unless the vote can be recorded; the voter's rights are checked when the vote is counted."""
    check_plan(request, command.digest)
    is_guarded = request.approval is not None and bool(request.approval.guarded)
    if command.verdict is Verdict.APPROVE and is_guarded and not command.console_works:
        raise UsageError(voting.CONFIRM_CONSOLE)


def check_plan(request: Request, digest: str) -> None:
    """Raises `UsageError` unless the request waits, for this very plan."""
    if request.stage is not Stage.WAITING:
        raise UsageError(describe_decision(request))
    if request.ask.rollout and request.approval is None:
        raise UsageError(voting.WITH_ITS_ROLLOUT)
    if len(digest) < DIGEST_SIGNS or not request.target.digest.startswith(digest):
        raise UsageError(voting.PLAN_CHANGED)
