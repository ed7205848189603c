"""Receive Slack's payloads over HTTP, behind a proxy with a certificate, for those who cannot use Socket Mode."""

from bot.edges.http.server import HttpLimits, Listener
from bot.edges.slack.http_requests import SlackRequests
from bot.edges.slack.socket_mode import LISTENERS

__all__ = ["HttpLimits", "HttpServer"]


class HttpServer:
    """Listens on one local address, and accepts what Slack signed."""

    def __init__(self, requests: SlackRequests, address: tuple[str, int], *, limits: HttpLimits) -> None:
        self._requests = requests
        self._listener = Listener(requests, address, limits=limits, threads=LISTENERS)

    def connect(self) -> None:
        """Start listening. Raises `ConfigError` if the address is not available."""
        self._listener.open()

    @property
    def port(self) -> int:
        """The port it listens on: the configured one, or a free one."""
        return self._listener.port

    @property
    def is_connected(self) -> bool:
        """Whether payloads can come in now, as far as this machine can tell."""
        return self._listener.is_open

    @property
    def state(self) -> str:
        """The address, and whether a request of Slack has arrived."""
        if not self._listener.is_open:
            return "not listening"
        heard = self._requests.last_heard
        last = f"last heard from Slack at {heard:%Y-%m-%d %H:%M:%S} UTC" if heard else "nothing heard from Slack yet"
        refused = self._requests.refused
        return f"listening on {self._listener.place}, {last}" + (
            f"; {refused} requests without its signature" if refused else ""
        )

    def close(self) -> None:
        """Stop accepting, and finish the payloads that came in."""
        self._listener.close()
