"""Record votes: everything that needs no look-up is checked first, then the code, where one is asked for or given."""

import secrets
from dataclasses import replace

from bot.core.audit.evidence import RECORDED
from bot.core.audit.request_event import event
from bot.core.cards import step_up, voting
from bot.core.cards.buttons import DIGEST_SIGNS
from bot.core.cards.request_status import describe_decision
from bot.core.people.identity import Caller
from bot.core.requests import Request, Stage, Tally, Verdict, Vote, VoteCommand
from bot.errors import CodeRefused, UsageError
from bot.workflow.process.deps import Deps
from bot.workflow.step_up import StepUp


def record_vote(deps: Deps, codes: StepUp, request: Request, command: VoteCommand, caller: Caller) -> None:
    """Record a vote on the plan with this digest. Raises `UsageError`; a code that does not count loses nothing."""
    check_plan(request, command.digest)
    vote = Vote(
        caller.id,
        caller.name,
        command.verdict,
        deps.clock.now(),
        request.target.digest,
        reason=command.reason,
        console_works=command.console_works,
        stepped_up=_has_stepped_up(codes, request, command, caller),
        place=caller.place,
        event=secrets.token_hex(16),
    )
    given = replace(event(request, RECORDED, actor=caller.id, **vote.on_record), id=vote.event)
    if not deps.store.record_vote(request.id, vote, events=[given]):
        raise UsageError(_voted_before(deps.store.get(request.id), caller) or voting.BEING_CHECKED)


def check_plan(request: Request, digest: str) -> None:
    """Check that the request waits, for this very plan. Raises `UsageError`."""
    if request.stage is not Stage.WAITING:
        raise UsageError(describe_decision(request))
    if request.ask.rollout and request.approval is None:
        raise UsageError(voting.WITH_ITS_ROLLOUT)
    if len(digest) < DIGEST_SIGNS or not request.target.digest.startswith(digest):
        raise UsageError(voting.PLAN_CHANGED)


def _has_stepped_up(codes: StepUp, request: Request, command: VoteCommand, caller: Caller) -> bool:
    """Check what an approval needs beside a click; the voter's rights are checked when the vote is counted.

    A code is taken last, and not for a second vote: it counts only once. Raises `UsageError`.
    """
    approval = request.approval
    if command.verdict is not Verdict.APPROVE:
        return False
    if approval and approval.guarded and not command.console_works:
        raise UsageError(voting.CONFIRM_CONSOLE)
    if not command.code:
        if approval and approval.step_up:
            raise CodeRefused(step_up.NO_CODE)
        return False
    if said := _voted_before(request, caller):
        raise UsageError(said)
    codes.use(caller, command.code, used_for="approval", request=request.id)
    return True


def _voted_before(request: Request, caller: Caller) -> str:
    """Whether the person has voted on this plan before; a recorded vote may count once it is verified."""
    mine = [old for old in request.votes if old.voter.is_same_as(caller.id) and old.digest == request.target.digest]
    if any(old.tally is Tally.COUNTED for old in mine):
        return voting.DECIDED_ALREADY
    return voting.BEING_CHECKED if any(old.tally is Tally.RECORDED for old in mine) else ""
