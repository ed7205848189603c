"""Parse a host's output strictly: sections, properties, lists, times. Anything unexpected is refused."""

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from bot.core.systemd.host_rules import ends_of_host
from bot.core.systemd.side_effects import NextElapse
from bot.core.systemd.units import ActiveState, LoadState
from bot.errors import HostError, HostileOutput

LOOK, SCAN, LAST_LINE = "@maskbot-look 1", "@maskbot-scan 1", "@end"
END = f"\n{LAST_LINE}\n"
Record = Mapping[str, str]

# systemd.unit(5): valid names, also of units that we never touch.
_UNIT = re.compile(r"[A-Za-z0-9:_.\\@-]{1,248}\.[a-z]{4,9}", re.ASCII)
_PLAIN_WORDS = re.compile(r"[\w:./@ -]*", re.ASCII)
_WORD = re.compile(r"""(?:[^ "'\\]|"(?:[^"\\]|\\.)*+"|'[^']*+'|\\.)++""")  # as shlex reads it
_WORDS = re.compile(rf" *+(?:{_WORD.pattern} *+)*+")
_LONGEST_WORD = 5000  # signs of a path (PATH_MAX) in quotes; shlex takes the square of the length
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_ID = re.compile(r"[0-9a-f]{32}")
# The relations of one unit are in one line, which may be as long as the whole answer (`SshLimits.output`): a
# thousand names have 41 KB, and may have 250 KB.
_LONGEST_LINE = 4 * 1024 * 1024

# systemd's format of a length of time: format_timespan(), in microseconds.
_LENGTHS = {
    "us": 1, "ms": 10**3, "s": 10**6, "min": 60 * 10**6, "h": 3600 * 10**6, "d": 86_400 * 10**6, "w": 604_800 * 10**6,
    "month": 2_629_800 * 10**6, "y": 31_557_600 * 10**6,
}  # fmt: skip
_SPAN = re.compile(r"(\d{1,12})(?:\.(\d{1,6}))?(us|ms|s|min|h|d|w|month|y)", re.ASCII)
FOREVER = 2**64 - 1


def sections(stdout: str, known: Iterable[str], *, first: str = LOOK) -> dict[str, tuple[str, ...]]:
    """The lines of each section, by its name; `first` names the script.

    Raises `HostError` for output that is cut off, `HostileOutput` for output that the script cannot have printed.
    Output beyond the limit counts as incomplete: the last line must be there.
    """
    lines = stdout.removesuffix("\n").split("\n")
    if lines[-1] != LAST_LINE or not stdout.endswith("\n"):
        raise HostError("The host's answer is incomplete.", code="incomplete_observation", passing=True)
    if lines[0] != first:
        why = "The host printed something before its answer; does the login's shell profile print something?"
        raise HostileOutput(why)
    found: dict[str, list[str]] = {}
    current: list[str] | None = None
    for line in lines[1:-1]:
        if _UNSEEN.search(line) or len(line) > _LONGEST_LINE:
            raise HostileOutput("The host's answer has a line that the check cannot have printed.")
        if line.startswith("@"):
            current = _begin(line[1:], found, known)
        elif current is None:
            raise HostileOutput("The host's answer has a line outside of its sections.")
        else:
            current.append(line)
    return {name: tuple(section) for name, section in found.items()}


def _begin(name: str, found: dict[str, list[str]], known: Iterable[str]) -> list[str]:
    if name not in known or name in found:
        raise HostileOutput("The host's answer has a section that is not expected, or one twice.")
    return found.setdefault(name, [])


def read_record(lines: Sequence[str], allowed: Iterable[str]) -> Record:
    """`Key=value` lines as a mapping: only keys that were asked for, each once."""
    found: dict[str, str] = {}
    for line in lines:
        key, equals, value = line.partition("=")
        if not equals or key not in allowed or key in found:
            raise HostileOutput("The host's answer has a property that was not asked for, or one twice.")
        found[key] = value
    return found


def read_records(lines: Sequence[str], allowed: Iterable[str]) -> Iterator[Record]:
    """The properties of several units, which `systemctl show` separates by empty lines."""
    block: list[str] = []
    for line in [*lines, ""]:
        if line:
            block.append(line)
        elif block:
            yield read_record(block, allowed)
            block = []


def require(found: Record, key: str) -> str:
    """A value that must be there."""
    if key not in found:
        raise HostError(f"The host's answer lacks {key}.", code="incomplete_observation", passing=True)
    return found[key]


def failure(lines: Sequence[str]) -> HostError:
    """Why there is no answer, according to the script's other output."""
    code = lines[0] if lines and lines[0] in _FAILURES else "show_failed"
    return HostError(_FAILURES[code], code=code)


