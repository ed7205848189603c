"""Who could decide on what waits: so far as it depends on who they are, and as it will be asked at the vote itself."""

from dataclasses import replace

import pytest

from bot.core.people.identity import Person
from bot.core.policy.decide import decide, why_not_vote
from bot.core.policy.model import Moment, Refuse
from tests.core.situations import ALICE, BOB, CAROL, DAVE, POLICY, facts, handed, snapshot, waiting


@pytest.mark.parametrize(
    ("who", "code"),
    [
        (BOB, ""),
        (CAROL, ""),
        (ALICE, "self_approval"),
        (DAVE, "may_not_approve"),
        (replace(BOB, is_guest=True), "not_a_member"),
        (replace(BOB, is_foreign=True), "foreign_team"),
    ],
)
def test_it_is_answered_like_the_vote_itself(who: Person, code: str) -> None:
    given = facts(waiting(), Moment.VOTE, voter=who, snapshot=snapshot())
    answer, later = why_not_vote(given, POLICY), decide(given, POLICY)
    assert (answer.code if answer else "") == code
    assert (later.code if isinstance(later, Refuse) else "") == code


def test_whoever_owned_it_before_may_not() -> None:
    answer = why_not_vote(facts(handed(waiting(), BOB), Moment.VOTE, voter=BOB, snapshot=snapshot()), POLICY)
    assert answer is not None
    assert answer.code == "self_approval"


def test_nobody_may_where_no_rule_covers_it_any_more() -> None:
    answer = why_not_vote(facts(waiting(), Moment.VOTE, voter=BOB), replace(POLICY, rules=()))
    assert answer is not None
    assert answer.code == "no_rule"
