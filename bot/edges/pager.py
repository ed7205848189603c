"""The pager: one POST per page, signed, within a deadline, over https or to this machine itself."""

import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies, proxy_bypass

from bot import __version__
from bot.core.pages import Call, Format, Page, is_loopback, render, signed, why_not
from bot.errors import ConfigError, PagerError

_MOST = 4096  # bytes of an answer that are read; nothing in it is believed
_ACCEPTED = range(200, 300)


@dataclass(frozen=True, slots=True)
class Receiver:
    """Who is told: where, in which words, and what proves that it is us. Secrets are not shown."""

    url: str
    form: Format
    key: str = ""  # a routing key or an API key
    secret: str = ""  # of the signature

    def __repr__(self) -> str:
        return f"Receiver({urlsplit(self.url).hostname}, {self.form})"


class Webhook:
    """Meets `ports.Pager`. One call at a time, so that a receiver that hangs holds up one speaker and no more."""

    def __init__(
        self,
        receiver: Receiver,
        *,
        now: Callable[[], datetime],
        deadline: float = 10.0,
        context: ssl.SSLContext | None = None,
    ) -> None:
        if wrong := why_not(receiver.url):
            raise ConfigError(f"The pager's address {wrong}.")
        self._receiver = receiver
        self._now = now
        self._deadline = deadline
        self._context = context or ssl.create_default_context()
        self._busy = threading.Lock()

    def page(self, page: Page) -> None:
        """Tell the receiver of pages. Raises `PagerError`."""
        now, to = self._now(), self._receiver
        call = render(page, to.form, url=to.url, key=to.key, now=now)
        headers = {"Content-Type": "application/json", "User-Agent": f"maskbot/{__version__}", **call.headers}
        if to.secret:
            headers |= signed(call.body, to.secret, now)
        if not self._busy.acquire(blocking=False):
            raise PagerError("Another page is being sent.", code="busy", retry_after=1.0)
        try:
            self._post(call, headers)
        finally:
            self._busy.release()

    def _post(self, call: Call, headers: Mapping[str, str]) -> None:
        address = urlsplit(call.url)
        with closing(self._connection(address)) as connection:
            overrun = threading.Timer(self._deadline, _cut, [connection])
            overrun.start()
            try:
                path = address.path + (f"?{address.query}" if address.query else "")
                connection.request("POST", path or "/", call.body, dict(headers))
                answer = connection.getresponse()
                answer.read(_MOST)
            except (OSError, HTTPException) as error:
                raise PagerError(f"The pager could not be reached ({_why(error)}).", code="unreachable") from error
            finally:
                overrun.cancel()
        if answer.status not in _ACCEPTED:
            raise PagerError(
                f"The pager answered {answer.status}.", code=f"http_{answer.status}", retry_after=_retry_after(answer)
            )

    def _connection(self, address: SplitResult) -> HTTPConnection:
        """Straight to a receiver on this machine, else through the proxy that the environment names."""
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


def _cut(connection: HTTPConnection) -> None:
    """End a call that takes too long, whatever it waits for."""
    with suppress(OSError, AttributeError):
        connection.sock.shutdown(socket.SHUT_RDWR)


def _why(error: Exception) -> str:
    """Never what the address or a header held."""
    return type(error).__name__ if not isinstance(error, OSError) else error.strerror or type(error).__name__


def _retry_after(answer: HTTPResponse) -> float | None:
    with suppress(ValueError):
        return min(300.0, max(1.0, float(answer.headers.get("Retry-After", ""))))
    return None
