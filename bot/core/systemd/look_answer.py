"""The answer to a look as typed values: every section is read here, once, before anything is concluded from it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.core.systemd.aliases import LoadedUnit
from bot.core.systemd.fields import (
    from_key,
    from_keys,
    from_same,
    keys_of,
    reader_of,
    record_of,
    records_of,
    required_keys,
)
from bot.core.systemd.guard import NEVER, RIGHTS
from bot.core.systemd.layer_files import UnitFiles, read_files
from bot.core.systemd.output import (
    END,
    failure,
    is_unit,
    read_machine_id,
    read_records,
    read_run,
    read_unit,
    sections,
)
from bot.core.systemd.own_access import Login
from bot.core.systemd.remembered import RememberedMask, read_remembered
from bot.core.systemd.shown_unit import ListedUnit, ShownUnit, UnitItself, read_listed
from bot.core.systemd.unit_files import read_contents
from bot.core.systemd.unread_edits import Edits
from bot.core.text.sanitize import clean
from bot.errors import HostError, HostileOutput

_LONGEST_REASON = 200
_UPTIME = re.compile(r"\d{1,12}(\.\d\d)?", re.ASCII)
_STOP_COMMAND = re.compile(r" *(ExecStop|ExecStopPost) +([^ ]+) +([^ ]+) *")


@dataclass(frozen=True, slots=True)
class StopCommand:
    """One of the commands that stop the unit; systemd runs them one after the other."""

    setting: str
    has_begun: bool
    has_ended: bool


def _read_stop_commands(lines: Sequence[str]) -> tuple[StopCommand, ...]:
    found = [_STOP_COMMAND.fullmatch(line) for line in lines]
    if not all(found):
        raise HostileOutput("The host's answer has something other than a stop command.")
    return tuple(StopCommand(one[1], one[2] != "no", one[3] != "no") for one in found if one)


@dataclass(frozen=True, slots=True)
class _Names:
    """Further names of the unit, and the unit that systemd shows by each."""

    names: tuple[str, ...] = ()
    shown: tuple[LoadedUnit, ...] = ()


_OF_RELATED = frozenset(keys_of(ShownUnit))
_read_loaded = reader_of(LoadedUnit)


def _read_names(lines: Sequence[str]) -> _Names:
    if not lines:
        return _Names()
    shown = map(_read_loaded, read_records(lines[1:], _OF_RELATED))
    return _Names(tuple(map(read_unit, lines[0].split())), tuple(shown))


@dataclass(frozen=True, slots=True)
class _Host:
    """The host, and for a user's own manager its run."""

    machine_id: str = from_key("machine_id", read_machine_id)
    manager: str = from_key("manager", read_run, "")


@dataclass(frozen=True, slots=True)
class OfEveryLook:
    """What also a short look asks."""

    unit: UnitItself = from_key("unit", record_of(UnitItself))
    names: _Names = from_key("names", _read_names)
    linked: frozenset[str] = from_key("linked", frozenset, ())  # names that are links to this instance
    files: UnitFiles = from_keys(("layers", "files"), read_files, required=True)
    host: _Host = from_key("host", record_of(_Host))
    stop_commands: tuple[StopCommand, ...] = from_key("stopping", _read_stop_commands, ())


def _read_uptime(seconds: str) -> int:
    """The uptime from /proc/uptime, in hundredths of a second; as microseconds."""
    if not _UPTIME.fullmatch(seconds):
        raise HostileOutput("The host's answer has something other than how long it is up.")
    return round(float(seconds) * 10**6)


@dataclass(frozen=True, slots=True)
class _Kernel:
    """The host's kernel and its systemd."""

    hostname: str = from_key("hostname", str)
    boot_id: str = from_key("boot_id", str)
    systemd: str = from_key("systemd", str)
    uptime: int = from_key("uptime", _read_uptime, "0")


def _read_links(lines: Sequence[str]) -> tuple[tuple[str, str], ...]:
    pairs = [line.partition("|")[::2] for line in lines]
    if not all(path.startswith("/") and goal for path, goal in pairs):
        raise HostileOutput("The host's answer has something other than a link.")
    return tuple(sorted(pairs))


def _read_unit_names(lines: Sequence[str]) -> tuple[str, ...]:
    """The names of units; not every file in a unit directory is a unit."""
    return tuple(filter(is_unit, lines))


