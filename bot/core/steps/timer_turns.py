"""Compare the next elapse of timers with the record, and explain those that systemd cannot restore."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from bot.core.steps.comparing import related_units
from bot.core.systemd.dependencies import other_units
from bot.core.systemd.output import moment_of
from bot.core.systemd.side_effects import NextElapse
from bot.core.systemd.units import Snapshot
from bot.core.time.human_time import humanize

_NOTICED = 10**6  # microseconds, for monotonic timers; AccuracySec= is a minute by default


def moved_timers(before: Snapshot, now: Snapshot, at: datetime) -> Iterator[str]:
    """Calendar timers whose next elapse has changed without a cause that systemd has for that."""
    for whose, had, has in _pairs(before, now):
        if had.at and has.at and had.at != has.at and not (has.is_random or _has_come(had, at)):
            yield f"{whose} next turn was {had.at}, is {has.at}"


def restarted_timers(before: Snapshot, now: Snapshot, at: datetime) -> Iterator[str]:
    """Sentences about timers that systemd has restarted or randomised anew, and about those that elapsed meanwhile."""
    boots = {seen.around.boot_id for seen in (before, now) if seen.around}
    uptime = now.around.uptime if now.around else 0
    for whose, had, has in _pairs(before, now):
        if had.at and has.at and had.at != has.at and _has_come(had, at):
            yield from [f"Its turn at {had.at} passed while it was masked; the next one is {has.at}."] * (
                whose == "its"
            )
        elif had.at and has.at and had.at != has.at and has.is_random and whose == "its":
            yield f"Its next turn was {had.at}, is {has.at}: each start and reload draws its random delay again."
        if not (had.after_boot and has.after_boot) or abs(has.after_boot - had.after_boot) < _NOTICED:
            continue
        if len(boots) > 1 or had.after_boot <= uptime:
            yield from ["Its next turn is counted again, from this start."] * (whose == "its")
        else:
            yield _sentence(f"{whose} next turn is counted again, {_shift_in_words(had.after_boot, has.after_boot)}")


def fired_timers(before: Snapshot, undo: Snapshot | None, now: Snapshot) -> Iterator[str]:
    """Timers that the undo has started, and that made up for a missed run at once (Persistent=yes, OnBootSec=)."""
    since, around = undo.around if undo else None, now.around
    if since is None or around is None or since.boot_id != around.boot_id:
        return
    for whose, _, has in _pairs(before, now):
        if has.fired > since.uptime and whose != "its":
            yield f"{whose.removesuffix(': its')} fired at the undo, and has started its unit."
        elif has.fired > since.uptime:
            started = " and ".join(one.unit for one in around.starts) or "its unit"
            yield f"It fired at the undo, and has started {started}."


def _pairs(before: Snapshot, now: Snapshot) -> Iterator[tuple[str, NextElapse, NextElapse]]:
    """Timers with their next elapse before and now: the unit itself, and the timers that trigger it and ran."""
    found = other_units(now)
    if not before.active.is_down:
        yield "its", before.side_effects.next_turn, now.side_effects.next_turn
    for other in related_units(before):
        if not other.active.is_down and other.unit in found:
            yield f"{other.unit}: its", other.next_turn, found[other.unit].next_turn


def _has_come(turn: NextElapse, at: datetime) -> bool:
    moment = moment_of(turn.at)
    return moment is not None and moment <= at


def _shift_in_words(had: int, has: int) -> str:
    length = humanize(timedelta(microseconds=abs(has - had)))
    return f"{length} {'later' if has > had else 'earlier'} than before"


def _sentence(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}." if words.startswith("its") else f"{words}."
