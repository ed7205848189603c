"""The options of a form: the units of each host, for our own people, and which units are refused by name.

Slack waits three seconds for a list and asks at every few keystrokes, so nothing here waits for a host or for Slack.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import structlog

from bot.core.audit.chain import Event
from bot.core.people.identity import PersonId
from bot.core.policy.rules.form_options import protection, refused_by_name
from bot.core.policy.rules.identity import is_one_of_us
from bot.core.requests import Change, Selection, Verb
from bot.core.requests.ask import in_words
from bot.core.systemd.unit_list import parse_unit_list, unit_list_argv
from bot.core.systemd.units import UnitName
from bot.errors import MaskbotError, UsageError
from bot.workflow.process.deps import Deps
from bot.workflow.process.refusals import Refusals
from bot.workflow.queries.cache import Cache, Cached, Later
from bot.workflow.rollout.target_list import expand, expand_hosts

log = structlog.get_logger()
_DEADLINE = 5.0  # seconds; a person who types does not wait longer
_AGAIN = timedelta(seconds=5)  # until a host or Slack is asked again after no answer
_MEMBER = timedelta(minutes=1)  # how long somebody counts as one of our people, once Slack has confirmed it


@dataclass(frozen=True, slots=True)
class UnitOptions:
    """The units of a host, or None with the reason; None without a reason means that the list is being fetched."""

    units: tuple[UnitName, ...] | None = None
    why_not: str = ""


class FormOptions:
    """Lists of units by host, and what is known of a unit before anybody asks for its mask."""

    def __init__(self, deps: Deps, refusals: Refusals, later: Later) -> None:
        self._deps = deps
        self._refusals = refusals
        self._lists = Cache(self._list, later=later, clock=deps.clock)
        self._members = Cache(self._member, later=later, clock=deps.clock)

    def first_host(self, names: str) -> str:
        """The first host of a list of hosts and groups, whose units are offered; empty if none is known."""
        try:
            return next(iter(expand_hosts(self._deps.pinned(), Selection(tuple(names.split(","))[:1], ()))))
        except UsageError:
            return ""

    def units(self, host: str, *, asker: PersonId) -> UnitOptions:
        """The units known now. Raises `UsageError` for an unknown host."""
        self._deps.in_force.inventory.host(host)
        is_ours = self._members.of(asker)
        if is_ours is False:  # and no host is asked for them
            return UnitOptions(why_not="Units are shown to full members only: type the whole name")
        listed = self._lists.of(host)
        return listed if listed and is_ours else UnitOptions()

    def protection(self, host: str) -> Callable[[UnitName], str]:
        """A function that says why a unit is refused or guarded. Raises `UsageError` for an unknown host."""
        deps = self._deps.pinned()
        known = deps.in_force.inventory.host(host)
        return lambda unit: protection(Change(Verb.MASK, host, unit), known, deps.in_force.policy)

    def objection(self, change: Change, selection: Selection | None, *, by: PersonId) -> str:
        """Why nobody could approve this, to show while the form is open, and recorded; empty if somebody could.

        Of many targets one that somebody could approve is enough. Raises `UsageError` if there are too many.
        """
        deps = self._deps.pinned()
        targets = expand(deps, selection) if selection else ((change.host, change.unit),)
        inventory, policy, first = deps.in_force.inventory, deps.in_force.policy, None
        for host, unit in targets:
            no = refused_by_name(replace(change, host=host, unit=unit), inventory.host(host), policy)
            if no is None:
                return ""
            first = first or no
        if first is None:
            return ""
        told = {"change": in_words(change, selection)}
        self._refusals.record(Event("form.refused", "denied", code=first.code, actor=by, data=told))
        return f"{first.reason} {first.hint}".strip()

    def _list(self, host: str) -> Cached[UnitOptions]:
        deps = self._deps.pinned()
        try:
            answer = deps.hosts.run(deps.in_force.inventory.host(host), unit_list_argv(), deadline=_DEADLINE)
            units = parse_unit_list(answer.stdout)
        except MaskbotError as error:
            log.info("units not listed", host=host, why=str(error))
            return Cached(UnitOptions(why_not=f"{host} does not answer: type the whole name"), _AGAIN)
        types = deps.in_force.policy.unit_types
        named = tuple(unit for unit in units if unit.type in types)
        return Cached(UnitOptions(named), timedelta(seconds=deps.timings.unit_lists))

    def _member(self, person: PersonId) -> Cached[bool | None]:
        deps = self._deps.pinned()
        try:
            return Cached(is_one_of_us(deps.directory.person(person, ()), deps.in_force.policy), _MEMBER)
        except MaskbotError as error:
            log.info("form options not available", asker=person.user, why=str(error))
            return Cached(None, _AGAIN)
