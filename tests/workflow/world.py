"""A bot without Slack: its real workflow and database, on real or model hosts, and the actions of people."""

import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from time import monotonic, sleep
from typing import Any

from bot.core.cards import render
from bot.core.hosts.inventory import Host, Inventory
from bot.core.people.identity import Person, Place
from bot.core.policy.configuration import ConfigSnapshot
from bot.core.policy.groups import Group
from bot.core.policy.model import Policy, Rule
from bot.core.requests import (
    Ask,
    Change,
    Followup,
    FollowupCommand,
    FollowupKind,
    Request,
    Stage,
    Tally,
    Verb,
    Verdict,
    VoteCommand,
)
from bot.core.systemd.units import UnitName
from bot.edges.clock import SystemClock
from bot.edges.database import Database, DatabaseLimits
from bot.ports import Hosts, Query
from bot.workflow import Deps, Desk, InForce, Timings, Workers
from bot.workflow.hosts.quarantine import QuarantinedHosts
from bot.workflow.outbox.internal_only import InternalOnly
from bot.workflow.process.channel_states import ChannelStates
from bot.workflow.queries.answer_pool import AnswerPool
from config.critical_units import read_lists
from config.host_keys import read_public_key
from config.loading import SHIPPED_LIST
from config.strict_yaml import read_document
from tests.lab.keys import KEYS
from tests.plugins.fault_table import was_read
from tests.workflow.fleet import AnyHost
from tests.workflow.slack import ALICE, BOB, INCIDENT, TEAM, Channels, People, Said, caller, words
from tests.workflow.wire import Wire

CRITICAL, GUARDED = read_lists(read_document(SHIPPED_LIST))
POLICY = Policy(
    digest="0" * 64,
    teams=frozenset({TEAM}),
    channels=frozenset(),
    channel_prefixes=("inc-",),
    groups=(Group("eng"), Group("sre")),
    rules=(Rule("prod", ask=frozenset({"eng"}), approve=("sre",)),),
    critical=CRITICAL,
    guarded=GUARDED,
)
# Tests wait for what people would wait for, only not as long.
QUICK = Timings(
    retries=(0.05, 0.1), recheck_first=0.1, recheck_longest=0.5, host_busy=0.25, progress=1.0, message_retry=0.1
)
EDITS_APART = timedelta(seconds=0.25)
PATIENCE = 60.0
MOMENT = 0.02  # a step records several changes at once, and to look costs as much as to record one
_LEFT = re.compile(r" \([^()]* left\)")


class Hands(SystemClock):
    """This machine's clock, which can be put forward."""

    def __init__(self) -> None:
        super().__init__()
        self.ahead = timedelta()

    def now(self) -> datetime:
        return super().now() + self.ahead


def inventory(hosts: Mapping[str, AnyHost]) -> Inventory:
    """The hosts as hosts.yaml would name them."""
    return Inventory(
        tuple(
            Host(name, host.address, host.port, host.login, "prod", pins=frozenset({read_public_key(host.host_key)}))
            for name, host in hosts.items()
        )
    )


