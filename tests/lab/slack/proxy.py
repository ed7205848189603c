"""The proxy in front of the stand-in: all traffic goes through it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from socket import socket
from uuid import uuid4

from aiohttp import ClientSession, WSMsgType, web

from tests.lab.slack import blockrules, infields, page
from tests.lab.slack.desk import Desk
from tests.lab.slack.envelopes import NOBODYS, Envelopes
from tests.lab.slack.faults import Switchboard
from tests.lab.slack.origin_check import refuse_foreign_pages
from tests.lab.slack.passes import Passes
from tests.lab.slack.said import Said
from tests.lab.slack.socketmode import Ack, SocketMode
from tests.lab.slack.webapi import Call, WebApi
from tests.lab.slack.workspace import APP, CHANNELS, Json, Workspace

FOLLOWS_SECONDS = 15.0
PATIENCE = 3.0  # of a person's Slack, for a list or an answer


class Proxy:
    """The state of the proxy, used only in the thread of its event loop."""

    def __init__(
        self, standin: ClientSession, workspace: Workspace, *, port: int, happened: Callable[[], None]
    ) -> None:
        passes = Passes()
        self.port = port
        self.standin = standin
        self.workspace = workspace
        self.homes: dict[str, Json] = {}  # published, by user id
        self.said = Said()
        self.follows = asyncio.Event()  # whether the proxy follows the events
        self.faults = Switchboard()
        self.desk = Desk(workspace, passes, standin)
        self.envelopes = Envelopes(workspace, passes, self.desk.views)
        self.sockets = SocketMode(standin, self.envelopes, lambda: self.homes)
        self.api = WebApi(self.desk, self.faults, self._connect, happened)
        self._happened = happened

    def _connect(self) -> str:
        return f"ws://127.0.0.1:{self.port}{self.sockets.ticket()}"

    def application(self) -> web.Application:
        """The web application's routes."""
        app = web.Application(middlewares=[refuse_foreign_pages], client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", "/api/{method}", self.api.serve)
        app.router.add_get("/socket/{ticket}", self.sockets.serve)
        app.router.add_post("/_hooks/response/{address}", self._respond)
        app.router.add_get("/ui", self._page)
        app.router.add_route("*", "/{path:.*}", self._other)
        return app

    async def _page(self, request: web.Request) -> web.StreamResponse:
        return await page.serve(request, self.standin, self.desk, self)

    async def tell(self, envelope: Json) -> Ack:
        """Send the bot a payload that the stand-in does not send, and return its answer."""
        waiting = self.sockets.expect(lambda sent: bool(sent["envelope_id"] == envelope["envelope_id"]))
        wanted = self.envelopes.to_bot(envelope, self.homes)
        try:
            if wanted is not None:
                await self.sockets.deliver(wanted)
            return await asyncio.wait_for(waiting, PATIENCE)
        except TimeoutError:
            return Ack()
        finally:
            self.sockets.forget(waiting)

    async def shortcut(self, user: str, callback_id: str, channel: str, message: Json | None) -> Ack:
        """Send the bot a shortcut. Raises `LookupError` if the app has no such one."""
        kind = "message" if message else "global"
        known = self.workspace.manifest.shortcuts
        if known.get(callback_id) != kind:
            raise LookupError(f"the app has no {kind} shortcut {callback_id}, only {known}")
        name = next((name for name, known in CHANNELS.items() if known == channel), "")
        said = {**message, "type": "message"} if message else None
        trigger = await self.trigger(user)
        return await self.tell(infields.shortcut(user, callback_id, trigger, said, {"id": channel, "name": name}))

    async def trigger(self, user: str) -> str:
        """A trigger that the stand-in accepts: it gives one to whoever types a command, even an unknown one."""
        wanted = uuid4().hex
        typed = {"user": user, "channel": next(iter(CHANNELS.values())), "command": NOBODYS, "text": wanted}
        async with self.standin.post("/_control/command", json=typed):
            return self.envelopes.triggers.pop(wanted)

    async def _other(self, request: web.Request) -> web.StreamResponse:
        return await page.passed_through(request, self.standin)

    async def _respond(self, request: web.Request) -> web.StreamResponse:
        """A response_url: an ephemeral answer unless it says otherwise."""
        address = request.match_info["address"]
        _, error = self.desk.passes.use_response(address)
        said: Json = await request.json()
        if not error and (wrong := blockrules.check(said["blocks"]) if said.get("blocks") else []):
            self.envelopes.refused.append(f"response_url: {'; '.join(wrong)}")
            error = "invalid_blocks"
        answer = {"ok": not error, **({"error": error} if error else {})}
        self.api.calls.append(Call("response_url", said, asyncio.get_running_loop().time(), answer))
        if error:
            return web.json_response(answer, status=400 if error == "invalid_blocks" else 404)
        said.setdefault("response_type", "ephemeral")
        async with self.standin.post(f"/_hooks/response/{address}", json=said) as done:
            return web.Response(status=done.status, text="ok")

    async def watch(self) -> None:
        """Follow the events of the workspace, as one more page would."""
        async with self.standin.ws_connect("/ui", max_msg_size=0) as source:
            async for frame in source:
                if frame.type is WSMsgType.TEXT:
                    self._saw(frame.json())
                    self._happened()

    def _saw(self, frame: Json) -> None:
        self.said.saw(frame)
        match frame["t"]:
            case "init":
                self.follows.set()
            case "view":
                self.desk.views.seen(frame["stack"])
            case "home" if frame["appId"] == APP:
                self.homes[frame["user"]] = frame["view"]


@asynccontextmanager
async def serving(proxy: Proxy, listener: socket) -> AsyncIterator[None]:
    """Serve on a bound socket, and follow the events, until the block ends."""
    runner = web.AppRunner(proxy.application(), shutdown_timeout=0.2)
    await runner.setup()
    watch = asyncio.create_task(proxy.watch())
    try:
        await asyncio.wait_for(proxy.follows.wait(), FOLLOWS_SECONDS)
        await web.SockSite(runner, listener).start()
        yield
    finally:
        proxy.sockets.drop()
        watch.cancel()
        with suppress(asyncio.CancelledError):
            await watch
        await proxy.sockets.close_source()
        await runner.cleanup()
