"""Receive Slack's payloads over Socket Mode, so that no port is open."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from http.client import HTTPException
from socket import SHUT_RDWR
from socket import socket as Socket
from threading import Condition
from time import sleep, time
from typing import Any

import structlog
from slack_bolt import App, BoltRequest, BoltResponse
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_bolt.adapter.socket_mode.internals import build_headers, send_response
from slack_bolt.error import BoltError
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.socket_mode.client import BaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest

from bot.edges import metrics
from bot.edges.slack.channel import slack_error
from bot.errors import SlackError

log = structlog.get_logger()
LISTENERS = 32  # payloads recorded at one time; with the defaults, acknowledgements came late under load (measured)
GREETING = 5.0  # seconds until Slack greets on a new connection, before another one is tried
_BEHIND_THE_END = 0.1  # seconds
PING_INTERVAL = 1.0  # seconds; a dead connection is noticed after six; with the default it took a minute (measured)


BlockFactory = Callable[[], AbstractContextManager[None]]


class _Punctual(App):
    """A Bolt app; a payload counts as waiting until its acknowledgement is known."""

    def __init__(self, client: WebClient, payload_waiting: BlockFactory) -> None:
        # Without a name Bolt looks for the caller's through the source of all that is imported (20 ms and more).
        super().__init__(name="maskbot", client=client, process_before_response=True)
        self._payload_waiting = payload_waiting

    def dispatch(self, req: BoltRequest) -> BoltResponse:
        with self._payload_waiting():
            return super().dispatch(req)


def application(client: WebClient, *, payload_waiting: BlockFactory = nullcontext) -> App:
    """A Bolt app that acknowledges when its listener has ended, and never before.

    An event that could not be recorded is not acknowledged either, and Slack delivers it again. Raises `SlackError`.
    """
    try:
        return _Punctual(client, payload_waiting)
    except (BoltError, SlackClientError, HTTPException, OSError) as error:
        raise _unreachable(error) from error


def dispatch(app: App, body: Mapping[str, Any], headers: Mapping[str, str | Sequence[str]]) -> BoltResponse:
    """The handlers' answer to a payload. One that Bolt itself cannot read is acknowledged: it would only come again."""
    try:
        return app.dispatch(BoltRequest(mode="socket_mode", body=dict(body), headers=dict(headers)))
    except Exception as error:  # the last resort: Bolt reads much of a payload before any handler sees it
        log.error("payload.not_readable", error=type(error).__name__)
        return BoltResponse(status=200, body="")


class _Unhurried:
    """A socket that is not read again at once behind its end.

    The SDK reads on until its monitor notices the end, after six seconds: meanwhile a whole core is busy (measured).
    """

    def __init__(self, socket: Socket) -> None:
        self._socket = socket

    def recv(self, size: int) -> bytes:
        """Read; behind the end, nothing, after a pause."""
        read = self._socket.recv(size)
        if not read:
            sleep(_BEHIND_THE_END)
        return read

    def __getattr__(self, name: str) -> Any:
        return getattr(self._socket, name)


class SocketMode:
    """The connection over which payloads come in; it reconnects by itself.

    It counts as connected once Slack has sent its greeting: earlier payloads are not sent here. The greeting says how
    many connections there are. `crowded` is called with their number if there are more than `most`, one for each bot,
    because Slack sends each payload to any one of them.
    """

    def __init__(
        self,
        app: App,
        *,
        app_token: str,
        most: int = 1,
        crowded: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._app = app
        self._handler = SocketModeHandler(app, app_token, ping_interval=PING_INTERVAL, concurrency=LISTENERS)
        self._handler.client.socket_mode_request_listeners[:] = [self._take]
        self._handler.client.message_listeners.append(self._hear)
        self._most = most
        self._crowded = crowded
        self._is_crowded = False
        self._has_connected = False
        self._greeted: str | None = None  # the connection on which Slack has greeted last
        self._has_greeted = Condition()

    def _take(self, client: BaseSocketModeClient, payload: SocketModeRequest) -> None:
        with metrics.time_acknowledgement():
            answer = dispatch(self._app, payload.payload, build_headers(payload) or {})
            send_response(client, payload, answer, time())

    def _hear(self, _client: object, frame: Mapping[str, Any], _raw: str | None) -> None:
        """Handle Slack's greeting. Too many connections are reported once, until their number is right again."""
        if frame.get("type") != "hello":
            return
        session = self._handler.client.current_session
        if session and session.sock and not isinstance(session.sock, _Unhurried):
            session.sock = _Unhurried(session.sock)  # type: ignore[assignment]
        with self._has_greeted:
            self._greeted = self._handler.client.session_id()
            self._has_greeted.notify_all()
        self._count(int(frame.get("num_connections") or 0))

    def _count(self, count: int) -> None:
        """Report once that there are too many connections; again, if their number was right in between.

        A later connection may be counted beside the one that it replaces, the first one may not.
        """
        allowed, self._has_connected = self._most + self._has_connected, True
        is_news = count > allowed and not self._is_crowded
        self._is_crowded = is_news or (self._is_crowded and count > self._most)
        if is_news:
            self._crowded(count)

    def connect(self) -> None:
        """Connect, and wait for the greeting. Raises `SlackError` if Slack gives no address or does not greet."""
        try:
            self._close_the_last_one()
            self._handler.client.connect_to_new_endpoint(force=True)
        except SlackApiError as error:
            raise slack_error(error.response, "the app token") from error
        except (SlackClientError, HTTPException, OSError) as error:
            raise _unreachable(error) from error
        with self._has_greeted:
            if not self._has_greeted.wait_for(lambda: self.is_connected, GREETING):
                raise _unreachable(TimeoutError())

    def _close_the_last_one(self) -> None:
        """Close what is left of the last connection before the SDK does.

        If the SDK makes a new connection while its monitor closes the last one, the slower of both fails, and the new
        connection is lost.
        """
        session = self._handler.client.current_session
        if session:
            with suppress(AttributeError):
                session.close()

    @property
    def is_connected(self) -> bool:
        """Whether payloads can come in now."""
        client = self._handler.client
        return bool(client.is_connected()) and client.session_id() == self._greeted

    @property
    def state(self) -> str:
        """The state of the connection, for people."""
        return "connected" if self.is_connected else "not connected"

    def close(self) -> None:
        """Stop accepting, and finish the payloads that came in."""
        client = self._handler.client
        client.auto_reconnect_enabled = False
        session = client.current_session
        reading = session.sock if session else None
        if reading:
            with suppress(OSError):
                # the SDK only closes the socket, which does not wake the thread that reads from it
                reading.shutdown(SHUT_RDWR)
        client.closed = True
        client.message_queue.put(None)  # wakes the thread that hands payloads on, which waits a second for each
        client.close()


def _unreachable(error: Exception) -> SlackError:
    return SlackError(f"No connection to Slack ({type(error).__name__}).", code="unreachable", passing=True)
