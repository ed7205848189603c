"""A look at one unit of a host: what is asked, and how the answer becomes a Snapshot."""

import re
from collections.abc import Collection, Mapping
from dataclasses import replace

from bot.core.answer import (
    FOREVER,
    Record,
    failure,
    needed,
    read_actions,
    read_flag,
    read_list,
    read_machine_id,
    read_number,
    read_run,
    read_span,
    read_unit,
    read_units,
    record,
    records,
    sections,
)
from bot.core.habits import Habits, Turn
from bot.core.layer_files import read_layers
from bot.core.look_script import NEVER, SCRIPT
from bot.core.neighbourhood import Neighbourhood, near_names
from bot.core.other_names import Loaded, subject, twins
from bot.core.systemctl import RIGHTS, SHOWN, SHOWN_OF_ALL, SHOWN_OF_NAME, Argv, checked_login
from bot.core.units import ActiveState, LayerFile, LoadState, Snapshot, Surroundings, UnitName
from bot.errors import HostError, HostileOutput, UsageError

_SHORT = ("unit", "names", "layers", "files", "host")
_STOPPING = "stopping"
_FULL = ("rights", "kernel", "hashes", "links", "lifeline", "near", "units")
_HASH = re.compile(r"\\?(?P<hash>[0-9a-f]{64})  (?P<path>/.*)")
_COMMANDS = {"stop": "ExecStop", "stop-post": "ExecStopPost"}
_COMMAND = 3  # words: which it is, whether it has begun, whether it has ended
_KERNEL = ("hostname", "boot_id", "systemd")
_UNKNOWN = Loaded("", LoadState.STUB)


def look_argv(unit: UnitName, *, full: bool, user: str = "") -> Argv:
    """One constant script for sh(1), with the unit as an argument; it needs root only for other users' managers.

    A short look takes some 15 ms on the host, a full one, with `Surroundings`, up to 400.
    """
    return (
        "/bin/sh",
        "-c",
        SCRIPT,
        "maskbot-look",
        str(unit),
        "full" if full else "short",
        user and checked_login(user),
    )


def parse_look(stdout: str, asked: UnitName, *, also: Collection[str] = ()) -> Snapshot:
    """What the host said, believed only where it is what the script prints; with the states of the units in `also`.

    Raises `HostError` (`incomplete_observation`, or why nothing could be asked) or `HostileOutput`.
    """
    found = sections(stdout, (*_SHORT, *_FULL, _STOPPING, "failed"))
    if "failed" in found:
        raise failure(found["failed"])
    for name in _SHORT:
        if name not in found:
            raise HostError("The host's answer lacks a part.", code="incomplete_observation", passing=True)
    unit, host = record(found["unit"], SHOWN), record(found["host"], ("machine_id", "manager"))
    if not {str(asked), needed(unit, "Id")} <= set(read_units(needed(unit, "Names"))):
        raise HostileOutput("The host's answer is about another unit.")
    try:
        snapshot = _snapshot(
            unit,
            asked=asked,
            loads=_other_names(found["names"]),
            layers=read_layers(found["layers"], found["files"]),
            machine_id=read_machine_id(host),
        )
    except (ValueError, UsageError):
        raise HostileOutput("The host's answer has a state or a name that systemd does not have.") from None
    if subject(snapshot).text not in (str(asked), needed(unit, "Id")):
        raise HostileOutput("The host's answer has the files of another unit.")
    around = _around(found, unit, also) if "rights" in found else None
    command = _stop_command(found.get(_STOPPING, ()), snapshot.sub)
    return replace(_with_manners(snapshot, unit), around=around, manager=read_run(host), stop_command=command)


def _stop_command(lines: tuple[str, ...], sub: str) -> tuple[int, int]:
    """Which of how many stop commands runs: each line is a command, with whether it has begun and ended."""
    commands = [line.split() for line in lines]
    if not all(len(words) == _COMMAND and words[0] in _COMMANDS.values() for words in commands):
        raise HostileOutput("The host's answer has something else than a stop command.")
    states = [words[1:] for words in commands if words[0] == _COMMANDS.get(sub)]
    running = [number for number, (begun, ended) in enumerate(states, 1) if begun != "no" and ended == "no"]
    return (running[-1], len(states)) if running else (0, 0)


def _other_names(lines: tuple[str, ...]) -> dict[str, Loaded]:
    """What systemd says by each further name; what could not be asked by its name is not known, so never masked."""
    if not lines:
        return {}
    names = [read_unit(name) for name in lines[0].split()]
    blocks = records(lines[1:], SHOWN_OF_NAME)
    shown = [Loaded(read_unit(needed(block, "Id")), LoadState(needed(block, "LoadState"))) for block in blocks]
    if len(names) != len(shown):
        raise HostError("The host's answer lacks a name.", code="incomplete_observation", passing=True)
    return dict(zip(names, shown, strict=True))


