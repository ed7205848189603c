"""Holds: on cards, in lists, and in messages to their owners."""

from collections.abc import Iterator
from datetime import datetime

from bot.core.cards.blocks import Markup, clock, day, escape, join, mention, row, words
from bot.core.cards.titles import subject
from bot.core.cards.unrecorded import AS_AFTER
from bot.core.hosts.inventory import is_group
from bot.core.input.names import REASON_LIMIT
from bot.core.policy.hold import HoldPolicy
from bot.core.requests import Extension, Hold, Loss, Request, Rollout, TargetStatus
from bot.core.time.human_time import humanize

_OFF = {
    Loss.REMOVED: "its mask is not on the host",
    Loss.UNDONE: f"maskbot lifted it, according to its guard, and that is not on record here ({AS_AFTER})",
    Loss.REPLACED: "somebody else replaced its mask",
    Loss.REBOOTED: "its mask ended with a reboot of the host",
    Loss.ENDED: "its mask ended with that user's manager",
}


def request_rows(request: Request, hold: Hold, undo: str) -> Iterator[Markup]:
    """On a card that waits."""
    yield row("Hold", words("by @{}, next review {}; it never expires", hold.owners, day(hold.review)))
    yield from _later(request)
    yield row("Undo", words("only @{} can lift it, with approval: {}", hold.owners, undo))


def from_now_on(request: Request, hold: Hold) -> Iterator[Markup]:
    """The effect of making a mask a hold, for the approvers; that of a rollout also goes where it did not come."""
    yield row("Then", words("a hold by @{}, next review {}; it never expires", hold.owners, day(hold.review)))
    rollout = request.rollout or Rollout()
    if rollout.stopped_at is None:
        if missing := len(rollout.with_status(TargetStatus.FAILED, TargetStatus.LEFT_OUT)):
            yield row(
                "Missing",
                words("on {} more, where it is tried again; where a plan differs, people are asked first", missing),
            )
        yield from _later(request)
    yield row("Undo", words("only @{} can lift it, with approval", hold.owners))


def _later(request: Request) -> Iterator[Markup]:
    if groups := _groups(request):
        yield row(
            "Later", words("hosts that join {} are held too; where a plan differs, people are asked first", groups)
        )


def _groups(request: Request) -> Markup:
    """The groups of hosts that are held."""
    return join(filter(is_group, request.ask.selection.hosts)) if request.ask.selection else Markup("")


def plan(request: Request, hold: Hold) -> Iterator[Markup]:
    """The effect of another review date, for the approvers."""
    yield row("Now", words("our hold, by @{}", hold.owners))
    yield row("Then", words("it stays, with the next review {}", day(hold.review)))


def rows(mask: Request, hold: Hold) -> Iterator[Markup]:
    """On the card of a held mask."""
    yield row("Held", _by_whom(mask, hold))
    held = mask.hold_state
    if held.loss:
        yield row("Taken off", join(_removal(mask), " "))
    if held.reapplied_at:
        yield row("Masked again", words("{}, last {}", _times(len(held.reapplied_at)), day(held.reapplied_at[-1])))
    if mask.aftercare.extensions:
        yield _keep_row(mask.aftercare.extensions[-1])
    yield words("Only @{} can lift it, with approval.", hold.owners)


def _by_whom(mask: Request, hold: Hold) -> Markup:
    """The owner, and the review; where hosts can join, that they are held too."""
    if mask.ask.rollout:
        return words("by @{}, on many hosts; the first card of the hold shows the review", hold.owners)
    groups = _groups(mask)
    joining = words("; also on hosts that join {}", groups) if groups else Markup("")
    return words("by @{}, next review {}{}", hold.owners, day(hold.review), joining)


def _removal(mask: Request) -> Iterator[Markup]:
    held = mask.hold_state
    seen = words(" (seen {})", clock(held.loss_seen_at)) if held.loss_seen_at else Markup("")
    yield words("{}{}.", _OFF[held.loss or Loss.REMOVED], seen)
    if held.why:
        yield escape(held.why, width=500)
    if held.try_at:
        yield words("Next try {}.", clock(held.try_at))


