"""Compare a host some time after a change with its state right after the change, and name what got worse."""

from collections.abc import Collection, Iterator, Mapping

from bot.core.requests import Outcome, Request, Target
from bot.core.systemd.units import ActiveState, FileKind, RelatedUnit, Snapshot

_UP = (ActiveState.ACTIVE, ActiveState.RELOADING, ActiveState.REFRESHING)
_MASKED = (Outcome.PROVEN, Outcome.MASKED_RUNNING, Outcome.MASKED_RESTARTED)


def new_problems(
    target: Target, now: Snapshot, *, ours: Collection[str] = frozenset(), is_lost: bool = False
) -> tuple[str, ...]:
    """Sentences about what got worse since the change; empty if all is well. Both looks must be full ones.

    Units in `ours` are left out, because the cards of the requests that changed them report on them. A removed mask
    link (`is_lost`) is reported by whoever sees it first (`bot/workflow/drift/report.py`).
    """
    after = target.after
    if after is None:
        return ()
    itself = after.names | now.names
    if is_lost or not itself.isdisjoint(ours):
        itself = frozenset()
    before = _follows(target, target.before) if target.before else {}
    beside = {*before, *_follows(target, after)} - set(ours) - after.names
    said = [*_of_its_own(target, after, now)] if itself else []
    return tuple([*said, *_new_failures(after, now, beside | itself), *_went_down(target, after, now, beside)])


def affected_units(request: Request) -> frozenset[str]:
    """The units that a change affects: the unit under all its names, and the units that stop with it."""
    target = request.target
    looks = [seen for seen in (target.planned, target.before, target.after) if seen]
    follow = (unit for seen in looks for unit in _follows(target, seen))
    return frozenset([str(target.unit), *(name for seen in looks for name in seen.names), *follow])


def already_reported(request: Request) -> frozenset[str]:
    """Return the consequences that earlier afterchecks already named in this request's thread."""
    return frozenset([*request.aftercare.found, *map(has_failed, request.drift.failed)])


def has_failed(unit: str) -> str:
    """The sentence that reports a failed unit; the report is recognised by it later."""
    return f"{unit} has failed."


def _follows(target: Target, seen: Snapshot) -> Mapping[str, RelatedUnit]:
    """Return the units that a change of this one can affect: dependents, triggers, instances of its template."""
    around = seen.around
    if around is None:
        return {}
    instances = around.members if target.unit.is_template else ()
    return {unit.unit: unit for unit in (*around.would_stop, *around.triggers, *around.others, *instances)}


def _of_its_own(target: Target, after: Snapshot, now: Snapshot) -> Iterator[str]:
    yield from _not_masked(target, now)
    failed = now.around.failed if now.around else ()
    if not after.active.is_down and now.active.is_down and str(now.id) not in failed:
        yield f"{now.id} is {now.active}."


def _not_masked(target: Target, now: Snapshot) -> Iterator[str]:
    """Whether systemd still honours our mask."""
    if target.outcome not in _MASKED or target.layer is None:
        return
    is_there = now.layer(target.layer).kind is FileKind.MASK
    if is_there and not now.is_masked:
        yield f"The mask's link is there, but systemd calls it {now.load}."
    if not is_there and target.made is None:
        yield "The mask that the bot made is gone."
    if target.after and target.after.active.is_down and not now.active.is_down:
        yield f"{now.id} is {now.active} again."


def _new_failures(after: Snapshot, now: Snapshot, related: Collection[str]) -> Iterator[str]:
    """Return the units related to this one that have failed since. Unrelated failures on the host are left out."""
    had, have = (set(seen.around.failed) if seen.around else set() for seen in (after, now))
    yield from (has_failed(unit) for unit in sorted((have - had).intersection(related)))


def _went_down(target: Target, after: Snapshot, now: Snapshot, beside: Collection[str]) -> Iterator[str]:
    """Units that ran right after the change and do not run now, except those named as failed or one-shot jobs that
    ended.
    """
    failed = now.around.failed if now.around else ()
    was, found = _follows(target, after), _follows(target, now)
    for unit in sorted(set(beside).intersection(was, found)):
        if was[unit].active in _UP and found[unit].active.is_down and unit not in failed:
            yield f"{unit} is {found[unit].active}."
