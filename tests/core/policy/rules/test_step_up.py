"""Where a rule asks for a step-up, approvals count only with a code, and so does break-glass; nothing else needs it."""

from dataclasses import replace

import pytest

from bot.core.people.identity import Person
from bot.core.people.same_person import SamePerson
from bot.core.policy.decide import decide, explain, why_not_break_glass, why_not_reset_step_up, why_not_vote
from bot.core.policy.groups import BreakGlassPolicy
from bot.core.policy.model import Allow, Decision, Facts, Moment, NeedsApproval, Policy, Refuse, Rule
from bot.core.policy.requirements import approval_required, updated_approval, with_original_requirements
from bot.core.policy.rules.approval import STEP_UP_MISSING, is_covered
from bot.core.policy.rules.rollout import strictest_target
from bot.core.requests import FollowupCommand, FollowupKind, Request, Tally, Verb, Verdict, Vote, VoteCommand
from bot.core.systemd.units import Layer
from tests.core.situations import (
    ALICE,
    BOB,
    CAROL,
    NOW,
    POLICY,
    PROD,
    broken,
    facts,
    looked,
    masked,
    our_mask,
    person,
    request,
    snapshot,
    waiting,
)

STRICT = replace(PROD, step_up=True)
STEPPED = replace(POLICY, rules=(STRICT,))
OLIVE = person("olive", "eng", "oncall")
GLASS = BreakGlassPolicy(frozenset({"oncall"}))


def vote(who: Person = BOB, *, stepped_up: bool = True) -> Vote:
    return Vote(who.id, who.name, Verdict.APPROVE, NOW, "d1", Tally.COUNTED, stepped_up=stepped_up, groups=("sre",))


def voted(*votes: Vote, need: int = 1) -> Request:
    """The request with these counted votes."""
    return replace(waiting(request().on_target(digest="d1"), need), votes=votes)


def answer(asked: Request, *approvers: Person, policy: Policy = STEPPED, moment: Moment = Moment.VOTE) -> Decision:
    return decide(looked(snapshot(), asked, moment, approvers=approvers), policy)


def asked_for_code(found: Decision) -> bool:
    assert isinstance(found, NeedsApproval), found
    assert ("a code" in found.because) is found.step_up
    return found.step_up


class TestWhatIsAsked:
    def test_a_rule_that_says_so_asks_each_approver_for_a_code_and_the_shipped_rules_do_not(self) -> None:
        assert asked_for_code(answer(waiting()))
        assert not asked_for_code(answer(waiting(), policy=POLICY))

    @pytest.mark.parametrize("need", [1, 2])
    @pytest.mark.parametrize("first", [True, False])
    def test_any_matching_rule_is_enough_also_one_that_needs_fewer_approvals(self, need: int, first: bool) -> None:  # noqa: FBT001
        other = Rule("all", ask=frozenset({"eng"}), approve=("sre",), need=need)
        rules = (STRICT, other) if first else (other, STRICT)
        assert asked_for_code(answer(waiting(), policy=replace(POLICY, rules=rules)))

    def test_a_rule_that_does_not_match_asks_for_nothing(self) -> None:
        elsewhere = replace(STRICT, name="vault", environments=frozenset({"vault"}))
        assert not asked_for_code(answer(waiting(), policy=replace(POLICY, rules=(PROD, elsewhere))))

    def test_one_target_of_a_rollout_that_needs_a_code_is_enough(self) -> None:
        ordinary, strict = answer(waiting(), policy=POLICY), answer(waiting())
        assert isinstance(ordinary, NeedsApproval)
        for more in (ordinary, replace(ordinary, need=2)):
            assert asked_for_code(strictest_target([("a", more), ("b", strict)], POLICY))
        assert not asked_for_code(strictest_target([("a", ordinary), ("b", ordinary)], POLICY))

    @pytest.mark.parametrize(
        ("policy", "votes", "alone"),
        [
            (replace(STEPPED, break_glass=GLASS), ", each with a code from their authenticator", " with a code"),
            (replace(POLICY, break_glass=replace(GLASS, step_up=True)), "", " with a code"),
            (replace(POLICY, break_glass=GLASS), "", ""),
        ],
    )
    def test_the_explanation_says_so(self, policy: Policy, votes: str, alone: str) -> None:
        (rule,) = [one for one in explain(facts(), policy) if one.line]
        assert rule.why == f"@eng may ask; needs 1 of @sre{votes}; @oncall may use break-glass{alone}"


