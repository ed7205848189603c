"""Side effects of the stop, and of the start that undoes it, shown before anybody approves."""

from collections.abc import Iterator

from bot.core.cards.blocks import Markup, join, row, words
from bot.core.requests import Change
from bot.core.systemd.side_effects import ElapseBase
from bot.core.systemd.units import Snapshot

_EVERYBODYS = ("shutdown.target", "umount.target")  # systemd adds these to Conflicts= of nearly every unit


def side_effect_rows(change: Change, seen: Snapshot) -> Iterator[Markup]:
    """Side effects for a unit that runs. A unit that is left running is not stopped, so it has none."""
    own = seen.side_effects
    if change.keep_running:
        return
    if own.is_frozen:
        yield row(
            "Hazard", "it is frozen: a stop thaws it or, on newer systemd, fails; an undo does not freeze it again"
        )
    if own.stop_starts:
        yield row("Its stop", words("may start {} (OnSuccess=, OnFailure=)", join(own.stop_starts)))
    others = [name for name in own.conflicts if name not in _EVERYBODYS]
    if others:
        yield row("Undo stops", words("{}, if it is running then (Conflicts=)", join(others)))
    if own.is_persistent:
        yield row("Undo runs", "a missed run at once (Persistent=yes)")
    if own.turn is ElapseBase.MONOTONIC:
        why = "it counts from the boot or its own start: after an undo its next run may come at once, later or never"
        yield row("Hazard", why)
