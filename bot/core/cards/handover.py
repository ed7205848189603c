"""The handover for the next on-call: what waits, what runs, which masks there are, and which hosts do not answer."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from bot.core.cards import mask_line, slow_unit, unit_state
from bot.core.cards.approval import approval_status
from bot.core.cards.blocks import Block, Markup, Text, clock, day, escape, join, message, row, section, words
from bot.core.cards.mask_inventory import about_hosts, lines
from bot.core.cards.rollout.heads import state_in_list
from bot.core.cards.titles import subject, title
from bot.core.drift import MaskInventory
from bot.core.requests import Request, Stage

_ROOM = 2200  # characters of a message, for each of its sections
_MOST = 10
_NOTHING = Markup("maskbot has masked nothing, and nothing waits or runs.")


def handover(inventory: MaskInventory) -> Text:
    """The answer for whoever takes over."""
    return _render("HANDOVER", inventory, why=True)


def scheduled_handover(inventory: MaskInventory) -> Text:
    """The scheduled message; one line if there is nothing to know.

    Reasons are left out: this is read by everybody, and a reason given in a private channel must not leave it.
    """
    if inventory.is_empty:
        return _nothing_to_report(inventory)
    return _render("HANDOVER", inventory, why=False)


def _nothing_to_report(inventory: MaskInventory) -> Text:
    foreign = len(inventory.entries)
    others = words(" By others: {}, which `/mask list` shows.", foreign) if foreign else Markup("")
    block = section("quiet", [words("{}{}", _NOTHING, others), *_unreachable_hosts(inventory)])
    return Text(block["text"]["text"], (block,))


def _unreachable_hosts(inventory: MaskInventory) -> Iterator[Markup]:
    if unreachable := [view.host for view in inventory.host_views if view.unreachable]:
        yield row("Unreachable", join(unreachable))


def _render(word: str, inventory: MaskInventory, *, why: bool) -> Text:
    mine = [entry for entry in inventory.entries if entry.is_ours]
    counts = f"{len(mine)} masked, {len(inventory.waiting)} waiting, {len(inventory.running)} under way"
    parts = (
        ("waiting", "Waiting", [_waiting(one, inventory.now, why=why) for one in inventory.waiting]),
        ("running", "Under way", [_running(one, inventory.now) for one in inventory.running]),
        ("masked", "Masked", [mask_line.line(entry, inventory, why=why) for entry in mine]),
        ("next", "Coming up", [*_next(inventory)]),
        (
            "sign_offs",
            "Sign-offs owed",
            [line for one in inventory.sign_offs for line in mask_line.open_sign_off(one, inventory.now, why=why)],
        ),
    )
    blocks = [block for name, title, found in parts for block in _part(name, title, found)]
    nothing = [] if blocks else [section("nothing", [_NOTHING])]
    return message(
        f"{word} · {counts}", *blocks, *nothing, section("hosts", [*_others(inventory), *about_hosts(inventory)])
    )


def _part(name: str, title: str, found: Sequence[Markup]) -> Iterator[Block]:
    if not found:
        return
    shown, left = lines(name, [Markup(f"*{title}*"), *found], room=_ROOM)
    yield from shown
    if left:
        yield section(f"{name}-more", [words("… {} more", left)])


def _waiting(request: Request, now: datetime, *, why: bool) -> Markup:
    what = words("{}: {}", title(request), approval_status(request))
    left = [words("{} left", unit_state.span((by - now).total_seconds()))] if (by := _until(request)) else []
    return join([what, *left, words("by {}", mask_line.owner(request)), *(mask_line.reason(request) if why else ())])


def _until(request: Request) -> datetime | None:
    """The deadline for approvals, or until when the approval is good."""
    if request.stage is Stage.WAITING and request.approval:
        return request.approval.approve_by
    return request.act_by


def _running(request: Request, now: datetime) -> Markup:
    what = words("{}", title(request))
    if request.rollout is not None:
        return words("{}: {}", what, state_in_list(request, request.rollout))
    if since := request.target.unknown_since:
        age = unit_state.span((now - since).total_seconds())
        return words("{}: *not known yet*, since {} ({}): {}", what, clock(since), age, escape(request.target.note))
    if request.waits_for_its_stop:
        return words("{}: {}", what, slow_unit.status(request, now))
    return words("{}: running", what)


# The time at which a request ends by itself, if there is one.
_Timer = Callable[[Request], tuple[datetime, Markup] | None]


def _decision(request: Request) -> tuple[datetime, Markup] | None:
    if request.stage is not Stage.WAITING or request.approval is None:
        return None
    return request.approval.approve_by, words("deadline to approve: {}", title(request))


def _approval(request: Request) -> tuple[datetime, Markup] | None:
    if request.stage is not Stage.APPROVED or request.act_by is None:
        return None
    return request.act_by, words("approval times out: {}", title(request))


def _mask(request: Request) -> tuple[datetime, Markup] | None:
    if hold := request.hold:
        return hold.review, words("hold to be reviewed: {}, by @{}", subject(request), hold.owners)
    expires_at = request.aftercare.expires_at if request.is_live_mask else None
    return (expires_at, words("mask expires: {}", subject(request))) if expires_at else None


_TIMERS: tuple[_Timer, ...] = (_decision, _approval, _mask)


def _next(inventory: MaskInventory) -> Iterator[Markup]:
    """The soonest first."""
    found = (timer(request) for request in (*inventory.open, *inventory.ours) for timer in _TIMERS)
    for at, what in sorted(one for one in found if one)[:_MOST]:
        yield words("{}: {}", day(at), what)


def _others(inventory: MaskInventory) -> Iterator[Markup]:
    foreign = [f"{entry.unit} on {entry.host}" for entry in inventory.entries if not entry.is_ours]
    if foreign:
        yield row("By others", join(foreign, most=_MOST))
