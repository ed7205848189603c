"""Hosts behind their guards: the one command that is ever run, with one request after another on its standard input."""

import secrets
from collections.abc import Callable, Collection
from dataclasses import replace
from functools import partial

from bot.core.hosts.inventory import Host
from bot.core.systemd.guard import PROTOCOLS, REFUSED, Note, frame_size, read_frame, request_line
from bot.core.systemd.host_rules import GUARD
from bot.edges.debug_line import debug
from bot.edges.ssh.hosts import SshHosts
from bot.ports import CommandResult


class GuardedHosts:
    """Implements `ports.Hosts`. Each guard is spoken to in the newest of the `protocols` that it knows."""

    def __init__(self, ssh: SshHosts, protocols: Collection[int] = PROTOCOLS) -> None:
        self._ssh = ssh
        self._protocols = protocols
        self._spoken: dict[str, int] = {}  # by the names of hosts whose guard has said that it speaks that one alone
        self.key = ssh.key

    def run(
        self,
        host: Host,
        argv: tuple[str, ...],
        *,
        deadline: float,
        note: Note | None = None,
        then: tuple[str, ...] = (),
    ) -> CommandResult:
        """Have the guard do one command. Raises what SSH raises; an answer without a frame is not the guard's.

        A guard that has answered waits for the next request on the same connection. It refuses a protocol that it does
        not speak, has done nothing then, and is asked again in its own.
        """
        spoken = self._spoken.get(host.name, max(self._protocols))
        line = partial(request_line, argv, note=note, then=then, deadline=deadline)
        change = note.request if note else ""
        reply = replace(self._ask(host, line, spoken, deadline, change), argv=argv)
        answered, _, _ = reply.guard.partition(" ")
        if answered and reply.exit_code == REFUSED and int(answered) in {*self._protocols} - {spoken}:
            self._spoken[host.name] = int(answered)
            reply = replace(self._ask(host, line, int(answered), deadline, change), argv=argv)
        debug("command", host=host.name, argv=" ".join(argv), exit_code=reply.exit_code, millis=reply.millis)
        return reply

    def _ask(self, host: Host, line: Callable[..., str], protocol: int, deadline: float, change: str) -> CommandResult:
        identity = secrets.token_hex(8)
        given, size = line(identity, protocol=protocol).encode(), partial(frame_size, identity=identity)
        reply = self._ssh.run(host, (GUARD,), given=given, deadline=deadline, size=size, change=change)
        framed = read_frame(reply.stdout, identity)
        if framed is None:
            return reply
        return replace(
            reply,
            exit_code=framed.exit_code,
            stdout=framed.stdout,
            stderr=framed.stderr,
            guard=f"{framed.protocol} {framed.version}",
            look=framed.look,
        )

    def log_in(self, host: Host) -> None:
        """Log in on a new connection. Raises `HostError` if that is not possible."""
        self._ssh.log_in(host)

    def close(self) -> None:
        """Close all connections that are not in use."""
        self._ssh.close()
