"""The units that carry the bot's login: those above this process, and a relay in front of sshd on the same host."""

import os

from bot.core.systemd.host_rules import comes_from_here
from bot.edges.guard.own_route import PROCESSES, tunnel_processes
from bot.edges.guard.process import Refused, Started
from bot.edges.guard.units import Manager, names_in

_CONNECTION = 4  # words: address and port of the client, address and port of the server
_SS = ("/usr/bin/ss", "/usr/sbin/ss", "/bin/ss", "/sbin/ss")
_CONTAINER = "/run/systemd/container"
_UNKNOWN = "it cannot be told which unit carries the bot's login"


class OwnLogin:
    """Asks the kernel for a relay at once, and tells the units when they are needed. Raises `Refused` if it cannot."""

    relays_of: "dict[str, set[str]]" = {}  # by connection: who made its other end is asked once, for that never changes

    def __init__(self, connection: str) -> None:
        self._above = _above()
        if not any(name.endswith(".service") for name in self._above):
            raise Refused(_UNKNOWN)
        self._connection = connection
        self._asked = [] if connection in self.relays_of else _ask_for_relay(connection)

    def __enter__(self) -> "OwnLogin":
        return self

    def __exit__(self, *_: object) -> None:
        for one in self._asked:
            one.end()

    def carriers(self, manager: Manager) -> "set[str]":
        """All units that carry the login."""
        asked, self._asked = self._asked, []
        if self._connection not in self.relays_of:
            self.relays_of[self._connection] = {unit for one in asked for unit in _relays(one.end().lines)}
        relays = self.relays_of[self._connection] | _tunnels(self._connection)
        if not manager.user:
            for found in manager.show(sorted(relays)):
                relays.update(names_in(found.get("Names", "")), names_in(found.get("TriggeredBy", "")))
        return self._above | relays


def _above() -> "set[str]":
    """The units in whose control groups this process and those above it run."""
    units: set[str] = set()
    process = os.getpid()
    while process > 1:
        try:
            units.update(_units_of(process))
            with open(f"{PROCESSES}/{process}/stat") as file:
                process = int(file.read().rpartition(")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            raise Refused(_UNKNOWN) from None
    return units


def _units_of(process: "int | str") -> "list[str]":
    """The units in whose control groups a process runs. Raises `OSError` if it has ended."""
    with open(f"{PROCESSES}/{process}/cgroup") as file:
        paths = [line.rstrip("\n").split(":", 2) for line in file]
    return [unit for _, controller, path in paths if controller in ("", "name=systemd") for unit in _units(path)]


def _tunnels(connection: str) -> "set[str]":
    """The units of the programs through whose tunnel the bot's machine is reached."""
    units: set[str] = set()
    try:
        holders = tunnel_processes(connection.partition(" ")[0])
    except OSError:
        raise Refused(_UNKNOWN) from None
    for process in holders:
        try:
            units.update(_units_of(process))
        except OSError:
            continue  # it ended meanwhile, and another one has not begun yet
    return units


def _ask_for_relay(connection: str) -> "list[Started]":
    """ss(8), which says who made the other end of the connection; nothing if that is on another host."""
    words = connection.split(" ")
    if len(words) != _CONNECTION:
        raise Refused(_UNKNOWN)
    client, far, server, here = words
    if not comes_from_here(client, server):
        return []
    program = next((path for path in _SS if os.access(path, os.X_OK)), None)
    if program is None:
        raise Refused(_UNKNOWN)
    filter_ = f"( sport = :{far} and dport = :{here} )"
    return [Started([program, "-H", "-t", "-n", "-a", "--cgroup", filter_])]


def _relays(lines: "list[str]") -> "set[str]":
    """The units in whose control groups the other end was made.

    In a container that shares the network of its machine, it may be a process of the machine, which is no unit here.
    """
    makers = [line.split()[-1] for line in lines]
    in_container = os.path.exists(_CONTAINER)
    known = [maker.startswith("cgroup:/") or (in_container and maker.startswith("cgroup:unreach")) for maker in makers]
    if not makers or not all(known):
        raise Refused(_UNKNOWN)
    return {unit for maker in makers for unit in _units(maker)}


def _units(path: str) -> "list[str]":
    return [part for part in path.split("/") if part.endswith((".service", ".socket", ".scope", ".slice"))]
