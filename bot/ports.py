"""What the workflow wants from outside, as small protocols that the edges meet."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from bot.core.audit.chain import Event, Head
from bot.core.audit.shipping import Need
from bot.core.cards.blocks import Block, Text
from bot.core.health import Backlog
from bot.core.hosts.inventory import Host
from bot.core.paging import Alert
from bot.core.people.identity import Person, PersonId, Place, Shift
from bot.core.policy.model import Group
from bot.core.requests import Request, Stage, Vote
from bot.core.requests.outbox import Message, MessageKind
from bot.core.systemd.units import UnitName

__all__ = [
    "Channel",
    "Claim",
    "Clock",
    "Count",
    "Directory",
    "Due",
    "Periodic",
    "Hosts",
    "Message",
    "MessageKind",
    "Query",
    "Reply",
    "Schedules",
    "Sink",
    "Store",
]


class Clock(Protocol):
    """Time, and waiting for it."""

    def now(self) -> datetime:
        """The time, in UTC."""

    def wait(self, seconds: float) -> None:
        """Let time pass."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a command on a host answered. `exit_code` is a hint, never a proof."""

    argv: tuple[str, ...]
    exit_code: int
    stdout: str
    stderr: str
    millis: int


class Hosts(Protocol):
    """Hosts over SSH."""

    def run(self, host: Host, argv: tuple[str, ...], *, deadline: float) -> Reply:
        """Run one command of our vocabulary within `deadline` seconds.

        Raises `HostError` if it was certainly not sent, `OutcomeUnknown` if it was and no answer came back.
        """


class Directory(Protocol):
    """People, groups and places as Slack has them now."""

    def person(self, person: PersonId, groups: Sequence[Group]) -> Person:
        """Who this is, and which of the groups hold them. Raises `Unverified`."""

    def members(self, group: Group) -> frozenset[PersonId]:
        """Who is in a group now. Raises `Unverified`."""

    def shifts(self, group: Group) -> tuple[Shift, ...]:
        """Who of an on-call group is on call now, and until when; of other groups nobody. Raises `Unverified`."""

    def is_in(self, person: PersonId, place: Place) -> bool:
        """Whether somebody is a member of a channel. Raises `Unverified`."""

    def place(self, place: Place) -> Place:
        """The same place as it is now: its name, who can read it, whether the bot is in it. Raises `Unverified`."""


class Schedules(Protocol):
    """Where the people who are on call stand written."""

    def shifts(self, schedule: str) -> tuple[Shift, ...]:
        """Who is on call now for this schedule. Raises `Unverified`."""


class Channel(Protocol):
    """Messages in Slack. Everything here may raise `SlackError`."""

    def post(self, place: Place, text: Text, *, mark: str) -> str:
        """Post, and return the message's timestamp; `mark` is kept as metadata so that a twin can be known."""

    def find(self, place: Place, *, mark: str, since: datetime, besides: str = "") -> str:
        """The timestamp of our message with this mark, posted since then; empty if none is there, or can be seen.

        `besides` is one that is known, and not meant.
        """

    def update(self, channel: str, ts: str, text: Text) -> None:
        """Replace a message."""

    def delete(self, channel: str, ts: str) -> None:
        """Take a message of ours away."""

    def whisper(self, place: Place, user: str, text: Text) -> None:
        """Say it to one person alone (ephemeral)."""

    def permalink(self, channel: str, ts: str) -> str:
        """A link to a message."""

    def publish(self, user: str, page: Block) -> None:
        """Replace somebody's own page in the Home tab."""

    def show(self, form_id: str, form: Block) -> None:
        """Replace what stands in a form that is open."""


class Pager(Protocol):
    """Wakes somebody up."""

    def page(self, page: Alert) -> None:
        """Tell the receiver of pages. Raises `PagerError`."""


class Sink(Protocol):
    """Takes copies of the record, somewhere else."""

    @property
    def name(self) -> str:
        """What people call it."""

    @property
    def need(self) -> Need:
        """What it means that it takes nothing."""

    def take(self, records: Sequence[Mapping[str, Any]]) -> None:
        """Take these, in their order, or raise `SinkError` within its deadline. It may get some of them twice."""


