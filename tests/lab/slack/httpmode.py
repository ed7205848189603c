"""Deliver payloads over HTTP: signed and posted to an address; the response is the acknowledgement."""

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from uuid import uuid4

from aiohttp import ClientError, ClientSession, ClientTimeout

from tests.lab.slack.signed import SignedRequest, sign
from tests.lab.slack.workspace import Json

SECONDS = 3.0  # Slack's timeout, in seconds


@dataclass(frozen=True, slots=True)
class AppResponse:
    """The bot's response."""

    status: int
    kind: str
    text: str


class Courier:
    """Sends requests from the network namespace where bots listen, out of the workspace's own.

    A network namespace belongs to a thread: this one stays where it was started.
    """

    def __init__(self) -> None:
        ready: Future[asyncio.AbstractEventLoop] = Future()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._live(ready)), name="courier", daemon=True)
        self._thread.start()
        self._loop = ready.result(SECONDS)

    async def _live(self, ready: "Future[asyncio.AbstractEventLoop]") -> None:
        self._over = asyncio.Event()
        async with ClientSession(timeout=ClientTimeout(total=SECONDS)) as self._session:
            ready.set_result(asyncio.get_running_loop())
            await self._over.wait()

    async def carry(self, url: str, request: SignedRequest) -> AppResponse | None:
        """Callable from any loop; None if there was no response in time."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._post(url, request), self._loop))

    async def _post(self, url: str, request: SignedRequest) -> AppResponse | None:
        try:
            async with self._session.post(url, data=request.body, headers=request.headers) as answer:
                return AppResponse(answer.status, answer.content_type, await answer.text())
        except (ClientError, TimeoutError):
            return None

    def close(self) -> None:
        """Send no more requests."""
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()


@dataclass(frozen=True, slots=True, eq=False)
class HttpBot:
    """A bot with a request URL, as in the app's manifest."""

    url: str
    secret: str
    courier: Courier
    acknowledged: Callable[[Json], Awaitable[None]]
    refused: list[str]  # responses that real Slack would not have accepted
    _under_way: set["asyncio.Task[None]"] = field(default_factory=set)

    async def confirm(self) -> None:
        """Verify the URL as Slack does when it is entered. Raises `LookupError` if it fails."""
        challenge = uuid4().hex
        asked = sign({"type": "url_verification", "challenge": challenge, "token": "legacy"}, self.secret)
        answer = await self.courier.carry(self.url, asked)
        if answer is None or answer.status != 200 or challenge not in answer.text:
            raise LookupError(f"Your URL didn't respond with the value of the challenge parameter: {answer}")

    async def take(self, envelope: Json) -> None:
        """Deliver an envelope; the acknowledgement comes when the bot has responded."""
        task = asyncio.create_task(self._deliver(envelope))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _deliver(self, envelope: Json) -> None:
        request = sign(envelope["payload"], self.secret, retry=envelope.get("retry_attempt", 0))
        answer = await self.courier.carry(self.url, request)
        if answer is None:
            return
        if answer.status != 200:
            self.refused.append(f"{envelope['type']} over HTTP: {answer.status}")
            return
        await self.acknowledged({"envelope_id": envelope["envelope_id"], "payload": _content(answer)})

    async def leave(self, reason: str) -> None:
        """Nothing to do: there is no connection to close."""

    def drop(self) -> None:
        """Nothing to do: there is no connection to cut."""


def _content(answer: AppResponse) -> Json:
    """The payload of an acknowledgement: JSON, or plain text as the answer to a command."""
    if not answer.text:
        return {}
    said: Json = json.loads(answer.text) if answer.kind == "application/json" else {"text": answer.text}
    return said
