"""Record the commands and looks sent to the hosts, and let tests interfere in between."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from time import monotonic

from bot.core.hosts.inventory import Host
from bot.core.systemd.guard import Note
from bot.core.systemd.look import parse_look
from bot.core.systemd.units import ActiveState, FileKind, Layer, LoadState, Snapshot, UnitName
from bot.errors import HostError, OutcomeUnknown
from bot.ports import CommandResult, Hosts

LOOK, SCAN = "look", "scan"
_VERBS = {
    "link": "mask",
    "unlink": "unmask",
    "unlink-foreign": "unmask",
    "reload": "daemon-reload",
    "try-start": "start",
}
_PLAIN = ("stop", "kill", "start", "reset-failed", "probe")
_WITH_A_LAYER = ("link", "unlink", "unlink-foreign", "look")  # the second word is a layer, or a size


def first_time() -> Callable[[], bool]:
    """True for the first who asks, and false from then on: commands to several hosts are sent at the same time."""
    asked = threading.Lock()
    return lambda: asked.acquire(blocking=False)


@dataclass(frozen=True, slots=True)
class Call:
    """One command and its answer; no answer if the connection was cut.

    `at` is when a command was sent, and when a look was over: one that another thread takes while the command is under
    way is no look before it.
    """

    host: str
    argv: tuple[str, ...]
    reply: CommandResult | None = None
    at: float = 0.0

    @property
    def words(self) -> tuple[str, ...]:
        """The words for the guard, whoever's manager they are about."""
        return self.argv[3:] if self.argv[1] == "--user" else self.argv[1:]

    @property
    def verb(self) -> str:
        """The kind of root command in systemctl's words; empty for a look, `probe` for a mask of no unit."""
        word = self.words[0]
        return _VERBS.get(word, word if word in _PLAIN else "")

    @property
    def unit(self) -> str:
        """The unit of the command; a reload and a probe concern none."""
        if self.words[0] in ("reload", "probe", "scan", "units"):
            return ""
        return self.words[2 if self.words[0] in _WITH_A_LAYER else 1]

    @property
    def layer(self) -> Layer:
        """The layer in which a mask is made or removed."""
        return Layer(self.words[1])

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

    def run(
        self,
        host: Host,
        argv: tuple[str, ...],
        *,
        deadline: float,
        note: Note | None = None,
        then: tuple[str, ...] = (),
    ) -> CommandResult:
        call = Call(host.name, argv)
        for interfere in list(self.before):
            interfere(call)
        sent = monotonic()
        try:
            reply = self._hosts.run(host, argv, deadline=deadline, note=note, then=then)
        except OutcomeUnknown:
            self._keep(replace(call, at=sent))
            raise
        except HostError:
            raise  # it was not sent
        call = Call(host.name, argv, reply, at=sent if call.verb else monotonic())
        self._keep(call)
        hooks = list(self.after)
        for interfere in hooks:
            interfere(call)
        if hooks:
            return replace(reply, look="")  # what a test does after the command, the next look is to see
        if reply.look:
            self._keep(Call(host.name, then, replace(reply, argv=then, stdout=reply.look, look=""), monotonic()))
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
    newest: dict[tuple[str, str], Call] = {}  # of many looks only those before a command are read
    changing: dict[str, str] = {}
    looked: dict[str, str] = {}
    verbs: dict[str, str] = {}
    for call in sorted(calls, key=lambda call: call.at):
        if LOOK in call.argv:
            newest[call.host, call.unit] = call
            looked[call.host] = call.unit
            # a process that takes over from a dead one may begin with a reload
            changing.setdefault(call.host, call.unit)
        elif call.verb:
            unit = looked.get(call.host, "") if call.verb == "probe" else call.unit or changing.get(call.host, "")
            at = looked.get(call.host, "")
            last = newest.get((call.host, at)) if unit != at else None
            if last and (shown := last.seen) and unit in shown.names:
                unit = at  # the look was about another of its names
            elif (call.host, unit) not in newest:  # a related unit that is restored with the unit
                unit = changing.get(call.host, "")
            changing[call.host], last_verb, verbs[call.host] = unit, verbs.get(call.host), call.verb
            look = newest.pop((call.host, unit), None)
            seen = look.seen if look else None
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
