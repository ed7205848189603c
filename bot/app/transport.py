"""The transport of Slack's payloads: Socket Mode, or HTTP."""

from collections.abc import Callable
from typing import Protocol

from slack_bolt import App

from bot.app.compose import http_limits
from bot.edges.slack.http_mode import HttpServer
from bot.edges.slack.http_requests import SlackRequests
from bot.edges.slack.socket_mode import SocketMode
from config.manifest import REQUEST_PATH
from config.settings import Settings


class Transport(Protocol):
    """Brings Slack's payloads to the handlers."""

    def connect(self) -> None:
        """Connect. Raises `SlackError`, and `ConfigError` if this machine does not allow it."""

    @property
    def is_connected(self) -> bool:
        """Whether payloads can come in now."""

    @property
    def state(self) -> str:
        """The state of the connection, for people."""

    def close(self) -> None:
        """Stop taking payloads, and finish those that came in."""


def open_transport(settings: Settings, app: App, secret: str, *, crowded: Callable[[int], None]) -> Transport:
    """The transport that the settings name, not connected yet.

    `crowded` is called when there are too many connections.
    """
    if settings.mode == "socket":
        return SocketMode(
            app,
            app_token=secret,
            most=settings.slack_connections,
            crowded=crowded,
        )
    requests = SlackRequests(app, secret=secret, path=REQUEST_PATH)
    address = (str(settings.http_address), settings.http_port)
    return HttpServer(requests, address, limits=http_limits(settings))
