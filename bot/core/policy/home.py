"""What somebody's own page of the bot shows: what waits for them, what is theirs, what they may do, how the bot is."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from bot.core.people.identity import Person
from bot.core.policy.model import Policy, Rule
from bot.core.requests import KillSwitch, Request


@dataclass(frozen=True, slots=True)
class RuleRights:
    """What a rule of the policy lets somebody do."""

    rule: Rule
    may_ask: bool
    may_approve: bool


@dataclass(frozen=True, slots=True)
class UnreachableHost:
    """A host that could not be reached when it was last tried."""

    host: str
    since: datetime
    why: str


@dataclass(frozen=True, slots=True)
class Health:
    """How the bot is, as far as it concerns people."""

    version: str
    open_requests: int = 0
    unreached: tuple[UnreachableHost, ...] = ()
    kill_switch: KillSwitch | None = None  # who stopped new masks


@dataclass(frozen=True, slots=True)
class HomeView:
    """All of it. Of lists that are cut the whole length is kept beside them."""

    health: Health
    to_decide: tuple[Request, ...] = ()
    to_sign: tuple[Request, ...] = ()  # reviews of what was done without the missing votes
    masks: tuple[Request, ...] = ()
    open: tuple[Request, ...] = ()
    finished: tuple[Request, ...] = ()  # lately, newest first
    rights: tuple[RuleRights, ...] = ()
    more_to_decide: int = 0
    more_masks: int = 0
    more_open: int = 0
    not_known: str = ""  # why nobody could tell in which groups they are
    can_break_glass: frozenset[str] = frozenset()  # ids of requests on it that they could go ahead with alone


def rights_of(person: Person, policy: Policy) -> Iterator[RuleRights]:
    """Every rule under which they may ask or approve, in the order of the policy file."""
    for rule in policy.rules:
        asks, approves = bool(person.groups & rule.ask), bool(person.groups & set(rule.approve))
        if (asks or approves) and not rule.forbid:
            yield RuleRights(rule, asks, approves)