class TestTheVote:
    def judged(self, verdict: Verdict | None, *, stepped_up: bool, policy: Policy = STEPPED) -> Decision:
        given = looked(snapshot(), waiting(), Moment.VOTE, voter=BOB, verdict=verdict, stepped_up=stepped_up)
        return decide(given, policy)

    def test_an_approval_without_a_code_is_refused(self) -> None:
        no = self.judged(Verdict.APPROVE, stepped_up=False)
        assert isinstance(no, Refuse)
        assert no.code == STEP_UP_MISSING
        assert no.sentence == "Approving this needs a code from your authenticator. Approve it again, with a code."

    def test_with_a_code_and_where_none_is_needed_it_is_not(self) -> None:
        assert isinstance(self.judged(Verdict.APPROVE, stepped_up=True), NeedsApproval)
        assert isinstance(self.judged(Verdict.APPROVE, stepped_up=False, policy=POLICY), NeedsApproval)

    def test_a_denial_needs_no_code_and_whether_somebody_could_vote_does_not_depend_on_one(self) -> None:
        assert isinstance(self.judged(Verdict.DENY, stepped_up=False), NeedsApproval)
        assert why_not_vote(facts(waiting(), Moment.VOTE, voter=BOB, snapshot=snapshot()), STEPPED) is None


class TestTheCount:
    def test_only_approvals_with_a_code_count(self) -> None:
        assert isinstance(answer(voted(vote()), BOB), Allow)
        found = answer(voted(vote(stepped_up=False)), BOB)
        assert isinstance(found, NeedsApproval)
        assert (found.have, found.lost) == (0, (BOB.id,))

    def test_the_code_of_one_is_not_that_of_another(self) -> None:
        asked, policy = (
            voted(vote(), vote(CAROL, stepped_up=False), need=2),
            replace(POLICY, rules=(replace(STRICT, need=2),)),
        )
        found = answer(asked, BOB, CAROL, policy=policy)
        assert isinstance(found, NeedsApproval)
        assert (found.have, found.lost) == (1, (CAROL.id,))

    def test_right_before_the_change_as_well(self) -> None:
        found = answer(voted(vote(stepped_up=False)), BOB, moment=Moment.ACT)
        assert isinstance(found, NeedsApproval)

    def test_an_earlier_policy_that_asked_for_codes_is_not_forgotten(self) -> None:
        found = answer(voted())
        assert isinstance(found, NeedsApproval)
        asked = replace(voted(vote(stepped_up=False)), approval=approval_required(found, policy="old", now=NOW))
        held = with_original_requirements(asked, policy=POLICY.digest)
        assert asked_for_code(answer(held, BOB, policy=POLICY))
        assert isinstance(answer(asked, BOB, policy=POLICY), Allow)

    def test_what_waits_asks_for_a_code_once_the_policy_does(self) -> None:
        before, found = answer(voted(), policy=POLICY), answer(voted())
        assert isinstance(before, NeedsApproval)
        assert isinstance(found, NeedsApproval)
        asked = approval_required(before, policy="old", now=NOW)
        assert not asked.step_up
        assert updated_approval(asked, found, policy="new").step_up

    @pytest.mark.parametrize("stepped_up", [True, False])
    def test_the_approval_of_a_groups_hold_covers_a_host_that_needs_codes_only_with_one(self, stepped_up: bool) -> None:  # noqa: FBT001
        given = voted(vote(stepped_up=stepped_up))
        assert is_covered(given, facts(), STEPPED) is stepped_up
        assert is_covered(given, facts(), POLICY)


