"""Record everything on a host that a mask and its undo could change: files, all units' properties, timers."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tests.lab.hosts import LabHost

LEFT_OUT = {
    r"InvocationID": "each start has its own",
    r"\w*PID|ControlGroup(Id)?|ProcSubset": "processes and control groups are new ones",
    r"\w*Timestamp(Monotonic)?": "when something happened last",
    r"(Memory|CPUUsage|Tasks|IP|IO)\w*(Current|NSec|Bytes|Packets|Operations|Available|Peak)": "what it uses right now",
    r"NextElapse\w*|LastTriggerUSec\w*|Timers(Monotonic|Calendar)": "compared apart, as turns",
    r"NRestarts|ExecMain(Code|Status)|Result": "how its last process ended, which a start forgets",
    r"NAccepted|NConnections|NRefused|NCurrentlyActive|NFileDescriptorStore": "counted, with the logins of the bot",
    r"Job": "a number of what is queued",
    r"StatusText": "what it says of itself, with its counters",
    r"UnitFilePreset": "not read again by a reload",
}
"""Properties that a stop and a start by hand change as well, and why; everything else is compared."""

PASSING = {
    r"session-\w+\.scope|user-\d+\.slice|user(-runtime-dir)?@\d+\.service|run-user-\d+\.mount": "logins, the bot's own",
    r"run-\w+\.(scope|service|mount)": "transient, of others",
    r"systemd-(hostnamed|localed|timedated|tmpfiles-clean)\.service": "come when asked, and go by themselves",
    r"\S+\.device": "of the machine under the lab",
}
"""Units that come and go by themselves."""

NOT_KEPT = {
    r"/run/systemd/(sessions|users|inhibit|seats|shutdown|ask-password)(/.*)?": "logins",
    r"/run/systemd/(journal|netif|machines|dynamic-uid)(/.*)?": "what other services of systemd keep",
    r"/run/systemd/(units/invocation:|transient/)(session-|user[-@]|run-).*": "logins",
    r"/run/systemd/(propagate|inaccessible|unit-root|incoming)(/.*)?": "for the name spaces of processes",
}
"""Paths below /run/systemd that others make and remove, and for what."""

_RELATIONS = re.compile(
    r"(\w*(By|Of|To|From)|Names|Wants|Requires|After|Before|Conflicts|Triggers|BindsTo|PartOf|On\w+|\w+MountsFor)"
)
_OF_PROCESS = re.compile(r" ; start_time=.*? ; status=\S+ ")
_LOOK = """
set -f
find /etc/systemd /run/systemd -printf '%p|%y|%m|%u:%g|%l\\n' | sort
echo @hashes
find /etc/systemd /run/systemd -type f -size -1024k -exec sha256sum -- {} + 2>/dev/null | sort -k 2
echo @shown
systemctl show --timestamp=us+utc -- '*'
"""
_TURNS = re.compile(r"NextElapse\w*|LastTriggerUSec\w*|SubState")
Units = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Picture:
    """The state of a host at one moment."""

    files: Mapping[str, str]  # kind, mode, owner and target by path
    hashes: Mapping[str, str]
    units: Units
    turns: Units

    def differences(self, now: "Picture") -> list[str]:
        """The differences, one short line each."""
        return [
            *_of(self.files, now.files),
            *_of(self.hashes, now.hashes),
            *_of_units(self.units, now.units),
            *_of_units(self.turns, now.turns, sort="turn of "),
        ]


def take(host: LabHost) -> Picture:
    """Record everything, as root."""
    files, _, rest = host.run("sh", "-c", _LOOK, seconds=60).stdout.partition("@hashes\n")
    hashes, _, shown = rest.partition("@shown\n")
    found = (line.split("|", 1) for line in files.splitlines())
    by_path = (line.split("  ", 1)[::-1] for line in hashes.splitlines())
    units = {unit["Id"]: unit for block in shown.split("\n\n") if (unit := _block(block)) and not _passes(unit["Id"])}
    return Picture(
        {path: _goal(path, what) for path, what in found if not _matches(NOT_KEPT, path)},
        {path: content for path, content in by_path if not _matches(NOT_KEPT, path)},
        {name: _stable_properties(unit) for name, unit in units.items()},
        {name: _turns(unit) for name, unit in units.items() if name.endswith(".timer")},
    )


def _block(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def _passes(unit: str) -> bool:
    return _matches(PASSING, unit)


def _matches(patterns: Mapping[str, str], name: str) -> bool:
    return any(re.fullmatch(pattern, name) for pattern in patterns)


def _goal(path: str, what: str) -> str:
    """A link's target; the link to a unit's invocation changes with each start, so its target is left out."""
    return what.rpartition("|")[0] if path.startswith("/run/systemd/units/invocation:") else what


def _stable_properties(unit: Mapping[str, str]) -> dict[str, str]:
    """Properties that must stay the same, without times of processes and the order of relations."""
    return {
        key: " ".join(sorted(word for word in value.split() if not _passes(word)))
        if _RELATIONS.fullmatch(key)
        else _OF_PROCESS.sub(" ; ", value)
        for key, value in unit.items()
        if not _matches(LEFT_OUT, key)
    }


def _turns(unit: Mapping[str, str]) -> dict[str, str]:
    """Timers' next elapses; a random delay is left out, because each start and reload draws it anew."""
    is_random = unit.get("RandomizedDelayUSec", "0") != "0"
    return {
        key: "random" if is_random and value and key.startswith("NextElapse") else value
        for key, value in unit.items()
        if _TURNS.fullmatch(key)
    }


def _of(before: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    for path in sorted(before.keys() | now.keys()):
        if before.get(path) != now.get(path):
            yield f"{path}: {before.get(path, 'none')} → {now.get(path, 'none')}"


def _of_units(before: Units, now: Units, *, sort: str = "") -> Iterator[str]:
    for name in sorted(before.keys() | now.keys()):
        had, has = before.get(name), now.get(name)
        if had is None or has is None:
            if not sort:
                yield f"{name}: {'not loaded before' if had is None else 'not loaded any more'}"
            continue
        for key in sorted(had.keys() | has.keys()):
            if had.get(key) != has.get(key):
                yield f"{sort}{name} {key}: {had.get(key)} → {has.get(key)}"
