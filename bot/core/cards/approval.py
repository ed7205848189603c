"""The card that asks for approval: the unit, the consequences, and who may approve."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from bot.core.cards import (
    break_glass,
    calendar_and_limits,
    consequences,
    expiry,
    force_stop,
    kill_switch,
    step_up,
    unit_state,
)
from bot.core.cards.blocks import (
    Action,
    Markup,
    Text,
    clock,
    day,
    due,
    escape,
    join,
    mention,
    message,
    ping,
    row,
    section,
    until,
    words,
)
from bot.core.cards.buttons import buttons
from bot.core.cards.live_mask import mask_set
from bot.core.cards.rollout import plan as rollout_plan
from bot.core.cards.titles import is_rollout, loud_title, requester_and_reason, with_time
from bot.core.input.names import REASON_LIMIT
from bot.core.people.identity import Shift
from bot.core.requests import Approval, Request, Rollout, Stage, Tally, Verdict
from bot.core.requests.deadlines import is_ahead
from bot.core.time.countdown import time_left
from bot.core.time.human_time import humanize


def card(request: Request, now: datetime) -> Text:
    """The request before it runs: being checked, waiting for approval, or approved and waiting for its turn."""
    head = f"{loud_title(request)} · {approval_status(request)}"
    return message(
        head,
        section(
            "people",
            [
                *break_glass.rows(request),
                requester_and_reason(request),
                *questions(request),
                *changes_since(request),
            ],
        ),
        section("plan", [*plan_rows(request), *rule_rows(request, now)]),
        buttons(request, actions(request)),
    )


def plan_rows(request: Request) -> Iterator[Markup]:
    """Rows about the unit now and after the change, always in the same order."""
    if request.ask.extends:
        yield from expiry.plan(request)
        return
    if is_rollout(request):
        yield from rollout_plan.rows(request, request.rollout or Rollout())
        return
    if request.ask.change.force:
        yield from force_stop.plan(request)
        return
    seen = request.target.planned or request.target.before
    if seen is None:
        yield row("Now", "not checked yet")
        return
    yield row("Now", unit_state.now(seen))
    yield from consequences.rows(request, seen)


def questions(request: Request, *, newest: int = 4) -> Iterator[Markup]:
    """The newest question of an approver, and its answer."""
    for remark in request.remarks[-newest:]:
        label = "Answer" if remark.is_answer else "Question"
        said = words(
            "{} {}: {}", mention(remark.by, remark.name), clock(remark.at), escape(remark.text, width=REASON_LIMIT)
        )
        yield row(label, said)
    if request.open_question:
        who = mention(request.owner, request.owner_name)
        yield row("Answer", words("{} can answer under Details", who))


def who_may(need: int, groups: Sequence[str], *, distinct: bool = False) -> Markup:
    """`1 of @sre`, `2 of @sre or @dba`, `2 of @sre and @dba from different groups`."""
    names = join([_at(group) for group in groups], " and " if distinct else " or ")
    apart = " from different groups" if distinct else ""
    return words("{} of {}{}", need, names, apart)


def _mentions_row(request: Request) -> Iterator[Markup]:
    """The groups that the rule mentions: in the message as it is posted, since an edit notifies nobody."""
    if request.route.mentions:
        yield row(
            "For",
            join((ping(one) for one in request.route.mentions), " ", most=len(request.route.mentions)),
        )


def on_call(shifts: Sequence[Shift]) -> Iterator[Markup]:
    """Who is on call, by name: a card mentions only those whom the policy wants mentioned."""
    if shifts:
        yield row("On call", join(_shift(one) for one in shifts))


def _shift(shift: Shift) -> Markup:
    who = shift.name or shift.person.user
    return words("{} until {}", who, day(shift.until)) if shift.until else words("{}", who)


def _at(group: str) -> str:
    return f"@{group.removeprefix('@')}"


def approval_status(request: Request) -> str:
    """The progress of the approval, for the head line."""
    if request.stage is Stage.ASKED:
        return "checking the host" + "s" * is_rollout(request)
    if request.is_break_glass:
        return "BREAK-GLASS"
    if request.stage is Stage.APPROVED or request.approval is None:
        return "approved for its window" if request.ask.change.scheduled_window else "approved"
    missing = max(0, request.approval.need - request.have)
    more = " more" * bool(request.have)
    return f"needs {missing}{more} approval" + "s" * (missing != 1)


def changes_since(request: Request) -> Iterator[Markup]:
    """Rows about changes since people were asked."""
    yield from kill_switch.rows(request.kill_switch)
    if request.ask.rollout:
        yield row("Part of", "a rollout; its card shows the other targets")
    yield from _plan_changes(request)


def _plan_changes(request: Request) -> Iterator[Markup]:
    if request.changed_since and request.stage is Stage.WAITING:
        yield row("Asked again", "the plan has changed since it was approved")
        yield from (words("• {}", escape(change)) for change in request.changed_since[:8])


def rule_rows(request: Request, now: datetime) -> Iterator[Markup]:
    """Who may approve it by when, who did, and what comes next."""
    approval = request.approval
    if approval and request.stage is Stage.WAITING:
        yield needs(approval, now)
        yield from calendar_and_limits.rows(approval.raised)
        yield from _mentions_row(request)
        yield from on_call(approval.on_call)
        if approval.guarded:
            yield row(
                "Guarded", words("{}. The approver must confirm that console access works today", approval.guarded)
            )
        yield from step_up.rows(is_needed=approval.step_up)
        yield from _votes(request, approval)
    elif request.stage is Stage.APPROVED:
        if not request.is_break_glass:
            votes = join(map(with_time, request.counted_votes))
            yield row("Approved", votes) if votes else row("No approval needed", escape(request.because))
        yield from _next(request, now)


def _next(request: Request, now: datetime) -> Iterator[Markup]:
    """Rows about an approved request: the thing it waits for, and how long its approval is good."""
    window = request.ask.change.scheduled_window
    host = "every host" if is_rollout(request) else request.target.host
    if window and is_ahead(window, now):
        opens = words("{} (in {})", day(window.opens), humanize(window.opens - now))
        yield row("Next", words("{} is checked again when the window opens, {}", host, opens))
    elif request.act_by:
        how_long = "approval valid until" if request.counted_votes else "no later than"
        begins = words("starts once {} answers and no other change runs there", host)
        if request.ask.extends:
            begins = words("takes effect now, without touching any host")
        elif is_rollout(request):
            begins = words("starts now; each host is checked again in its turn")
        yield row("Next", words("{}; {} {}", begins, how_long, until(request.act_by, now)))
    if request.target.note:
        yield row("Not yet", request.target.note)


def needs(approval: Approval, now: datetime) -> Markup:
    """`Needs  1 of @sre by 03:17 UTC (rule prod), 13 minutes left`."""
    who = who_may(approval.need, approval.groups, distinct=approval.distinct)
    by, how_long = due(approval.approve_by, now), time_left(approval.approve_by, now)
    return row("Needs", words("{} by {} (rule {}), {}", who, by, approval.rule, how_long))


def _votes(request: Request, approval: Approval) -> Iterator[Markup]:
    if request.counted_votes:
        votes = join(map(with_time, request.counted_votes))
        yield row("Approvals", words("{} of {}: {}", request.have, approval.need, votes))
    if approval.distinct:
        yield row("Groups", join((_standing_for(group, request) for group in approval.groups), " · "))
    recorded = [vote for vote in request.votes if vote.tally is Tally.RECORDED and vote.verdict is Verdict.APPROVE]
    if recorded:
        yield row("Checking", join(mention(vote.voter, vote.voter_name) for vote in recorded))


def _standing_for(group: str, request: Request) -> Markup:
    vote = request.votes_by_group.get(group)
    return words("{}: {}", _at(group), mention(vote.voter, vote.voter_name) if vote else "nobody yet")


def actions(request: Request) -> tuple[Action, ...]:
    """The buttons before it runs."""
    if request.stage is Stage.WAITING:
        return (Action.APPROVE, Action.DENY, Action.DETAILS, *mask_set(request), Action.WITHDRAW)
    return (Action.DETAILS,) if request.ask.by_itself else (Action.DETAILS, Action.WITHDRAW)