def _keep_row(newest: Extension) -> Markup:
    who = words("by {} {}", mention(newest.by, newest.by_name), clock(newest.at))
    label = "Made a hold" if newest.new_kind else "Kept"
    return row(label, words("{}: {}", who, escape(newest.reason, width=REASON_LIMIT)) if newest.reason else who)


def hold_in_list(mask: Request, hold: Hold) -> Markup:
    """The hold in a list of masks."""
    off = Markup("*taken off*, ") if mask.hold_state.loss else Markup("")
    return words("{}held by @{}, review {}", off, hold.owners, day(hold.review))


def review_message(mask: Request, hold: Hold, now: datetime) -> str:
    """To its owners, on the review date."""
    age = humanize(now - mask.finished_at) if mask.finished_at else "a while"
    why = f" Reason: {mask.ask.reason}" if mask.ask.reason.strip() else ""
    return (
        f"The hold of {subject(mask)} has been due for review since {hold.review:%Y-%m-%d %H:%M} UTC. "
        f"It has lasted {age}.{why}\n"
        "To keep it, use Keep and give a reason. To lift it, use Unmask."
    )


def removal_message(mask: Request, hold: Hold, holds: HoldPolicy) -> str:
    """To its owners and to everybody, when a removal is seen."""
    held = mask.hold_state
    if held.loss is Loss.REPLACED:
        return (
            f"THE MASK OF A HOLD WAS REPLACED: somebody replaced the mask of {subject(mask)}. The unit is masked, but "
            f"not by maskbot. @{hold.owners}, please check {mask.target.host}."
        )
    if held.loss is Loss.UNDONE:
        off = f"A HOLD WAS TAKEN OFF: {subject(mask)}, which @{hold.owners} holds: {_OFF[Loss.UNDONE]}."
        return f"{off} Use Unmask to end it here, too."
    agents = f" Configuration management on this host: {' and '.join(held.suspects)}." if held.suspects else ""
    then = "The bot masks it again." if holds.reapply else f"The bot does not mask it again: use {_again(mask)}."
    return f"A HOLD WAS TAKEN OFF: {subject(mask)}, which @{hold.owners} holds, is no longer masked.{agents} {then}"


def still_off_message(mask: Request, hold: Hold) -> str:
    """To its owners, while the mask is off."""
    return (
        f"The hold of {subject(mask)} is still not in force: {_OFF[mask.hold_state.loss or Loss.REMOVED]}. "
        f"{mask.hold_state.why}"
    ).rstrip() + f"\n@{hold.owners}, please use {_again(mask, or_lift=True)}."


def _again(mask: Request, *, or_lift: bool = False) -> str:
    """The button that asks for the mask again: below the reminder, or on the card. One of many hosts has no card."""
    if mask.ask.rollout:
        there = f", or `/unmask {mask.target.host} {mask.target.unit}`"
        return "Retry failed only on the card of the hold" + there * or_lift
    return "Mask again or Unmask" if or_lift else "Mask again on its card"


def back_message(mask: Request) -> str:
    """One of many hosts on which the mask was reapplied; that has no card of its own."""
    return f"{subject(mask)} is masked again by its hold, and that is proven."


def pause_message(mask: Request, hold: Hold, until: datetime) -> str:
    """The mask is removed again and again, so reapplying pauses."""
    agents = f" Configuration management on this host: {' and '.join(mask.hold_state.suspects)}." * bool(
        mask.hold_state.suspects
    )
    return (
        f"THE HOLD OF {subject(mask)} KEEPS BEING REMOVED: "
        f"the bot masked it again {_times(len(mask.hold_state.reapplied_at))}, and "
        f"pauses until {until:%H:%M} UTC.{agents} @{hold.owners}, please find out who removes it."
    )


def not_reapplied_message(mask: Request) -> str:
    """The mask is still not reapplied."""
    return f"The held mask of {subject(mask)} is not back yet. {mask.hold_state.why} The bot keeps trying."


def _times(number: int) -> str:
    return {1: "once", 2: "twice"}.get(number, f"{number} times")
