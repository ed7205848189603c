"""Slack in memory, as far as the workflow uses it: people with groups, and channels with messages that can be
edited.
"""

import itertools
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from time import monotonic

from bot.core.cards.blocks import Block, Text
from bot.core.people.identity import Caller, Person, PersonId, Place, Shift
from bot.core.policy.groups import Group
from bot.errors import NotYet, SlackError, Unverified

TEAM = "T1"
GONE = "channel_not_found"


def person(name: str) -> Person:
    return Person(PersonId(TEAM, f"U{name.upper()}"), name)


ALICE, BOB, CAROL, DAVE, EVE = (person(name) for name in ("alice", "bob", "carol", "dave", "eve"))
INCIDENT = Place("C1", name="inc-42")


def caller(who: Person, key: str = "", *, place: Place = INCIDENT) -> Caller:
    return Caller(who.id, who.name, place, key)


class People:
    """The current members of groups; answers may fail."""

    def __init__(self) -> None:
        everybody = (ALICE, BOB, CAROL, DAVE, replace(EVE, is_guest=True))
        self.people = {each.id: each for each in everybody}
        self.groups = {"eng": {ALICE.id, BOB.id, CAROL.id}, "sre": {BOB.id, CAROL.id}}
        self.silent: set[PersonId] = set()
        self.broken: set[str] = set()  # groups whose members are not known
        self.elsewhere: dict[str, set[PersonId]] = {}  # channel -> who is not in it
        self.private: set[str] = set()
        self.shared: set[str] = set()  # channels that another organisation reads too
        self.early: set[str] = set()  # not known because the bot has not reached Slack yet
        self.on_call: dict[str, tuple[Shift, ...]] = {}

    def person(self, person: PersonId, groups: Sequence[Group]) -> Person:
        if person in self.silent or person not in self.people:
            raise Unverified("Slack did not say who that is.")
        mine = {group.name for group in groups if person in self.groups.get(group.name, ())}
        return replace(self.people[person], groups=frozenset(mine))

    def members(self, group: Group) -> frozenset[PersonId]:
        if group.name in self.early:
            raise NotYet("The bot has not reached Slack yet.")
        if group.name in self.broken:
            raise Unverified(f"Nobody could tell who is in @{group.name}.")
        return frozenset(self.groups[group.name])

    def shifts(self, group: Group) -> tuple[Shift, ...]:
        return self.on_call.get(group.name, ())

    def is_in(self, person: PersonId, place: Place) -> bool:
        return person not in self.elsewhere.get(place.channel, ())

    def place(self, place: Place) -> Place:
        is_internal = place.channel not in self.shared
        return replace(place, name=INCIDENT.name, is_private=place.channel in self.private, is_internal=is_internal)


@dataclass(slots=True)
class Said:
    """A message in its present state."""

    channel: str
    thread: str
    mark: str
    text: Text
    edits: int = 0
    times: list[float] = field(default_factory=list)  # of its post and its edits, by the monotonic clock


@dataclass(slots=True)
class Channels:
    """Messages that are posted and edited; like Slack, it refuses to edit a missing one."""

    messages: dict[str, Said] = field(default_factory=dict)
    whispers: list[tuple[str, str]] = field(default_factory=list)
    places: list[tuple[str, str]] = field(default_factory=list)  # where each of them was sent
    pages: dict[str, Block] = field(default_factory=dict)  # by user id
    forms: dict[str, Block] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    trouble: str = ""  # Slack's error code for all calls now
    retry_after: float | None = None  # the seconds of Retry-After
    takes_blocks: bool = True
    answers_to_lose: int = 0  # of the next messages, which are posted, but whose answer is lost
    tries: int = 0
    _numbers: Iterable[int] = field(default_factory=lambda: itertools.count(1_700_000_000))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def post(self, place: Place, text: Text, *, mark: str) -> str:
        with self._lock:
            self._answer(place.channel, text)
            ts = f"{next(iter(self._numbers))}.000100"
            self.messages[ts] = Said(place.channel, place.thread, mark, text, times=[monotonic()])
            if self.answers_to_lose:
                self.answers_to_lose -= 1
                raise SlackError("The answer was lost.", code="unreachable", passing=True)
            return ts

    def find(self, place: Place, *, mark: str, since: datetime, besides: str = "") -> str:
        with self._lock:
            self._answer(place.channel)
            found = (ts for ts, one in self.messages.items() if one.mark == mark and ts != besides)
            return next(found, "")

    def delete(self, channel: str, ts: str) -> None:
        with self._lock:
            self._answer(channel)
            self.messages.pop(ts)

    def update(self, channel: str, ts: str, text: Text) -> None:
        with self._lock:
            self._answer(channel, text)
            if ts not in self.messages:
                raise SlackError("No such message.", code="message_not_found")
            self.messages[ts].text = text
            self.messages[ts].edits += 1
            self.messages[ts].times.append(monotonic())

    def whisper(self, place: Place, user: str, text: Text) -> None:
        with self._lock:
            self._answer(place.channel)
            self.whispers.append((user, words(text)))
            self.places.append((place.channel, user))

    def permalink(self, channel: str, ts: str) -> str:
        self._answer(channel)
        return f"https://example.slack.com/archives/{channel}/p{ts.replace('.', '')}"

    def publish(self, user: str, page: Block) -> None:
        with self._lock:
            self._answer("")
            self.pages[user] = page

    def show(self, form_id: str, form: Block, *, user: str) -> None:
        with self._lock:
            self._answer("")
            self.forms[form_id] = form

    def marked(self, mark: str) -> list[Said]:
        """The messages with this mark, or with a part of it, oldest first."""
        with self._lock:
            return [said for said in self.messages.values() if f"{said.mark}:".startswith(f"{mark}:")]

    def _answer(self, channel: str, text: Text | None = None) -> None:
        self.tries += 1
        if self.trouble:
            passing = self.trouble in ("unreachable", "ratelimited")
            raise SlackError("Slack did not do it.", code=self.trouble, passing=passing, retry_after=self.retry_after)
        if text and text.blocks and not self.takes_blocks:
            raise SlackError("Slack refused it.", code="invalid_blocks")
        if channel in self.gone:
            raise SlackError("Slack refused it.", code=GONE)


def words(text: Text) -> str:
    """The text of a message, with its buttons in brackets."""
    return "\n".join([head(text), *(line for block in text.blocks for line in _lines(block))])


def head(text: Text) -> str:
    """The head line of a card; all of a sentence."""
    is_card = any(block["type"] == "header" for block in text.blocks)
    return text.text.partition("\n")[0] if is_card else text.text


def _lines(block: dict[str, object]) -> Iterable[str]:
    match block:
        case {"type": "actions", "elements": list(buttons)}:
            yield " ".join(f"[{button['text']['text']}]" for button in buttons)
        case {"text": {"text": str(text)}}:
            yield text
        case {"elements": list(parts)}:
            yield from (str(part["text"]) for part in parts if "text" in part)
