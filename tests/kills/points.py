"""Where in the life of a request a bot dies: the moments, the points K0 to K12 among them, and what dies there.

A moment is one of the bot's own effects, right before or after it: a command to a host (`before mask`), a message
(`after post card`), a commit (`before save exec.result`), or an event half appended to the audit chain
(`append exec.intent`).
"""

import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event

from bot.core.audit.chain import Event
from bot.core.hosts.inventory import Host
from bot.core.requests import Request, Stage
from bot.core.systemd.guard import Note
from bot.edges.database import Database
from bot.edges.database.stored_chain import Appending
from bot.errors import OutcomeUnknown
from bot.ports import NOT_COUNTED, Claim, CommandResult, Count, Counted, Hosts, Message, Work
from tests.kills.kept import KeptCalls
from tests.workflow.wire import Call

POINTS = {
    "K0": "received, not stored",
    "K1": "stored, not acknowledged",
    "K2": "acknowledged, card not posted",
    "K3": "card posted, its place not stored",
    "K4": "quorum reached, nothing begun",
    "K5": "begun, no intent recorded",
    "K6": "intent recorded, nothing sent",
    "K7": "stop sent, its answer unread",
    "K8": "mask sent, its answer unread",
    "K9": "answer read, not stored",
    "K10": "result stored, card not updated",
    "K11": "card updated, posted version not stored",
    "K12": "while the audit chain is appended to",
}
# Every mask that ends well appends these, each once at least.
_APPENDED = (
    "request.received",
    "policy.evaluated",
    "approval.voted",
    "approval.quorum",
    "exec.started",
    "exec.intent",
    "exec.result",
    "request.finished",
)
MOMENTS = {
    "K0": ("before add",),
    "K1": ("after add",),
    "K2": ("before post card",),
    "K3": ("after post card",),
    "K4": ("after save approved",),
    "K5": ("after save running",),
    "K6": ("before mask",),
    "K7": ("after stop",),
    "K8": ("after mask",),
    "K9": ("before save exec.result",),
    "K10": ("after save done",),
    "K11": ("after update MASKED AND PROVEN",),
    "K12": tuple(f"append {kind}" for kind in _APPENDED),
}


_LET_OTHERS = 0.2  # seconds: who is in a transaction may be waited for by the one in a step


class Death:
    """SIGKILL by its own hand, which no handler and no `finally` sees; once at each moment, for all replicas together.

    A file in the folder says that somebody still has to die at the moment of its name. Who removes it is the one.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._step = threading.RLock()

    @contextmanager
    def step(self) -> Iterator[None]:
        """A change and the moment after it, between which no other thread ends the process: some come only once."""
        with self._step:
            yield

    def at(self, moment: str) -> None:
        if not (self._folder / moment).exists():
            return
        is_ours = self._step.acquire(timeout=_LET_OTHERS)
        try:
            (self._folder / moment).unlink()
        except FileNotFoundError:  # somebody else was quicker
            if is_ours:
                self._step.release()
            return
        os.kill(os.getpid(), signal.SIGKILL)
        threading.Event().wait()  # not one more step, until the signal has come

    def wait_for(self, moments: Iterable[str]) -> None:
        """Somebody has to die at each of them."""
        self._folder.mkdir(exist_ok=True)
        for moment in moments:
            (self._folder / moment).touch()

    def outlived(self) -> list[str]:
        """The moments at which nobody has died."""
        return sorted(file.name for file in self._folder.iterdir())


class MortalHosts:
    """The way to the hosts: what was sent is on record before anybody learns of it, or dies."""

    def __init__(self, hosts: Hosts, calls: KeptCalls, death: Death) -> None:
        self._hosts = hosts
        self._calls = calls
        self._death = death

    def run(
        self,
        host: Host,
        argv: tuple[str, ...],
        *,
        deadline: float,
        note: Note | None = None,
        then: tuple[str, ...] = (),
    ) -> CommandResult:
        verb = Call(host.name, argv).verb or "look"
        self._death.at(f"before {verb}")
        try:
            reply = self._hosts.run(host, argv, deadline=deadline, note=note, then=then)
        except OutcomeUnknown:
            self._calls.keep(Call(host.name, argv))
            raise
        self._calls.keep(Call(host.name, argv, reply))
        if reply.look:
            self._calls.keep(Call(host.name, then, replace(reply, argv=then, stdout=reply.look, look="")))
        self._death.at(f"after {verb}")
        return reply


class MortalDatabase(Database):
    """The product's own database, which may not come back from a change."""

    death: Death

    def add(
        self,
        request: Request,
        *,
        events: Sequence[Event],
        messages: Sequence[Message] = (),
        provided: Callable[[Count], None] | None = None,
    ) -> tuple[Request, bool]:
        which = " target" if request.ask.rollout else ""
        self.death.at(f"before add{which}")
        with self.death.step():
            added = super().add(request, events=events, messages=messages, provided=provided)
            self.death.at(f"after add{which}")
        return added

    def save(
        self,
        request: Request,
        *,
        events: Sequence[Event] = (),
        messages: Sequence[Message] = (),
        claim: Claim | None = None,
        urgent: bool = True,
        counted: Counted = NOT_COUNTED,
    ) -> Request:
        for one in events:
            self.death.at(f"before save {one.type}")
        if request.rollout:
            self.death.at(f"before save rollout {request.stage}")
        with self.death.step():
            saved = super().save(request, events=events, messages=messages, claim=claim, urgent=urgent, counted=counted)
            for moment in _of_rollout(saved):
                self.death.at(moment)
            if saved.stage is not Stage.RUNNING or not saved.target.sent:
                self.death.at(f"after save {saved.stage}")
        return saved

    @contextmanager
    def _changing(self, *kinds: Work) -> Iterator[tuple[Connection, datetime, Appending]]:
        """Between the events and the new head of their chain, in whatever transaction."""
        with super()._changing(*kinds) as (connection, now, appending):
            mortal = MortalAppending(appending.chain, connection, now)
            mortal.death = self.death
            yield connection, now, mortal
            appending.head, appending.wakes = mortal.head, mortal.wakes


def _of_rollout(saved: Request) -> Iterator[str]:
    """The moments of a rollout and of its targets, after one of them was saved."""
    if saved.ask.rollout:
        yield f"after save {'held target' if saved.hold else f'target {saved.stage}'}"
    if saved.rollout:
        yield f"after save rollout {saved.stage}"
        yield f"after save {'pause' if saved.rollout.wave_ended_at else 'wave'} {saved.rollout.wave}"
        yield from ["after save held rollout"] * (saved.hold is not None)
        yield from ["after save extended rollout"] * bool(saved.aftercare.extensions)


class MortalAppending(Appending):
    """An append after which its process may not come back."""

    death: Death

    def append(self, events: Sequence[Event]) -> None:
        def dies(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            if statement.startswith("UPDATE chain_head"):
                for one in events:
                    self.death.at(f"append {one.type}")

        event.listen(self.connection, "before_cursor_execute", dies)
        try:
            super().append(events)
        finally:
            event.remove(self.connection, "before_cursor_execute", dies)
