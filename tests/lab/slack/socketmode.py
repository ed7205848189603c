"""Deliver envelopes between stand-in and bots: one connection there, any number of bots here."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol
from uuid import uuid4

from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType, web

from tests.lab.slack.envelopes import Envelopes
from tests.lab.slack.workspace import APP, APP_TOKEN, Json

Match = Callable[[Json], bool]


@dataclass(frozen=True, slots=True)
class Ack:
    """The acknowledgement of one envelope, and its delay at the socket; `millis` None: never."""

    millis: float | None = None
    said: Json | None = None

    @property
    def in_time(self) -> bool:
        """Slack tells the person after 3 s that the action failed."""
        return self.millis is not None and self.millis <= 3000


@dataclass(slots=True)
class _Sent:
    envelope: Json
    at: float
    waiting: "asyncio.Future[Ack] | None"


class Bot(Protocol):
    """The receiver of envelopes."""

    async def take(self, envelope: Json) -> None:
        """Deliver an envelope."""

    async def leave(self, reason: str) -> None:
        """Announce, as Slack does, that this connection will be closed; clients then open another."""

    def drop(self) -> None:
        """Cut it without an announcement."""


@dataclass(slots=True, eq=False)
class _Connection:
    """A bot's Socket Mode connection; a silent one is dead, and neither side has noticed."""

    request: web.BaseRequest
    socket: web.WebSocketResponse
    is_silent: bool = False

    async def take(self, envelope: Json) -> None:
        if self.is_silent:
            return
        with suppress(ConnectionError):
            await self.socket.send_json(envelope)

    async def leave(self, reason: str) -> None:
        await self.socket.send_json({"type": "disconnect", "reason": reason, "debug_info": {"host": "maskbot-lab"}})
        if reason != "warning":  # which comes ten seconds before
            await self.socket.close()

    def silence(self) -> None:
        self.is_silent = True
        if isinstance(self.request.transport, asyncio.Transport):
            self.request.transport.pause_reading()

    def drop(self) -> None:
        if self.request.transport is not None:
            self.request.transport.abort()


