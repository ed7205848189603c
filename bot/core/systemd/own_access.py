"""Find the units that carry our own SSH login: those above our process, and those that own the connection's sockets."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bot.core.systemd.fields import from_key, from_keys, record_of, records_of
from bot.core.systemd.host_rules import REMOTE_ACCESS, comes_from_here
from bot.core.systemd.output import read_unit
from bot.core.systemd.shown_unit import ShownUnit
from bot.core.systemd.units import UNIT_TYPES, LoadState
from bot.errors import HostileOutput

# A socket as ss(8) prints it: state, two queues, both ends, and the cgroup in which it was made.
_SOCKET = re.compile(
    r"[A-Z0-9-]+ +\d+ +\d+ +\S+:(?P<here>\d+) +(?P<far>\S+):(?P<there>\d+|\*)(?: +cgroup:(?P<maker>\S+))? *", re.ASCII
)
_CONNECTION = re.compile(r"(\S+) (\d+) (\S+) (\d+)", re.ASCII)
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


@dataclass(frozen=True, slots=True)
class Socket:
    """A socket of the login's connection, or one that listens."""

    here: str
    far: str
    there: str
    maker: str = ""  # the cgroup in which it was made; empty if ss(8) does not tell it


@dataclass(frozen=True, slots=True)
class _Connection:
    """The connection of the login: both of its ends, which sshd writes into SSH_CONNECTION."""

    client: str
    client_port: str
    server: str
    server_port: str


def _read_connection(text: str) -> _Connection | None:
    ends = _CONNECTION.fullmatch(text)
    return _Connection(*ends.groups()) if ends else None


def _is_yes(text: str) -> bool:
    return text == "yes"


@dataclass(frozen=True, slots=True)
class _Way:
    """How the login came to the host."""

    connection: _Connection | None = from_key("connection", _read_connection, "")
    in_container: bool = from_key("container", _is_yes, "")
    is_behind: bool = from_key("behind", _is_yes, "")
    is_unseen: bool = from_key("unseen", _is_yes, "")


def _read_sockets(lines: Sequence[str]) -> tuple[Socket, ...]:
    return tuple(
        Socket(found["here"], found["far"], found["there"], found["maker"] or "")
        for line in lines
        if (found := _SOCKET.fullmatch(line))
    )


def _are_all_sockets(found: Mapping[str, Sequence[str]]) -> bool:
    return all(map(_SOCKET.fullmatch, found["sockets"]))


def _read_cgroups(lines: Sequence[str]) -> Mapping[int, str]:
    matches = [_CGROUP.fullmatch(line) for line in lines]
    if not all(matches):
        raise HostileOutput("The host's answer has something other than a cgroup.")
    return {int(match[1]): match[2] for match in matches if match}


def _read_starters(lines: Sequence[str]) -> frozenset[str]:
    return frozenset(map(read_unit, lines))


@dataclass(frozen=True, slots=True)
class Login:
    """What a full look found of our own login: the processes above it, its connection's sockets and who made them."""

    above: tuple[str, ...] = from_key("login_units", tuple)  # cgroups of the processes, from ours upwards
    way: _Way = from_key("way", record_of(_Way))
    sockets: tuple[Socket, ...] = from_key("sockets", _read_sockets)
    is_readable: bool = from_keys(("sockets",), _are_all_sockets)
    listening: tuple[Socket, ...] = from_key("listening", _read_sockets)
    managers: tuple[str, ...] = from_key("managers", tuple, ())  # cgroups of those who made a relay's scope
    cgroups: Mapping[int, str] = from_key("cgroups", _read_cgroups)  # by inode
    starters: frozenset[str] = from_key("starters", _read_starters)  # units that listen for sshd on our port
    carriers: tuple[ShownUnit, ...] = from_key("carriers", records_of(ShownUnit))


def own_access(login: Login) -> OwnAccess:
    """Who carries our login, and whether that is all."""
    way, connection = login.way, login.way.connection
    above = _units(login.above)
    if connection is None or not login.is_readable:
        return OwnAccess(_with_names(above, login.carriers), is_told=False, listening=None)
    makers = _Makers(login)
    port = (connection.server_port, connection.client_port)
    ours = [socket for socket in login.sockets if (socket.here, socket.there) == port]
    listeners = [
        socket
        for socket in (*login.sockets, *login.listening)
        if socket.here == connection.server_port and socket.there == "*"
    ]
    relays = [socket for socket in login.sockets if socket not in ours and socket not in listeners]
    relaying = frozenset[str]().union(_units(login.managers), *map(makers.units, relays))
    carrying = above.union(relaying, *map(makers.units, (*ours, *listeners)))
    our_end = any(unit.endswith(".service") for unit in above) or (bool(ours) and all(map(makers.is_known, ours)))
    return OwnAccess(
        _with_names(carrying, login.carriers),
        is_told=not way.is_behind
        and not way.is_unseen
        and our_end
        and all(map(makers.is_known, relays))
        and (bool(ours) or not comes_from_here(connection.client, connection.server)),
        # Other listeners are read only if the connection's other end is on the host itself.
        listening=_listening(login.listening, makers) if relays or way.is_behind else None,
        is_behind=way.is_behind,
        is_in_scope=any(unit.endswith(".scope") for unit in relaying),
    )


class _Makers:
    """The units in whose cgroups the connection's sockets were made."""

    def __init__(self, login: Login) -> None:
        self._login = login

    def units(self, socket: Socket) -> frozenset[str]:
        """Those units; a socket that systemd made for a unit belongs to the unit that listens on our port."""
        path = self._path(socket)
        return self._login.starters if path == _SYSTEMD_ITSELF else _units([path])

    def is_known(self, socket: Socket) -> bool:
        """Whether the maker of the socket is a unit of the host, or a process outside of it."""
        maker = socket.maker
        if maker.startswith(_UNREACHABLE) and not self._path(socket):
            return self._login.way.in_container  # of the machine that the container shares its network with
        return bool(self.units(socket))

    def _path(self, socket: Socket) -> str:
        maker = socket.maker
        if not maker.startswith(_UNREACHABLE):
            return maker
        number = maker.removeprefix(_UNREACHABLE)
        return self._login.cgroups.get(int(number, 16), "") if re.fullmatch(r"[0-9a-f]{1,16}", number) else ""


def _units(cgroups: Iterable[str]) -> frozenset[str]:
    parts = (part for path in cgroups for part in path.split("/"))
    return frozenset(part for part in parts if part.rpartition(".")[2] in UNIT_TYPES)


def _listening(sockets: Sequence[Socket], makers: _Makers) -> frozenset[str] | None:
    if not any(socket.maker for socket in sockets):
        return None
    return frozenset[str]().union(*(makers.units(socket) for socket in sockets))


def _with_names(carrying: Iterable[str], carriers: Iterable[ShownUnit]) -> frozenset[str]:
    """With their further names and triggers; and with the usual remote-access units that exist."""
    existing = [unit for unit in carriers if unit.load is not LoadState.NOT_FOUND]
    by_name = {name: unit for unit in existing for name in (unit.id, *unit.names)}
    found = {*carrying, *(name for name in REMOTE_ACCESS if name in by_name)}
    found |= {name for unit in list(found) if unit in by_name for name in by_name[unit].triggered_by}
    return frozenset(found).union(*(by_name[unit].names for unit in found if unit in by_name))
