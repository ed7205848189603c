"""Parse a unit's surroundings from a full look: its files, its related units, and facts for decisions."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from bot.core.systemd import own_access, unread_edits
from bot.core.systemd.dependencies import UnitGraph, near_names, read_states
from bot.core.systemd.guard import NEVER, RIGHTS
from bot.core.systemd.output import Record, is_unit, read_record, read_records, read_units, require
from bot.core.systemd.own_access import read_own_access
from bot.core.systemd.properties import SHOWN_OF_RELATED
from bot.core.systemd.unit_files import read_contents
from bot.core.systemd.units import LoadState, Surroundings, UnitName
from bot.core.text.sanitize import clean
from bot.errors import HostError, HostileOutput

OF_A_RESULT = ("contents", "links", "related", "near", "states", "kernel")
FOR_A_DECISION = ("rights", *unread_edits.SECTIONS, *own_access.SECTIONS)
COUNTED_ANEW, COPIES = "counted-anew", "copies"
LINKED = "linked"
AT_TIMES = (LINKED, COUNTED_ANEW, COPIES, unread_edits.BESIDES, unread_edits.FRESH, own_access.MANAGERS)
_LONGEST_REASON = 200
_KERNEL = ("hostname", "boot_id", "systemd", "uptime")


def told_apart(found: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """The sections, with what systemd said of the unit's further names among these.

    A look that asks for related units has the names there only: it asks for both in one question, the names first.
    """
    names = found["names"]
    if "related" not in found or not names or any(names[1:]):
        return found
    blocks = "\n".join(found["related"]).strip("\n").split("\n\n")
    count = len(names[0].split())
    return {**found, "names": (names[0], *_lines(blocks[:count])), "related": _lines(blocks[count:])}


def _lines(blocks: Sequence[str]) -> tuple[str, ...]:
    return tuple(line for block in blocks for line in ("", *block.split("\n")))


def read_around(found: Mapping[str, tuple[str, ...]], unit: Record, also: Collection[str]) -> Surroundings:
    kernel = read_record(found["kernel"], _KERNEL)
    nearby = UnitGraph([*read_records(found["related"], SHOWN_OF_RELATED), unit], _states(found))
    fragment, drop_ins = read_contents(unit, found["contents"])
    own = UnitName(unit["Id"])
    is_missing = unit["LoadState"] == LoadState.NOT_FOUND
    return Surroundings(
        hostname=require(kernel, "hostname"),
        boot_id=require(kernel, "boot_id"),
        systemd=require(kernel, "systemd"),
        fragment_hash=fragment,
        drop_ins=drop_ins,
        would_stop=nearby.would_stop(own.text),
        triggers=nearby.triggers(own.text),
        upheld_by=nearby.named(read_units(unit.get("UpheldBy", ""))),
        starts=nearby.starts(own.text),
        members=nearby.members(own),
        wants_links=_links(found["links"]),
        others=nearby.named(also),
        failed=nearby.failed(),
        up=nearby.up(),
        moving=nearby.moving(),
        uptime=_uptime(kernel.get("uptime", "0")),
        agents=nearby.agents(),
        near=near_names(own, sorted({*nearby.names(), *found["near"]})) if is_missing else (),
    )


def _states(found: Mapping[str, tuple[str, ...]]) -> list[Record]:
    """The states of all units; systemd itself is always among them."""
    if not found["states"]:
        raise HostError("The host's answer lacks the states of its units.", code="incomplete_observation", passing=True)
    return [*read_states(found["states"])]


def for_a_decision(around: Surroundings, found: Mapping[str, tuple[str, ...]], unit: Record) -> Surroundings:
    """Add what only decisions need: our login's units, our rights, and other edits that a reload would apply."""
    way = read_own_access(found)
    edited = unread_edits.pending_reload(found, _states(found))
    rights, spared = _read_rights(found["rights"])
    at_stake = {unit["Id"]: {*read_units(unit["Names"]), *(trigger.unit for trigger in around.triggers)}}
    at_stake |= {other.unit: {other.unit, *other.names} for other in around.would_stop}
    is_open = way.is_behind or way.is_in_scope or not way.is_told
    seen = [*read_records(found["related"], SHOWN_OF_RELATED), unit] if is_open else []
    own_networks = at_stake.keys() & {one["Id"] for one in seen if _has_own_network(one)}
    return replace(
        around,
        copies=_copies(found.get(COPIES, ()), unit),
        counted_anew=_counted_anew(found.get(COUNTED_ANEW, ()), around.up),
        pending_reload=tuple(sorted(edited - {unit["Id"]})),
        is_edited=unit["LoadState"] == LoadState.LOADED and unread_edits.is_among(unit["Id"], edited),
        pending_besides=unread_edits.unidentified_edits(found),
        lifeline=way.units,
        may_carry_us=frozenset(name for name, names in at_stake.items() if way.may_be(names)) | own_networks,
        rights=rights,
        spared=spared,
    )


def _read_rights(lines: Sequence[str]) -> tuple[frozenset[str], str]:
    """What the guard may do for us, and why it spares this unit; words of a later protocol are not for us."""
    reasons = [line.partition(" ")[2] for line in lines if line.partition(" ")[0] == NEVER]
    words = {*lines}.intersection(RIGHTS) | ({NEVER} if reasons else set())
    return frozenset(words), clean(reasons[0], lines=1, width=_LONGEST_REASON) if reasons else ""


def _has_own_network(unit: Record) -> bool:
    """Whether the unit may have a network namespace of its own, whose sockets ss(8) does not show."""
    return "yes" in (unit.get("PrivateNetwork"), unit.get("Delegate")) or bool(unit.get("NetworkNamespacePath"))


def _copies(names: Sequence[str], unit: Record) -> tuple[str, ...]:
    """Separate units with the same text; not every file in a unit directory is a unit."""
    own, kind = {*read_units(unit["Names"])}, unit["Id"].rpartition(".")[2]
    copies = (name for name in names if is_unit(name) and name.endswith(f".{kind}") and "@." not in name)
    return tuple(sorted({*copies} - own))


def _uptime(seconds: str) -> int:
    """The uptime from /proc/uptime, in hundredths of a second."""
    if not re.fullmatch(r"\d{1,12}(\.\d\d)?", seconds, re.ASCII):
        raise HostileOutput("The host's answer has something other than how long it is up.")
    return round(float(seconds) * 10**6)


def _counted_anew(paths: Sequence[str], up: Collection[str]) -> tuple[str, ...]:
    """Running timers whose unit file or drop-in counts from their own start (OnActiveSec=)."""
    names = {(path.rpartition(".d/")[0] or path).rpartition("/")[2] for path in paths}
    return tuple(sorted(names.intersection(up)))


def _links(lines: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    pairs = [line.partition("|")[::2] for line in lines]
    if not all(path.startswith("/") and goal for path, goal in pairs):
        raise HostileOutput("The host's answer has something other than a link.")
    return tuple(sorted(pairs))
