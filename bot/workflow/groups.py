"""Who is in which group, asked for each by itself: what is not known of one keeps nobody from using the others."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from bot.core.people import Person, PersonId, Shift
from bot.core.policy import Decision, Group, NeedsApproval, Unknown
from bot.errors import NotYet, Unverified
from bot.workflow.parts import Parts


@dataclass(frozen=True, slots=True)
class Groups:
    """The groups of the policy as they are now. Of those in `unknown` nobody could tell who is in them, and why."""

    known: Sequence[Group]
    members: Mapping[str, frozenset[PersonId]]
    shifts: Mapping[str, tuple[Shift, ...]]
    unknown: Mapping[str, Unknown]


def read_groups(parts: Parts) -> Groups:
    """Ask for every group."""
    members, shifts, unknown = dict[str, frozenset[PersonId]](), dict[str, tuple[Shift, ...]](), dict[str, Unknown]()
    for group in parts.policy.groups:
        try:
            members[group.name], shifts[group.name] = parts.directory.members(group), parts.directory.shifts(group)
        except (Unverified, NotYet) as error:
            unknown[group.name] = Unknown(str(error), for_now=isinstance(error, NotYet))
    return Groups([group for group in parts.policy.groups if group.name in shifts], members, shifts, unknown)


def person(parts: Parts, who: PersonId, groups: Groups | None = None) -> Person:
    """A person as they are now, with those of the known groups that hold them. Raises `Unverified`."""
    return parts.directory.person(who, (groups or read_groups(parts)).known)


def with_names(parts: Parts, decision: Decision) -> Decision:
    """The decision with people's names where a card shows them; without them where Slack does not tell."""
    if not isinstance(decision, NeedsApproval):
        return decision
    return replace(decision, on_call=tuple(_named(parts, shift) for shift in decision.on_call))


def _named(parts: Parts, shift: Shift) -> Shift:
    with suppress(Unverified):
        return replace(shift, name=parts.directory.person(shift.person, ()).name)
    return shift
