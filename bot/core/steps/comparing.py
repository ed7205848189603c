"""Compare a unit after an undo with its recorded state before the mask, and name every difference."""

from collections.abc import Iterator, Mapping

from bot.core.requests import Target
from bot.core.steps.kinds import Start, label
from bot.core.systemd.dependencies import other_units
from bot.core.systemd.host_rules import TRIGGER_TYPES
from bot.core.systemd.other_units import came_up, moving, up, went_down
from bot.core.systemd.units import ActiveState, LoadState, RelatedUnit, Snapshot, Surroundings
from bot.core.systemd.unread_edits import is_among


def not_as_before(mask: Target, undo: Target, now: Snapshot) -> Iterator[str]:
    """Sentences without a full stop; none if everything is as it was. `now` must be a full look."""
    before, around = mask.before, now.around
    if before is None or around is None:
        raise ValueError("a comparison needs a full look and the record")
    is_excused = has_run_again(before, undo, now) or bool(socket_to_wait_for(mask, now))
    yield from _itself(before, now, around, is_excused=is_excused)
    yield from _files(before, now)
    yield from _edited_before(before, now)
    yield from _links(before, around)
    yield from _changed_related(before, now)
    yield from _others(mask, undo, now)


def not_known(before: Snapshot, now: Snapshot) -> Iterator[str]:
    """What could not be compared, because the bot cannot read it."""
    had, have = _contents(before), _contents(now)
    for path in sorted(had.keys() & have.keys()):
        if not (had[path] and have[path]):
            yield f"Whether {path} was changed is not known: the bot cannot read it."


def is_deaf(seen: Snapshot) -> bool:
    """A socket that is active without a listener: its service ended while it was masked (measured)."""
    services = seen.around.starts if seen.around else ()
    return seen.id.type == "socket" and seen.sub == "running" and all(one.active.is_down for one in services)


def socket_to_wait_for(mask: Target, now: Snapshot) -> str:
    """The socket that was masked right before this service and is so still: it has to listen before the service starts.

    systemd starts no socket whose service runs, and a service that takes its listener from a socket fails without it.
    """
    found, then = other_units(now), {other.unit for other in related_units(mask.before)} if mask.before else set[str]()
    listened = (one for one in related_units(mask.planned) if not one.active.is_down) if mask.planned else ()
    sockets = (one.unit for one in listened if one.unit.endswith(".socket") and one.unit not in then)
    return next((one for one in sockets if one in found and found[one].load is LoadState.MASKED), "")


def has_run_again(before: Snapshot, undo: Target, now: Snapshot) -> bool:
    """Whether a job that was masked in the middle of its run was started again and ended by itself, with success.

    It is `activating` for as long as its command runs (Type=oneshot, systemd.service(5)).
    """
    was_running = before.active is ActiveState.ACTIVATING and before.result == now.result == "success"
    has_ended = now.active is ActiveState.INACTIVE and not now.side_effects.is_skipped
    return was_running and has_ended and any(sent.step == label(Start(str(now.id))) for sent in undo.sent)


def _itself(before: Snapshot, now: Snapshot, around: Surroundings, *, is_excused: bool) -> Iterator[str]:
    if now.load is not before.load:
        yield f"Its load state was {before.load} and is {now.load} now"
    if now.file_state != before.file_state:
        yield f"At boot it was {before.file_state or 'unknown'} and is {now.file_state or 'unknown'} now"
    still_starting = now.active is ActiveState.ACTIVATING and before.active is not ActiveState.ACTIVATING
    is_other = now.active.is_down != before.active.is_down or still_starting
    if is_other and not is_excused and not _is_woken(before, around):
        is_skipped = now.active.is_down and now.side_effects.is_skipped
        why = ": it did not start, because a condition of its file (Condition...= or Assert...=) is not met"
        yield f"It was {before.active} and is {now.active} now" + why * is_skipped
    if before.side_effects.is_frozen and not now.side_effects.is_frozen:
        yield f"it was frozen, and is now {now.active} but not frozen"
    if is_deaf(now) and not before.active.is_down:
        yield "it is active but no longer listens: its service ended while it was masked"
    if before.side_effects.turn and not now.side_effects.turn and not now.active.is_down:
        yield f"it had a next turn ({before.side_effects.turn}) and has none: it does not fire again by itself"


