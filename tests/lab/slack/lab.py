"""The Slack of the tests and the demo, controlled by method calls: act as a person, read messages, inject faults."""

import asyncio
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar
from uuid import uuid4

from tests.lab.slack import standin
from tests.lab.slack.faults import Fault
from tests.lab.slack.httpmode import Courier, HttpBot
from tests.lab.slack.install import install
from tests.lab.slack.network import leave_for_a_network_of_our_own, require
from tests.lab.slack.people import People
from tests.lab.slack.proxy import Proxy, serving
from tests.lab.slack.socketmode import Ack
from tests.lab.slack.webapi import Call
from tests.lab.slack.workspace import (
    APP_TOKEN,
    BOT_TOKEN,
    BOT_USER,
    CHANNELS,
    GROUPS,
    SIGNING_SECRET,
    USERS,
    Json,
    Workspace,
)

Result = TypeVar("Result")

START_SECONDS = 30.0
ANSWER_SECONDS = 30.0
LOOK_SECONDS = 0.05


class SlackLab:
    """A Slack workspace on 127.0.0.1. People, channels and groups are named `alice`, `incident`, `sre`."""

    bot_token = BOT_TOKEN
    app_token = APP_TOKEN
    signing_secret = SIGNING_SECRET
    bot_user = BOT_USER

    def __init__(self, port: int = 0) -> None:
        self.users, self.channels, self.groups = dict(USERS), dict(CHANNELS), dict(GROUPS)
        self.workspace = Workspace.of_the_demo()
        self._changed = threading.Condition()
        self._wanted_port = port
        self._courier: Courier | None = None
        self.port = 0

    def __enter__(self) -> Self:
        """Raises `NotHereError` if this machine cannot run it, `OSError` if the port is taken."""
        require()
        binary = install()
        listener = socket.create_server(("127.0.0.1", self._wanted_port), backlog=256)
        self.port = listener.getsockname()[1]
        started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event, People]] = Future()
        self._thread = threading.Thread(
            target=self._run, args=(binary, listener, started), name="slack-lab", daemon=True
        )
        self._thread.start()
        self._loop, self._stop, self._people = started.result(START_SECONDS)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(START_SECONDS)
        if self._courier:
            self._courier.close()

    def _run(self, binary: Path, listener: socket.socket, started: "Future[object]") -> None:
        try:
            with listener, tempfile.TemporaryDirectory(prefix="maskbot-slack-") as directory:
                leave_for_a_network_of_our_own()
                asyncio.run(self._live(binary, listener, Path(directory), started))
        except BaseException as error:
            if started.done():
                raise
            started.set_exception(error)

    async def _live(self, binary: Path, listener: socket.socket, directory: Path, started: "Future[object]") -> None:
        stop = asyncio.Event()
        config = self.workspace.config()
        async with standin.running(binary, config, port=self.port, directory=directory) as client:
            proxy = Proxy(client, self.workspace, port=self.port, happened=self._tell)
            async with serving(proxy, listener):
                started.set_result((asyncio.get_running_loop(), stop, People(proxy)))
                await stop.wait()

    def _tell(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _await(self, doing: Coroutine[object, object, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(doing, self._loop).result(ANSWER_SECONDS)

    @property
    def _proxy(self) -> Proxy:
        return self._people.proxy

    @property
    def url(self) -> str:
        """The web page's address."""
        return f"http://localhost:{self.port}"

    @property
    def api_url(self) -> str:
        """The Web API, for SLACK_API_URL."""
        return f"http://127.0.0.1:{self.port}/api/"

    def send_to(self, url: str) -> None:
        """HTTP mode: deliver payloads to that address from now on. Raises `LookupError` if its verification fails."""
        self._courier = self._courier or Courier()
        sockets, refused = self._proxy.sockets, self._proxy.envelopes.refused
        bot = HttpBot(url, self.signing_secret, self._courier, sockets.acknowledged, refused)
        self._await(bot.confirm())
        self._await(sockets.join(bot))

    def slash(self, user: str, channel: str, text: str) -> Ack:
        """`slash("alice", "incident", "/mask web-01 cron")`: the immediate answer, and its duration."""
        return self._await(self._people.slash(self._user(user), self._channel(channel), text))

    def mention(self, user: str, channel: str, text: str, thread_ts: str | None = None) -> Json:
        """Post a message that begins with the bot's name, and return it."""
        return self._await(self._people.mention(self._user(user), self._channel(channel), text, thread_ts))

    def write(self, user: str, channel: str, text: str, thread_ts: str | None = None) -> Json:
        """Post a message, and return it."""
        return self._await(self._people.write(self._user(user), self._channel(channel), text, thread_ts))

    def click(self, user: str, message: Json, control: str, option: str | None = None) -> Ack:
        """Press a button of this message as it was seen, by label or action_id. Raises `LookupError` if it has none."""
        return self._await(self._people.click(self._user(user), message, control, option))

    def submit_view(self, user: str, answers: Mapping[str, str | list[str]] | None = None) -> Ack:
        """Send this person's open form, with these answers by action_id or block_id."""
        return self._await(self._people.submit(self._user(user), answers or {}))

    def offered(self, user: str, field: str, typed: str) -> list[str]:
        """The options of a list once this person typed that."""
        options = self._await(self._people.types(self._user(user), field, typed))
        return [option["text"]["text"] for option in options]

    def choose(self, user: str, field: str, answers: Mapping[str, str | list[str]]) -> Ack:
        """Choose in one field of the open form, with those values in the other fields."""
        return self._await(self._people.chooses(self._user(user), field, answers))

    def shortcut(self, user: str, callback_id: str, channel: str = "incident", message: Json | None = None) -> Ack:
        """Use a shortcut of the app, on this message of that channel, or the global one."""
        return self._await(self._people.shortcut(self._user(user), callback_id, self._channel(channel), message))

    def close_view(self, user: str) -> None:
        """Close this person's open form."""
        self._await(self._people.close(self._user(user)))

    def view(self, user: str) -> Json | None:
        """This person's open form, if there is one."""
        try:
            return self._people.form(self._user(user))
        except LookupError:
            return None

    def home(self, user: str, timeout: float = 5.0) -> Json:
        """Open the bot's Home tab, and return it."""
        user = self._user(user)
        self._proxy.homes.pop(user, None)
        self._await(self._people.open_home(user))
        return self.wait_for(lambda: self._proxy.homes.get(user), timeout)

    def published(self, user: str) -> Json | None:
        """What this person's Home tab shows now."""
        return self._proxy.homes.get(self._user(user))

    def press_at_home(self, user: str, control: str) -> Ack:
        """Press a button of the Home tab, by its label, accessibility label or action_id."""
        return self._await(self._people.press_at_home(self._user(user), control))

    def messages(self, channel: str, as_user: str | None = None) -> list[Json]:
        """The channel's messages with threads, and ephemeral messages to `as_user`."""
        me = self._user(as_user) if as_user else ""
        said = self._await(self._proxy.desk.everything_said(self._channel(channel)))
        return [m for m in said if m.get("subtype") != "ephemeral" or (me and m.get("ephemeral_to") == me)]

    def seen_messages(self, channel: str, after: str = "0") -> list[Json]:
        """A channel's messages, whoever may see them, as of the last event, without a call.

        Events come a moment after what they are about, so this is for tests that wait.
        """
        return [self._proxy.desk.marked(message) for message in self._proxy.said.after(self._channel(channel), after)]

    def whispers(self, channel: str, user: str) -> list[Json]:
        """Ephemeral messages to this person."""
        return [m for m in self.messages(channel, as_user=user) if m.get("subtype") == "ephemeral"]

    def thread(self, channel: str, ts: str, as_user: str | None = None) -> list[Json]:
        """The answers to a message, without the message."""
        return [m for m in self.messages(channel, as_user) if m.get("thread_ts") == ts and m["ts"] != ts]

    def wait_for(self, look: Callable[[], Result | None], timeout: float = 10.0) -> Result:
        """Wait until `look` returns something: called at each event, and every 50 ms."""
        deadline = time.monotonic() + timeout
        while not (found := look()):
            if time.monotonic() > deadline:
                raise TimeoutError(f"not within {timeout:g} s; Slack refused: {self.refused()}")
            with self._changed:
                self._changed.wait(LOOK_SECONDS)
        return found

    def calls(self, method: str | None = None) -> list[Call]:
        """Every Web API call so far, or those of one method; `response_url` counts as one."""
        return [call for call in self._proxy.api.calls if method in (None, call.method)]

    def refused(self) -> list[str]:
        """What real Slack would not have accepted: refused calls, and acknowledgements that nobody would have seen."""
        calls = [f"{call.method}: {call.answer['error']}" for call in self.calls() if call.answer.get("error")]
        return calls + self._proxy.envelopes.refused

    def envelopes(self) -> list[Json]:
        """Every envelope that went to the bot."""
        return list(self._proxy.sockets.sent)

    def log(self) -> list[Json]:
        """The stand-in's own log, its last 1,000 entries."""
        return self._await(self._log())

    @property
    def connections(self) -> int:
        """How many Socket Mode connections are open."""
        return self._proxy.sockets.connections

    def fault(
        self, method: str, kind: str, *, times: int | None = 1, retry_after: int = 1, seconds: float = 0.0
    ) -> None:
        """Let the next calls of a method (`*` is all) fail: a `faults.Kind`, or an error code of Slack's."""
        self._proxy.faults.faults.append(Fault(method, kind, times, retry_after, seconds))

    def clear_faults(self) -> None:
        """Remove all faults."""
        self._proxy.faults.faults.clear()

    def rotate(self, token: str) -> None:
        """Change the bot's token; the old one is invalid."""
        self._proxy.api.bot_token = token

    @contextmanager
    def outage(self) -> Iterator[None]:
        """Slack is down: no call gets through, every socket is cut and none opens."""
        down = Fault("*", "reset", times=None)
        self._proxy.faults.faults.insert(0, down)
        self.drop_socket()
        try:
            yield
        finally:
            self._proxy.faults.faults.remove(down)

    def drop_socket(self) -> None:
        """Cut the Socket Mode connections without an announcement."""
        self._loop.call_soon_threadsafe(self._proxy.sockets.drop)

    def silence_socket(self) -> None:
        """Let the Socket Mode connections die so that neither side notices."""
        self._loop.call_soon_threadsafe(self._proxy.sockets.silence)

    @property
    def accepted(self) -> int:
        """How many Socket Mode connections were ever accepted, greeted or not."""
        return self._proxy.sockets.accepted

    @contextmanager
    def mute(self) -> Iterator[None]:
        """Accept connections, but send no greeting and nothing else until this is over."""
        greets = self._proxy.sockets.greets
        self._loop.call_soon_threadsafe(greets.clear)
        try:
            yield
        finally:
            self._loop.call_soon_threadsafe(greets.set)

    @property
    def connection_counts(self) -> list[int]:
        """How many connections there were, each time one came or went."""
        return list(self._proxy.sockets.counts)

    def disconnect(self, reason: str = "refresh_requested") -> None:
        """Close the connections as Slack does: with an announcement."""
        self._await(self._proxy.sockets.disconnect(reason))

    def duplicate(self, copies: int, envelopes: int = 1) -> None:
        """Deliver each of the next envelopes so many times, to the connections in turn."""
        self._proxy.sockets.copies += [copies] * envelopes

    def lose_acks(self, times: int = 1) -> None:
        """Drop the next acknowledgements."""
        self._proxy.sockets.acks_to_lose += times

    def inject(self, envelope: Json) -> Ack:
        """Send any envelope to the bot, with a new envelope_id unless it has one; wait 3 s for its acknowledgement."""
        envelope = {"envelope_id": str(uuid4()), "accepts_response_payload": True, **deepcopy(envelope)}
        return self._await(self._inject(envelope))

    def deliver_again(self, envelope: Json, attempt: int = 1, reason: str = "timeout") -> Ack:
        """Deliver an event again as Slack does without an acknowledgement: same event_id, another envelope."""
        again = {**envelope, "envelope_id": str(uuid4()), "retry_attempt": attempt, "retry_reason": reason}
        return self.inject(again)

    def set_user(self, name: str, **flags: object) -> None:
        """`deleted=True`, `is_restricted=True`, `team_id="T0OTHER"`: the person's data in users.info and payloads
        from now on.
        """
        self.workspace.people.setdefault(self._user(name), {}).update(flags)

    def set_group(self, name: str, users: list[str] | None = None, *, enabled: bool = True) -> None:
        """Set the members of a user group."""
        group = self.workspace.groups[GROUPS[name]]
        group.enabled = enabled
        if users is not None:
            group.users = [self._user(user) for user in users]

    def set_channel(
        self, name: str, users: list[str] | None = None, *, member: bool | None = None, **flags: object
    ) -> None:
        """Set the members of a channel beside the bot; `member=False` removes the bot.

        `is_ext_shared=True`, `is_archived=True`, `is_private=True` are flags.
        """
        room = self.workspace.rooms[self._channel(name)]
        room.flags.update(flags)
        if users is not None:
            room.members = {self._user(user) for user in users} | ({BOT_USER} & room.members)
        if member is not None:
            (room.members.add if member else room.members.discard)(BOT_USER)

    async def _inject(self, envelope: Json) -> Ack:
        waiting = self._proxy.sockets.expect(lambda sent: bool(sent["envelope_id"] == envelope["envelope_id"]))
        await self._proxy.sockets.deliver(envelope)
        try:
            return await asyncio.wait_for(waiting, 3.0)
        except TimeoutError:
            return Ack()

    async def _log(self) -> list[Json]:
        async with self._proxy.standin.get("/_control/log") as answer:
            entries: list[Json] = (await answer.json())["log"]
            return entries

    def _user(self, name: str) -> str:
        return self.users.get(name, name)

    def _channel(self, name: str) -> str:
        return self.channels.get(name.removeprefix("#"), name)
