"""The expiry of a mask: on its card, in lists, and in messages to its owner."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from bot.core.cards import hold as holds
from bot.core.cards.blocks import Markup, clock, day, escape, join, mention, row, words
from bot.core.cards.titles import subject
from bot.core.input.names import REASON_LIMIT
from bot.core.requests import Aftercare, Ask, Duration, Extension, NewKind, Request
from bot.core.time.human_time import humanize

NEW_KINDS = {
    NewKind.ENDING: "EXPIRY SET",
    NewKind.HELD: "HELD FROM NOW ON",
    NewKind.LOOKED_AT: "KEPT, STILL WITHOUT EXPIRY",
}
_LABELS = {NewKind.ENDING: "Expiry set", NewKind.HELD: "Made a hold", NewKind.LOOKED_AT: "Kept"}


def rows(mask: Request) -> Iterator[Markup]:
    """When the mask expires, why its undo is overdue, and who changed the expiry."""
    aftercare = mask.aftercare
    if not mask.can_be_undone:
        return
    if aftercare.no_login:
        yield row(
            "No login",
            words("{} The bot undoes the mask over the connection that is still open.", escape(aftercare.no_login)),
        )
    if hold := mask.hold:
        yield from holds.rows(mask, hold)
        return
    if aftercare.expires_at and aftercare.overdue:
        yield row("Overdue", words("since {}. {}", day(aftercare.expires_at), join(_why_and_when(aftercare), " ")))
    elif aftercare.expires_at and not aftercare.no_login:
        then = _end_of(mask)
        yield row("Expires", words("{}, then {}", day(aftercare.expires_at), then))
    if aftercare.extensions:
        yield _extension_row(aftercare.extensions[-1])


def _end_of(mask: Request) -> str:
    return "that link is removed, and nothing is started" if mask.target.adopted else "everything is put back"


def plan(request: Request) -> Iterator[Markup]:
    """The effect of another expiry, for the approvers. The host has not been checked for this."""
    ask = request.ask
    if ask.change.hold and not ask.new_kind:
        yield from holds.plan(request, ask.change.hold)
        return
    yield row("Now", _now(ask))
    if hold := ask.change.hold:
        yield from holds.from_now_on(request, hold)
        return
    reminded = words("it stays without expiry; its owner is reminded {}", day(ask.remind_at)) if ask.remind_at else ""
    yield row("Then", reminded or _then(ask))
    yield row("Undo", "one click: unmask")


def _now(ask: Ask) -> Markup:
    ours, expire, have = ("masks", "expire", "have") if ask.selection else ("mask", "expires", "has")
    if ask.instead_of:
        return words("our {}, which {} {}", ours, expire, day(ask.instead_of))
    return words("our {}, which {}", ours, f"{have} no expiry" if ask.new_kind else expire)


def _then(ask: Ask) -> Markup:
    duration, are_many = ask.change.duration, ask.selection is not None
    if duration and duration.until:
        return words("they expire {}" if are_many else "it expires {}", day(duration.until))
    if are_many:
        return words("they no longer expire: they stay until somebody unmasks them")
    return words("it no longer expires: it stays until somebody unmasks it")


def new_expiry_rows(request: Request) -> Iterator[Markup]:
    """The effect of a request that extends a mask; its host was not touched."""
    ask = request.ask
    if hold := ask.change.hold:
        owners = [row("Held", words("by @{}", hold.owners))] if ask.new_kind else []
        yield from (*owners, row("Review", day(hold.review)))
        return
    if ask.remind_at:
        yield row("Expires", words("never; its owner is reminded {}", day(ask.remind_at)))
        return
    instead = words(", instead of {}", day(ask.instead_of)) if ask.instead_of else words("")
    yield row("Expires", words("{}{}", _until(ask.change.duration), instead))


def _until(duration: Duration | None) -> Markup:
    return day(duration.until) if duration and duration.until else words("never")


def expiry_in_list(mask: Request) -> Markup:
    """The expiry in a list of masks."""
    expires_at = mask.aftercare.expires_at
    if hold := mask.hold:
        return holds.hold_in_list(mask, hold)
    if expires_at is None:
        return words("lasts until the next reboot" if mask.ask.change.runtime else "no expiry")
    return words("overdue since {}" if mask.aftercare.overdue else "expires {}", day(expires_at))


def _why_and_when(aftercare: Aftercare) -> Iterator[Markup]:
    yield escape(aftercare.overdue, width=500)
    if aftercare.try_at:
        yield words("Next try {}.", clock(aftercare.try_at))


def _extension_row(newest: Extension) -> Markup:
    label = _LABELS[newest.new_kind] if newest.new_kind else "Extended" if newest.until else "Kept"
    who = words("by {} {}", mention(newest.by, newest.by_name), clock(newest.at))
    if newest.remind_at:
        who = words("{}, with the next reminder {}", who, day(newest.remind_at))
    why = escape(newest.reason, width=REASON_LIMIT)
    return row(label, words("{}: {}", who, why) if why else who)


def expiry_reminder(mask: Request, expires_at: datetime, now: datetime) -> str:
    """Before the expiry, while it can still be extended."""
    when = f"{expires_at:%H:%M} UTC, in {humanize(expires_at - now)}"
    return f"The mask of {subject(mask)} expires at {when}, then {_end_of(mask)}. Use Extend or Keep to change that."


def overdue_message(mask: Request, expires_at: datetime) -> str:
    """The mask has expired and is not undone."""
    when = f"{expires_at:%Y-%m-%d %H:%M} UTC"
    return (
        f"The mask of {subject(mask)} should have expired {when}, but it is still there. {mask.aftercare.overdue} "
        "The bot keeps trying."
    )


def no_expiry_reminder(mask: Request, now: datetime) -> str:
    """The mask has no expiry."""
    age = humanize(now - mask.finished_at if mask.finished_at else timedelta())
    why = f" Reason: {mask.ask.reason}" if mask.ask.reason.strip() else ""
    what = "Unmask it, set an expiry, or use Keep to say why it stays."
    return f"The mask of {subject(mask)} has no expiry and has lasted {age}.{why}\n{what}"


def aftercheck_message(request: Request, found: Sequence[str], now: datetime) -> str:
    """The findings of an aftercheck, for the thread of the card."""
    age = humanize(now - request.finished_at if request.finished_at else timedelta())
    back = "\nUse Unmask on the card to undo the mask." * request.is_live_mask
    return f"{age} after the change: {' '.join(found)}{back}"


def left_over_message(mask: Request, note: str, *, is_gone: bool) -> str:
    """The mask expired, but not everything could be restored."""
    came_of_it = (
        "was undone, but not everything is as before"
        if is_gone
        else "was left in place, because it is not as the bot left it"
    )
    return f"Time is up: the mask of {subject(mask)} {came_of_it}. {note}\nPlease check {mask.target.host} yourself."