class World:
    """A running bot, and people who use it; every wait ends when its condition is stored, or fails loudly."""

    def __init__(
        self, hosts: Mapping[str, AnyHost], url: str, *, ways: Hosts, people: People | None = None, **changed: Any
    ) -> None:
        self.hosts = hosts
        self.clock = Hands()
        limits = changed.pop("database_limits", DatabaseLimits(card_edit_interval=EDITS_APART))
        self.store = Database(url, clock=self.clock, instance="bot-1", keys=KEYS, limits=limits)
        self.wire = Wire(ways)
        self.has_lost_an_answer = False  # for tests in which an answer cannot be recorded
        self.people = people or People()
        self.slack = Channels()
        known: dict[str, Any] = {"inventory": inventory(hosts), "policy": POLICY, "timings": QUICK} | changed
        self.in_force = InForce(ConfigSnapshot(known.pop("inventory"), known.pop("policy")))
        trusted = QuarantinedHosts(self.wire, self.store, self.clock)
        states = ChannelStates()
        channel = InternalOnly(self.slack, self.people, states, self.clock)
        known["channel_states"] = states
        self.deps = Deps(self.store, trusted, self.people, channel, self.clock, self.in_force, keys=KEYS, **known)
        self.answers = AnswerPool(self.deps)
        self.desk = Desk(self.deps, self.answers)

    @contextmanager
    def running(self) -> Iterator["World"]:
        """Let the bot work for the duration of the block."""
        loop = Workers(self.deps, owner="bot-1")
        loop.start()
        try:
            yield self
        finally:
            loop.stop()

    def ask(
        self,
        verb: Verb,
        unit: str,
        *,
        host: str = "web-01",
        by: Person = ALICE,
        place: Place = INCIDENT,
        **options: Any,
    ) -> Request:
        """Record what somebody wants; nothing is waited for. Options are those of the ask or of its change."""
        own = {name: options.pop(name) for name in ("break_glass", "console_works", "selection") if name in options}
        change = Change(verb, host, UnitName.parse(unit), **options)
        ask = Ask(change, by.id, by.name, place, "INC-42: runaway job", **own)
        return self.desk.submit(ask, key=secrets.token_hex(8))

    def ask_mask(self, unit: str, **given: Any) -> Request:
        """Record a request for a mask; nothing is waited for."""
        return self.ask(Verb.MASK, unit, **given)

    def mask(self, unit: str, *, host: str = "web-01", by: Person = ALICE, **options: Any) -> Request:
        """Ask for a mask, and return when it waits for approval or is final."""
        return self.until_answered(self.ask(Verb.MASK, unit, host=host, by=by, **options))

    def unmask(self, unit: str, *, host: str = "web-01", by: Person = ALICE, **options: Any) -> Request:
        """Ask for an unmask by name, and return when it waits for approval or is final."""
        return self.until_answered(self.ask(Verb.UNMASK, unit, host=host, by=by, **options))

    def vote(self, request: Request, verdict: Verdict = Verdict.APPROVE, *, by: Person = BOB, **given: Any) -> None:
        """Press a button of the request's present card."""
        self.until(lambda: bool(self.store.card(request.id)[1]), "a card")
        now = self.store.get(request.id)
        self.desk.vote(
            request.id,
            VoteCommand(verdict, now.target.digest[:12], self.store.card(request.id), **given),
            caller(by),
        )

    def follow_up(self, request: Request, kind: FollowupKind, *, by: Person, **given: Any) -> Followup:
        """Send a followup about a request, and return it with its answer."""
        mine = self.desk.followups.add(request.id, FollowupCommand(kind, **given), caller(by))

        def handled() -> list[Followup]:
            found = (
                followup
                for followup in self.store.get(request.id).followups
                if (followup.by, followup.at) == (mine.by, mine.at)
            )
            return [followup for followup in found if followup.tally is not Tally.RECORDED]

        self.until(lambda: bool(handled()), f"an answer to {kind} of {request.ask.change}")
        (followup,) = handled()
        return followup

    def approve(self, request: Request, *, by: Person = BOB) -> Request:
        """Approve, and return when the request is final."""
        self.vote(request, by=by)
        return self.until_final(request)

    def masked(self, unit: str, *, host: str = "web-01", **options: Any) -> Request:
        """Ask, approve, and return when the request is final; a refused one is final without an approval."""
        request = self.mask(unit, host=host, **options)
        return request if request.stage.is_final else self.approve(request)

    def undo(self, request: Request, *, by: Person = ALICE) -> Request:
        """Press Unmask, and return when the undo is final or waits for approval."""
        return self.until_answered(self.begin_undo(request, by=by))

    def begin_undo(self, request: Request, *, by: Person = ALICE) -> Request:
        """Press Unmask; nothing is waited for."""
        return self.desk.undo(request.id, caller(by, secrets.token_hex(8)))

    def until_answered(self, request: Request) -> Request:
        """The request when it waits for people, or is final."""
        return self.when(request, lambda now: now.stage is Stage.WAITING or now.stage.is_final, "an answer")

    def until_final(self, request: Request) -> Request:
        """The request when it is final."""
        return self.when(request, lambda now: now.stage.is_final, "an end")

    def when(self, request: Request, holds: Callable[[Request], bool], what: str) -> Request:
        """The stored request once a condition holds."""
        now = request

        def is_so() -> bool:
            nonlocal now
            now = self.store.get(request.id)
            return holds(now)

        self.until(is_so, f"{what} of {request.ask.change}")
        return now

    def until(self, holds: Callable[[], bool], what: str, *, seconds: float = PATIENCE) -> None:
        """Wait for a condition; checked when the store has changed, once for all changes of a moment."""
        deadline = monotonic() + seconds
        while not holds():
            if monotonic() > deadline:
                stages = [(str(each.ask.change), each.stage) for each in self.requests()]
                raise AssertionError(f"waited in vain for {what}; {stages}")
            self.store.wait_for_work(0.1)
            sleep(MOMENT)

    def requests(self) -> list[Request]:
        """Every request there is."""
        return self.store.find(Query(limit=1000))

    def card(self, request: Request) -> str:
        """The text of the request's card once it shows the newest version."""

        def is_drawn() -> bool:
            drawn = self.slack.marked(f"{request.id}:card")
            newest = render(self.store.get(request.id), now=self.clock.now())
            if drawn and not drawn[0].text.blocks:  # the text in plain words is as short as it has to be
                return _first_line(drawn[0].text.text) == _first_line(newest.text)
            return bool(drawn) and _lasting(words(drawn[0].text)) == _lasting(words(newest))

        self.until(is_drawn, f"the card of {request.ask.change}")
        (drawn,) = self.slack.marked(f"{request.id}:card")
        return was_read(words(drawn.text))

    def evidence(self, request: Request) -> list[Said]:
        """The text of the card's thread, once it is complete."""
        mark = f"{request.id}:evidence"
        self.until(lambda: any("last check" in words(said.text) for said in self.slack.marked(mark)), "the evidence")
        return self.slack.marked(mark)

    def note(self, request: Request, part: str) -> str:
        """A note about the request, once there is one with this text."""

        def found() -> list[str]:
            with_mark = [
                said for said in list(self.slack.messages.values()) if said.mark.startswith(f"{request.id}:note")
            ]
            return [words(said.text) for said in with_mark if part in words(said.text)]

        self.until(lambda: bool(found()), f"a note `{part}` about {request.ask.change}")
        return was_read(found()[-1])

    def direct(self, person: Person, part: str) -> str:
        """Direct messages to one person, once one with this text is there."""

        def found() -> list[str]:
            sent = [said for said in list(self.slack.messages.values()) if said.channel == person.id.user]
            return [words(said.text) for said in sent if part in words(said.text)]

        self.until(lambda: bool(found()), f"a direct message `{part}` to {person.name}")
        return was_read(found()[-1])

    def ephemeral(self, person: Person, part: str) -> str:
        """Ephemeral messages to one person, once one with this text is there."""

        def found() -> list[str]:
            return [text for user, text in list(self.slack.whispers) if user == person.id.user and part in text]

        self.until(lambda: bool(found()), f"{person.name} being told `{part}`")
        return was_read(found()[-1])


def _lasting(text: str) -> str:
    """A card without the parts that change every minute."""
    return _LEFT.sub("", text)


def _first_line(text: str) -> str:
    """The head line of a card, as blocks or as plain text."""
    return text.partition("\n")[0]
