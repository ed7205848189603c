"""Delivery over HTTP: what would go over a socket is signed and posted to an address, and the answer is the ack."""

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from uuid import uuid4

from aiohttp import ClientError, ClientSession, ClientTimeout

from tests.lab.slack.signed import SignedRequest, signed
from tests.lab.slack.workspace import Json

SECONDS = 3.0  # Slack waits no longer


@dataclass(frozen=True, slots=True)
class Answer:
    """What the bot answered."""

    status: int
    kind: str
    text: str


class Courier:
    """Carries requests out of the workspace's network, which is its own, into the one where bots listen.

    A network namespace goes with the thread: this one stays where it was started.
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

    async def carry(self, url: str, request: SignedRequest) -> Answer | None:
        """Called in any loop; None if nobody answered in time."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._post(url, request), self._loop))

    async def _post(self, url: str, request: SignedRequest) -> Answer | None:
        try:
            async with self._session.post(url, data=request.body, headers=request.headers) as answer:
                return Answer(answer.status, answer.content_type, await answer.text())
        except (ClientError, TimeoutError):
            return None

    def close(self) -> None:
        """Nothing more is to be carried."""
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()


@dataclass(frozen=True, slots=True, eq=False)
class HttpBot:
    """A bot behind an address, as the app's manifest would name it."""

    url: str
    secret: str
    courier: Courier
    acknowledged: Callable[[Json], Awaitable[None]]
    refused: list[str]  # what was answered that real Slack would not have taken
    _under_way: set["asyncio.Task[None]"] = field(default_factory=set)

    async def confirm(self) -> None:
        """What Slack does when an address is entered. Raises `LookupError` if it does not hold."""
        challenge = uuid4().hex
        asked = signed({"type": "url_verification", "challenge": challenge, "token": "legacy"}, self.secret)
        answer = await self.courier.carry(self.url, asked)
        if answer is None or answer.status != 200 or challenge not in answer.text:
            raise LookupError(f"Your URL didn't respond with the value of the challenge parameter: {answer}")

    async def take(self, envelope: Json) -> None:
        """Deliver it; the ack comes when the bot has answered."""
        task = asyncio.create_task(self._deliver(envelope))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _deliver(self, envelope: Json) -> None:
        request = signed(envelope["payload"], self.secret, retry=envelope.get("retry_attempt", 0))
        answer = await self.courier.carry(self.url, request)
        if answer is None:
            return
        if answer.status != 200:
            self.refused.append(f"{envelope['type']} over HTTP: {answer.status}")
            return
        await self.acknowledged({"envelope_id": envelope["envelope_id"], "payload": _said(answer)})

    async def leave(self, reason: str) -> None:
        """There is no connection that could be taken down."""

    def drop(self) -> None:
        """Nor one that could be cut."""


def _said(answer: Answer) -> Json:
    """The payload of an ack: JSON, or plain text for the one who typed a command."""
    if not answer.text:
        return {}
    said: Json = json.loads(answer.text) if answer.kind == "application/json" else {"text": answer.text}
    return said
