"""Hosts behind their guards: the one command that is ever run, with one request after another on its standard input."""

import secrets
from dataclasses import replace
from functools import partial

from bot.core.hosts.inventory import Host
from bot.core.systemd.guard import Note, frame_size, read_frame, request_line
from bot.core.systemd.host_rules import GUARD
from bot.edges.ssh.hosts import SshHosts
from bot.ports import CommandResult


class GuardedHosts:
    """Implements `ports.Hosts`."""

    def __init__(self, ssh: SshHosts) -> None:
        self._ssh = ssh
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

        A guard that has answered waits for the next request on the same connection.
        """
        identity = secrets.token_hex(8)
        given, size = (
            request_line(argv, identity, note, then, deadline=deadline).encode(),
            partial(frame_size, identity=identity),
        )
        reply = replace(self._ssh.run(host, (GUARD,), given=given, deadline=deadline, size=size), argv=argv)
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
