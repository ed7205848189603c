"""The Home tab of the bot in Slack: a pure function of what concerns one person now."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from bot.core.cards import break_glass, expiry, kill_switch, rights
from bot.core.cards.approval import approval_status, needs, plan_rows, questions
from bot.core.cards.blocks import (
    LABEL,
    Action,
    Block,
    Markup,
    clock,
    day,
    join,
    plain_text,
    row,
    section,
    until,
    words,
)
from bot.core.cards.buttons import buttons
from bot.core.cards.done import actions
from bot.core.cards.live_mask import would_start
from bot.core.cards.rollout.heads import state_in_list
from bot.core.cards.sentences import line
from bot.core.cards.titles import loud_title, requester_and_reason, subject
from bot.core.policy.home import Health, HomeView, UnreachableHost
from bot.core.requests import Request, Stage

SHOWN = 8  # entries of each list: Slack limits the page, and people read no more
_VIEW = "home"


def view(page: HomeView, now: datetime) -> Block:
    """The Home tab of a full member."""
    blocks = [
        *_part("decide", "Waiting for you", [*_to_decide(page, now), *_to_sign(page)], _waiting(page)),
        *_part("masks", "Your live masks", [*_masks(page, now)], _count(page.masks, page.more_masks)),
        *_part("open", "Your requests", [*_requests(page)], _count(page.open, page.more_open)),
        *_part("rights", "What you may do", [section("rights", _rights(page))]),
        *_part("health", "Bot health", [section("health", _health(page.health, now))]),
    ]
    return _page([_tools((Action.ASK, Action.REFRESH)), *blocks])


def closed_view(why: str) -> Block:
    """The Home tab of somebody who may see nothing, with the reason."""
    return _page([section("closed", [why])])


def unverified_view(why: str) -> Block:
    """The Home tab while the person cannot be verified: the reason, and a button to try again."""
    return _page([_tools((Action.REFRESH,)), section("closed", [why, words("This page is closed until then.")])])


def _page(blocks: list[Block]) -> Block:
    return {"type": "home", "callback_id": _VIEW, "blocks": blocks}


_LABELS = {Action.ASK: "Mask a unit", Action.REFRESH: "Refresh"}


def _tools(offered: Sequence[Action]) -> Block:
    elements = [
        {"type": "button", "action_id": action.value, "text": plain_text(_LABELS[action], LABEL), "value": _VIEW}
        for action in offered
    ]
    return {"type": "actions", "block_id": "tools", "elements": elements}


def _waiting(page: HomeView) -> int:
    return _count(page.to_decide, page.more_to_decide) + len(page.to_sign)


def _count(shown: Sequence[Request], more: int) -> int:
    return len(shown) + more


def _part(name: str, title: str, blocks: Sequence[Block], count: int | None = None) -> Iterator[Block]:
    head = title if count is None else f"{title} · {count or 'nothing'}"
    yield {"type": "header", "block_id": f"{name}-head", "text": plain_text(head, LABEL)}
    yield from blocks


def _to_decide(page: HomeView, now: datetime) -> Iterator[Block]:
    for number, request in enumerate(page.to_decide):
        head = words("*{}* · {}", loud_title(request), approval_status(request))
        seen = [*plan_rows(request)][:2]
        yield section(f"decide-{number}", [head, requester_and_reason(request), *seen, *_deadline(request, now)])
        yield _buttons(
            f"decide-{number}", request, Action.APPROVE, Action.DENY, Action.DETAILS, *_break_glass(page, request)
        )
    yield from _more("decide", page.more_to_decide)


def _to_sign(page: HomeView) -> Iterator[Block]:
    for number, request in enumerate(page.to_sign):
        head = words("*{}* · a sign-off is owed", loud_title(request))
        yield section(f"sign-{number}", [head, requester_and_reason(request), *break_glass.rows(request)])
        yield _buttons(f"sign-{number}", request, Action.SIGN, Action.DETAILS)


def _deadline(request: Request, now: datetime) -> Iterator[Markup]:
    if request.approval:
        yield needs(request.approval, now)


def _masks(page: HomeView, now: datetime) -> Iterator[Block]:
    for number, mask in enumerate(page.masks):
        yield section(f"mask-{number}", [words("*{}*", subject(mask)), _life(mask, now), *_undo(mask, now)])
        row_of = buttons(mask, (*actions(mask, now), Action.HAND_OVER), starts=would_start(mask))
        yield row_of | {"block_id": f"mask-{number}-buttons"}
    yield from _more("mask", page.more_masks)


def _life(mask: Request, now: datetime) -> Markup:
    """Since when the mask is in place, its expiry, and its reason."""
    since, end = day(mask.finished_at or mask.asked_at), mask.aftercare.expires_at
    left = words("expires {}", until(end, now)) if end and end > now else expiry.expiry_in_list(mask)
    return join([words("masked {}, {}", since, left), *([mask.ask.reason] if mask.ask.reason.strip() else [])], " · ")


def _undo(mask: Request, now: datetime) -> Iterator[Markup]:
    if mask.hold:
        yield row("Undo", words("only @{} can lift it, with approval", mask.hold.owners))
        return
    free = mask.undo_until if mask.undo_until and now < mask.undo_until else None
    yield row("Undo", words("without approval until {}", until(free, now)) if free else words("needs approval"))


def _requests(page: HomeView) -> Iterator[Block]:
    for number, request in enumerate(page.open):
        head = words("*{}* · {}", loud_title(request), _stage(request))
        question = [*questions(request, newest=1)][:1]  # without a link to the request's card
        yield section(f"open-{number}", [head, *(question if request.open_question else [])])
        yield _buttons(f"open-{number}", request, *_own_actions(page, request))
    yield from _more("open", page.more_open)
    if page.finished:
        lately = [Markup(line(request, link="").text) for request in page.finished]
        yield section("finished", [words("Recently:"), *lately])


def _own_actions(page: HomeView, request: Request) -> Iterator[Action]:
    """The buttons for one's own request. Here Details opens no further form, so the rare ones are offered too."""
    if request.stage is Stage.WAITING and request.open_question:
        yield Action.ANSWER
    yield Action.DETAILS
    if request.stage is not Stage.RUNNING or request.can_be_called_off:
        yield Action.WITHDRAW
    yield from _break_glass(page, request)
    if request.can_be_handed_over:
        yield Action.HAND_OVER