class TestBreakGlass:
    def used(self, policy: Policy, *, stepped_up: bool, who: Person = OLIVE) -> Decision:
        asked = broken(waiting(), who, stepped_up=stepped_up)
        return decide(looked(snapshot(), asked, Moment.BREAK_GLASS, break_glass=who), policy)

    @pytest.mark.parametrize(
        "policy",
        [replace(STEPPED, break_glass=GLASS), replace(POLICY, break_glass=replace(GLASS, step_up=True))],
        ids=["where approvals need a code", "where break-glass itself does"],
    )
    def test_it_needs_a_code_too(self, policy: Policy) -> None:
        no = self.used(policy, stepped_up=False)
        assert isinstance(no, Refuse)
        assert (no.code, "`--code`" in no.hint) == (STEP_UP_MISSING, True)
        assert isinstance(self.used(policy, stepped_up=True), Allow)

    def test_and_elsewhere_it_does_not(self) -> None:
        assert isinstance(self.used(replace(POLICY, break_glass=GLASS), stepped_up=False), Allow)

    def test_given_with_the_request_it_counts_as_well(self) -> None:
        policy = replace(STEPPED, break_glass=GLASS)
        for stepped_up in (True, False):
            asked = request(by=OLIVE)
            ask = replace(asked.ask, reason="nobody is awake", break_glass=True, stepped_up=stepped_up)
            no = why_not_break_glass(
                facts(replace(asked, ask=ask), Moment.BREAK_GLASS, requester=OLIVE, break_glass=OLIVE), policy
            )
            assert (no is None) is stepped_up

    def test_a_policy_that_asks_for_a_code_afterwards_has_people_asked(self) -> None:
        asked = broken(waiting(), OLIVE)
        given: Facts = looked(snapshot(), asked, Moment.ACT, break_glass=OLIVE)
        assert isinstance(decide(given, replace(STEPPED, break_glass=GLASS)), NeedsApproval)


class TestReset:
    """Somebody's authenticator is reset by another person who may approve something."""

    @pytest.mark.parametrize(
        ("who", "code"),
        [
            (CAROL, ""),
            (BOB, "own_step_up"),
            (ALICE, "step_up_reset_not_permitted"),
            (replace(CAROL, is_guest=True), "step_up_reset_not_permitted"),
        ],
    )
    def test_it_takes_somebody_else_who_may_approve(self, who: Person, code: str) -> None:
        no = why_not_reset_step_up(who, BOB.id, STEPPED)
        assert (no.code if no else "") == code

    def test_another_account_of_the_same_person_is_not_somebody_else(self) -> None:
        policy = replace(STEPPED, same_person=SamePerson((frozenset({BOB.id, CAROL.id}),)))
        no = why_not_reset_step_up(CAROL, BOB.id, policy)
        assert no
        assert no.code == "own_step_up"

    def test_where_nobody_approves_only_root_is_left(self) -> None:
        for policy, who in ((replace(STEPPED, rules=()), "Nobody"), (STEPPED, "@sre")):
            no = why_not_reset_step_up(ALICE, BOB.id, policy)
            assert no
            assert no.sentence.endswith(f"and root. {who} may.")


def test_an_undo_that_needs_no_approval_needs_no_code() -> None:
    undo = request(verb=Verb.UNMASK)
    given = looked(masked(Layer.PERSISTENT), undo, own_mask=our_mask(), requester=ALICE)
    assert isinstance(decide(given, STEPPED), Allow)


def test_a_code_is_not_shown_by_what_carries_it() -> None:
    carried = (VoteCommand(Verdict.APPROVE, "d1", code="736251"), FollowupCommand(FollowupKind.ANSWER, code="736251"))
    assert "736251" not in repr(carried)