_FAILURES: Mapping[str, str] = {
    "no_systemd": "systemd does not run there, so nothing can be masked.",
    "no_systemctl": "There is no /usr/bin/systemctl.",
    "no_bus": "systemd cannot be asked: its D-Bus does not answer.",
    "not_a_unit": "systemd does not accept this as the name of one unit.",
    "no_user": "There is no such user.",
    "no_user_manager": "That user has no running manager (no login and no lingering), and the bot starts none.",
    "show_failed": "systemctl could not say anything about the unit.",
    "no_list": "The folders that may hold masks could not be searched.",
}


def read_machine_id(value: str) -> str:
    """The id of the machine that answered."""
    if not _ID.fullmatch(value):
        raise HostileOutput("The host's answer has something other than a machine-id.")
    return value


def read_run(value: str) -> str:
    """The id of a user manager's run: that of its runtime directory; empty if there is none."""
    if value and not _ID.fullmatch(value):
        raise HostileOutput("The host's answer has something other than the id of a run.")
    return value


def read_list(value: str) -> tuple[str, ...]:
    """Several words in one value; those with a backslash come quoted (measured: `"a\\\\x2db.mount"`)."""
    if _PLAIN_WORDS.fullmatch(value):
        return tuple(value.split())
    words = _WORD.findall(value)
    if not _WORDS.fullmatch(value) or any(len(word) > _LONGEST_WORD for word in words):
        raise HostileOutput("The host's answer has a list that cannot be read.")
    return tuple(part for word in words for part in shlex.split(word))


def is_unit(value: str) -> bool:
    """Whether this may be the name of a unit."""
    return bool(_UNIT.fullmatch(value))


def read_unit(value: str) -> str:
    """The name of a unit of any kind, so the type is wider than `UnitName`."""
    if not is_unit(value):
        raise HostileOutput("The host's answer names something that is not a unit.")
    return value


def read_units(value: str) -> tuple[str, ...]:
    """Names of units."""
    return tuple(map(read_unit, read_list(value)))


def read_flag(value: str) -> bool:
    """`yes` or `no`."""
    if value not in ("yes", "no"):
        raise HostileOutput("The host's answer has something other than yes or no.")
    return value == "yes"


def read_number(value: str) -> int:
    """A whole number; an empty value is zero."""
    if not re.fullmatch(r"\d{0,19}", value, re.ASCII):
        raise HostileOutput("The host's answer has something other than a number.")
    return int(value or 0)


def read_load(value: str) -> LoadState:
    """A load state."""
    try:
        return LoadState(value)
    except ValueError:
        raise HostileOutput(_NO_STATE) from None


def read_active(value: str) -> ActiveState:
    """An active state."""
    try:
        return ActiveState(value)
    except ValueError:
        raise HostileOutput(_NO_STATE) from None


_NO_STATE = "The host's answer has a state that systemd does not have."
_ACTION = re.compile(r"[a-z-]{1,40}")


def read_actions(unit: Record) -> tuple[str, ...]:
    """What the end of a unit or its job, or too many starts, do to the host: `SuccessAction=reboot-force`.

    What its end starts may do the same: `OnFailure=reboot.target`.
    """
    found, ending = ends_of_host(unit, read_units)
    if not all(map(_ACTION.fullmatch, found.values())):
        raise HostileOutput("The host's answer has something other than an action.")
    return tuple(f"{key}={value}" for key, value in (*found.items(), *ending))


def read_span(value: str) -> int:
    """Microseconds of `1min 30s` or `57.747279s`; `infinity` is systemd's own largest number."""
    if value == "infinity":
        return FOREVER
    total = 0
    for word in value.split():
        part = _SPAN.fullmatch(word)
        if part is None and word != "0":
            raise HostileOutput("The host's answer has something other than a length of time.")
        if part:
            unit = _LENGTHS[part[3]]
            total += int(part[1]) * unit + int((part[2] or "").ljust(6, "0")) * unit // 10**6
    return total


_NEVER = ("", "0", "infinity", "n/a")


def read_turn(unit: Record) -> NextElapse:
    """When a timer elapses next; None for a time beyond what systemd can write."""
    at, after_boot = (unit.get(f"NextElapseUSec{clock}", "") for clock in ("Realtime", "Monotonic"))
    return NextElapse(
        at=at if moment_of(at) else "",
        after_boot=0 if after_boot in _NEVER else read_span(after_boot),
        is_random=unit.get("RandomizedDelayUSec", "0") != "0",
        fired=read_span(unit.get("LastTriggerUSecMonotonic", "0")),
    )


def moment_of(value: str) -> datetime | None:
    """The time of `Wed 2027-02-03 04:05:00 UTC`; None for anything else."""
    try:
        return datetime.strptime(value[3:], " %Y-%m-%d %H:%M:%S UTC").replace(tzinfo=UTC)
    except ValueError:
        return None
