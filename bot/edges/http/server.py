"""The HTTP server for one local address: slow and broken clients delay nobody else.

One thread of waitress reads requests from all connections; only a complete request takes one of the threads that
answer.
"""

import socket
import threading
import time
from dataclasses import dataclass
from typing import Any
from wsgiref.types import WSGIApplication

from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.server import create_server

from bot.errors import ConfigError

_TICK = 1.0  # seconds between two checks for slow connections
_GRACE = 0.02  # until a connection has asked something, in which it is not closed for others
_SPARE = 20  # connections more than the limit, until the oldest idle ones are closed for them


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """Limits for one request's size and time of arrival, and for the number of connections."""

    body: int = 1024 * 1024  # bytes; Slack's longest payload, a form or a card with all its blocks, has half of that
    header: int = 16 * 1024
    arrival: float = 10  # seconds
    idle: float = 120  # for an idle connection that the proxy keeps open
    connections: int = 100


class _Request(HTTPRequestParser):
    """A request whose numbers and addresses may be none: waitress would log each as an error of its own, unanswered."""

    def parse_header(self, header_plus: bytes) -> None:
        """Raises `ParsingError`, which is answered with 400."""
        try:
            super().parse_header(header_plus)
        except ValueError:
            raise ParsingError("Bad request") from None


class _Channel(HTTPChannel):
    """A connection."""

    parser_class = _Request


class Listener:
    """Listens on one address, and passes requests to an application."""

    def __init__(
        self, application: WSGIApplication, address: tuple[str, int], *, limits: HttpLimits, threads: int
    ) -> None:
        self._application = application
        self._address = address
        self._limits = limits
        self._threads = threads
        self._connections: dict[int, Any] = {}  # and waitress's own two pipe ends, by file descriptor
        self._arriving: dict[HTTPRequestParser, float] = {}  # since when
        self._ended = threading.Event()
        self._is_woken = threading.Event()
        self._thread: threading.Thread | None = None

    def open(self) -> None:
        """Start listening. Raises `ConfigError` if the address is not available."""
        self._listening = self._bind()
        self._server = create_server(
            self._application,
            map=self._connections,
            sockets=[self._listening],
            threads=self._threads,
            connection_limit=self._limits.connections + _SPARE,
            max_request_body_size=self._limits.body,
            max_request_header_size=self._limits.header,
            channel_timeout=self._limits.idle,
            cleanup_interval=_TICK,
            log_socket_errors=False,
            ident=None,
        )
        self._server.channel_class = _Channel  # type: ignore[union-attr] # one socket, so one server
        self._thread = threading.Thread(target=self._serve, name="http", daemon=True)
        self._thread.start()

    def _bind(self) -> socket.socket:
        family = socket.AF_INET6 if ":" in self._address[0] else socket.AF_INET
        try:
            return socket.create_server(self._address, family=family)
        except OSError as error:
            raise ConfigError(f"The bot cannot listen on {_as_text(self._address)}: {error.strerror}.") from error

    @property
    def port(self) -> int:
        """The port it listens on: the configured one, or a free one."""
        return int(self._listening.getsockname()[1])

    @property
    def is_open(self) -> bool:
        """Whether the server can answer now, as far as this machine can tell."""
        return self._thread is not None and self._thread.is_alive() and not self._ended.is_set()

    @property
    def place(self) -> str:
        """The address it listens on, for people."""
        return _as_text((self._address[0], self.port))

    def close(self) -> None:
        """Stop accepting, and finish the requests that came in."""
        if self._thread is None or self._ended.is_set():
            return
        # The serving thread may run this before it is woken, when a request ends at the same moment. It must not close
        # the pipe before we have written to it: the number may belong to another file by then.
        self._server.trigger.pull_trigger(self._ended.set)  # type: ignore[union-attr] # one socket, so one server
        self._is_woken.set()
        self._thread.join()

    def _serve(self) -> None:
        has_room = True
        while not self._ended.is_set():
            timeout = _TICK if has_room else _GRACE
            wasyncore.loop(timeout=timeout, use_poll=True, map=self._connections, count=1)
            self._drop_what_is_slow()
            has_room = self._make_room()
        self._is_woken.wait()
        self._listening.close()
        self._server.task_dispatcher.shutdown()
        wasyncore.close_all(self._connections)

    def _drop_what_is_slow(self) -> None:
        """Close connections whose request is too slow; waitress checks only for silence, so a slow drip would stay."""
        now = time.monotonic()
        channels = [one for one in self._connections.values() if isinstance(one, HTTPChannel) and one.request]
        self._arriving = {one.request: self._arriving.get(one.request, now) for one in channels if one.request}
        for channel in channels:
            if channel.request and now - self._arriving[channel.request] > self._limits.arrival:
                channel.will_close = True

    def _make_room(self) -> bool:
        """If there are too many connections, close those that have asked nothing, or not all of it, for longest.

        A connection whose whole request came in is not closed before it has its answer. Return whether there is room.
        """
        channels = [one for one in self._connections.values() if isinstance(one, HTTPChannel) and not one.will_close]
        too_many = len(channels) - self._limits.connections
        if too_many <= 0:
            return True
        since, latest = self._waits_since, time.monotonic() - _GRACE
        idle = [one for one in channels if not one.requests and not one.total_outbufs_len and since(one) < latest]
        for channel in sorted(idle, key=since)[:too_many]:
            channel.will_close = True
        return len(idle) >= too_many

    def _waits_since(self, channel: HTTPChannel) -> float:
        """Since when the connection is silent, or since when its request is arriving."""
        silent = time.monotonic() - (time.time() - channel.last_activity)
        return self._arriving.get(channel.request, silent) if channel.request else silent


def _as_text(address: tuple[str, int]) -> str:
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
