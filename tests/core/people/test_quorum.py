"""How many approvals people make: each person once, and under `distinct` each for one group."""

from collections.abc import Mapping, Sequence

import pytest

from bot.core.people.quorum import approvers_by_key, assign_groups, count_approvals

People = Mapping[str, Sequence[str]]
GROUPS = ("sre", "dba")

SITUATIONS: Mapping[str, tuple[People, Sequence[str], int, int]] = {
    "nobody": ({}, GROUPS, 0, 0),
    "one person of one group": ({"bob": ["sre"]}, GROUPS, 1, 1),
    "one person who is in both groups": ({"bob": ["sre", "dba"]}, GROUPS, 1, 1),
    "two people who are in the same group alone": ({"bob": ["sre"], "carol": ["sre"]}, GROUPS, 2, 1),
    "one of each group": ({"bob": ["sre"], "dora": ["dba"]}, GROUPS, 2, 2),
    "one of both, who came first, and one of the first": ({"bob": ["sre", "dba"], "carol": ["sre"]}, GROUPS, 2, 2),
    "one of both, who came last, and one of the first": ({"carol": ["sre"], "bob": ["sre", "dba"]}, GROUPS, 2, 2),
    "two who are in both": ({"bob": ["dba", "sre"], "carol": ["sre", "dba"]}, GROUPS, 2, 2),
    "somebody of no group that approves": ({"dave": ["eng"], "bob": ["sre"]}, GROUPS, 1, 1),
    "a group that is named twice": ({"bob": ["sre"], "carol": ["sre"]}, ("sre", "sre"), 2, 1),
    "three who all have to make room": (
        {"bob": ["a", "b"], "carol": ["b", "c"], "dora": ["a"]},
        ("a", "b", "c"),
        3,
        3,
    ),
    "three for two groups, nobody for the third": (
        {"bob": ["a", "b"], "carol": ["a", "b"], "dora": ["a", "b"]},
        ("a", "b", "c"),
        3,
        2,
    ),
    "no group at all": ({"bob": ["sre"]}, (), 0, 0),
}


@pytest.mark.parametrize(("people", "groups", "anybody", "distinct"), SITUATIONS.values(), ids=SITUATIONS)
def test_approvals_of(people: People, groups: Sequence[str], anybody: int, distinct: int) -> None:
    assert count_approvals(people, groups, distinct=False) == anybody
    assert count_approvals(people, groups, distinct=True) == distinct


@pytest.mark.parametrize(("people", "groups", "_", "__"), SITUATIONS.values(), ids=SITUATIONS)
def test_nobody_stands_for_two_groups_nor_for_one_that_does_not_hold_them(
    people: People, groups: Sequence[str], _: int, __: int
) -> None:
    placed = assign_groups(people, groups)
    assert len(set(placed.values())) == len(placed)
    assert all(group in people[one] for group, one in placed.items())


def test_who_came_first_stands_for_the_group_until_somebody_needs_room() -> None:
    assert assign_groups({"bob": ["sre", "dba"]}, GROUPS) == {"sre": "bob"}
    assert assign_groups({"bob": ["sre", "dba"], "carol": ["sre"]}, GROUPS) == {"sre": "carol", "dba": "bob"}


def test_members_are_told_with_the_groups_that_hold_them() -> None:
    members = {"sre": ["bob", "carol"], "dba": ["carol"], "eng": ["alice"]}
    found = approvers_by_key(members, ("sre", "dba", "unknown"))
    assert found == {"bob": {"sre"}, "carol": {"sre", "dba"}}
