"""The forced stop: its cost, for the approvers, and a note on the mask's card."""

from collections.abc import Iterator

from bot.core.cards import slow_unit, unit_state
from bot.core.cards.blocks import Markup, clock, join, row, words
from bot.core.requests import Change, Forced, Request
from bot.core.systemd.units import Snapshot

_SPARING = {
    "process": "also what its own stop would leave running (KillMode=process)",
    "none": "also what its own stop would leave running (KillMode=none)",
}


def plan(request: Request) -> Iterator[Markup]:
    """The processes and stop commands that SIGKILL would cut off, for the approvers."""
    seen = request.target.planned or request.target.before
    if seen is None:
        yield row("Now", "not checked yet")
        return
    what = slow_unit.job_of(seen)
    yield row("Now", words("{}: {}", unit_state.now(seen), f"waits for {what}") if what else unit_state.now(seen))
    yield row("Then", "SIGKILL to all its processes at once; its mask then continues on its own card")
    yield from _losses(seen)
    yield row("Until then", "the stop goes on; nothing is killed if it ends first")
    yield row("Undo", "none for the kill; its mask can be undone as usual")


def _losses(seen: Snapshot) -> Iterator[Markup]:
    """Measured, docs/systemd.md."""
    yield row("Lost", "unwritten data: its own stop is cut off")
    if seen.sub == "stop":
        yield row("Lost", "stop commands that have not run yet (ExecStop=)")
    if seen.sub == "stop-post":
        yield row("Lost", "post-stop commands that have not run yet (ExecStopPost=)")
    else:
        yield row(
            "May be lost", "post-stop commands (ExecStopPost=): older systemd runs them, newer systemd kills them too"
        )
    if also := _SPARING.get(seen.kill_mode):
        yield row("Killed", also)
    if seen.spared:
        yield row("Hazard", "it is configured never to be killed (SendSIGKILL=no), like many databases")
    fails = "it ends as failed (Result=signal) and is not restarted (Restart= does not apply to a stop)"
    started = seen.side_effects.stop_starts
    yield row("Hazard", words("{}; {} may be started", fails, join(started)) if started else fails)


def force_stop_phrase(done: Forced) -> Markup:
    """`by force, approved by bob`."""
    return words("by force, {}", _as_approved(done))


def kill_sent_phrase(done: Forced) -> Markup:
    """While systemd still finishes the stop."""
    return words("SIGKILL was sent {}, {}", clock(done.at), _as_approved(done))


def _as_approved(done: Forced) -> Markup:
    if done.break_glass_by:
        return words("by {} with break-glass", done.break_glass_by)
    return words("approved by {}", join(done.approvers, " and ")) if done.approvers else words("without approval")


def not_masked_yet(mask: Request, why: str) -> str:
    """Why an unmask did not withdraw a mask that waits for its unit to stop."""
    unit = f"{mask.target.unit} on {mask.target.host}"
    return f"{unit} is not masked yet: its mask waits for the unit to stop. {why}"


def nothing_waits(change: Change) -> str:
    """Why `--force` is refused: no mask waits for the unit."""
    why = "`--force` kills (SIGKILL) a unit whose mask waits for its stop"
    return f"{why}, and no mask of ours waits for {change.unit} on {change.host}."
