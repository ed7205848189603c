"""POST JSON to a configured receiver, within a fixed deadline, over https or to this machine itself."""

import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies, proxy_bypass

from bot import __version__
from bot.core.paging import is_loopback

_MOST = 4096  # bytes of an answer that are read; its content is not used
_AGAIN = 0.1  # seconds between two tries to end a call
_ACCEPTED = range(200, 300)


@dataclass(frozen=True, slots=True)
class PostResponse:
    """The receiver's HTTP answer."""

    status: int
    retry_after: float | None

    @property
    def is_accepted(self) -> bool:
        """Whether the receiver accepted it."""
        return self.status in _ACCEPTED


class ReceiverUnreachable(Exception):
    """There was no answer; the text contains nothing of the address or a header."""


class Poster:
    """Posts JSON."""

    def __init__(self, *, deadline: float, context: ssl.SSLContext | None = None) -> None:
        self._deadline = deadline
        self._context = context or ssl.create_default_context()

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> PostResponse:
        """Raises `ReceiverUnreachable`."""
        address = urlsplit(url)
        sent = {"Content-Type": "application/json", "User-Agent": f"maskbot/{__version__}", **headers}
        with closing(self._connection(address)) as connection:
            is_over = threading.Event()
            threading.Thread(target=_cut, args=(connection, self._deadline, is_over), daemon=True).start()
            try:
                path = address.path + (f"?{address.query}" if address.query else "")
                connection.request("POST", path or "/", body, sent)
                answer = connection.getresponse()
                answer.read(_MOST)
            except (OSError, HTTPException) as error:
                raise ReceiverUnreachable(_why(error)) from error
            finally:
                is_over.set()
        return PostResponse(answer.status, _retry_after(answer))

    def _connection(self, address: SplitResult) -> HTTPConnection:
        """A connection: direct to a receiver on this machine, else through the proxy that the environment names."""
        host, port = address.hostname or "", address.port
        if address.scheme == "http":
            return HTTPConnection(host, port, timeout=self._deadline)
        proxy = None if is_loopback(host) or proxy_bypass(host) else getproxies().get("https")
        if proxy is None:
            return HTTPSConnection(host, port, timeout=self._deadline, context=self._context)
        through = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        connection = HTTPSConnection(
            through.hostname or "", through.port, timeout=self._deadline, context=self._context
        )
        connection.set_tunnel(host, port)
        return connection


def _cut(connection: HTTPConnection, deadline: float, is_over: threading.Event) -> None:
    """End a call that takes too long, whatever it waits for: also for a name or for TLS, before there is a socket."""
    left = deadline
    while not is_over.wait(left):
        left = _AGAIN
        with suppress(OSError, AttributeError):
            connection.sock.shutdown(socket.SHUT_RDWR)


def _why(error: Exception) -> str:
    """Why there was no answer, without anything of the address or a header."""
    return type(error).__name__ if not isinstance(error, OSError) else error.strerror or type(error).__name__


def _retry_after(answer: HTTPResponse) -> float | None:
    with suppress(ValueError):
        return min(300.0, max(1.0, float(answer.headers.get("Retry-After", ""))))
    return None
