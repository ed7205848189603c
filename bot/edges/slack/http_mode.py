"""Slack: what people do, in over HTTP, for those who cannot use its socket. A proxy with a certificate is in front."""

from bot.edges.http.server import HttpLimits, Listener
from bot.edges.slack.http_requests import Requests
from bot.edges.slack.socket_mode import LISTENERS

__all__ = ["HttpLimits", "HttpServer"]


class HttpServer:
    """Listens on one address of this machine, and takes what Slack signed."""

    def __init__(self, requests: Requests, address: tuple[str, int], *, limits: HttpLimits) -> None:
        self._requests = requests
        self._listener = Listener(requests, address, limits=limits, threads=LISTENERS)

    def connect(self) -> None:
        """Begin to listen. Raises `ConfigError` if the address cannot be had."""
        self._listener.open()

    @property
    def port(self) -> int:
        """Where it listens: the one that was asked for, or the one that was free."""
        return self._listener.port

    @property
    def is_connected(self) -> bool:
        """Whether payloads can come in now, as far as this machine can tell."""
        return self._listener.is_open

    @property
    def state(self) -> str:
        """Where it listens, and whether Slack has found its way here."""
        if not self._listener.is_open:
            return "not listening"
        heard = self._requests.last_heard
        last = f"last heard from Slack at {heard:%Y-%m-%d %H:%M:%S} UTC" if heard else "nothing heard from Slack yet"
        refused = self._requests.refused
        return f"listening on {self._listener.place}, {last}" + (
            f"; {refused} requests without its signature" if refused else ""
        )

    def close(self) -> None:
        """Take nothing more in, and let what came in be finished."""
        self._listener.close()
