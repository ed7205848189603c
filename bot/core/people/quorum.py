"""Count how many approvals people make: any member's counts, or each has to come from a different group."""

from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)


def count_approvals(people: Mapping[Key, Collection[str]], groups: Sequence[str], *, distinct: bool) -> int:
    """How many approvals these people make together; each person is given with their groups."""
    if distinct:
        return len(assign_groups(people, groups))
    return sum(not set(groups).isdisjoint(own) for own in people.values())


def assign_groups(people: Mapping[Key, Collection[str]], groups: Sequence[str]) -> dict[str, Key]:
    """Assign people to groups: each person to one, and as many groups as these people can cover at all.

    Somebody in several groups makes room for those who are in one alone (augmenting paths, Kuhn 1955).
    """
    placed: dict[str, Key] = {}
    for group in dict.fromkeys(groups):
        _place(group, people, placed, set())
    return placed


def _place(group: str, people: Mapping[Key, Collection[str]], placed: dict[str, Key], tried: set[Key]) -> bool:
    """Find somebody for this group; its candidate may have to leave their group to another person."""
    for one in (one for one, own in people.items() if group in own and one not in tried):
        tried.add(one)
        theirs = next((other for other, who in placed.items() if who == one), None)
        if theirs is None or _place(theirs, people, placed, tried):
            placed[group] = one
            return True
    return False


def approvers_by_key(members: Mapping[str, Collection[Key]], groups: Sequence[str]) -> dict[Key, frozenset[str]]:
    """The members of these groups, each with their groups among these."""
    everybody = dict.fromkeys(one for group in groups for one in members.get(group, ()))
    return {one: frozenset(group for group in groups if one in members.get(group, ())) for one in everybody}
