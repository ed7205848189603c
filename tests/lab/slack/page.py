"""The web page, seen through the proxy: each page acts as one person and shows what that person may see."""

import asyncio
import json
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType, web

from tests.lab.slack import drawn, forms, infields, readable
from tests.lab.slack.desk import Desk
from tests.lab.slack.workspace import USERS, Json

SCRIPT = Path(__file__).with_name("page.js")
FIRST = USERS["alice"]  # the page starts as the first person of the workspace
# Hop-by-hop headers (RFC 9110, section 7.6.1), and those that changed because the body was read.
NOT_PASSED_ON = {"connection", "content-encoding", "content-length", "host", "keep-alive", "transfer-encoding"}


async def passed_through(request: web.Request, standin: ClientSession) -> web.StreamResponse:
    """Pass on every request that is neither ours nor refused."""
    headers = {name: value for name, value in request.headers.items() if name.lower() not in NOT_PASSED_ON}
    body = await request.read()
    async with standin.request(request.method, request.rel_url, headers=headers, data=body) as answer:
        kept = {name: value for name, value in answer.headers.items() if name.lower() not in NOT_PASSED_ON}
        content = await answer.read()
        if answer.content_type == "text/html":
            script = f"<head><script>{SCRIPT.read_text()}</script>"
            content = content.replace(b"<head>", script.encode(), 1)
        return web.Response(body=content, status=answer.status, headers=kept)


class ToBot(Protocol):
    """Sends the bot the payloads that the stand-in does not send."""

    async def tell(self, envelope: Json) -> object:
        """Typing and choices in an open form."""
        ...

    async def shortcut(self, user: str, callback_id: str, channel: str, message: Json | None) -> object:
        """A shortcut."""
        ...


async def serve(request: web.Request, standin: ClientSession, desk: Desk, bot: ToBot) -> web.StreamResponse:
    """Serve one open page, until it is closed."""
    socket = web.WebSocketResponse(max_msg_size=0)
    await socket.prepare(request)
    viewer = Viewer(socket, standin, desk, bot)
    await viewer.look_as(FIRST)
    try:
        async for frame in socket:
            if frame.type is WSMsgType.TEXT:
                await viewer.did(frame.json())
    finally:
        await viewer.close()
    return socket


class Viewer:
    """One page, between its user, the stand-in, and what it shows."""

    def __init__(self, page: web.WebSocketResponse, standin: ClientSession, desk: Desk, bot: ToBot) -> None:
        self._page = page
        self._standin = standin
        self._desk = desk
        self._bot = bot
        self._actor = ""
        self._source: ClientWebSocketResponse | None = None
        self._pump: asyncio.Task[None] | None = None

    async def look_as(self, user: str) -> None:
        """Switch to this person's view: a new connection brings a whole new state."""
        if user == self._actor:
            return
        await self.close()
        self._actor = user
        self._source = await self._standin.ws_connect("/ui", max_msg_size=0)
        self._pump = asyncio.create_task(self._show(self._source))

    async def close(self) -> None:
        """Disconnect from the stand-in."""
        if self._source is not None:
            await self._source.close()
        if self._pump is not None:
            self._pump.cancel()
            with suppress(asyncio.CancelledError):
                await self._pump

    async def did(self, frame: Json) -> None:
        """Handle an action of the person at the page."""
        if frame.get("user"):
            await self.look_as(frame["user"])
        if frame["t"] == "acting_as" or self._source is None:
            return
        match frame["t"]:
            case "typing":
                await self._typed(frame)
                return
            case "choosing":
                await self._chose(frame)
                return
            case "shortcut":
                await self._used(frame)
                return
            case "view_submit":
                views = self._desk.views
                given = drawn.submitted_values(views, frame.get("values") or {})
                frame["values"], missing = forms.complete(views.top(), given)
                if missing:
                    await self._page.send_str(_packed({"t": "view_errors", "errors": missing}))
                    return
        await self._source.send_json(frame)

    async def _typed(self, frame: Json) -> None:
        """Somebody types into a list: show the bot's options."""
        views, block = self._desk.views, frame["block_id"]
        with suppress(LookupError):
            await self._bot.tell(infields.typing(views, self._actor, block, frame["value"]))
            shown = {
                "t": "offered",
                "block_id": block,
                "value": frame["value"],
                "options": views.offered.get(block, []),
            }
            await self._page.send_str(_packed(shown))

    async def _chose(self, frame: Json) -> None:
        views = self._desk.views
        with suppress(LookupError):
            envelope = infields.choosing(views, self._actor, frame["block_id"], drawn.read(views, frame["fields"]))
            if envelope:
                await self._bot.tell(envelope)

    async def _used(self, frame: Json) -> None:
        """A shortcut, on a message or global."""
        channel, said = frame.get("channel", ""), None
        if frame.get("ts"):
            messages = await self._desk.everything_said(channel)
            said = next((message for message in messages if message["ts"] == frame["ts"]), None)
        with suppress(LookupError):
            await self._bot.shortcut(self._actor, frame["callback_id"], channel, said)

    async def _show(self, source: ClientWebSocketResponse) -> None:
        with suppress(ConnectionError):
            async for frame in source:
                if frame.type is WSMsgType.TEXT and (shown := self._seen(frame.json())):
                    await self._page.send_str(_packed(shown))

    def _seen(self, frame: Json) -> Json | None:
        """The frame for this person; None if it is not for them."""
        match frame["t"]:
            case "init":
                shortcuts = self._desk.workspace.manifest.listed()
                return {**frame, "state": self._state(frame["state"]), "shortcuts": shortcuts}
            case "message" | "message_update":
                if not self._may_see(frame["message"]):
                    return None
                return {**frame, "message": readable.message(frame["message"], self._desk.workspace)}
            case "view":
                return {**frame, "stack": self._forms(frame["stack"])}
            case "view_errors":
                return frame if self._owns_form else None
            case "home":
                return {**frame, "view": readable.message(frame["view"], self._desk.workspace)}
        return frame

    def _state(self, state: Json) -> Json:
        words = self._desk.workspace
        messages = {
            channel: [readable.message(message, words) for message in said if self._may_see(message)]
            for channel, said in state["messages"].items()
        }
        home = {
            user: {app: readable.message(view, words) for app, view in views.items()}
            for user, views in state["homeViews"].items()
        }
        return {**state, "messages": messages, "homeViews": home, "modalStack": self._forms(state["modalStack"])}

    def _may_see(self, message: Json) -> bool:
        return message.get("subtype") != "ephemeral" or message.get("ephemeral_to") == self._actor

    @property
    def _owns_form(self) -> bool:
        return self._desk.views.owner == self._actor

    def _forms(self, stack: list[Json]) -> list[Json]:
        if not self._owns_form:
            return []
        workspace = self._desk.workspace
        named = (self._desk.views.named(view) for view in stack)
        return [drawn.form(readable.message(view, workspace), workspace.rooms_of(self._actor)) for view in named]


def _packed(frame: Json) -> str:
    """In the stand-in's format: the page's script looks at the first characters."""
    return json.dumps(frame, separators=(",", ":"))
