"""A look at one unit of a host: the command, and the parser that makes a Snapshot of its output."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from bot.core.systemd.aliases import LoadedUnit, subject, twins
from bot.core.systemd.guard import Argv
from bot.core.systemd.layer_files import found_at, read_layers
from bot.core.systemd.output import (
    FOREVER,
    LAST_LINE,
    Record,
    failure,
    read_actions,
    read_flag,
    read_machine_id,
    read_number,
    read_record,
    read_records,
    read_run,
    read_span,
    read_turn,
    read_unit,
    read_units,
    require,
    sections,
)
from bot.core.systemd.properties import RELATIONS, SHOWN, SHOWN_OF_RELATED
from bot.core.systemd.side_effects import ElapseBase, SideEffects
from bot.core.systemd.status import read_status
from bot.core.systemd.surroundings import (
    AT_TIMES,
    FOR_A_DECISION,
    LINKED,
    OF_A_RESULT,
    for_a_decision,
    read_around,
    told_apart,
)
from bot.core.systemd.systemctl import asked_of_guard
from bot.core.systemd.units import ActiveState, LayerFile, LoadState, Snapshot, UnitName
from bot.errors import HostError, HostileOutput, UsageError

SIZES = ("short", "result", "full", "acting")
"""How much a look asks: a few states; what a change brought about; what a decision needs, before and at the change.

That of a result, and the full one right before acting, have the unit's status for people behind their end.
"""

_END = f"\n{LAST_LINE}\n"
_SHORT = ("unit", "names", "layers", "files", "host")
_STOPPING = "stopping"
_COMMANDS = {"stop": "ExecStop", "stop-post": "ExecStopPost"}
_COMMAND = 3  # fields: which command it is, whether it has begun, whether it has ended
_KERNEL = ("hostname", "boot_id", "systemd")
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
    found = _sections(stdout)
    unit, host = read_record(found["unit"], (*SHOWN, *RELATIONS)), read_record(found["host"], ("machine_id", "manager"))
    if not {str(asked), require(unit, "Id")} <= set(read_units(require(unit, "Names"))):
        raise HostileOutput("The host's answer is about another unit.")
    try:
        layers, elsewhere = read_layers(found["layers"], found["files"])
        snapshot = _snapshot(
            unit,
            asked=asked,
            loads=_other_names(found["names"]),
            layers=layers,
            machine_id=read_machine_id(host),
            linked=found.get(LINKED, ()),
        )
        snapshot = replace(snapshot, fragment=found_at(snapshot.fragment, (*layers, *elsewhere)))
    except (ValueError, UsageError):
        raise HostileOutput("The host's answer has a state or a name that systemd does not have.") from None
    if subject(snapshot).text not in (str(asked), require(unit, "Id")):
        raise HostileOutput("The host's answer has the files of another unit.")
    around = read_around(found, unit, also) if "states" in found else None
    if around and "rights" in found:
        around = for_a_decision(around, found, unit)
    command = _stop_command(found.get(_STOPPING, ()), snapshot.sub)
    whole = replace(_with_manners(snapshot, unit), elsewhere=elsewhere, around=around, manager=read_run(host))
    return replace(whole, stop_command=command)


def parse_status(stdout: str) -> str:
    """The head of the unit's status, for people, which follows the end of the answer; else empty."""
    return read_status(stdout.partition(_END)[2])


def _sections(stdout: str) -> dict[str, tuple[str, ...]]:
    answer, end, _ = stdout.partition(_END)
    known = (*_SHORT, *OF_A_RESULT, *FOR_A_DECISION, *AT_TIMES, _STOPPING, "failed")
    found = sections(answer + end, known)
    if "failed" in found:
        raise failure(found["failed"])
    decides = any(name in found for name in FOR_A_DECISION)
    further = (*OF_A_RESULT, *FOR_A_DECISION) if decides else OF_A_RESULT if "states" in found else ()
    for name in (*_SHORT, *further):
        if name not in found:
            raise HostError("The host's answer lacks a part.", code="incomplete_observation", passing=True)
    return told_apart(found)


def _stop_command(lines: tuple[str, ...], sub: str) -> tuple[int, int]:
    """Which stop command runs, and how many there are: each line is a command, with whether it has begun and ended."""
    commands = [line.split() for line in lines]
    if not all(len(words) == _COMMAND and words[0] in _COMMANDS.values() for words in commands):
        raise HostileOutput("The host's answer has something other than a stop command.")
    states = [words[1:] for words in commands if words[0] == _COMMANDS.get(sub)]
    running = [number for number, (begun, ended) in enumerate(states, 1) if begun != "no" and ended == "no"]
    return (running[-1], len(states)) if running else (0, 0)


