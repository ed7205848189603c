"""What systemd says of units, as typed records: of the unit itself, of related ones, and of those in its list of all.

Each field names the property of `systemctl show` that it is read from; a property that a unit's type lacks (a timer has
no process) leaves its default.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from bot.core.systemd.fields import from_key, from_keys, from_same
from bot.core.systemd.host_rules import END_ACTIONS, END_STARTS, STOPS_TOO
from bot.core.systemd.output import (
    FOREVER,
    Record,
    read_actions,
    read_active,
    read_flag,
    read_list,
    read_load,
    read_number,
    read_span,
    read_turn,
    read_unit,
    read_units,
)
from bot.core.systemd.properties import OF_NETWORKS, OF_TURNS
from bot.core.systemd.side_effects import NextElapse
from bot.core.systemd.units import ActiveState, LoadState
from bot.errors import HostileOutput

_LOADS: Mapping[str, LoadState] = {state.value: state for state in LoadState}
_ACTIVES: Mapping[str, ActiveState] = {state.value: state for state in ActiveState}
_CONDITIONS = ("ConditionTimestampMonotonic", "ConditionResult", "AssertResult")


class ListedUnit(NamedTuple):
    """A line of systemd's list of all units. A state that only a later systemd has matters if the unit does."""

    id: str
    load: LoadState | None
    active: ActiveState | None
    sub: str
    file_state: str = ""  # the list does not tell it


def _read_stops(found: Record) -> tuple[str, ...]:
    return tuple(name for relation in STOPS_TOO for name in read_units(found.get(relation, "")))


def _has_own_network(found: Record) -> bool:
    return "yes" in (found.get("PrivateNetwork"), found.get("Delegate")) or bool(found.get("NetworkNamespacePath"))


@dataclass(frozen=True, slots=True)
class ShownUnit:
    """A unit with its relations, as the look asks for each that has to do with the one it is about."""

    id: str = from_key("Id", read_unit)
    names: tuple[str, ...] = from_key("Names", read_units, "")
    load: LoadState = from_key("LoadState", read_load)
    active: ActiveState = from_key("ActiveState", read_active)
    sub: str = from_key("SubState", str, "")
    file_state: str = from_key("UnitFileState", str, "")
    invocation: str = from_key("InvocationID", str, "")
    job: str = from_key("Job", str, "")
    actions: tuple[str, ...] = from_keys((*END_ACTIONS, *END_STARTS), read_actions)
    next_turn: NextElapse = from_keys(OF_TURNS, read_turn)
    stops_too: tuple[str, ...] = from_keys(STOPS_TOO, _read_stops)
    triggered_by: tuple[str, ...] = from_key("TriggeredBy", read_units, "")
    triggers: tuple[str, ...] = from_key("Triggers", read_units, "")
    # sockets in a network namespace of its own are not seen
    may_have_own_network: bool = from_keys(OF_NETWORKS, _has_own_network)


def _is_frozen(text: str) -> bool:
    return text in ("frozen", "freezing")


def _is_skipped(found: Record) -> bool:
    """Whether the last start was skipped. A unit that was never started says `no` to all of it (measured)."""
    was_tried = read_number(found.get("ConditionTimestampMonotonic", "")) > 0
    return was_tried and "no" in (found.get("ConditionResult"), found.get("AssertResult"))


def _read_watchdog(text: str) -> int:
    span = read_span(text)
    return 0 if span == FOREVER else span


@dataclass(frozen=True, slots=True)
class UnitItself:
    """The unit that the look is about."""

    shown: ShownUnit = from_same(ShownUnit)
    names: tuple[str, ...] = from_key("Names", read_units)
    sub: str = from_key("SubState", str)
    file_state: str = from_key("UnitFileState", str)
    fragment: str = from_key("FragmentPath", str)
    source: str = from_key("SourcePath", str, "")
    drop_ins: tuple[str, ...] = from_key("DropInPaths", read_list, "")
    upheld_by: tuple[str, ...] = from_key("UpheldBy", read_units, "")
    is_transient: bool = from_key("Transient", read_flag, "no")
    is_perpetual: bool = from_key("Perpetual", read_flag, "no")
    can_start: bool = from_key("CanStart", read_flag, "yes")
    can_stop: bool = from_key("CanStop", read_flag, "yes")
    refuses_manual_start: bool = from_key("RefuseManualStart", read_flag, "no")
    refuses_manual_stop: bool = from_key("RefuseManualStop", read_flag, "no")
    needs_reload: bool = from_key("NeedDaemonReload", read_flag, "no")
    main_pid: int = from_key("MainPID", read_number, "")
    control_group: str = from_key("ControlGroup", str, "")
    notify_access: str = from_key("NotifyAccess", str, "none")
    watchdog_usec: int = from_key("WatchdogUSec", _read_watchdog, "0")
    timeout_stop_usec: int = from_key("TimeoutStopUSec", read_span, "0")
    kill_mode: str = from_key("KillMode", str, "")
    sends_sigkill: bool = from_key("SendSIGKILL", read_flag, "yes")
    restart: str = from_key("Restart", str, "")
    restarts: int = from_key("NRestarts", read_number, "")
    result: str = from_key("Result", str, "")
    is_frozen: bool = from_key("FreezerState", _is_frozen, "")
    is_skipped: bool = from_keys(_CONDITIONS, _is_skipped)
    on_success: tuple[str, ...] = from_key("OnSuccess", read_units, "")
    on_failure: tuple[str, ...] = from_key("OnFailure", read_units, "")
    conflicts: tuple[str, ...] = from_key("Conflicts", read_units, "")
    accepts: bool = from_key("Accept", read_flag, "no")
    is_persistent: bool = from_key("Persistent", read_flag, "no")


def read_listed(lines: Sequence[str]) -> tuple[ListedUnit, ...]:
    """The list of all units: name, load state, active state, sub state."""
    return tuple(map(_read_line, lines))


def _read_line(line: str) -> ListedUnit:
    name, *states = line.split(" ")
    if len(states) != len(("load", "active", "sub")):
        raise HostileOutput("The host's answer has something other than the states of a unit.")
    return ListedUnit(read_unit(name), _LOADS.get(states[0]), _ACTIVES.get(states[1]), states[2])
