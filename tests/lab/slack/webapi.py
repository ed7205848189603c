"""The Web API as the bot sees it: tokens, faults, a record of every call, then the rules of the method."""

import asyncio
import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from aiohttp import web

from tests.lab.slack.desk import Desk, Refused
from tests.lab.slack.faults import Fault, Kind, Switchboard
from tests.lab.slack.methods import RULES
from tests.lab.slack.workspace import APP_TOKEN, BOT_TOKEN, Json

APP_METHODS = {"apps.connections.open"}
NO_TOKEN = {"api.test"}
STRUCTURED = ("blocks", "attachments", "view", "metadata")


@dataclass(frozen=True, slots=True)
class Call:
    """A call of the bot: when (monotonic seconds), with what, and the answer; {} is no answer at all."""

    method: str
    args: Json
    at: float
    answer: Json


@dataclass(slots=True)
class WebApi:
    """`POST /api/METHOD`, and GET, which some clients prefer."""

    desk: Desk
    faults: Switchboard
    connect: Callable[[], str]  # the address of a new Socket Mode connection
    happened: Callable[[], None]
    calls: list[Call] = field(default_factory=list)
    bot_token: str = BOT_TOKEN  # the valid one

    @property
    def _scopes(self) -> set[str]:
        return self.desk.workspace.manifest.scopes

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer one call, with the next fault for it, if any."""
        at = time.monotonic()
        method = request.match_info["method"]
        args = await _args(request)
        fault = self.faults.take(method)
        response, said = await self._answered(request, method, args, fault)
        self.calls.append(Call(method, args, at, said))
        self.happened()
        return response

    async def _answered(
        self, request: web.Request, method: str, args: Json, fault: Fault | None
    ) -> tuple[web.StreamResponse, Json]:
        match fault.kind if fault else None:
            case Kind.RATE_LIMITED:
                after = {"Retry-After": str(fault.retry_after if fault else 1)}
                said = {"ok": False, "error": "ratelimited"}
                return web.json_response(said, status=429, headers=after), said
            case Kind.ERROR_500 | Kind.ERROR_502 | Kind.ERROR_503 as status:
                return web.Response(status=int(status), text="upstream connect error"), {}
            case Kind.RESET:
                return _reset(request), {}
            case Kind.HANG:
                await asyncio.Event().wait()
        said = await self._refusable(request, method, args, fault)
        match fault.kind if fault else None:
            case Kind.RESET_AFTER:
                return _reset(request), said
            case Kind.ERROR_503_AFTER:
                return web.Response(status=503, text="upstream connect error"), said
        return web.json_response(said, headers={"x-oauth-scopes": ",".join(sorted(self._scopes))}), said

    async def _refusable(self, request: web.Request, method: str, args: Json, fault: Fault | None) -> Json:
        try:
            if fault and fault.kind == Kind.DELAY:
                await asyncio.sleep(fault.seconds)
            elif fault and fault.kind not in list(Kind):
                raise Refused(fault.kind)
            _admit(method, _token(request, args), self.bot_token)
            if needed := self.desk.workspace.manifest.lacks(method):
                raise Refused("missing_scope", needed=needed, provided=",".join(sorted(self._scopes)))
            if method == "apps.connections.open":
                return {"ok": True, "url": self.connect()}
            rule = RULES.get(method)
            return await (rule(self.desk, args) if rule else self.desk.forward(method, args))
        except Refused as refused:
            return refused.answer


def _reset(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def _token(request: web.Request, args: Json) -> str:
    header = request.headers.get("Authorization", "")
    return header.removeprefix("Bearer ") if header.startswith("Bearer ") else str(args.pop("token", ""))


def _admit(method: str, token: str, bot_token: str) -> None:
    if method in NO_TOKEN:
        return
    if not token:
        raise Refused("not_authed")
    if token not in {bot_token, APP_TOKEN}:
        raise Refused("invalid_auth")
    if (token == APP_TOKEN) != (method in APP_METHODS):
        raise Refused("not_allowed_token_type")


async def _args(request: web.Request) -> Json:
    args: Json = dict(request.query)
    if request.content_type == "application/json":
        with suppress(ValueError):
            args.update(await request.json())
    elif request.method == "POST":
        args.update({name: value for name, value in (await request.post()).items() if isinstance(value, str)})
    for name in STRUCTURED:
        if isinstance(args.get(name), str):
            with suppress(ValueError):
                args[name] = json.loads(args[name])
    return args
