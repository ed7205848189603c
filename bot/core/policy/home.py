"""The values of the Home tab: what waits for a person, what is theirs, what they may do, and the bot's health."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from bot.core.people.identity import Person
from bot.core.policy.model import Policy, Rule
from bot.core.requests import KillSwitch, Request


@dataclass(frozen=True, slots=True)
class RuleRights:
    """The permissions that one rule of the policy gives to somebody."""

    rule: Rule
    may_ask: bool
    may_approve: bool


@dataclass(frozen=True, slots=True)
class UnreachableHost:
    """A host that could not be reached at the last try."""

    host: str
    since: datetime
    why: str


@dataclass(frozen=True, slots=True)
class Health:
    """The health of the bot, as far as it concerns people."""

    version: str
    open_requests: int = 0
    unreachable: tuple[UnreachableHost, ...] = ()
    kill_switch: KillSwitch | None = None  # who turned the kill switch on


@dataclass(frozen=True, slots=True)
class HomeView:
    """Everything the Home tab shows. For a list that is cut, its full length is stored too."""

    health: Health
    to_decide: tuple[Request, ...] = ()
    to_sign: tuple[Request, ...] = ()  # break-glass sign-offs that are open
    masks: tuple[Request, ...] = ()
    open: tuple[Request, ...] = ()
    finished: tuple[Request, ...] = ()  # recent ones, newest first
    rights: tuple[RuleRights, ...] = ()
    more_to_decide: int = 0
    more_masks: int = 0
    more_open: int = 0
    not_known: str = ""  # why the person's groups are not known
    can_break_glass: frozenset[str] = frozenset()  # ids of listed requests for which the person could use break-glass


def rights_of(person: Person, policy: Policy) -> Iterator[RuleRights]:
    """Every rule under which the person may ask or approve, in the order of the policy file."""
    for rule in policy.rules:
        asks, approves = bool(person.groups & rule.ask), bool(person.groups & set(rule.approve))
        if (asks or approves) and not rule.forbid:
            yield RuleRights(rule, asks, approves)
