"""What came of a change: what is worse a while later than it was right after it."""

from collections.abc import Iterator

from bot.core.changes import Outcome, Target
from bot.core.neighbourhood import seen_beside
from bot.core.units import FileKind, Snapshot

_MASKED = (Outcome.PROVEN, Outcome.MASKED_RUNNING, Outcome.MASKED_RESTARTED)


def aftermath(target: Target, now: Snapshot) -> tuple[str, ...]:
    """Sentences; empty if all is well. Both looks must be full ones.

    That the very link we made is gone is told by whoever sees it first (`bot/workflow/noticing.py`).
    """
    if target.after is None:
        return ()
    return tuple([*_not_masked(target, now), *_failed(target.after, now), *_went_down(target.after, now)])


def has_failed(unit: str) -> str:
    """The sentence, by which it is known that it was told."""
    return f"{unit} has failed."


def _not_masked(target: Target, now: Snapshot) -> Iterator[str]:
    """Of a mask of ours: whether systemd still goes by its link."""
    if target.outcome not in _MASKED or target.layer is None:
        return
    is_there = now.layer(target.layer).kind is FileKind.MASK
    if is_there and not now.is_masked:
        yield f"The mask's link is there, but systemd calls it {now.load}."
    if not is_there and target.made is None:
        yield "The mask that we made is not there any more."
    if target.after and target.after.active.is_down and not now.active.is_down:
        yield f"{now.id} is {now.active} again."


def _failed(after: Snapshot, now: Snapshot) -> Iterator[str]:
    had, have = (set(seen.around.failed) if seen.around else set() for seen in (after, now))
    yield from (has_failed(unit) for unit in sorted(have - had))


def _went_down(after: Snapshot, now: Snapshot) -> Iterator[str]:
    """What ran right after it and does not now, unless it is named as failed."""
    failed = now.around.failed if now.around else ()
    found = seen_beside(now)
    for unit, was in sorted(seen_beside(after).items()):
        other = found.get(unit)
        if not was.active.is_down and other and other.active.is_down and unit not in failed:
            yield f"{unit} is {other.active}."
    if not after.active.is_down and now.active.is_down and str(now.id) not in failed:
        yield f"{now.id} is {now.active}."
