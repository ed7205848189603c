"""Find the units that carry our own SSH login: those above our process, and those that own the connection's sockets."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bot.core.systemd.host_rules import REMOTE_ACCESS, comes_from_here
from bot.core.systemd.output import Record, read_record, read_records, read_unit, read_units, require
from bot.core.systemd.properties import SHOWN_OF_RELATED
from bot.core.systemd.units import UNIT_TYPES, LoadState
from bot.errors import HostileOutput

MANAGERS = "managers"
SECTIONS = ("lifeline", "way", "sockets", "listening", "cgroups", "starters", "carriers")
# A socket as ss(8) prints it: state, two queues, both ends, and the cgroup in which it was made.
_SOCKET = re.compile(
    r"[A-Z0-9-]+ +\d+ +\d+ +\S+:(?P<here>\d+) +(?P<far>\S+):(?P<there>\d+|\*)(?: +cgroup:(?P<maker>\S+))? *", re.ASCII
)
_CONNECTION = re.compile(r"(?P<client>\S+) (?P<from>\d+) (?P<server>\S+) (?P<at>\d+)", re.ASCII)
_CGROUP = re.compile(r"(\d{1,20}) (/.*)", re.ASCII)
_UNREACHABLE = "unreachable:"
_SYSTEMD_ITSELF = "/init.scope"


@dataclass(frozen=True, slots=True)
class OwnAccess:
    """The units that carry our login, under all their names, with their triggers."""

    units: frozenset[str]
    is_told: bool = True  # whether these are all, for the present connection
    listening: frozenset[str] | None = frozenset()  # units that have sockets; None if the host does not tell
    is_behind: bool = False  # the login comes from another network namespace of the host, whose sockets are not visible
    is_in_scope: bool = False  # a relay runs in a scope, which ends with whoever made it: a manager of containers

    def may_be(self, names: Iterable[str]) -> bool:
        """Whether a unit of these names may carry our login without our knowledge: it listens, and our way in is
        unknown.
        """
        known = set(names)
        if self.is_told:
            return False
        listens = self.listening is None or bool(known & self.listening)
        return listens or any(name.endswith(".socket") for name in known)


def read_own_access(found: Mapping[str, Sequence[str]]) -> OwnAccess:
    """Parse the sections of a full look."""
    way = read_record(found["way"], ("connection", "container", "behind", "unseen"))
    above = _units(found["lifeline"])
    makers = _Makers(found, in_container=way.get("container") == "yes")
    passed, listening = (_read(found[name]) for name in ("sockets", "listening"))
    connection = _CONNECTION.fullmatch(way.get("connection", ""))
    if connection is None or len(passed) < len(found["sockets"]):
        return OwnAccess(_with_names(above, found["carriers"]), is_told=False, listening=None)
    is_behind = way.get("behind") == "yes"
    port = (connection["at"], connection["from"])
    ours = [socket for socket in passed if (socket["here"], socket["there"]) == port]
    listeners = [
        socket for socket in (*passed, *listening) if socket["here"] == connection["at"] and socket["there"] == "*"
    ]
    relays = [socket for socket in passed if socket not in ours and socket not in listeners]
    relaying = frozenset[str]().union(_units(found.get(MANAGERS, ())), *map(makers.units, relays))
    carrying = above.union(relaying, *map(makers.units, (*ours, *listeners)))
    our_end = any(unit.endswith(".service") for unit in above) or (bool(ours) and all(map(makers.is_known, ours)))
    return OwnAccess(
        _with_names(carrying, found["carriers"]),
        is_told=not is_behind
        and way.get("unseen") != "yes"
        and our_end
        and all(map(makers.is_known, relays))
        and (bool(ours) or not _from_here(connection)),
        # Other listeners are read only if the connection's other end is on the host itself.
        listening=_listening(listening, makers) if relays or is_behind else None,
        is_behind=is_behind,
        is_in_scope=any(unit.endswith(".scope") for unit in relaying),
    )


def _read(lines: Sequence[str]) -> list[re.Match[str]]:
    return [socket for line in lines if (socket := _SOCKET.fullmatch(line))]


def _from_here(connection: re.Match[str]) -> bool:
    return comes_from_here(connection["client"], connection["server"])


class _Makers:
    """The units in whose cgroups the connection's sockets were made."""

    def __init__(self, found: Mapping[str, Sequence[str]], *, in_container: bool) -> None:
        matches = [_CGROUP.fullmatch(line) for line in found["cgroups"]]
        if not all(matches):
            raise HostileOutput("The host's answer has something other than a cgroup.")
        self._paths = {int(match[1]): match[2] for match in matches if match}
        self._starters = frozenset(map(read_unit, found["starters"]))
        self._in_container = in_container

    def units(self, socket: re.Match[str]) -> frozenset[str]:
        """Those units; a socket that systemd made for a unit belongs to the unit that listens on our port."""
        path = self._path(socket)
        return self._starters if path == _SYSTEMD_ITSELF else _units([path])

    def is_known(self, socket: re.Match[str]) -> bool:
        """Whether the maker of the socket is a unit of the host, or a process outside of it."""
        maker = socket["maker"] or ""
        if maker.startswith(_UNREACHABLE) and not self._path(socket):
            return self._in_container  # of the machine that the container shares its network with
        return bool(self.units(socket))

    def _path(self, socket: re.Match[str]) -> str:
        maker: str = socket["maker"] or ""
        if not maker.startswith(_UNREACHABLE):
            return maker
        number = maker.removeprefix(_UNREACHABLE)
        return self._paths.get(int(number, 16), "") if re.fullmatch(r"[0-9a-f]{1,16}", number) else ""


def _units(cgroups: Iterable[str]) -> frozenset[str]:
    parts = (part for path in cgroups for part in path.split("/"))
    return frozenset(part for part in parts if part.rpartition(".")[2] in UNIT_TYPES)


def _listening(sockets: Sequence[re.Match[str]], makers: _Makers) -> frozenset[str] | None:
    if not any(socket["maker"] for socket in sockets):
        return None
    return frozenset[str]().union(*(makers.units(socket) for socket in sockets))


def _with_names(carrying: Iterable[str], lines: Sequence[str]) -> frozenset[str]:
    """With their further names and triggers; and with the usual remote-access units that exist."""
    by_name: dict[str, Record] = {}
    for unit in read_records(lines, SHOWN_OF_RELATED):
        if require(unit, "LoadState") != LoadState.NOT_FOUND:
            by_name.update(dict.fromkeys((read_unit(require(unit, "Id")), *read_units(unit.get("Names", ""))), unit))
    found = {*carrying, *(name for name in REMOTE_ACCESS if name in by_name)}
    found |= {
        name for unit in list(found) if unit in by_name for name in read_units(by_name[unit].get("TriggeredBy", ""))
    }
    named = (read_units(by_name[unit].get("Names", "")) for unit in found if unit in by_name)
    return frozenset(found).union(*named)
