"""Two accounts of one person: they make one vote, and neither approves what the other one had a part in."""

from dataclasses import replace
from itertools import permutations

import pytest

from bot.core.people.identity import Person, PersonId
from bot.core.people.same_person import SamePerson
from bot.core.policy.decide import decide, why_not_own, why_not_sign_off, why_not_vote
from bot.core.policy.model import Allow, Decision, Facts, Moment, NeedsApproval, Policy, Refuse
from bot.core.policy.rules.approvers import who_could_approve
from bot.core.policy.rules.dead_ends import are_enough, in_question
from bot.core.requests import Request, Stage, Tally, Verdict, Vote
from tests.core.situations import (
    ALICE,
    BOB,
    CAROL,
    DAVE,
    MEMBERS,
    NOW,
    POLICY,
    PROD,
    broken,
    facts,
    handed,
    looked,
    person,
    request,
    snapshot,
    waiting,
)

BOB_2 = person("bob2", "eng", "sre")  # the other account of bob
BOTH = SamePerson((frozenset({CAROL.id, PersonId("T1", "UELSE")}), frozenset({BOB.id, BOB_2.id})))
ONE = replace(POLICY, same_person=BOTH)
TWO = replace(ONE, rules=(replace(PROD, need=2),))
DISTINCT = replace(ONE, rules=(replace(PROD, need=2, approve=("sre", "dba"), distinct=True),))
HINT = "policy.yaml lists both accounts as one person (`same_person`)."


def refusal(answer: Decision | None) -> tuple[str, str, str]:
    assert isinstance(answer, Refuse), answer
    return answer.code, answer.reason, answer.hint


def acting(*approvers: Person, policy: Policy = TWO) -> Decision:
    """What is decided right before acting, with the approvals of these accounts."""
    return decide(looked(snapshot(), moment=Moment.ACT, approvers=approvers), policy)


def test_accounts_of_one_list_are_one_person_and_others_are_not() -> None:
    grid = replace(BOB_2.id, enterprise="E1")
    for one, other in permutations((BOB.id, BOB_2.id, grid), 2):
        assert BOTH.are_one(one, other)
        assert BOTH.key(one) == BOTH.key(other)
    for other in (ALICE.id, CAROL.id):
        assert not BOTH.are_one(BOB.id, other)
        assert BOTH.key(BOB.id) != BOTH.key(other)
    assert SamePerson().are_one(BOB.id, BOB.id)
    assert not SamePerson().are_one(BOB.id, BOB_2.id)


@pytest.mark.parametrize("approvers", [(BOB, BOB_2), (BOB_2, BOB)], ids=["one first", "the other first"])
def test_their_approvals_count_once_and_the_second_one_is_lost(approvers: tuple[Person, ...]) -> None:
    answer = acting(*approvers)
    assert isinstance(answer, NeedsApproval)
    assert (answer.have, answer.lost) == (1, (approvers[1].id,))
    assert isinstance(acting(*approvers, CAROL), Allow)
    assert isinstance(acting(*approvers, policy=replace(TWO, same_person=SamePerson())), Allow)


def test_the_account_that_may_approve_counts_whichever_was_first() -> None:
    answer = acting(replace(BOB, groups=frozenset()), BOB_2)
    assert isinstance(answer, NeedsApproval)
    assert (answer.have, answer.lost) == (1, (BOB.id,))


def test_they_do_not_stand_for_two_groups() -> None:
    dba = replace(BOB_2, groups=frozenset({"dba"}))
    answer = acting(BOB, dba, policy=DISTINCT)
    assert isinstance(answer, NeedsApproval)
    assert answer.have == 1
    assert isinstance(acting(CAROL, dba, policy=DISTINCT), Allow)


def mine(**changed: object) -> Facts:
    """Bob asked, and a vote by his other account is judged."""
    return looked(snapshot(), waiting(request(by=BOB)), Moment.VOTE, requester=BOB, voter=BOB_2, **changed)


def test_one_does_not_approve_what_the_other_asked_for_or_owned() -> None:
    why = "Your other account asked for this or owned it, so somebody else must approve or deny it."
    assert refusal(decide(mine(), ONE)) == ("same_person", why, HINT)
    assert refusal(why_not_vote(mine(), ONE)) == ("same_person", why, HINT)
    owned = looked(snapshot(), handed(waiting(), BOB, CAROL), Moment.VOTE, requester=CAROL, voter=BOB_2)
    assert refusal(decide(owned, ONE)) == ("same_person", why, HINT)
    assert not isinstance(decide(mine(), POLICY), Refuse)


def test_an_approval_of_the_requesters_other_account_does_not_count() -> None:
    answer = decide(looked(snapshot(), request(by=BOB), Moment.ACT, requester=BOB, approvers=(BOB_2,)), ONE)
    assert isinstance(answer, NeedsApproval)
    assert answer.have == 0


def approved(by: Person = BOB) -> Request:
    """A request that waits for two approvals and has one."""
    asked = waiting(request().on_target(digest="d1"), need=2)
    return replace(asked, votes=(Vote(by.id, by.name, Verdict.APPROVE, NOW, "d1", tally=Tally.COUNTED),))


@pytest.mark.parametrize("verdict", Verdict)
def test_the_other_account_hears_that_its_person_has_approved(verdict: Verdict) -> None:
    given = looked(snapshot(), approved(), Moment.VOTE, voter=BOB_2, verdict=verdict)
    why = "You approved this already, with your other account (bob)."
    assert refusal(decide(given, TWO)) == ("same_person", why, HINT)
    assert refusal(why_not_vote(given, TWO)) == ("same_person", why, HINT)
    for vote_of in (approved(CAROL), approved(BOB_2)):
        assert why_not_vote(replace(given, request=vote_of), TWO) is None


def test_one_does_not_sign_off_what_the_other_did_alone_or_asked_for() -> None:
    why = "Your other account had a part in this, so somebody else must sign it off."
    alone = replace(broken(request(), BOB), stage=Stage.DONE)
    asked = replace(broken(request(by=BOB), CAROL), stage=Stage.DONE)
    for done, requester in ((alone, ALICE), (asked, BOB)):
        given = looked(snapshot(), done, Moment.ACT, requester=requester, voter=BOB_2)
        assert refusal(why_not_sign_off(given, ONE)) == ("same_person", why, HINT)
        assert why_not_sign_off(given, POLICY) is None


def test_an_approvers_other_account_does_not_become_the_owner() -> None:
    given = looked(snapshot(), approved(), Moment.ACT, requester=BOB_2)
    assert refusal(why_not_own(given, ONE))[0] == "approved_it"
    assert why_not_own(given, POLICY) is None


def test_a_dead_end_is_seen_where_two_accounts_are_one_approver() -> None:
    members = MEMBERS | {"sre": frozenset({BOB.id, BOB_2.id})}
    given = facts(members=members)
    assert refusal(decide(given, TWO))[0] == "nobody_could_approve"
    assert not are_enough((BOB.id, BOB_2.id), given, TWO)
    assert are_enough((BOB.id, BOB_2.id), given, replace(TWO, same_person=SamePerson()))
    assert refusal(decide(facts(request(by=BOB), requester=BOB, members=members), ONE))[0] == "nobody_could_approve"


def test_the_requesters_other_account_is_no_possible_approver() -> None:
    members = MEMBERS | {"sre": frozenset({BOB.id, BOB_2.id, DAVE.id})}
    given = facts(request(by=BOB), requester=BOB, members=members)
    assert who_could_approve(given, ONE)[0].people == (DAVE.id,)
    assert in_question(given, ONE) == (DAVE.id,)
