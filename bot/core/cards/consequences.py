"""The consequences of a change: what stops, what breaks, what stays open, how it is done and undone."""

from collections.abc import Iterator
from datetime import timedelta

from bot.core.cards import hold, reload, unit_state, unrecorded
from bot.core.cards.blocks import Markup, day, escape, join, row, words
from bot.core.cards.side_effects import side_effect_rows
from bot.core.requests import Change, Duration, Request, Verb
from bot.core.systemd.unit_files import unread
from bot.core.systemd.units import ActiveState, Layer, RelatedUnit, Snapshot
from bot.core.time.human_time import humanize

# What happens to a unit whose triggered service is masked (measured, docs/systemd.md).
_BREAKS = {
    "socket": "fails on its next connection",
    "timer": "fails the next time it fires; an undo starts it again, which may run its job at once",
    "path": "fails on its next event",
}
# What happens to a trigger that is itself masked while it runs (measured, also there).
_LEFT_RUNNING = {
    "socket": "it stops listening when its service ends, until the socket is restarted",
    "timer": "it fails the next time it fires, and must be started again after an unmask",
    "path": "it triggers nothing while masked",
}


def rows(request: Request, seen: Snapshot) -> Iterator[Markup]:
    """The rows of a card below `Now`, in their order."""
    change = request.ask.change
    masking = change.verb is Verb.MASK
    yield from window(change)
    yield row("Then", _then_masked(change, seen) if masking else _then_unmasked(request, seen))
    if masking:
        yield from lasts(request, _undo(change, seen))
        yield from _hazards(change, seen)
        yield from _related(change, seen)
    else:
        yield from starts(request)
    if masking and seen.around and seen.around.agents:
        yield row("Managed", words("by {}, which may remove the mask again", join(seen.around.agents, " and ")))
    if not change.adopt:  # nothing is reloaded
        yield from reload.to_come(seen)
    if files := unread(seen):
        told = words("{}: the bot may not read it, and notices an edit by size and time only", join(files, " and "))
        yield row("Not read", told)
    yield from _names(change, seen)
    if request.target.layer is Layer.CONTROL and masking:
        yield row("Mask in", "/etc/systemd/system.control, because its unit file is in /etc/systemd/system")


def starts(request: Request) -> Iterator[Markup]:
    """The units that an undo starts."""
    if request.target.starts:
        yield row("Starts", words("{} again", join(request.target.starts)))


def window(change: Change) -> Iterator[Markup]:
    """When a scheduled change may run."""
    if change.scheduled_window:
        opens, closes = day(change.scheduled_window.opens), day(change.scheduled_window.closes)
        yield row("When", words("between {} and {}", opens, closes))


def _then_masked(change: Change, seen: Snapshot) -> str:
    if change.adopt:
        return "nothing is done on the host: the mask that is there becomes maskbot's, with an owner and an expiry"
    lasts = "until the next reboot" if change.runtime else "also after a reboot"
    if seen.active.is_down:
        return f"cannot be started, {lasts}"
    if change.keep_running:
        return f"left running; once it is down it cannot be started, {lasts}"
    return f"stopped and cannot be started, {lasts}"


def _then_unmasked(request: Request, seen: Snapshot) -> Markup:
    if request.ask.undoes:
        return words("our mask is removed, and the unit is put back as it was")
    where = join(unit_state.LAYERS[layer] for layer in seen.mask_layers) or escape("there is none")
    if seen.made_by_us:
        return unrecorded.removal(seen.made_by_us, where)
    return words("the mask, not made by maskbot, is removed ({}); nothing is started", where)


def _undo(change: Change, seen: Snapshot) -> str:
    """The effect of the undo, by a click or at the expiry."""
    if change.adopt:
        return "exactly that link is removed, and nothing is started"
    stopped = not seen.active.is_down and not change.keep_running
    in_the_middle = seen.active is ActiveState.ACTIVATING and not seen.sub.startswith("auto-restart")
    return "unmask" + (" and start it again" + ", from the beginning" * in_the_middle) * stopped


def lasts(request: Request, undo: str) -> Iterator[Markup]:
    """How long the mask lasts, and who can undo it."""
    change = request.ask.change
    if change.hold:
        yield from hold.request_rows(request, change.hold, undo)
    elif change.duration:
        yield row("Expires", _expires(request, change.duration, undo))
    else:
        yield row("Undo", words("one click: {}", undo))


def _expires(request: Request, duration: Duration, what: str) -> Markup:
    """When the mask expires; a length counts from the proof, or from the first wave, which has not begun yet."""
    if duration.until:
        return words("{}: {}", day(duration.until), what)
    since = "it is proven" if request.ask.selection is None else "its first wave begins"
    return words("{} after {}: {}", humanize(duration.lasts or timedelta()), since, what)


def _hazards(change: Change, seen: Snapshot) -> Iterator[Markup]:
    limit = unit_state.stop_limit(seen)
    if seen.actions:
        yield row("Hazard", words("{}: if it is started and then ends, it may take the host down", join(seen.actions)))
    if seen.active.is_down:
        return
    yield from side_effect_rows(change, seen)
    if seen.around and seen.around.is_edited and not change.keep_running:
        yield row(
            "Hazard", "its own files were edited, and systemd has not loaded that yet: an undo starts it as edited"
        )
    if not change.keep_running:
        if limit == float("inf"):
            yield row("Hazard", "it has no stop timeout")
        return
    if seen.watchdog_usec and seen.notify_access != "none":
        yield row("Hazard", f"its watchdog kills it within {unit_state.span(seen.watchdog_usec / 1e6)} of the mask")
    if change.unit.type in _LEFT_RUNNING:
        yield row("Hazard", _LEFT_RUNNING[change.unit.type])
    else:
        yield row("Hazard", "once masked it runs without Restart= and limits: if it ends, it stays down")


def _related(change: Change, seen: Snapshot) -> Iterator[Markup]:
    around = seen.around
    if around is None:
        return
    running = [other.unit for other in around.would_stop if not other.active.is_down]
    if running and not change.keep_running:
        yield row("Stops", words("{} too", join(running)))
    yield from (row("Breaks", f"{other.unit} {_effect(other)}") for other in active_triggers(seen)[:5])
    still = [other.unit for other in (*around.members, *around.starts)]
    if still:
        yield row("Not covered", words("{} can still be started", join(still)))
    yield from twins(seen)
    if around.copies:
        have = "has" if len(around.copies) == 1 else "have"
        yield row("Not covered", words("{} {} the same contents and can still be started", join(around.copies), have))


def twins(seen: Snapshot) -> Iterator[Markup]:
    """Other units that start the same unit file and are not covered by the mask."""
    if seen.twins:
        one = "is" if len(seen.twins) == 1 else "are"
        yield row("Not covered", words("{} {} the same unit file and can still be started", join(seen.twins), one))


def active_triggers(seen: Snapshot) -> list[RelatedUnit]:
    """What would start the unit, and is up: a socket, a timer, a path."""
    return [other for other in (seen.around.triggers if seen.around else ()) if not other.active.is_down]


def _effect(trigger: RelatedUnit) -> str:
    return _BREAKS.get(trigger.unit.rpartition(".")[2], "fails when it tries to start the unit")


def _names(change: Change, seen: Snapshot) -> Iterator[Markup]:
    if change.unit != seen.id:
        yield row("Name", f"`{change.unit}` is another name of `{seen.id}`")
    others = sorted(seen.names - {seen.id.text, change.unit.text})
    if others:
        yield row("Names", words("also {}", join(others)))
    if seen.refuse_manual_start:
        yield row("Proof", "from its properties only: it cannot be started by hand")