class SocketMode:
    """The bots' connections, used only in the proxy's thread."""

    def __init__(self, standin: ClientSession, rules: Envelopes, home: Callable[[], Json]) -> None:
        self.sent: list[Json] = []  # every envelope that was sent
        self.copies: list[int] = []  # how many copies of each of the next envelopes
        self.acks_to_lose = 0
        self.counts: list[int] = []  # numbers of connections, at each change
        self._standin = standin
        self._rules = rules
        self._home = home
        self._tickets: set[str] = set()
        self._bots: list[Bot] = []
        self._pending: dict[str, _Sent] = {}
        self._expected: list[tuple[Match, asyncio.Future[Ack]]] = []
        self._source: ClientWebSocketResponse | None = None
        self._pump: asyncio.Task[None] | None = None
        self._opening = asyncio.Lock()
        self.accepted = 0  # connections so far, with or without a greeting
        self.greets = asyncio.Event()
        self.greets.set()

    @property
    def connections(self) -> int:
        """How many bots are connected."""
        return len(self._bots)

    def ticket(self) -> str:
        """The path of a connection that may be opened once (apps.connections.open)."""
        ticket = uuid4().hex
        self._tickets.add(ticket)
        return f"/socket/{ticket}"

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Serve one bot, from its greeting to its end."""
        try:
            self._tickets.remove(request.match_info["ticket"])
        except KeyError:
            return web.Response(status=404)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.accepted += 1
        await self.greets.wait()
        bot = _Connection(request, socket)
        await self.join(bot)
        try:
            await socket.send_json(self._hello())
            async for frame in socket:
                if frame.type is WSMsgType.TEXT:
                    await self.acknowledged(frame.json())
        finally:
            if bot in self._bots:
                self._bots.remove(bot)
                self.counts.append(len(self._bots))
            await self._leave_source()
        return socket

    async def join(self, bot: Bot) -> None:
        """Deliver envelopes to this bot too from now on; a dead connection is noticed at last."""
        await self._open_source()
        for dead in [one for one in self._bots if isinstance(one, _Connection) and one.is_silent]:
            dead.drop()
            self._bots.remove(dead)
        self._bots.append(bot)
        self.counts.append(len(self._bots))

    def _hello(self) -> Json:
        debug = {"host": "maskbot-lab", "started": datetime.now(UTC).isoformat(), "approximate_connection_time": 18060}
        about = {"num_connections": len(self._bots), "connection_info": {"app_id": APP}}
        return {"type": "hello", **about, "debug_info": debug}

    async def _open_source(self) -> None:
        async with self._opening:
            if self._source is not None and not self._source.closed:
                return
            headers = {"Authorization": f"Bearer {APP_TOKEN}"}
            async with self._standin.post("/api/apps.connections.open", headers=headers) as answer:
                address = (await answer.json())["url"]
            self._source = await self._standin.ws_connect("/socket/" + address.rpartition("/")[2])
            self._pump = asyncio.create_task(self._pass_on(self._source))

    async def _leave_source(self) -> None:
        """Tell the stand-in that no bot is connected any more, unless one is by now."""
        async with self._opening:
            if not self._bots:
                await self.close_source()

    async def close_source(self) -> None:
        """The stand-in sends nothing more."""
        source, pump, self._source, self._pump = self._source, self._pump, None, None
        if source is not None:
            await source.close()
        if pump is not None:
            pump.cancel()
            with suppress(asyncio.CancelledError):
                await pump

    async def _pass_on(self, source: ClientWebSocketResponse) -> None:
        async for frame in source:
            if frame.type is not WSMsgType.TEXT:
                continue
            envelope = frame.json()
            if "envelope_id" not in envelope:
                continue  # its greeting
            wanted = self._rules.to_bot(envelope, self._home())
            if wanted is None:
                await source.send_json({"envelope_id": envelope["envelope_id"]})
            else:
                await self.deliver(wanted)

    def expect(self, match: Match) -> "asyncio.Future[Ack]":
        """The acknowledgement of the next envelope that matches."""
        waiting: asyncio.Future[Ack] = asyncio.get_running_loop().create_future()
        self._expected.append((match, waiting))
        return waiting

    def forget(self, waiting: "asyncio.Future[Ack]") -> None:
        """Stop waiting for it."""
        self._expected = [pair for pair in self._expected if pair[1] is not waiting]
        waiting.cancel()

    async def deliver(self, envelope: Json) -> None:
        """Send it to one bot, in turn; `copies` says how often."""
        match = next((pair for pair in self._expected if pair[0](envelope)), None)
        if match:
            self._expected.remove(match)
        self._pending[envelope["envelope_id"]] = _Sent(envelope, time.monotonic(), match[1] if match else None)
        self.sent.append(envelope)
        for _ in range(self.copies.pop(0) if self.copies else 1):
            if not self._bots:
                return
            bot = self._bots.pop(0)
            self._bots.append(bot)
            await bot.take(envelope)

    async def acknowledged(self, frame: Json) -> None:
        """A bot has answered an envelope."""
        sent = self._pending.get(frame.get("envelope_id", ""))
        if sent is None:
            return
        if self.acks_to_lose:
            self.acks_to_lose -= 1
            return
        said = frame.get("payload") or {}
        del self._pending[frame["envelope_id"]]
        if sent.waiting is not None and not sent.waiting.done():
            sent.waiting.set_result(Ack((time.monotonic() - sent.at) * 1000, said))
        answer = {"envelope_id": frame["envelope_id"]}
        if kept := self._rules.from_bot(sent.envelope, said):
            answer["payload"] = kept
        if self._source is not None and not self._source.closed:
            await self._source.send_json(answer)

    async def disconnect(self, reason: str) -> None:
        """Announce to every bot that its connection will be closed."""
        for bot in self._bots.copy():
            await bot.leave(reason)

    def silence(self) -> None:
        """From now on nothing passes on the connections that are open, and neither side is told."""
        for bot in self._bots:
            if isinstance(bot, _Connection):
                bot.silence()

    def drop(self) -> None:
        """Cut every connection without a word."""
        for bot in self._bots.copy():
            bot.drop()
