"""The kill points K0 to K12: where in the life of a request a bot dies, and the edges on which it dies there."""

import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from bot.core.audit import Event
from bot.core.changes import Request, Stage
from bot.core.inventory import Host
from bot.edges.database import Database
from bot.errors import OutcomeUnknown
from bot.ports import Claim, Count, Hosts, Message, Reply
from tests.soak.kept import KeptCalls
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


class Death:
    """SIGKILL by its own hand, which no handler and no `finally` sees; at one point, and once for all replicas.

    The file says that somebody still has to die. Who removes it is the one.
    """

    def __init__(self, point: str, waits: Path) -> None:
        self._point = point
        self._waits = waits

    def at(self, point: str) -> None:
        if point != self._point:
            return
        try:
            self._waits.unlink()
        except FileNotFoundError:
            return
        os.kill(os.getpid(), signal.SIGKILL)


class MortalHosts:
    """The way to the hosts: what was sent is on record before anybody learns of it, or dies."""

    def __init__(self, hosts: Hosts, calls: KeptCalls, death: Death) -> None:
        self._hosts = hosts
        self._calls = calls
        self._death = death

    def run(self, host: Host, argv: tuple[str, ...], *, deadline: float) -> Reply:
        verb = Call(host.name, argv).verb
        if verb == "mask":
            self._death.at("K6")
        try:
            reply = self._hosts.run(host, argv, deadline=deadline)
        except OutcomeUnknown:
            self._calls.keep(Call(host.name, argv))
            raise
        self._calls.keep(Call(host.name, argv, reply))
        self._death.at({"mask": "K8", "stop": "K7"}.get(verb, ""))
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
        self.death.at("K0")
        added = super().add(request, events=events, messages=messages, provided=provided)
        self.death.at("K1")
        return added

    def save(
        self,
        request: Request,
        *,
        events: Sequence[Event] = (),
        messages: Sequence[Message] = (),
        claim: Claim | None = None,
        urgent: bool = True,
    ) -> Request:
        if any(one.type == "exec.result" for one in events):
            self.death.at("K9")
        saved = super().save(request, events=events, messages=messages, claim=claim, urgent=urgent)
        if saved.stage is Stage.APPROVED:
            self.death.at("K4")
        elif saved.stage is Stage.RUNNING and not saved.target.sent:
            self.death.at("K5")
        elif saved.stage is Stage.DONE:
            self.death.at("K10")
        return saved


def die_while_appending(death: Death, *, at: int) -> None:
    """K12: between the event and the head of its chain, at the so-manieth append of this process."""
    appends = iter(range(at))

    @event.listens_for(Engine, "before_cursor_execute")
    def before(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("UPDATE chain_head") and next(appends, None) is None:
            death.at("K12")
