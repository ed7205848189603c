"""Record the commands and looks sent to the hosts, and let tests interfere in between."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bot.core.hosts.inventory import Host
from bot.core.systemd.look import parse_look
from bot.core.systemd.systemctl import PROBE
from bot.core.systemd.units import ActiveState, FileKind, Layer, LoadState, Snapshot, UnitName
from bot.errors import HostError, OutcomeUnknown
from bot.ports import CommandResult, Hosts

LOOK, SCAN = "maskbot-look", "maskbot-scan"
_LINKS = {"/usr/bin/ln": "mask", "/usr/bin/find": "unmask"}
_PLACES = {"/run/systemd/": Layer.RUNTIME, "/run/user/": Layer.RUNTIME, "/etc/systemd/system.control/": Layer.CONTROL}


@dataclass(frozen=True, slots=True)
class Call:
    """One command and its answer; no answer if the connection was cut."""

    host: str
    argv: tuple[str, ...]
    reply: CommandResult | None = None

    @property
    def verb(self) -> str:
        """The kind of root command; empty for a look, `probe` and `unprobe` for a mask of no unit."""
        words = [word for word in self.argv if not word.startswith("-")]
        if self.argv[0] != "sudo" or "status" in words:
            return ""
        known = ("mask", "stop", "kill", "start", "reset-failed", "daemon-reload")
        verb = next((_LINKS.get(word, word) for word in words if word in known or word in _LINKS), "")
        return {"mask": "probe", "unmask": "unprobe"}[verb] if self._named == str(PROBE) else verb

    @property
    def unit(self) -> str:
        """The unit of the command; a reload concerns all units."""
        if LOOK in self.argv:
            return self.argv[self.argv.index(LOOK) + 1]
        return "" if self.verb == "daemon-reload" else self._named

    @property
    def _named(self) -> str:
        path = next((word for word in self.argv if word.startswith(("/etc/", "/run/", "/home/"))), self.argv[-1])
        return path.rpartition("/")[2]

    @property
    def layer(self) -> Layer:
        """The layer in which a mask is made or removed."""
        found = (layer for word in self.argv for start, layer in _PLACES.items() if word.startswith(start))
        return Layer.RUNTIME if "--runtime" in self.argv else next(found, Layer.PERSISTENT)

    @property
    def seen(self) -> Snapshot | None:
        """The result of a look."""
        if LOOK not in self.argv or self.reply is None:
            return None
        try:
            return parse_look(self.reply.stdout, UnitName(self.unit))
        except HostError:  # the host said why it could not answer
            return None


Trouble = Callable[[Call], None]


class Wire:
    """Implements `ports.Hosts`: passes everything on, records it, and calls a test's hooks."""

    def __init__(self, hosts: Hosts) -> None:
        self._hosts = hosts
        self._lock = threading.Lock()
        self.calls: list[Call] = []
        self.before: list[Trouble] = []
        self.after: list[Trouble] = []

    def run(self, host: Host, argv: tuple[str, ...], *, deadline: float) -> CommandResult:
        call = Call(host.name, argv)
        for interfere in list(self.before):
            interfere(call)
        try:
            reply = self._hosts.run(host, argv, deadline=deadline)
        except OutcomeUnknown:
            self._keep(call)
            raise
        except HostError:
            raise  # it was not sent
        call = Call(host.name, argv, reply)
        self._keep(call)
        for interfere in list(self.after):
            interfere(call)
        return reply

    def _keep(self, call: Call) -> None:
        with self._lock:
            self.calls.append(call)

    def verbs(self, host: str = "") -> list[str]:
        """The root commands, in order."""
        return [call.verb for call in self.calls if call.verb and host in ("", call.host)]


def not_needed(calls: list[Call]) -> Iterator[str]:
    """Every command that was sent without a look at its unit just before it that showed the need for it.

    Other requests may look at other units of the host meanwhile; a reload belongs to the unit that is being changed.
    """
    newest: dict[tuple[str, str], Snapshot | None] = {}
    changing: dict[str, str] = {}
    looked: dict[str, str] = {}
    verbs: dict[str, str] = {}
    for call in calls:
        if LOOK in call.argv:
            newest[call.host, call.unit] = call.seen
            looked[call.host] = call.unit
            # a process that takes over from a dead one may begin with a reload
            changing.setdefault(call.host, call.unit)
        elif call.verb and call.verb != "unprobe":  # a probe is removed again, whatever a look shows
            unit = looked.get(call.host, "") if call.verb == "probe" else call.unit or changing.get(call.host, "")
            if (call.host, unit) not in newest:  # a neighbour that is restored with the unit
                unit = changing.get(call.host, "")
            changing[call.host], last_verb, verbs[call.host] = unit, verbs.get(call.host), call.verb
            seen = newest.pop((call.host, unit), None)
            if seen is None:
                yield f"{call.argv} was sent without a look before it"
            elif not _is_needed(call, seen) and not (call.verb == "daemon-reload" and last_verb == "unmask"):
                yield f"{call.argv} was sent although the look showed {seen}"


def _is_needed(call: Call, seen: Snapshot) -> bool:
    match call.verb:
        case "mask":
            return seen.layer(call.layer).kind is FileKind.ABSENT
        case "unmask":
            return seen.layer(call.layer).kind is FileKind.MASK
        case "stop":
            return not seen.active.is_down
        case "kill":
            return seen.active is ActiveState.DEACTIVATING
        case "daemon-reload":
            highest = min(seen.mask_layers, key=list(Layer).index, default=None)
            return not seen.is_masked or highest is None or seen.fragment != seen.layer(highest).path
        case "start" if call.unit == str(seen.id) and seen.mask_layers:
            return seen.load is LoadState.MASKED
        case _:
            return True
