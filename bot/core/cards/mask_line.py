"""One mask as one line of a list: owner, since when, why, its expiry, and how to remove it."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from bot.core.cards import expiry, unit_state, unrecorded
from bot.core.cards.blocks import Markup, day, escape, join, words
from bot.core.cards.rollout.heads import is_whole, state_in_list
from bot.core.cards.titles import subject, title
from bot.core.drift import MaskEntry, MaskInventory
from bot.core.requests import Request
from bot.core.systemd.scan import FoundMask
from bot.core.systemd.units import FileKind, LoadState

_ODD = {FileKind.EMPTY: "an empty file", FileKind.LINK: "a link to something other than /dev/null"}
_ODD_NAMED = 3
_MOST = 12  # parts of a line; there are never as many


def line(entry: MaskEntry, inventory: MaskInventory, *, why: bool = True) -> Markup:
    """A mask in the list; with its reason, unless the list is for everybody."""
    now = inventory.now
    if entry.unrecorded and entry.found:
        known = [*_foreign(entry.found, inventory), *unrecorded.in_list(entry.host, entry.unrecorded)]
        return words(
            "*{} on {}*: {}\n    {}",
            entry.unit,
            entry.host,
            unrecorded.whose(entry.unrecorded),
            join(known, most=_MOST),
        )
    if entry.request is None:
        seen = [*_foreign(entry.found, inventory)] if entry.found else []
        return words("*{} on {}*: not by maskbot\n    {}", entry.unit, entry.host, join(seen, most=_MOST))
    mask = entry.request
    who = join([words("by {}", owner(mask)), *(reason(mask) if why else [])], " · ")
    about = join([*_targets(mask), *_record(mask, now), *_scan_result(entry)], most=_MOST)
    return words("*{}*: {}\n    {}", subject(mask), who, about)


def owner(request: Request) -> Markup:
    """The owner by name: a list mentions nobody."""
    return escape(request.owner_name or request.owner.user, width=80)


def ours(mask: Request, now: datetime) -> Markup:
    """Since when, by whom, why, its expiry, and whether its undo needs approval."""
    return join([words("by {}", owner(mask)), *reason(mask), *_targets(mask), *_record(mask, now)], most=_MOST)


def reason(request: Request) -> list[Markup]:
    """The reason, if one was given."""
    return [escape(request.ask.reason, width=80)] if request.ask.reason.strip() else []


def open_sign_off(request: Request, now: datetime, *, why: bool = True) -> Iterator[Markup]:
    """A break-glass change that nobody has signed off."""
    if request.break_glass:
        done, age = request.break_glass, unit_state.span((now - request.break_glass.at).total_seconds())
        what = words("{}: {} used break-glass {} ago", title(request), done.name, age)
        yield words("{}: {}", what, escape(done.reason, width=120)) if why else what


def _targets(mask: Request) -> Iterator[Markup]:
    """How much of a rollout is in place, unless it is all of it."""
    if mask.rollout is not None and not is_whole(mask, mask.rollout):
        yield words("{}", state_in_list(mask, mask.rollout))


def _record(mask: Request, now: datetime) -> Iterator[Markup]:
    yield _since(mask.finished_at or mask.asked_at, now)
    yield expiry.expiry_in_list(mask)
    if not mask.is_live_mask:
        yield words("never came into force")
    elif mask.hold:
        yield words("only they can lift it")
    elif mask.undo_until and now < mask.undo_until:
        yield words("undo without approval until {}", day(mask.undo_until))
    else:
        yield words("undo needs approval")


def _foreign(found: FoundMask, inventory: MaskInventory) -> Iterator[Markup]:
    """A foreign mask: its time by the host's own clock; nobody knows who made it or why."""
    yield _since(found.made_at, inventory.now)
    yield words("in {}", found.folder)
    if found.kind in _ODD:
        yield words(_ODD[found.kind])
    yield from _oddities(found)
    yield words("its removal needs approval" if inventory.can_ask_to_remove(found) else "removed only by hand")


def _scan_result(entry: MaskEntry) -> Iterator[Markup]:
    if entry.request and entry.request.rollout:
        yield from _scan_results(entry.targets)
    elif entry.found:
        yield from _oddities(entry.found)
    elif entry.request and entry.request.hold_state.loss:
        return
    elif entry.request and entry.request.ask.change.user:
        yield words("not scanned: it is in that user's own manager")
    else:
        yield words("not scanned since it was made")


def _scan_results(targets: Sequence[MaskEntry]) -> Iterator[Markup]:
    """Say how many masks of a rollout the scans have seen, and name those that look odd."""
    seen = [one for one in targets if one.found]
    if len(seen) < len(targets):
        yield words("{} of {} scanned since they were made", len(seen), len(targets))
    odd = [one for one in seen if one.found and any(_oddities(one.found))]
    yield from (
        words("{} on {}: {}", one.unit, one.host, join(_oddities(one.found))) for one in odd[:_ODD_NAMED] if one.found
    )
    if len(odd) > _ODD_NAMED:
        yield words("{} more that are not fully masked", len(odd) - _ODD_NAMED)


def _oddities(found: FoundMask) -> Iterator[Markup]:
    """Anything unusual about the mask."""
    if found.load not in (None, LoadState.MASKED):
        yield Markup("*not loaded by systemd*")
    if found.active and not found.active.is_down:
        yield words("still {}", found.active)


def _since(at: datetime, now: datetime) -> Markup:
    return words("since {} ({})", day(at), unit_state.span((now - at).total_seconds()))
