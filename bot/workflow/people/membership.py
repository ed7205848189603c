"""Read the members of groups, each group by itself: one that is not known does not affect the others."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from bot.core.people.identity import Person, PersonId, Place, Shift
from bot.core.policy.groups import Group
from bot.core.policy.model import NeedsApproval, Policy, Unknown
from bot.core.requests import Request
from bot.errors import NotYet, Unverified
from bot.workflow.process.deps import Deps

MOST_CALLED = 10  # members of one group who are mentioned by name in one message


@dataclass(frozen=True, slots=True)
class Groups:
    """The current members of the policy's groups; `unknown` says for each other group why its members are not known."""

    known: Sequence[Group]
    members: Mapping[str, frozenset[PersonId]]
    shifts: Mapping[str, tuple[Shift, ...]]
    unknown: Mapping[str, Unknown]


def read_groups(deps: Deps) -> Groups:
    """Read every group."""
    groups = deps.in_force.policy.groups
    members, shifts, unknown = dict[str, frozenset[PersonId]](), dict[str, tuple[Shift, ...]](), dict[str, Unknown]()
    for group in groups:
        try:
            members[group.name], shifts[group.name] = deps.directory.members(group), deps.directory.shifts(group)
        except (Unverified, NotYet) as error:
            unknown[group.name] = Unknown(str(error), for_now=isinstance(error, NotYet))
    return Groups([group for group in groups if group.name in shifts], members, shifts, unknown)


def read_cards(deps: Deps, request: Request, policy: Policy) -> tuple[Mapping[str, Place], Mapping[str, Unknown]]:
    """The channels of the request's card and of the rules' cards; and those that could not be read."""
    cards, unknown = dict[str, Place](), dict[str, Unknown]()
    for channel in {rule.routing.card_channel for rule in policy.rules} | {request.route.card_channel}:
        if channel:
            try:
                cards[channel] = deps.directory.place(Place(channel))
            except (Unverified, NotYet) as error:
                unknown[channel] = Unknown(str(error), for_now=isinstance(error, NotYet))
    return cards, unknown


def person(deps: Deps, who: PersonId, groups: Groups | None = None) -> Person:
    """A person's current identity, with their groups among the known ones. Raises `Unverified`."""
    return deps.directory.person(who, (groups or read_groups(deps)).known)


def mention_ids(deps: Deps, names: Iterable[str]) -> tuple[str, ...]:
    """The ids that mention these groups: a user group's own id if known, else its members'.

    A group whose members are not known is left out.
    """
    known = {group.name: group for group in deps.in_force.policy.groups}
    ids: list[str] = []
    for group in (known[name] for name in names if name in known):
        if group.slack_group.startswith("S"):
            ids.append(group.slack_group)
            continue
        with suppress(Unverified, NotYet):
            ids += sorted({one.user for one in deps.directory.members(group)})[:MOST_CALLED]
    return tuple(dict.fromkeys(ids))


def with_names(deps: Deps, decision: NeedsApproval) -> NeedsApproval:
    """The decision with people's names for the card; without names if Slack does not tell them."""
    return replace(decision, on_call=tuple(_with_name(deps, shift) for shift in decision.on_call))


def _with_name(deps: Deps, shift: Shift) -> Shift:
    with suppress(Unverified):
        return replace(shift, name=deps.directory.person(shift.person, ()).name)
    return shift