def _is_woken(before: Snapshot, around: Surroundings) -> bool:
    """Whether the unit runs now because its timer or socket started it, as it would have without us."""
    return before.active.is_down and any(not trigger.active.is_down for trigger in around.triggers)


def _contents(seen: Snapshot) -> Mapping[str, str]:
    """The hash of the unit file and of each drop-in, by path."""
    around = seen.around
    itself = {seen.fragment: around.fragment_hash} if around and seen.fragment else {}
    return itself | dict(around.drop_ins if around else ())


def _files(before: Snapshot, now: Snapshot) -> Iterator[str]:
    had, have = _contents(before), _contents(now)
    for path in sorted(had.keys() | have.keys()):
        if path not in have:
            yield f"another program may run: {path} is not part of it any more"
        elif path not in had:
            yield f"another program may run: {path} is new"
        elif had[path] and have[path] and had[path] != have[path]:
            yield f"another program may run: {path} was changed"


def _edited_before(before: Snapshot, now: Snapshot) -> Iterator[str]:
    """Units that ran before an edit of their files was loaded, and were started again with it."""
    around, found = before.around, other_units(now)
    if (
        around
        and around.is_edited
        and not (before.active.is_down or now.active.is_down)
        and now.invocation != before.invocation
    ):
        yield "it runs as edited: systemd had not loaded its changed files before"
    edits = around.pending_reload if around else ()
    for other in around.would_stop if around else ():
        is_now = found.get(other.unit)
        is_up = is_now is not None and not (other.active.is_down or is_now.active.is_down)
        if is_up and is_now and is_now.invocation != other.invocation and is_among(other.unit, edits):
            yield f"{other.unit} runs as edited: systemd had not loaded its changed files before"


def _links(before: Snapshot, around: Surroundings) -> Iterator[str]:
    had, have = dict(before.around.wants_links if before.around else ()), dict(around.wants_links)
    for path in sorted(had.keys() | have.keys()):
        if path not in have:
            yield f"the link {path} is gone"
        elif path not in had:
            yield f"the link {path} is new"
        elif had[path] != have[path]:
            yield f"the link {path} led to {had[path]}, and leads to {have[path]}"


def _changed_related(before: Snapshot, now: Snapshot) -> Iterator[str]:
    found = other_units(now)
    for other in related_units(before):
        is_now = found.get(other.unit)
        if other.active.is_down:
            continue
        is_starting = is_now is not None and is_now.active is ActiveState.ACTIVATING is not other.active
        if is_now is None or is_now.active.is_down or is_starting:
            yield f"{other.unit} was {other.active} and is {is_now.active if is_now else 'gone'} now"
        elif _rests(other) and is_now.sub == "elapsed":
            yield f"{other.unit} was {other.sub} and is elapsed now: it does not fire again by itself"


def _rests(trigger: RelatedUnit) -> bool:
    return trigger.unit.rpartition(".")[2] in TRIGGER_TYPES and trigger.sub != "elapsed"


def related_units(before: Snapshot) -> tuple[RelatedUnit, ...]:
    """The recorded triggers and dependents; systemd does not know those of a masked unit any more."""
    around = before.around
    return (*around.triggers, *around.would_stop) if around else ()


def _others(mask: Target, undo: Target, now: Snapshot) -> Iterator[str]:
    """Other units that stopped or started with the stop and are still so, or that stopped with the start.

    Those that other requests of ours changed meanwhile have cards of their own.
    """
    before, after, running, ours = mask.before, mask.after, {*up(now)}, {*mask.beside, *undo.beside}
    if before is None or after is None or not running:
        return
    for unit in went_down(before, after):
        if unit not in running | ours:
            yield f"{unit} went down when this was stopped, and is not running"
    for unit in came_up(before, after):
        if unit in running - ours:
            yield f"{unit} came up when this was stopped, and is running"
    for unit in _stopped_by_the_start(undo.before, now) if undo.before else ():
        if unit not in ours | {other.unit for other in related_units(before)} | {str(before.id)}:
            yield f"{unit} went down when this was started"


def _stopped_by_the_start(before: Snapshot, now: Snapshot) -> list[str]:
    """Units that ran and do not any more, and those that the unit conflicts with and that are still stopping."""
    stopping = {*now.side_effects.conflicts}.intersection(moving(now), up(before))
    return sorted({*went_down(before, now), *stopping})