def _snapshot(
    unit: Record, *, asked: UnitName, loads: Mapping[str, Loaded], layers: tuple[LayerFile, ...], machine_id: str
) -> Snapshot:
    """What the unit is, and how it is doing."""
    own = needed(unit, "Id")
    loads = {**loads, own: Loaded(own, LoadState(needed(unit, "LoadState")))}
    others = twins(layers, loads)
    names = {*read_units(needed(unit, "Names")), *loads} - {*others}
    return Snapshot(
        asked=asked,
        id=UnitName(own),
        names=frozenset(names),
        machine_id=machine_id,
        load=LoadState(needed(unit, "LoadState")),
        active=ActiveState(needed(unit, "ActiveState")),
        sub=needed(unit, "SubState"),
        file_state=needed(unit, "UnitFileState"),
        fragment=needed(unit, "FragmentPath"),
        layers=layers,
        source=unit.get("SourcePath", ""),
        main_pid=read_number(unit.get("MainPID", "")),
        control_group=unit.get("ControlGroup", ""),
        invocation=unit.get("InvocationID", ""),
        restarts=read_number(unit.get("NRestarts", "")),
        result=unit.get("Result", ""),
        pending_job=unit.get("Job", ""),
        # What could not be asked by its name is not known, so it never counts as masked.
        other_names_load=tuple((name, loads.get(name, _UNKNOWN).load) for name in sorted(names - {own})),
        twins=others,
        habits=_habits(unit),
    )


def _habits(unit: Record) -> Habits:
    turns = {Turn.CALENDAR: "NextElapseUSecRealtime", Turn.MONOTONIC: "NextElapseUSecMonotonic"}
    known = [turn for turn, key in turns.items() if unit.get(key, "") not in ("", "0", "infinity", "n/a")]
    return Habits(
        is_frozen=unit.get("FreezerState") in ("frozen", "freezing"),
        stop_starts=(*read_units(unit.get("OnSuccess", "")), *read_units(unit.get("OnFailure", ""))),
        conflicts=read_units(unit.get("Conflicts", "")),
        accepts=read_flag(unit.get("Accept", "no")),
        is_persistent=read_flag(unit.get("Persistent", "no")),
        turn=known[0] if known else Turn.NONE,
    )


def _with_manners(snapshot: Snapshot, unit: Record) -> Snapshot:
    """How it may be started and stopped; what its type does not have (a timer has no process) keeps a plain value."""

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
        restart=unit.get("Restart", ""),
        actions=read_actions(unit),
    )


def _around(found: Mapping[str, tuple[str, ...]], unit: Record, also: Collection[str]) -> Surroundings:
    for name in _FULL:
        if name not in found:
            raise HostError("The host's answer lacks a part.", code="incomplete_observation", passing=True)
    kernel = record(found["kernel"], _KERNEL)
    nearby = Neighbourhood(records(found["units"], SHOWN_OF_ALL))
    hashes = _hashes(found["hashes"])
    own = UnitName(unit["Id"])
    return Surroundings(
        hostname=needed(kernel, "hostname"),
        boot_id=needed(kernel, "boot_id"),
        systemd=needed(kernel, "systemd"),
        fragment_hash=hashes.get(unit["FragmentPath"], ""),
        drop_ins=tuple((path, hashes.get(path, "")) for path in read_list(unit.get("DropInPaths", ""))),
        would_stop=nearby.would_stop(own.text),
        triggers=nearby.triggers(own.text),
        upheld_by=nearby.named(read_units(unit.get("UpheldBy", ""))),
        starts=nearby.starts(own.text),
        members=nearby.members(own),
        wants_links=_links(found["links"]),
        pending_reload=nearby.pending_reload(own.text),
        others=nearby.named(also),
        failed=nearby.failed(),
        up=nearby.up(),
        agents=nearby.agents(),
        lifeline=nearby.lifeline(found["lifeline"]),
        near=near_names(own, sorted({*nearby.names(), *found["near"]})) if found["near"] else (),
        rights=_rights(found["rights"]),
    )


def _hashes(lines: tuple[str, ...]) -> dict[str, str]:
    matches = [_HASH.fullmatch(line) for line in lines]
    if not all(matches):
        raise HostileOutput("The host's answer has something else than a hash of a file.")
    return {_unescaped(match): match["hash"] for match in matches if match}


def _unescaped(match: re.Match[str]) -> str:
    """sha256sum(1) doubles each backslash of a path, and says so by one at the beginning of the line."""
    return match["path"].replace("\\\\", "\\") if match[0].startswith("\\") else match["path"]


def _links(lines: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    pairs = [line.partition("|")[::2] for line in lines]
    if not all(path.startswith("/") and goal for path, goal in pairs):
        raise HostileOutput("The host's answer has something else than a link.")
    return tuple(sorted(pairs))


def _rights(lines: tuple[str, ...]) -> frozenset[str]:
    if not set(lines) <= {*RIGHTS, NEVER} or len(set(lines)) < len(lines):
        raise HostileOutput("The host's answer has a right that was not asked for.")
    return frozenset(lines)