@dataclass(frozen=True, slots=True)
class Due:
    """A message that is due: what is posted already, and under which version."""

    id: int
    request_id: str  # empty for what belongs to no request
    message: Message
    attempts: int
    channel: str = ""
    ts: str = ""  # of the posted message, empty if there is none yet
    posted_version: int = -1
    tried_at: datetime | None = None  # since when it may have been posted by a try that could not say so


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to work on a request for a while. Every write under it must match its fence."""

    request: Request
    owner: str
    fence: int


@dataclass(frozen=True, slots=True)
class Periodic:
    """Something that comes round again or is kept beside the requests: a watch over a host, a digest, a freeze.

    Its document is whatever its owner needs to remember, as JSON. `version` counts every keeping and every taking, so
    that of two who hold the same version one is turned away.
    """

    name: str  # its kind, a colon, and what it is about: `watch:web-01`
    document: Mapping[str, Any] = field(default_factory=dict)
    due_at: datetime | None = None  # None: it only keeps its document
    version: int = 0


@dataclass(frozen=True, slots=True)
class Query:
    """Which requests: all conditions hold together; newest first."""

    host: str = ""
    unit: UnitName | None = None
    stages: frozenset[Stage] = frozenset()
    live_masks: bool = False
    reviews_owed: bool = False
    requester: PersonId | None = None  # whose they are now
    since: datetime | None = None
    key: str = ""  # the one that was recorded under it
    limit: int = 50


Count = Callable[[Query], int]  # of the requests that match, whatever the limit


class Store(Protocol):
    """Requests, votes, events and messages in one database. Writers may raise `StoreBusy`."""

    def add(
        self,
        request: Request,
        *,
        events: Sequence[Event],
        messages: Sequence[Message] = (),
        provided: Callable[[Count], None] | None = None,
    ) -> tuple[Request, bool]:
        """Record a new request, or find the one that has the same key; the bool says whether it is new.

        `provided` is called before a new one is written, with counts that no other replica changes until it is. What
        it raises is passed on, and nothing is recorded.
        """

    def get(self, request_id: str) -> Request:
        """Raises `NoSuchRequest`."""

    def find(self, query: Query) -> list[Request]:
        """The requests that match."""

    def masked_lately(self, since: datetime, *, beside: Request) -> frozenset[tuple[str, str]]:
        """Host and unit of every other mask that began since then, or is approved, due and was asked before this."""

    def count(self, query: Query) -> int:
        """How many requests match, whatever the limit."""

    def cast(self, request_id: str, vote: Vote, *, events: Sequence[Event]) -> bool:
        """Record a vote and make its request due; False if this person's vote on this plan is there already."""

    def save(
        self,
        request: Request,
        *,
        events: Sequence[Event] = (),
        messages: Sequence[Message] = (),
        claim: Claim | None = None,
        urgent: bool = True,
    ) -> Request:
        """Replace the stored request if its version is still `request.version`, and return it with the next one.

        `urgent` says whether people wait for its card, or it is only drawn anew when its last edit allows.
        One transaction: the row, its targets and votes, the audit events, what must be said. Its card becomes due.
        Raises `Stale`, `LostClaim` (the fence does not match), `HostTaken` (RUNNING while another runs on the host).
        """

    def claim(self, owner: str) -> Claim | None:
        """Take the request that has been due longest, with a lease."""

    def renew(self, claim: Claim) -> None:
        """Extend the lease. Raises `LostClaim`."""

    def release(self, claim: Claim, *, due_at: datetime | None) -> None:
        """Give it back, due again then (None: when something happens); due at once if a vote came in meanwhile."""

    def hurry(self, request_id: str) -> None:
        """Make an unfinished request due now."""

    def hurry_all(self, stages: Collection[Stage]) -> None:
        """Make every request in one of these stages due now; one that is claimed, as soon as it is given back."""

    def is_anything_due(self) -> bool:
        """Whether there is a request, a message or a duty that somebody could take now."""

    def wake(self) -> None:
        """Let everybody in this process who waits for work look for it."""

    def wait_for_work(self, seconds: float) -> None:
        """Return when something may have become due, at the latest after so many seconds."""

    def due_message(self, owner: str) -> Due | None:
        """Take the message that has been due longest, with a lease."""

    def said(self, due: Due, *, channel: str, ts: str, version: int) -> str:
        """The message stands in Slack, as of this version of its request; the answer is where it stands by now.

        That is another timestamp if the lease ran out and somebody else has posted it meanwhile, empty if he is just
        about to. A card that was written to so late is drawn once more.
        """

    def unsaid(self, due: Due, *, retry_in: timedelta | None) -> None:
        """It could not be said; None gives it up."""

    def card(self, request_id: str) -> tuple[str, str]:
        """Channel and timestamp of a request's card; empty strings if it is not posted yet."""

    def duty(self, name: str) -> Periodic | None:
        """A duty as it is kept."""

    def duties(self, kind: str) -> list[Periodic]:
        """All duties of a kind: of `watch`, each whose name begins with `watch:`. In order of their names."""

    def keep(self, duty: Periodic, *, events: Sequence[Event] = (), messages: Sequence[Message] = ()) -> Periodic:
        """Keep a duty, free to be taken when it is due, with what is to be recorded and said, in one transaction.

        A duty of version 0 is new. Raises `Stale` if somebody else has kept or taken it since it was read.
        """

    def take_duty(self, owner: str) -> Periodic | None:
        """Take the duty that has been due longest, with a lease; `keep` ends it."""

    def record(self, events: Sequence[Event], messages: Sequence[Message] = ()) -> None:
        """Append events that belong to no request's change, and what must be said about them."""

    def go_by(self, config_digest: str) -> None:
        """From now on every event is recorded as decided under this configuration."""

    def backlog(self) -> Backlog:
        """What waits for a worker, for Slack, for people."""

    def prove_writable(self) -> None:
        """Write something of no matter. Raises `StoreBusy` or `ConfigError` where nothing could be recorded now."""

    def head(self) -> Head:
        """Where the record ends."""

    def chain(self, *, after: int = 0, limit: int = 1000) -> list[Mapping[str, Any]]:
        """Sealed audit events in order of their sequence numbers."""
