"""The proof of a mask: what a full look must show before the bot reports a unit as masked."""

from collections.abc import Iterator

from bot.core.requests import Change, Target
from bot.core.systemd.units import FileKind, LoadState, Snapshot


def disproofs(change: Change, target: Target, after: Snapshot) -> tuple[str, ...]:
    """What speaks against "masked and proven", in words; an empty answer is the proof.

    No exit code counts as evidence.
    """
    running = () if change.keep_running or change.adopt else tuple(_still_running(after))
    return (*_not_masked(target, after), *running)


def _not_masked(target: Target, after: Snapshot) -> Iterator[str]:
    if after.load is not LoadState.MASKED:
        yield f"systemd calls it {after.load}, not masked"
    for name, load in after.other_names_load:
        if load not in (LoadState.MASKED, LoadState.ERROR):
            yield f"under its other name {name} systemd calls it {load}"
    known = target.before.twins if target.before else ()
    for name in sorted({*after.twins} - {*known}):
        yield f"{name} starts the same file, and it was not known when this was approved"
    masks = {file.path for file in after.layers if file.kind is FileKind.MASK}
    if target.layer is None or after.layer(target.layer).path not in masks:
        yield "the link is not where it was made"
    if after.fragment not in masks:
        yield f"systemd loads it from {after.fragment or 'nowhere'}, not from the link"


def _still_running(after: Snapshot) -> Iterator[str]:
    if not after.active.is_down:
        yield f"it is {after.active}"
    if after.main_pid:
        yield f"its process {after.main_pid} still runs"
    if after.pending_job:
        yield "systemd has a job queued for it"


def unexpected_failures(before: Snapshot, after: Snapshot) -> tuple[str, ...]:
    """Units that failed since the look before and were not expected to stop with the unit."""
    if before.around is None or after.around is None:
        return ()
    expected = {other.unit for other in before.around.would_stop} | {str(before.id)}
    return tuple(sorted(set(after.around.failed) - set(before.around.failed) - expected))


def caveats(target: Target, after: Snapshot) -> Iterator[str]:
    """Caveats to show next to a proven mask."""
    failed = unexpected_failures(target.before, after) if target.before else ()
    failed = tuple(unit for unit in failed if unit not in target.beside)
    if failed:
        yield f"Failed since: {', '.join(failed)}."
    if after.active.is_down and after.control_group:
        yield "Processes that it started are still running."
