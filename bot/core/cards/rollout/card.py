"""The one card of a rollout: while people decide about it, while its waves run, and once it is over."""

from collections.abc import Iterator
from datetime import datetime

from bot.core.cards import approval, break_glass, done, expiry
from bot.core.cards.blocks import Block, Markup, Text, escape, message, row, section, words
from bot.core.cards.buttons import buttons
from bot.core.cards.live_mask import would_start
from bot.core.cards.rollout import counts, plan, progress
from bot.core.cards.rollout.actions import actions
from bot.core.cards.rollout.heads import head, is_whole
from bot.core.cards.titles import approvals, loud_title, requester_and_reason, subject
from bot.core.requests import Request, Rollout, RolloutTarget, Stage, TargetStatus

_CHANGES = 6  # kinds of before and after
_FEW = 3  # hosts that are named there


def card(request: Request, now: datetime) -> Text:
    """The card in the stored state of the rollout."""
    rollout = request.rollout or Rollout()
    match request.stage:
        case Stage.RUNNING:
            return _running(request, rollout, now)
        case Stage.DONE:
            return _over(request, rollout, now)
        case _:
            return _asked(request, now)


def _asked(request: Request, now: datetime) -> Text:
    """The rows of approval stand in a section of their own, so that no long plan takes their place."""
    people = [*break_glass.rows(request), requester_and_reason(request), *approval.questions(request)]
    rules = [*approval.rule_rows(request, now)]
    return message(
        f"{loud_title(request)} · {approval.approval_status(request)}",
        section("people", [*people, *approval.changes_since(request)]),
        section("plan", [*approval.plan_rows(request)]),
        *([section("rule", rules)] if rules else []),
        buttons(request, approval.actions(request)),
    )


def _running(request: Request, rollout: Rollout, now: datetime) -> Text:
    what, numbers = words("*{}*", subject(request)), counts.counts(request, rollout)
    return message(
        head(request, rollout),
        section("people", [*break_glass.rows(request), what, requester_and_reason(request), *approvals(request)]),
        section("bar", [words("{} {}", counts.bar(rollout), numbers)]),
        *_section("progress", [*progress.rows(request, rollout, now), *plan.left_out(rollout), *expiry.rows(request)]),
        buttons(request, actions(request), starts=would_start(request)),
        instead={"bar": [numbers]},
    )


def _over(request: Request, rollout: Rollout, now: datetime) -> Text:
    return message(
        head(request, rollout),
        *_section("break_glass", [*break_glass.rows(request)]),
        section("result", [*_result(request, rollout)]),
        *_section("left_out", [*progress.worst(request, rollout), *plan.left_out(rollout)]),
        section("people", [*done.who_and_when(request, now, "proven" if is_whole(request, rollout) else "ended")]),
        buttons(request, break_glass.with_sign_off(request, actions(request)), starts=would_start(request)),
    )


def _section(name: str, rows: list[Markup]) -> list[Block]:
    return [section(name, rows)] if rows else []


def _result(request: Request, rollout: Rollout) -> Iterator[Markup]:
    """Say what the rollout was about, and how its units were before and are now, by kind."""
    yield words("*{}*", subject(request))
    since = done.undone_since(request)
    if since:
        yield since
    found = counts.by_word(request, rollout.planned)
    kinds: dict[tuple[str, str], list[RolloutTarget]] = {}
    for after, targets in reversed(found.items()):
        for one in targets:
            kinds.setdefault((one.state_summary, after), []).append(one)
    for (before, after), targets in [*kinds.items()][:_CHANGES]:
        change = words("*{}*  {} → {}", len(targets), escape(before or "not known", width=120), after)
        is_named = len(targets) <= _FEW and targets[0].status not in (TargetStatus.FAILED, TargetStatus.UNKNOWN)
        yield words("{}: {}", change, counts.names(targets, rollout)) if is_named else change
    if len(kinds) > _CHANGES:
        yield words("… {} more kinds, which Details lists", len(kinds) - _CHANGES)
    if request.ask.change.runtime and rollout.has_masks:
        yield row("Lasts", "until the next reboot of each host")
