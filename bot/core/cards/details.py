"""The *Details* answer: everything about a request, for those who may ask or approve; still without secrets."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from bot.core.cards import calendar_and_limits, unit_state
from bot.core.cards.approval import questions, who_may
from bot.core.cards.blocks import (
    Action,
    Markup,
    Text,
    clock,
    code,
    day,
    escape,
    join,
    mention,
    message,
    row,
    section,
    words,
)
from bot.core.cards.buttons import buttons
from bot.core.cards.evidence import commands
from bot.core.cards.redact import redact
from bot.core.cards.rollout.listing import of_rollout
from bot.core.cards.titles import stage_words, title
from bot.core.requests import Approval, Followup, FollowupKind, Request, Stage, Tally, Verdict, Vote
from bot.core.systemd.units import Snapshot


def details(request: Request, *, now: datetime, offers: Sequence[Action] = ()) -> Text:
    """Details beyond the card: the plan, the rule, every approval and denial, the unit's settings, the commands.

    `offers` are rare actions that the reader may take.
    """
    target = request.target
    seen = target.after or target.last_seen or target.before
    blocks = [section("asked", [*_record(request, now)])]
    if request.rollout is not None:
        blocks += of_rollout(request, request.rollout)
    if seen:
        blocks.append(section("unit", [words("What its last check of the unit showed:"), *_unit(seen)]))
    if target.sent:
        blocks.append(
            section("sent", [row("Sent", f"{len(target.sent)} commands, the newest:"), commands(target.sent[-5:])])
        )
    if offers:
        blocks.append(buttons(request, offers))
    return message(f"DETAILS · {title(request)}", *blocks)


def _record(request: Request, now: datetime) -> Iterator[Markup]:
    yield row("Request", f"{request.id}, {stage_words(request)}")
    yield row(
        "Asked", words("{}, {} ago", day(request.asked_at), unit_state.span((now - request.asked_at).total_seconds()))
    )
    if request.target.digest:
        yield row("Plan", request.target.digest[:12])
    if request.approval and request.stage is not Stage.WAITING:
        yield row("Needed", _rule(request.approval))
        yield from calendar_and_limits.rows(request.approval.raised)
    for transfer in request.transfers[-4:]:
        to, by = mention(transfer.to, transfer.to_name), mention(transfer.by, transfer.by_name)
        yield row("Handed over", words("to {} by {} {}", to, by, clock(transfer.at)))
    yield from questions(request, newest=8)
    for vote in request.votes[-8:]:
        yield row(_VERDICTS[vote.verdict], _vote(vote))
    yield from (row("Followup", _followup(followup)) for followup in request.followups[-8:])


def _rule(approval: Approval) -> Markup:
    return words("{}, rule {}", who_may(approval.need, approval.groups, distinct=approval.distinct), approval.rule)


def _followup(followup: Followup) -> Markup:
    said = words(
        "{} {} {}: {}",
        mention(followup.by, followup.name),
        clock(followup.at),
        _WANTED[followup.kind],
        _TALLIES[followup.tally],
    )
    return words("{} ({})", said, escape(followup.refusal)) if followup.refusal else said


_VERDICTS = {Verdict.APPROVE: "Approval", Verdict.DENY: "Denial"}
_TALLIES = {Tally.RECORDED: "being checked", Tally.COUNTED: "counted", Tally.REFUSED: "refused"}
_WANTED = {
    FollowupKind.BREAK_GLASS: "break-glass",
    FollowupKind.ASK_FOR_MORE: "question",
    FollowupKind.ANSWER: "answer",
    FollowupKind.HAND_OVER: "new owner",
    FollowupKind.SIGN_OFF: "sign-off",
    FollowupKind.PAUSE: "pause",
    FollowupKind.GO_ON: "go on now",
    FollowupKind.STOP_HERE: "stop here",
}


def _vote(vote: Vote) -> Markup:
    said = words("{} {}: {}", mention(vote.voter, vote.voter_name), clock(vote.at), _TALLIES[vote.tally])
    console = ", console access works" if vote.console_works else ""
    why = f" ({vote.reason})" if vote.reason and vote.tally is not Tally.RECORDED else ""
    return words("{}{}{}", said, console, escape(why))


def _unit(seen: Snapshot) -> Iterator[Markup]:
    around = seen.around
    limit = unit_state.stop_limit(seen)
    rows = [
        f"State      {unit_state.now(seen)}",
        f"File       {seen.fragment or '-'}",
        *(f"Drop-in    {path}" for path, _ in (around.drop_ins if around else ())),
        *(f"Layer      {file.path} ({file.kind})" for file in seen.layers),
        f"Names      {', '.join(sorted(seen.names))}",
        f"Main PID   {seen.main_pid or '-'}",
        f"Stop       KillMode={seen.kill_mode or '-'}, timeout {_limit(limit)}",
        f"Restart    {seen.restart or '-'}, {seen.restarts} so far",
        f"Result     {seen.result or '-'}",
    ]
    if around:
        rows += [f"Host       {around.hostname}, systemd {around.systemd}, machine {seen.machine_id[:12]}"]
        rows += [f"Also down  {other}" for other in around.failed[:8]]
    yield code(redact("\n".join(rows)))
    if around and around.would_stop:
        yield row("Stops with it", join(f"{other.unit} ({unit_state.activity(other)})" for other in around.would_stop))


def _limit(seconds: float | None) -> str:
    if seconds is None:
        return "not known"
    return "none" if seconds == float("inf") else unit_state.span(seconds)