@dataclass(frozen=True, slots=True)
class OfAResult:
    """The further sections of a look that is taken after a command, to see its result."""

    contents: Mapping[str, str] = from_key("contents", read_contents)
    links: tuple[tuple[str, str], ...] = from_key("links", _read_links)
    related: tuple[ShownUnit, ...] = from_key("related", records_of(ShownUnit))
    near: tuple[str, ...] = from_key("near", _read_unit_names)
    listed: tuple[ListedUnit, ...] = from_key("states", read_listed)
    kernel: _Kernel = from_key("kernel", record_of(_Kernel))


@dataclass(frozen=True, slots=True)
class _Rights:
    """What the guard may do for us, why it spares this unit, and which of its masks it made."""

    words: frozenset[str]
    spared: str
    masks: tuple[RememberedMask, ...]


def _read_rights(lines: Sequence[str]) -> _Rights:
    """Words of a later protocol are not for us."""
    reasons = [line.partition(" ")[2] for line in lines if line.partition(" ")[0] == NEVER]
    words = {*lines}.intersection(RIGHTS) | ({NEVER} if reasons else set())
    spared = clean(reasons[0], lines=1, width=_LONGEST_REASON) if reasons else ""
    return _Rights(frozenset(words), spared, read_remembered(lines) or ())


def _read_reset_timers(paths: Sequence[str]) -> frozenset[str]:
    """The timers of these unit files and drop-ins."""
    return frozenset((path.rpartition(".d/")[0] or path).rpartition("/")[2] for path in paths)


@dataclass(frozen=True, slots=True)
class OfADecision:
    """What a full look asks beside that: our login, our rights, and other edits that a reload would apply."""

    rights: _Rights = from_key("rights", _read_rights)
    edits: Edits = from_same(Edits)
    login: Login = from_same(Login)
    counted_anew: frozenset[str] = from_key("counted-anew", _read_reset_timers, ())  # timers with OnActiveSec=
    copies: tuple[str, ...] = from_key("copies", _read_unit_names, ())  # files with the same text


_read_base, _read_result, _read_decision = reader_of(OfEveryLook), reader_of(OfAResult), reader_of(OfADecision)
_SHORT = required_keys(OfEveryLook)
_RESULT = (*_SHORT, *required_keys(OfAResult))
_FULL = (*_RESULT, *required_keys(OfADecision))
_KNOWN = frozenset((*keys_of(OfEveryLook), *keys_of(OfAResult), *keys_of(OfADecision), "failed"))


@dataclass(frozen=True, slots=True)
class LookAnswer:
    """A whole answer, as far as the look's size goes."""

    base: OfEveryLook
    loads: Mapping[str, LoadedUnit]  # by each further name of the unit
    result: OfAResult | None
    decision: OfADecision | None


def read_answer(stdout: str) -> LookAnswer:
    """Read all of it. Raises `HostError` (`incomplete_observation`, or why nothing could be asked), `HostileOutput`."""
    found = _whole_sections(stdout)
    base = _read_base(found)
    names, shown = base.names.names, base.names.shown
    result = _read_result(found) if "states" in found else None
    if result and not shown:  # a look that asks for related units asks for both in one question, the names first
        shown = tuple(LoadedUnit(one.id, one.load) for one in result.related[: len(names)])
    if len(names) != len(shown):
        raise HostError("The host's answer lacks a name.", code="incomplete_observation", passing=True)
    if result and not result.listed:  # systemd itself is always among them
        raise HostError("The host's answer lacks the states of its units.", code="incomplete_observation", passing=True)
    decision = _read_decision(found) if "rights" in found else None
    return LookAnswer(base, dict(zip(names, shown, strict=True)), result, decision)


def _whole_sections(stdout: str) -> Mapping[str, Sequence[str]]:
    answer, end, _ = stdout.partition(END)
    found = sections(answer + end, _KNOWN)
    if "failed" in found:
        raise failure(found["failed"])
    is_full = any(name in found for name in _FULL if name not in _RESULT)
    if not found.keys() >= {*(_FULL if is_full else _RESULT if "states" in found else _SHORT)}:
        raise HostError("The host's answer lacks a part.", code="incomplete_observation", passing=True)
    return found
