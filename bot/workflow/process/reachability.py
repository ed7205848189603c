"""Reachability: which hosts did not answer at the last try, so that people can be told before they ask."""

import threading
from collections.abc import Collection

from bot.core.hosts.inventory import Host
from bot.core.policy.home import UnreachableHost
from bot.core.systemd.guard import Note
from bot.errors import HostError, OutcomeUnknown
from bot.ports import Clock, CommandResult, Hosts


class Reachability:
    """Kept in memory: it is what this process has seen, and a new process starts empty."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lost: dict[str, UnreachableHost] = {}

    def mark_answered(self, host: str) -> None:
        """The host answered."""
        with self._lock:
            self._lost.pop(host, None)

    def mark_unreachable(self, lost: UnreachableHost) -> None:
        """The host did not answer; the time of the first failure is kept."""
        with self._lock:
            first = self._lost.get(lost.host, lost)
            self._lost[lost.host] = UnreachableHost(lost.host, first.since, lost.why)

    def unreachable(self, known: Collection[str]) -> tuple[UnreachableHost, ...]:
        """Those of these hosts that did not answer, by name."""
        with self._lock:
            lost = dict(self._lost)
        return tuple(lost[host] for host in sorted(known) if host in lost)


class TrackedHosts:
    """Implements `ports.Hosts`: passes everything on, and notes which hosts answered."""

    def __init__(self, hosts: Hosts, reach: Reachability, clock: Clock) -> None:
        self._hosts = hosts
        self._reach = reach
        self._clock = clock

    def run(
        self,
        host: Host,
        argv: tuple[str, ...],
        *,
        deadline: float,
        note: Note | None = None,
        then: tuple[str, ...] = (),
    ) -> CommandResult:
        """Run one command. Raises what the hosts raise."""
        try:
            reply = self._hosts.run(host, argv, deadline=deadline, note=note, then=then)
        except (HostError, OutcomeUnknown) as error:
            self._reach.mark_unreachable(UnreachableHost(host.name, self._clock.now(), str(error)))
            raise
        self._reach.mark_answered(host.name)
        return reply
