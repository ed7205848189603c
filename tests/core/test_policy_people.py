"""Who may ask, who may decide, where, and until when."""

from dataclasses import replace

import pytest

from bot.core.people import Person
from bot.core.policy import Decision, Facts, Moment, NeedsApproval, Policy, Refuse, decide
from tests.core.situations import (
    BOB,
    POLICY,
    facts,
    looked,
    person,
    snapshot,
    waiting,
)


def refusal(asked: Facts, policy: Policy = POLICY) -> Refuse:
    answer = decide(asked, policy)
    assert isinstance(answer, Refuse), answer
    return answer


def code(answer: Decision) -> str:
    return answer.code if isinstance(answer, Refuse) else type(answer).__name__


def test_an_ordinary_mask_needs_one_approval_of_the_rules_group() -> None:
    answer = decide(facts(), POLICY)
    assert isinstance(answer, NeedsApproval)
    assert (answer.rule, answer.need, answer.have, answer.groups) == ("prod", 1, 0, ("sre",))
    assert answer.because == "prod: one of @sre"
    assert not answer.guarded


STRANGERS = {
    "is a guest": (person("eve", "eng", "sre", is_guest=True), "not_a_member"),
    "is a bot": (person("robot", "eng", "sre", is_bot=True), "not_a_member"),
    "is deactivated": (person("gone", "eng", "sre", is_deleted=True), "not_a_member"),
    "belongs to a foreign team": (person("mallory", "eng", "sre", is_foreign=True), "foreign_team"),
    "has an id of a team we do not know": (replace(BOB, id=replace(BOB.id, team="TEVIL")), "foreign_team"),
}


@pytest.mark.parametrize(("stranger", "expected"), STRANGERS.values(), ids=STRANGERS)
def test_nobody_may_ask_who(stranger: Person, expected: str) -> None:
    assert refusal(facts(requester=stranger)).code == expected


@pytest.mark.parametrize(("stranger", "expected"), STRANGERS.values(), ids=STRANGERS)
def test_nobody_may_vote_who(stranger: Person, expected: str) -> None:
    assert refusal(looked(snapshot(), waiting(), Moment.VOTE, voter=stranger)).code == expected
