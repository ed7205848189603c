"""Holds: on cards, in lists, and in messages to their owners."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from bot.core.cards.blocks import Markup, clock, day, escape, join, mention, row, words
from bot.core.cards.titles import subject
from bot.core.input.names import REASON_LIMIT
from bot.core.policy.hold import HoldPolicy
from bot.core.requests import Extension, Hold, Loss, Request
from bot.core.time.human_time import humanize

_OFF = {
    Loss.REMOVED: "its mask is not on the host",
    Loss.REPLACED: "somebody else replaced its mask",
    Loss.REBOOTED: "its mask ended with a reboot of the host",
    Loss.ENDED: "its mask ended with that user's manager",
}


def request_rows(hold: Hold, undo: str, hosts: Sequence[str] = ()) -> Iterator[Markup]:
    """On a card that waits."""
    if hold.is_group_wide:
        yield row("Hosts", _hosts(hold, hosts))
    yield row("Hold", words("by @{}, who review it {}; it never expires", hold.owners, day(hold.review)))
    yield row("Undo", words("only @{} can lift it, with approval: {}", hold.owners, undo))


def _hosts(hold: Hold, hosts: Sequence[str]) -> Markup:
    """How many hosts and which, and that more may join."""
    first, *others = hosts or ("",)
    if not others:
        return words("the only one in @{} now, and hosts that join later", hold.hosts)
    now = words("{} in @{} now: {} first, then {}", len(hosts), hold.hosts, first, join(others, most=20))
    return words(
        "{}; and hosts that join later. This card shows {}; each other host is checked in its turn", now, first
    )


def lift_rows(hosts: Sequence[str]) -> Iterator[Markup]:
    """On the card that asks to lift a group's hold."""
    if hosts:
        yield row("Hosts", words("lifted on all {}: {}", len(hosts), join(hosts, most=20)))


def plan(request: Request, hold: Hold) -> Iterator[Markup]:
    """The effect of another review date, for the approvers."""
    yield row("Now", words("our hold, by @{}", hold.owners))
    yield row("Then", words("it stays, with the next review {}", day(hold.review)))


def rows(mask: Request, hold: Hold) -> Iterator[Markup]:
    """On the card of a held mask."""
    yield row("Held", _by_whom(hold))
    held = mask.hold_state
    if held.loss:
        yield row("Taken off", join(_removal(mask), " "))
    if held.reapplied_at:
        yield row("Put back", words("{}, last {}", _times(len(held.reapplied_at)), day(held.reapplied_at[-1])))
    if mask.aftercare.extensions:
        yield _keep_row(mask.aftercare.extensions[-1])
    where = (
        words(" on all of @{}", hold.hosts)
        if hold.is_group_wide
        else words(" here")
        if hold.group_request
        else words("")
    )
    yield words("Only @{} can lift it{}, with approval.", hold.owners, where)


def _by_whom(hold: Hold) -> Markup:
    """The owner; for a group's hold also its other hosts, or whose review date counts."""
    if hold.group_request:
        return words("by @{}, with all of @{}; the first card of the hold shows the review", hold.owners, hold.hosts)
    everywhere = words("; on all of @{}, and on hosts that join later", hold.hosts) if hold.is_group_wide else words("")
    return words("by @{}, who review it {}{}", hold.owners, day(hold.review), everywhere)


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
    return row("Kept", words("{}: {}", who, escape(newest.reason, width=REASON_LIMIT)) if newest.reason else who)


def hold_in_list(mask: Request, hold: Hold) -> Markup:
    """The hold in a list of masks."""
    off = Markup("*taken off*, ") if mask.hold_state.loss else Markup("")
    if hold.group_request:
        return words("{}held by @{} with all of @{}", off, hold.owners, hold.hosts)
    everywhere = words(" on all of @{}", hold.hosts) if hold.is_group_wide else words("")
    return words("{}held by @{}{}, review {}", off, hold.owners, everywhere, day(hold.review))


def scope(mask: Request, hold: Hold) -> str:
    """The masks that are reviewed together: a mask, or all masks of a group's hold."""
    return f"{mask.target.unit} on all of @{hold.hosts}" if hold.is_group_wide else subject(mask)


def review_message(mask: Request, hold: Hold, now: datetime) -> str:
    """To its owners, on the review date."""
    age = humanize(now - mask.finished_at) if mask.finished_at else "a while"
    why = f" Reason: {mask.ask.reason}" if mask.ask.reason.strip() else ""
    return (
        f"The hold of {scope(mask, hold)} has been due for review since {hold.review:%Y-%m-%d %H:%M} UTC. "
        f"It has lasted {age}.{why}\n"
        "To keep it, use Keep on its card and give a reason. To lift it, use Unmask there."
    )


def removal_message(mask: Request, hold: Hold, holds: HoldPolicy) -> str:
    """To its owners and to everybody, when a removal is seen."""
    held = mask.hold_state
    if held.loss is Loss.REPLACED:
        return (
            f"THE MASK OF A HOLD WAS REPLACED: somebody replaced the mask of {subject(mask)}. The unit is masked, but "
            f"not by maskbot. @{hold.owners}, please check {mask.target.host}."
        )
    agents = f" Configuration management on this host: {' and '.join(held.suspects)}." if held.suspects else ""
    then = "The bot puts it back." if holds.reapply else "The bot does not put it back: use Mask again on its card."
    return f"A HOLD WAS TAKEN OFF: {subject(mask)}, which @{hold.owners} holds, is no longer masked.{agents} {then}"


def still_off_message(mask: Request, hold: Hold) -> str:
    """To its owners, while the mask is off."""
    return (
        f"The hold of {subject(mask)} is still not in force: {_OFF[mask.hold_state.loss or Loss.REMOVED]}. "
        f"{mask.hold_state.why}"
    ).rstrip() + f"\n@{hold.owners}, please use Mask again or Unmask on its card."


def pause_message(mask: Request, hold: Hold, until: datetime) -> str:
    """The mask is removed again and again, so reapplying pauses."""
    agents = f" Configuration management on this host: {' and '.join(mask.hold_state.suspects)}." * bool(
        mask.hold_state.suspects
    )
    return (
        f"THE HOLD OF {subject(mask)} IS TAKEN OFF AGAIN AND AGAIN: "
        f"the bot put it back {_times(len(mask.hold_state.reapplied_at))}, and "
        f"pauses until {until:%H:%M} UTC.{agents} @{hold.owners}, please find out who removes it."
    )


def missing_message(group_hold: Request, host: str, why: str) -> str:
    """A host of the group on which the mask is not held, although people approved it for all hosts."""
    unit = group_hold.ask.change.unit
    return f"{unit} is not held on {host}. {why}\nThe bot tries again there, at growing intervals."


def stranded_message(group_hold: Request, hold: Hold) -> str:
    """The host on which people approved the hold has left the inventory."""
    first = group_hold.target.host
    return (
        f"The hold of {scope(group_hold, hold)} reaches no more hosts: {first}, where it began, is no longer in "
        f"hosts.yaml.\n@{hold.owners} can ask for the hold again, or lift it on each other host from its card there."
    )


def not_reapplied_message(mask: Request) -> str:
    """The mask is still not reapplied."""
    return f"The held mask of {subject(mask)} is not back yet. {mask.hold_state.why} The bot keeps trying."


def _times(number: int) -> str:
    return {1: "once", 2: "twice"}.get(number, f"{number} times")
