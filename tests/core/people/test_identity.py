"""Who is the same account: by Slack's ids alone, and within one organisation."""

import pytest

from bot.core.people.identity import Person, PersonId, Place

BOB = PersonId("T1", "UBOB")


@pytest.mark.parametrize(
    ("other", "is_same"),
    [
        (PersonId("T1", "UBOB"), True),
        (PersonId("T2", "UBOB"), False),
        (PersonId("T1", "UEVE"), False),
        (PersonId("T1", "UBOB", "E1"), True),
        (PersonId("T2", "UBOB", "E1"), True),
        (PersonId("T2", "UEVE", "E1"), False),
    ],
)
def test_an_account_is_known_by_its_team_or_where_only_one_id_has_it_by_its_enterprise(
    other: PersonId, *, is_same: bool
) -> None:
    assert BOB.is_same_as(other) is is_same
    assert other.is_same_as(BOB) is is_same


def test_nobody_is_a_stranger_and_no_place_is_closed_unless_slack_says_so() -> None:
    bob = Person(BOB, "bob")
    assert not (bob.is_guest or bob.is_bot or bob.is_deleted or bob.is_foreign)
    place = Place("C1")
    assert place.is_internal
    assert place.is_member
    assert not (place.is_archived or place.is_private)


def test_on_an_enterprise_one_account_has_one_key_in_each_workspace_and_in_another_enterprise_none() -> None:
    one = PersonId("T1", "UBOB", "E1")
    assert one.key == PersonId("T2", "UBOB", "E1").key
    assert one.key != PersonId("T1", "UBOB", "E2").key
    assert BOB.key != PersonId("T2", "UBOB").key
    assert not one.is_same_as(PersonId("T1", "UBOB", "E2"))
