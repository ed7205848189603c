"""How a finished change stopped its unit: what stopped with it, and whether its stop sequence was complete."""

from collections.abc import Iterator

from bot.core.cards import force_stop, unit_state
from bot.core.cards.blocks import Markup, join, row, words
from bot.core.requests import Target
from bot.core.systemd.dependencies import other_units
from bot.core.systemd.other_units import came_up, went_down
from bot.core.systemd.units import Snapshot


def also_stopped(target: Target) -> Iterator[Markup]:
    """Units that ran and stopped with it, and those that no look has seen since."""
    if target.before is None or target.before.around is None or target.after is None:
        return
    ran = [other.unit for other in target.before.around.would_stop if not other.active.is_down]
    found = other_units(target.after)
    stopped = [unit for unit in ran if unit in found and found[unit].active.is_down]
    unseen = [unit for unit in ran if unit not in found]
    if stopped:
        yield row("Also stopped", join(stopped))
    if unseen and target.after.active.is_down:
        yield row("Stops with it", words("{}: not checked since", join(unseen)))
    ours = {*target.beside}
    if down := sorted({*went_down(target.before, target.after)} - ours):
        yield row("Meanwhile", words("{} went down", join(down)))
    if new := sorted({*came_up(target.before, target.after)} - ours):
        yield row("Meanwhile", words("{} came up", join(new)))


def how_it_stopped(target: Target) -> Iterator[Markup]:
    """What cut its stop sequence short: a mask by somebody else, or its own time limit."""
    if target.settings_lost and target.after and target.after.active.is_down:
        why = "in part only: somebody masked it while it was stopping, so the rest of its own stop did not run"
        yield row("Stopped", why)
    if target.forced and target.after and target.after.active.is_down:
        yield row("Stopped", force_stop.force_stop_phrase(target.forced))
        return
    looks = [seen for seen in (target.after, target.last_seen) if seen]
    ran = target.before is not None and not target.before.active.is_down
    if ran and any(seen.result == "timeout" and seen.active.is_down and not seen.control_group for seen in looks):
        yield row("Stopped", f"by force, when its time was up (Result=timeout{_its_limit(target.before)})")


def _its_limit(before: Snapshot | None) -> str:
    """The limit of one phase of its stop. A stop has several, and may ask for more time: it may have taken longer."""
    limit = unit_state.stop_limit(before) if before else None
    return f", TimeoutStopSec={unit_state.span(limit)}" if limit and limit != float("inf") else ""
