"""How what people do in Slack comes in: over a socket that the bot opens, or over HTTP."""

from collections.abc import Callable
from typing import Protocol

from slack_bolt import App

from bot.app.compose import http_limits
from bot.edges.slack.http_mode import HttpServer
from bot.edges.slack.http_requests import Requests
from bot.edges.slack.socket_mode import Socket
from config.manifest import REQUEST_PATH
from config.settings import Settings


class Transport(Protocol):
    """How what people do in Slack comes to the handlers."""

    def connect(self) -> None:
        """Open it. Raises `SlackError`, and `ConfigError` where this machine does not let us."""

    @property
    def is_connected(self) -> bool:
        """Whether payloads can come in now."""

    @property
    def state(self) -> str:
        """The same for people."""

    def close(self) -> None:
        """Take nothing more in, and let what came in be finished."""


def open_transport(settings: Settings, app: App, secret: str, *, crowded: Callable[[int], None]) -> Transport:
    """The one that the settings mean, not connected yet; `crowded` hears of more connections than there should be."""
    if settings.mode == "socket":
        return Socket(
            app,
            app_token=secret,
            most=settings.slack_connections,
            crowded=crowded,
        )
    requests = Requests(app, secret=secret, path=REQUEST_PATH)
    address = (str(settings.http_address), settings.http_port)
    return HttpServer(requests, address, limits=http_limits(settings))
