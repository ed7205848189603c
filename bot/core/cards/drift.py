"""Drift reports: a lost mask of ours, units that failed because of one, masks made or removed by others."""

from collections.abc import Iterable, Sequence

from bot.core.cards import unrecorded
from bot.core.cards.blocks import Markup, clock, words
from bot.core.cards.titles import subject
from bot.core.requests import Loss, Request
from bot.core.systemd.scan import FoundMask
from bot.core.systemd.units import Snapshot

_MOST = 8
_BY_NOBODY_HERE = "It was not removed by maskbot, but by a person, a package upgrade or configuration management"
_BY_US = f"According to its guard, maskbot removed it, for a request that is not on record here ({unrecorded.AS_AFTER})"
_LOGGED_OUT = "that user's manager ended with the last logout, and a runtime mask ends with it"


def loss_row(request: Request) -> Markup:
    """The row at the top of the mask's card."""
    drift = request.drift
    seen = words(" (seen {})", clock(drift.lost_at)) if drift.lost_at else Markup("")
    match drift.lost:
        case Loss.REPLACED:
            return words("Somebody replaced the mask{}: the unit is masked, but no longer by maskbot.", seen)
        case Loss.REBOOTED:
            return words("The mask lasted until the next reboot, and the host was rebooted{}.", seen)
        case Loss.ENDED:
            return words("The mask is gone{}: {}.", seen, _LOGGED_OUT)
        case Loss.UNDONE:
            return words("The mask is gone{}. {}.", seen, _BY_US)
        case _:
            gone = words("The mask is gone{}. {}.{}", seen, _BY_NOBODY_HERE, _suspects(request))
            return words("{} If the unit must stay down, request the mask again.", gone)


def loss_message(request: Request, seen: Snapshot) -> str:
    """The message for the channel and the thread."""
    what, now = subject(request), f"The unit is {seen.load} and {seen.active} now."
    match request.drift.lost:
        case Loss.REPLACED:
            return (
                f"OUR MASK WAS REPLACED: somebody replaced the mask of {what}. The unit is masked, but not by maskbot. "
                "No button removes that mask; ask for its removal with `/unmask`."
            )
        case Loss.REBOOTED:
            return f"The mask of {what} has ended with a reboot of the host, as requested. {now}"
        case Loss.ENDED:
            return f"The mask of {what} is gone: {_LOGGED_OUT}. {now}"
        case Loss.UNDONE:
            return f"{unrecorded.UNDONE}: {what}. {_BY_US}. {now}"
        case _:
            return f"OUR MASK IS GONE: {what}. {_BY_NOBODY_HERE}.{_suspects(request)} {now}"


def failed_units_message(request: Request, units: Sequence[str]) -> str:
    """Units that depend on a masked unit and have failed."""
    some, depend = _cut_list(units), "depends" if len(units) == 1 else "depend"
    return (
        f"{some} on {request.target.host} {depend} on {request.target.unit} and failed after it was masked. "
        f"*Unmask* on the card puts {request.target.unit} back."
    )


def new_masks_notice(host: str, masks: Sequence[FoundMask]) -> str:
    """Masks that somebody else made."""
    return f"Masked on {host} by others: {_places(masks)}. `/mask list {host}` shows all."


def gone_masks_notice(host: str, masks: Sequence[FoundMask]) -> str:
    """Masks of somebody else that are gone."""
    return f"Masks made by others are gone from {host}: {_places(masks)}."


def _places(masks: Iterable[FoundMask]) -> str:
    return _cut_list([f"{mask.unit} ({mask.folder})" for mask in masks])


def _cut_list(names: Sequence[str]) -> str:
    """A sentence in plain text: it is escaped where it is posted."""
    more = [f"{len(names) - _MOST} more"] if len(names) > _MOST else []
    return ", ".join([*names[:_MOST], *more])


def _suspects(request: Request) -> str:
    suspects = request.drift.suspects
    return f" Configuration management on this host: {' and '.join(suspects)}." if suspects else ""