def _other_names(lines: tuple[str, ...]) -> dict[str, LoadedUnit]:
    """The load state under each further name. A name that could not be asked is unknown, so never masked."""
    if not lines:
        return {}
    names = [read_unit(name) for name in lines[0].split()]
    blocks = read_records(lines[1:], SHOWN_OF_RELATED)
    shown = [LoadedUnit(read_unit(require(block, "Id")), LoadState(require(block, "LoadState"))) for block in blocks]
    if len(names) != len(shown):
        raise HostError("The host's answer lacks a name.", code="incomplete_observation", passing=True)
    return dict(zip(names, shown, strict=True))


def _snapshot(
    unit: Record,
    *,
    asked: UnitName,
    loads: Mapping[str, LoadedUnit],
    layers: tuple[LayerFile, ...],
    machine_id: str,
    linked: Collection[str],
) -> Snapshot:
    """The snapshot without the surroundings."""
    own = require(unit, "Id")
    loads = {**loads, own: LoadedUnit(own, LoadState(require(unit, "LoadState")))}
    others = twins(layers, loads, linked)
    names = {*read_units(require(unit, "Names")), *loads} - {*others}
    return Snapshot(
        asked=asked,
        id=UnitName(own),
        names=frozenset(names),
        machine_id=machine_id,
        load=LoadState(require(unit, "LoadState")),
        active=ActiveState(require(unit, "ActiveState")),
        sub=require(unit, "SubState"),
        file_state=require(unit, "UnitFileState"),
        fragment=require(unit, "FragmentPath"),
        layers=layers,
        source=unit.get("SourcePath", ""),
        main_pid=read_number(unit.get("MainPID", "")),
        control_group=unit.get("ControlGroup", ""),
        invocation=unit.get("InvocationID", ""),
        restarts=read_number(unit.get("NRestarts", "")),
        result=unit.get("Result", ""),
        pending_job=unit.get("Job", ""),
        # A name that could not be asked is not known, so it never counts as masked.
        other_names_load=tuple((name, loads.get(name, _UNKNOWN).load) for name in sorted(names - {own})),
        twins=others,
        side_effects=_side_effects(unit),
    )


def _side_effects(unit: Record) -> SideEffects:
    turn = read_turn(unit)
    return SideEffects(
        is_frozen=unit.get("FreezerState") in ("frozen", "freezing"),
        is_skipped=_is_skipped(unit),
        stop_starts=(*read_units(unit.get("OnSuccess", "")), *read_units(unit.get("OnFailure", ""))),
        conflicts=read_units(unit.get("Conflicts", "")),
        accepts=read_flag(unit.get("Accept", "no")),
        is_persistent=read_flag(unit.get("Persistent", "no")),
        turn=ElapseBase.CALENDAR if turn.at else ElapseBase.MONOTONIC if turn.after_boot else ElapseBase.NONE,
        next_turn=turn,
    )


def _is_skipped(unit: Record) -> bool:
    """Whether the last start was skipped. A unit that was never started says `no` to all of it (measured)."""
    was_tried = read_number(unit.get("ConditionTimestampMonotonic", "")) > 0
    return was_tried and "no" in (unit.get("ConditionResult"), unit.get("AssertResult"))


def _with_manners(snapshot: Snapshot, unit: Record) -> Snapshot:
    """Add how the unit may be started and stopped.

    Properties that its type lacks (a timer has no process) keep defaults.
    """

    def flag(key: str, *, otherwise: bool = False) -> bool:
        return read_flag(unit[key]) if key in unit else otherwise

    watchdog = read_span(unit.get("WatchdogUSec", "0"))
    return replace(
        snapshot,
        transient=flag("Transient"),
        perpetual=flag("Perpetual"),
        can_start=flag("CanStart", otherwise=True),
        can_stop=flag("CanStop", otherwise=True),
        refuse_manual_start=flag("RefuseManualStart"),
        refuse_manual_stop=flag("RefuseManualStop"),
        need_daemon_reload=flag("NeedDaemonReload"),
        notify_access=unit.get("NotifyAccess", "none"),
        watchdog_usec=0 if watchdog == FOREVER else watchdog,
        timeout_stop_usec=read_span(unit.get("TimeoutStopUSec", "0")),
        kill_mode=unit.get("KillMode", ""),
        spared=not flag("SendSIGKILL", otherwise=True),
        restart=unit.get("Restart", ""),
        actions=read_actions(unit),
    )
