"""An HTTP server for one address of this machine: slow and broken clients keep nobody else from being answered.

One thread of waitress reads requests from all connections; only what has come as a whole takes one of the threads that
answer it.
"""

import socket
import threading
import time
from dataclasses import dataclass
from typing import Any
from wsgiref.types import WSGIApplication

from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import create_server

from bot.errors import ConfigError

_TICK = 1.0  # seconds between two looks at what is slow


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """How much one request may be, how long it may take to arrive, how many connections there may be."""

    body: int = 1024 * 1024  # bytes; Slack's longest, a form or a card with all its blocks, is half of it
    header: int = 16 * 1024
    arrival: float = 10  # seconds
    idle: float = 120  # for a connection that the proxy keeps open
    connections: int = 100


class Listener:
    """Listens on one address, and gives what comes to an application."""

    def __init__(
        self, application: WSGIApplication, address: tuple[str, int], *, limits: HttpLimits, threads: int
    ) -> None:
        self._application = application
        self._address = address
        self._limits = limits
        self._threads = threads
        self._connections: dict[int, Any] = {}  # and waitress's own two ends, by file descriptor
        self._arriving: dict[HTTPRequestParser, float] = {}  # since when
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def open(self) -> None:
        """Begin to listen. Raises `ConfigError` if the address cannot be had."""
        self._door = self._bound()
        self._server = create_server(
            self._application,
            map=self._connections,
            sockets=[self._door],
            threads=self._threads,
            connection_limit=self._limits.connections,
            max_request_body_size=self._limits.body,
            max_request_header_size=self._limits.header,
            channel_timeout=self._limits.idle,
            cleanup_interval=_TICK,
            log_socket_errors=False,
            ident=None,
        )
        self._thread = threading.Thread(target=self._serve, name="http", daemon=True)
        self._thread.start()

    def _bound(self) -> socket.socket:
        family = socket.AF_INET6 if ":" in self._address[0] else socket.AF_INET
        try:
            return socket.create_server(self._address, family=family)
        except OSError as error:
            raise ConfigError(f"The bot cannot listen on {_shown(self._address)}: {error.strerror}.") from error

    @property
    def port(self) -> int:
        """Where it listens: the one that was asked for, or the one that was free."""
        return int(self._door.getsockname()[1])

    @property
    def is_open(self) -> bool:
        """Whether somebody can be answered now, as far as this machine can tell."""
        return self._thread is not None and self._thread.is_alive() and not self._ended.is_set()

    @property
    def place(self) -> str:
        """Where it listens, for people."""
        return _shown((self._address[0], self.port))

    def close(self) -> None:
        """Take nothing more in, and let what came in be answered."""
        if self._thread is None or self._ended.is_set():
            return
        # The thread that serves ends once it reads this; ended from here, it could close the pipe before we write.
        self._server.trigger.pull_trigger(self._ended.set)  # type: ignore[union-attr] # one socket, so one server
        self._thread.join()

    def _serve(self) -> None:
        while not self._ended.is_set():
            wasyncore.loop(timeout=_TICK, use_poll=True, map=self._connections, count=1)
            self._drop_what_is_slow()
        self._door.close()
        self._server.task_dispatcher.shutdown()
        wasyncore.close_all(self._connections)

    def _drop_what_is_slow(self) -> None:
        """End what does not arrive in time; waitress minds silence alone, so a drip would hold its connection."""
        now = time.monotonic()
        channels = [one for one in self._connections.values() if isinstance(one, HTTPChannel) and one.request]
        self._arriving = {one.request: self._arriving.get(one.request, now) for one in channels if one.request}
        for channel in channels:
            if channel.request and now - self._arriving[channel.request] > self._limits.arrival:
                channel.will_close = True


def _shown(address: tuple[str, int]) -> str:
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