def _break_glass(page: HomeView, request: Request) -> Iterator[Action]:
    if request.id in page.can_break_glass:
        yield Action.BREAK_GLASS


def _stage(request: Request) -> str:
    if request.stage is Stage.RUNNING and request.rollout is not None:
        return state_in_list(request, request.rollout)
    if request.stage is Stage.RUNNING:
        return "not known yet" if request.target.unknown_since else "running"
    return approval_status(request)


def _buttons(block_id: str, request: Request, *actions: Action) -> Block:
    return buttons(request, actions) | {"block_id": f"{block_id}-buttons"}


def _more(name: str, number: int) -> Iterator[Block]:
    if number:
        yield section(f"{name}-more", [words("… {} more", number)])


def _rights(page: HomeView) -> Iterator[Markup]:
    if page.not_known:
        yield words("Incomplete: {}", page.not_known)
    yield from rights.rows(page.rights)


def _health(health: Health, now: datetime) -> Iterator[Markup]:
    yield from kill_switch.rows(health.kill_switch)
    yield words("Slack is connected, and the database answers.")
    yield row("Open requests", str(health.open_requests))
    yield from (row("Unreachable", _unreachable(one)) for one in health.unreachable[:SHOWN])
    if not health.unreachable:
        yield words("All hosts answer.")
    yield words("As of {}, maskbot {}.", clock(now), health.version)


def _unreachable(one: UnreachableHost) -> Markup:
    return words("{} since {}: {}", one.host, clock(one.since), one.why.removeprefix(f"{one.host}: "))
