"""A look at one unit of a host: the command, and the parser that makes a Snapshot of its output."""

from collections.abc import Collection
from dataclasses import replace

from bot.core.systemd.aliases import LoadedUnit, subject, twins
from bot.core.systemd.guard import Argv
from bot.core.systemd.layer_files import found_at
from bot.core.systemd.look_answer import OfEveryLook, read_answer
from bot.core.systemd.shown_unit import UnitItself
from bot.core.systemd.side_effects import ElapseBase, SideEffects
from bot.core.systemd.surroundings import surroundings
from bot.core.systemd.systemctl import asked_of_guard
from bot.core.systemd.units import LoadState, Snapshot, UnitName
from bot.errors import HostileOutput, UsageError

SIZES = ("short", "result", "full", "acting")
"""How much a look asks: a few states; what a change brought about; what a decision needs, before and at the change.

That of a result, and the full one right before acting, have the unit's status for people behind their end.
"""

_COMMANDS = {"stop": "ExecStop", "stop-post": "ExecStopPost"}
_UNKNOWN = LoadedUnit("", LoadState.STUB)


def look_argv(unit: UnitName, *, size: str, user: str = "") -> Argv:
    """The command of a look. The guard has its script, and needs root only for other users' managers.

    A short look takes some 15 ms on the host, a look at a result with most of `Surroundings` 30 ms, a full one 50 ms.
    """
    return asked_of_guard("look", size, unit, user=user)


def parse_look(stdout: str, asked: UnitName, *, also: Collection[str] = ()) -> Snapshot:
    """Parse the output strictly, with the states of the units in `also`.

    Raises `HostError` (`incomplete_observation`, or why nothing could be asked) or `HostileOutput`.
    """
    answer = read_answer(stdout)
    unit, shown = answer.base.unit, answer.base.unit.shown
    if not {str(asked), shown.id} <= {*unit.names}:
        raise HostileOutput("The host's answer is about another unit.")
    try:
        seen = _snapshot(answer.base, asked)
        about = subject(seen)
    except UsageError:
        raise HostileOutput("The host's answer has a state or a name that systemd does not have.") from None
    if about.text not in (str(asked), shown.id):
        raise HostileOutput("The host's answer has the files of another unit.")
    loads = {**answer.loads, shown.id: LoadedUnit(shown.id, shown.load)}
    others = twins(about, loads, answer.base.linked)
    names = {*seen.names, *loads} - {*others}
    return replace(
        seen,
        names=frozenset(names),
        # A name that could not be asked is not known, so it never counts as masked.
        other_names_load=tuple((name, loads.get(name, _UNKNOWN).load) for name in sorted(names - {shown.id})),
        twins=others,
        fragment=found_at(seen.fragment, (*seen.layers, *seen.elsewhere)),
        around=surroundings(answer, also),
    )


def _snapshot(base: OfEveryLook, asked: UnitName) -> Snapshot:
    """The unit itself, by the names and at the path that systemd says."""
    unit, shown = base.unit, base.unit.shown
    snapshot = Snapshot(
        asked=asked,
        id=UnitName(shown.id),
        names=frozenset(unit.names),
        machine_id=base.host.machine_id,
        load=shown.load,
        active=shown.active,
        sub=unit.sub,
        file_state=unit.file_state,
        fragment=unit.fragment,
        layers=base.files.layers,
        elsewhere=base.files.elsewhere,
        source=unit.source,
        main_pid=unit.main_pid,
        control_group=unit.control_group,
        invocation=shown.invocation,
        restarts=unit.restarts,
        result=unit.result,
        pending_job=shown.job,
        manager=base.host.manager,
    )
    return _with_manners(snapshot, base)


def _with_manners(snapshot: Snapshot, base: OfEveryLook) -> Snapshot:
    """Add how the unit may be started and stopped, and what that does."""
    unit = base.unit
    return replace(
        snapshot,
        transient=unit.is_transient,
        perpetual=unit.is_perpetual,
        can_start=unit.can_start,
        can_stop=unit.can_stop,
        refuse_manual_start=unit.refuses_manual_start,
        refuse_manual_stop=unit.refuses_manual_stop,
        need_daemon_reload=unit.needs_reload,
        notify_access=unit.notify_access,
        watchdog_usec=unit.watchdog_usec,
        timeout_stop_usec=unit.timeout_stop_usec,
        kill_mode=unit.kill_mode,
        spared=not unit.sends_sigkill,
        restart=unit.restart,
        actions=unit.shown.actions,
        side_effects=_side_effects(unit),
        stop_command=_stop_command(base),
    )


def _side_effects(unit: UnitItself) -> SideEffects:
    turn = unit.shown.next_turn
    return SideEffects(
        is_frozen=unit.is_frozen,
        is_skipped=unit.is_skipped,
        stop_starts=(*unit.on_success, *unit.on_failure),
        conflicts=unit.conflicts,
        accepts=unit.accepts,
        is_persistent=unit.is_persistent,
        turn=ElapseBase.CALENDAR if turn.at else ElapseBase.MONOTONIC if turn.after_boot else ElapseBase.NONE,
        next_turn=turn,
    )


def _stop_command(base: OfEveryLook) -> tuple[int, int]:
    """Which of its stop commands runs, and how many there are."""
    commands = [one for one in base.stop_commands if one.setting == _COMMANDS.get(base.unit.sub)]
    running = [number for number, one in enumerate(commands, 1) if one.has_begun and not one.has_ended]
    return (running[-1], len(commands)) if running else (0, 0)
