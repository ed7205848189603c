"""What a handler test acts in: a real Bolt app, a real workflow on a real database, and a Web API on loopback."""

import re
import threading
from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from slack_bolt import App, BoltRequest, BoltResponse

from bot.core.hosts.inventory import Host
from bot.core.policy.model import ListedUnit, Policy, Rule
from bot.core.requests import Approval, Request, Sent, SlowWait, Stage
from bot.core.systemd.guard import Note
from bot.core.systemd.unit_list import unit_list_argv
from bot.edges.database import Database
from bot.errors import HostError
from bot.ports import CommandResult, Query
from bot.workflow import Desk, InForce
from tests.handlers.payloads import CARD, CHANNEL, command
from tests.handlers.web_api import WebApi

HOSTS = tuple(Host(name, "127.0.0.1", 22, "maskbot", "prod") for name in ("db-01", "web-01", "web-02"))
POLICY = Policy(
    "digest",
    teams=frozenset(),
    channels=frozenset({CHANNEL}),
    channel_prefixes=(),
    groups=(),
    rules=(Rule("prod", ask=frozenset({"eng"}), approve=("sre",)),),
    critical=(ListedUnit("ssh*", "remote access. Masking it would lock everybody out of {host}"),),
    guarded=(),
)
UNITS = ("cron.service", "cronjob@daily.service", "echo.socket", "ssh.service", "worker.service")


class Listed(App):
    """A Bolt app that also writes down what is registered with it."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.taken: defaultdict[str, set[str]] = defaultdict(set)

    def command(self, command: Any, matchers: Any = None, middleware: Any = None) -> Any:
        return self._listed("command", command, super().command(command, matchers, middleware))

    def event(self, event: Any, matchers: Any = None, middleware: Any = None) -> Any:
        return self._listed("event", event, super().event(event, matchers, middleware))

    def action(self, constraints: Any, matchers: Any = None, middleware: Any = None) -> Any:
        return self._listed("action", constraints, super().action(constraints, matchers, middleware))

    def view(self, constraints: Any, matchers: Any = None, middleware: Any = None) -> Any:
        return self._listed("view", constraints, super().view(constraints, matchers, middleware))

    def shortcut(self, constraints: Any, matchers: Any = None, middleware: Any = None) -> Any:
        return self._listed("shortcut", constraints, super().shortcut(constraints, matchers, middleware))

    def options(self, constraints: Any, matchers: Any = None, middleware: Any = None) -> Any:
        return self._listed("options", constraints, super().options(constraints, matchers, middleware))

    def _listed(self, kind: str, what: str | re.Pattern[str] | dict[str, str], registered: Any) -> Any:
        name = what["action_id"] if isinstance(what, dict) else what
        self.taken[kind].add(name.pattern if isinstance(name, re.Pattern) else name)
        return registered


class NoHost:
    """No handler reaches a host, but that the names of its units are asked for in the background."""

    def __init__(self) -> None:
        self.answers = threading.Event()
        self.answers.set()
        self.trouble: HostError | None = None
        self.asked: list[str] = []

    def run(
        self,
        host: Host,
        argv: tuple[str, ...],
        *,
        deadline: float,
        note: Note | None = None,
        then: tuple[str, ...] = (),
    ) -> CommandResult:
        if argv != unit_list_argv():
            raise AssertionError(f"a handler sent {argv} to {host.name}")
        self.asked.append(host.name)
        self.answers.wait(10)
        if self.trouble:
            raise self.trouble
        return CommandResult(argv, 0, "\n".join(["@maskbot-look 1", "@unit_names", *UNITS, "@end", ""]), "", 15)


@dataclass(frozen=True)
class World:
    """What a test does, and where it looks."""

    app: App
    store: Database
    desk: Desk
    slack: WebApi
    hosts: NoHost
    in_force: InForce

    def send(self, payload: dict[str, Any]) -> BoltResponse:
        """Slack delivers this."""
        return self.app.dispatch(BoltRequest(mode="socket_mode", body=payload))

    def requests(self) -> list[Request]:
        """Everything on record, newest first."""
        return self.store.find(Query())

    def ask(self, text: str = "web-01 cron runaway job") -> Request:
        """Alice has asked for this."""
        self.send(command(text))
        return self.requests()[0]

    def waiting(self, *, guarded: str = "", step_up: bool = False, is_noted: bool = True) -> Request:
        """Alice has asked, the host was looked at, and the card stands in the channel; unless we do not know it yet."""
        request = self.ask().on_target(digest="0123456789abcdef")
        within = request.asked_at + timedelta(minutes=15)
        approval = Approval("prod", 1, ("sre",), within, guarded=guarded, step_up=step_up)
        request = self.store.save(request.move(Stage.WAITING, approval=approval))
        return self.posted(request) if is_noted else request

    def moved(self, request: Request, stage: Stage, **target: Any) -> Request:
        """It went on to this stage."""
        return self.store.save(request.move(stage).on_target(**target))

    def slow(self) -> Request:
        """A mask that runs, and waits for its unit to stop."""
        running = self.moved(self.moved(self.waiting(), Stage.APPROVED), Stage.RUNNING)
        now = running.asked_at
        told = running.on_target(sent=(Sent("stop", (), now, 0),), waiting=SlowWait(now, now))
        return self.store.save(told)

    def posted(self, request: Request) -> Request:
        """Its card stands in the channel."""
        due = self.store.claim_message("poster")
        assert due is not None
        self.store.mark_delivered(due, channel=CHANNEL, ts=CARD, version=request.version)
        return request

    def events(self, type_: str) -> list[dict[str, Any]]:
        """What the audit chain holds of this type."""
        return [dict(event) for event in self.store.chain() if event["type"] == type_]
