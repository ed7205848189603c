"""What the rules of the policy file mean together, and how an answer explains itself."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.people.identity import Person
from bot.core.policy.decide import decide, explain
from bot.core.policy.groups import BreakGlassPolicy
from bot.core.policy.model import Allow, Decision, Facts, Moment, NeedsApproval, Policy, Refuse, Rule, Unknown
from bot.core.requests import Outcome, Verb
from bot.core.systemd.units import Layer
from tests.core.situations import (
    ALICE,
    BOB,
    CAROL,
    DAVE,
    NOW,
    POLICY,
    PROD,
    WEB,
    facts,
    looked,
    masked,
    our_mask,
    request,
    snapshot,
    waiting,
)

MASK, UNMASK = frozenset({Verb.MASK}), frozenset({Verb.UNMASK})


def with_rules(*rules: Rule) -> Policy:
    return replace(POLICY, rules=rules)


def code(answer: Decision) -> str:
    return answer.code if isinstance(answer, Refuse) else type(answer).__name__


MATCHING = {
    "everything": (Rule("any"), True),
    "its environment": (Rule("any", environments=frozenset({"prod", "stage"})), True),
    "another environment": (Rule("any", environments=frozenset({"stage"})), False),
    "its host group": (Rule("any", host_groups=frozenset({"web"})), True),
    "another host group": (Rule("any", host_groups=frozenset({"db"})), False),
    "its unit": (Rule("any", units=("nginx.service", "cron.*")), True),
    "another unit": (Rule("any", units=("nginx.service",)), False),
    "its verb": (Rule("any", verbs=MASK), True),
    "another verb": (Rule("any", verbs=UNMASK), False),
    "its environment, but another unit": (Rule("any", environments=frozenset({"prod"}), units=("nginx*",)), False),
}


@pytest.mark.parametrize(("rule", "matches"), MATCHING.values(), ids=MATCHING)
def test_all_conditions_of_a_rule_hold_together_one_that_names(rule: Rule, matches: object) -> None:
    rule = replace(rule, ask=frozenset({"eng"}), approve=("sre",))
    assert code(decide(facts(), with_rules(rule))) == ("NeedsApproval" if matches else "no_rule")


def test_a_rule_matches_any_name_of_the_unit_and_the_template_of_an_instance() -> None:
    rule = replace(PROD, units=("worker@.service", "crond.service"))
    assert code(decide(looked(snapshot(aliases=("crond.service",))), with_rules(rule))) == "NeedsApproval"
    assert code(decide(facts(request("worker@1.service")), with_rules(rule))) == "NeedsApproval"


def test_what_nobody_thought_of_is_refused() -> None:
    assert decide(facts(), with_rules()) == Refuse(
        "no_rule",
        "No rule of the policy covers mask of cron.service on web-01 (prod).",
        "`/mask why` shows each rule and why it does not match.",
    )


def test_an_explicit_no_wins_wherever_it_stands() -> None:
    no = Rule("payday", forbid="payroll runs.")
    for rules in ((no, PROD), (PROD, no)):
        assert decide(facts(), with_rules(*rules)) == Refuse("forbidden", "Rule `payday` forbids it: payroll runs.")


def test_who_may_not_ask_is_told_who_may() -> None:
    answer = decide(facts(requester=DAVE), POLICY)
    assert answer == Refuse("may_not_ask", "You may not ask for masks on prod hosts (rule `prod`).", "@eng may.")


def test_a_rule_that_lets_nobody_ask_says_so() -> None:
    answer = decide(facts(), with_rules(replace(PROD, ask=frozenset())))
    assert isinstance(answer, Refuse)
    assert answer.hint == "Nobody may."


def test_the_strictest_matching_rule_wins_even_for_those_whom_another_one_lets_ask() -> None:
    databases = Rule("databases", ask=frozenset({"dba"}), need=2, approve=("eng",))
    for rules in ((PROD, databases), (databases, PROD)):
        answer = decide(facts(), with_rules(*rules))
        assert isinstance(answer, NeedsApproval)
        assert (answer.rule, answer.need, answer.groups) == ("databases", 2, ("eng",))


def test_among_equally_strict_rules_the_first_in_the_file_wins() -> None:
    other = replace(PROD, name="other", approve=("eng",))
    for rules in ((PROD, other), (other, PROD)):
        answer = decide(facts(), with_rules(*rules))
        assert isinstance(answer, NeedsApproval)
        assert answer.rule == rules[0].name


def test_a_rules_own_times_are_the_ones_that_count() -> None:
    slow = replace(PROD, approve_within=timedelta(hours=1), good_for=timedelta(hours=2))
    answer = decide(facts(), with_rules(slow))
    assert isinstance(answer, NeedsApproval)
    assert (answer.approve_within, answer.good_for) == (timedelta(hours=1), timedelta(hours=2))


def undo(by: Person = ALICE) -> Facts:
    asked = request("cron.service", Verb.UNMASK, by=by)
    return looked(masked(Layer.PERSISTENT), asked, requester=by, own_mask=our_mask())


@pytest.mark.parametrize("by", [ALICE, BOB], ids=["its requester", "its approver"])
def test_our_own_mask_is_undone_without_a_vote_by(by: Person) -> None:
    answer = decide(undo(by), POLICY)
    assert answer == Allow("undo of our own mask", "undo of the mask that alice asked for")


@pytest.mark.parametrize("by", [ALICE, BOB], ids=["its requester", "its approver"])
def test_an_undo_needs_no_rule_that_matches(by: Person) -> None:
    assert isinstance(decide(undo(replace(by, groups=frozenset())), with_rules()), Allow)


ORDINARY_UNMASKS = {
    "by somebody else": undo(CAROL),
    "a minute too late": replace(
        undo(), request=replace(undo().request, asked_at=NOW + timedelta(hours=23, minutes=1))
    ),
    "of a mask that was undone": replace(undo(), own_mask=replace(our_mask(), undone_by="r9")),
    "of a mask that failed": replace(undo(), own_mask=our_mask(outcome=Outcome.FAILED)),
    "of a mask that is not finished": replace(undo(), own_mask=replace(our_mask(), finished_at=None)),
    "of a mask that is not ours": replace(undo(), own_mask=None),
    "after its promised time": replace(undo(), own_mask=replace(our_mask(), undo_until=NOW - timedelta(seconds=1))),
}


@pytest.mark.parametrize("asked", ORDINARY_UNMASKS.values(), ids=ORDINARY_UNMASKS)
def test_an_unmask_is_a_request_like_any_other(asked: Facts) -> None:
    assert isinstance(decide(asked, POLICY), NeedsApproval)


ON_CALL = replace(POLICY, undo_by=("on-call",))
CAROL_ON_CALL = replace(CAROL, groups=CAROL.groups | {"on-call"})


def test_who_is_on_call_undoes_any_mask_of_ours() -> None:
    answer = decide(undo(CAROL_ON_CALL), ON_CALL)
    assert answer == Allow("undo of our own mask", "undo of the mask that alice asked for, and carol is on call")
    assert isinstance(decide(undo(CAROL_ON_CALL), POLICY), NeedsApproval)


NOBODY_KNOWS = {"on-call": Unknown("nobody knows")}


def test_where_it_is_not_known_who_is_on_call_an_undo_by_others_asks_for_an_approval() -> None:
    assert isinstance(decide(replace(undo(CAROL), unknown=NOBODY_KNOWS), ON_CALL), NeedsApproval)
    assert isinstance(decide(replace(undo(ALICE), unknown=NOBODY_KNOWS), ON_CALL), Allow)


def test_an_undo_that_was_allowed_because_of_a_shift_waits_until_shifts_are_known_again() -> None:
    acting = replace(undo(CAROL), unknown=NOBODY_KNOWS, moment=Moment.ACT)
    assert code(decide(acting, ON_CALL)) == "group_unknown"
    voted = replace(acting, request=replace(acting.request, approval=waiting().approval), approvers=(BOB,))
    assert isinstance(decide(voted, ON_CALL), Allow)


def test_a_promised_time_for_an_undo_is_kept_when_the_policy_becomes_stricter() -> None:
    promised = replace(our_mask(), undo_until=NOW + timedelta(hours=1))
    assert isinstance(
        decide(replace(undo(), own_mask=promised), replace(POLICY, undo_without_approval_for=timedelta())), Allow
    )


def test_a_freeze_of_masks_does_not_block_an_undo_but_an_explicit_no_to_unmasks_does() -> None:
    freeze = Rule("freeze", verbs=MASK, forbid="change freeze")
    assert isinstance(decide(undo(), with_rules(freeze)), Allow)
    assert code(decide(undo(), with_rules(replace(freeze, verbs=UNMASK)))) == "forbidden"


def test_an_undo_by_a_guest_is_refused() -> None:
    assert code(decide(undo(replace(ALICE, is_guest=True)), POLICY)) == "not_a_member"


def test_an_explanation_ends_where_the_decision_was_made_and_then_names_every_rule() -> None:
    stage = Rule("stage", environments=frozenset({"stage"}), line=20)
    told = explain(facts(), with_rules(stage, PROD))
    deciding = [step for step in told if step.decides]
    assert [(step.step, step.applies, step.why) for step in deciding] == [("quorum", True, "rule prod needs 1 of @sre")]
    assert [(step.step, step.applies, step.why, step.line) for step in told[-2:]] == [
        ("rule stage", False, "web-01 is in environment prod, not in stage", 20),
        ("rule prod", True, "@eng may ask; needs 1 of @sre", 12),
    ]


WHY_NOT = {
    "environment": (Rule("r", environments=frozenset({"a", "b"})), "web-01 is in environment prod, not in a or b"),
    "host group": (Rule("r", host_groups=frozenset({"db"})), "web-01 is not in host group db"),
    "verb": (Rule("r", verbs=UNMASK), "it is about unmask, not mask"),
    "unit": (Rule("r", units=("a*", "b*")), "no name of cron.service fits a* or b*"),
    "it matches, and forbids": (Rule("r", forbid="payday"), "it forbids: payday"),
    "it matches, for nobody": (Rule("r"), "nobody may ask; needs 1 of nobody"),
}


@pytest.mark.parametrize(("rule", "why"), WHY_NOT.values(), ids=WHY_NOT)
def test_a_rule_is_explained_by_its(rule: Rule, why: str) -> None:
    assert explain(facts(host=WEB), with_rules(rule))[-1].why == why


def test_who_may_go_ahead_alone_is_explained_with_each_rule() -> None:
    policy = replace(
        with_rules(PROD, replace(PROD, name="db", allows_break_glass=False)),
        break_glass=BreakGlassPolicy(frozenset({"sre"})),
    )
    prod, db = explain(facts(), policy)[-2:]
    assert prod.why == "@eng may ask; needs 1 of @sre; @sre may use break-glass"
    assert db.why == "@eng may ask; needs 1 of @sre; no break-glass"


def test_a_refusal_explains_itself_with_what_would_help() -> None:
    told = explain(facts(requester=DAVE), POLICY)
    (deciding,) = [step for step in told if step.decides]
    assert (deciding.step, deciding.applies) == ("requester may ask", False)
    assert deciding.why == "You may not ask for masks on prod hosts (rule `prod`). @eng may."
    assert all(step.applies and not step.why for step in told[: told.index(deciding)])
