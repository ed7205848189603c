"""Rollouts: the strictest target counts for all, their approval covers each, and who may steer one."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.core.policy.decide import decide, why_not_own, why_not_see_all, why_not_sign_off, why_not_steer, why_not_vote
from bot.core.policy.groups import BreakGlassPolicy
from bot.core.policy.model import Allow, Decision, Facts, Moment, NeedsApproval, Policy, Refuse, TargetFacts, Unknown
from bot.core.policy.rules.rollout import WITH_ITS_ROLLOUT, approved_with_its_rollout, rollout_rules, strictest_target
from bot.core.requests import (
    Hold,
    Request,
    Rollout,
    RolloutRule,
    RolloutTarget,
    Selection,
    Stage,
    Tally,
    TargetStatus,
    Verb,
    Verdict,
    Vote,
)
from bot.core.systemd.units import Layer, UnitName
from tests.core.situations import (
    ALICE,
    BOB,
    CAROL,
    DAVE,
    NOW,
    POLICY,
    PROD,
    WEB,
    broken,
    facts,
    handed,
    looked,
    masked,
    our_mask,
    request,
    snapshot,
    waiting,
)

CRON = UnitName("cron.service")
MINUTE = timedelta(minutes=1)
LATER = NOW + MINUTE
DB = replace(WEB, name="db-01", environment="vault", groups=frozenset({"db"}))
VAULT = replace(PROD, name="vault", environments=frozenset({"vault"}), need=2)
BOTH = replace(POLICY, rules=(PROD, VAULT))


def whole(asked: Request | None = None, **changed: Any) -> Request:
    first = asked or request()
    targets = (RolloutTarget("web-01", CRON, "r1", TargetStatus.STARTED, 1, "plan"),)
    ask = replace(first.ask, selection=Selection(("@all",), (CRON,)))
    return replace(first, id="R", ask=ask, rollout=Rollout(targets=targets, wave=1), **changed)


def about(*requests: tuple[Any, str], policy: Policy = BOTH) -> Decision:
    """The decision about a rollout on these hosts, each with the unit."""
    targets = tuple(TargetFacts(host, replace(request(unit), id=host.name)) for host, unit in requests)
    return decide(facts(whole(), targets=targets), policy)


def test_the_strictest_target_counts_for_all() -> None:
    answer = about((WEB, "cron.service"), (DB, "cron.service"))
    assert isinstance(answer, NeedsApproval)
    assert (answer.need, answer.rule) == (2, "vault")


def test_what_is_refused_on_one_host_refuses_that_host() -> None:
    answer = about((WEB, "ssh.service"), (WEB, "cron.service"))
    assert isinstance(answer, NeedsApproval)
    refused = about((WEB, "ssh.service"), (DB, "ssh.service"))
    assert isinstance(refused, Refuse)
    assert refused.code == "critical_unit"


def test_an_explicit_no_of_a_rule_refuses_all() -> None:
    never = replace(VAULT, forbid="ask the vault's owners", ask=frozenset(), approve=())
    answer = about((WEB, "cron.service"), (DB, "cron.service"), policy=replace(POLICY, rules=(PROD, never)))
    assert isinstance(answer, Refuse)
    assert answer.reason.startswith("cron.service on db-01: Rule `vault` forbids it")


def test_approvers_must_be_the_same_for_every_target() -> None:
    others = replace(VAULT, approve=("dba",), need=1)
    answer = about((WEB, "cron.service"), (DB, "cron.service"), policy=replace(POLICY, rules=(PROD, others)))
    assert isinstance(answer, Refuse)
    assert answer.code == "approvers_differ"
    assert "@sre approves cron.service on web-01, and @dba approves cron.service on db-01" in answer.reason


def test_nobody_is_asked_where_no_target_asks_for_it() -> None:
    free = replace(POLICY, rules=(replace(PROD, need=0),))
    assert isinstance(about((WEB, "cron.service"), policy=free), Allow)


def test_an_unmask_is_judged_by_the_mask_that_it_removes_on_each_host() -> None:
    asked = request("cron.service", Verb.UNMASK).on_target(before=masked(Layer.PERSISTENT))
    ours, by_others = TargetFacts(WEB, asked, our_mask()), TargetFacts(WEB, asked)
    assert isinstance(decide(facts(whole(asked), targets=(ours, ours)), POLICY), Allow)
    assert isinstance(decide(facts(whole(asked), targets=(ours, by_others)), POLICY), NeedsApproval)


VOTE = Vote(BOB.id, "bob", Verdict.APPROVE, NOW, "D", tally=Tally.COUNTED, groups=("sre",))
RUNNING = replace(whole(waiting()), votes=(VOTE,), stage=Stage.RUNNING, because="as approved").on_target(digest="D")


def with_status(status: TargetStatus) -> Request:
    """The rollout with its only target like that."""
    assert RUNNING.rollout
    (target,) = RUNNING.rollout.targets
    return replace(RUNNING, rollout=Rollout(targets=(replace(target, status=status),), wave=1))


def at_its_turn(rollout: Request | None, verb: Verb = Verb.MASK, *, digest: str = "plan", **changed: Any) -> Facts:
    """One of its targets, right before it is changed."""
    asked = request(verb=verb).on_target(digest=digest)
    votes = rollout.counted_votes if rollout else ()
    alone = ALICE if rollout and rollout.is_break_glass else None
    people = {"rollout_approvers": (BOB,) if votes else (), "rollout_break_glass": alone}
    return replace(looked(snapshot(), asked, Moment.ACT, rollout=rollout, **people), **changed)


def test_a_target_with_the_approved_plan_runs_with_the_approvals_of_all() -> None:
    assert approved_with_its_rollout(at_its_turn(RUNNING), POLICY) == Allow(WITH_ITS_ROLLOUT, "as approved")
    assert decide(at_its_turn(RUNNING), POLICY) == Allow(WITH_ITS_ROLLOUT, "as approved")


@pytest.mark.parametrize(
    "given",
    [
        at_its_turn(None),
        at_its_turn(replace(RUNNING, rollout=None)),
        at_its_turn(replace(RUNNING, rollout=Rollout())),
        at_its_turn(RUNNING, digest="another plan"),
        at_its_turn(with_status(TargetStatus.READY)),  # its wave has not come
        at_its_turn(with_status(TargetStatus.SKIPPED)),
        at_its_turn(RUNNING, moment=Moment.LOOKED),
        at_its_turn(RUNNING, host=DB),
        at_its_turn(replace(RUNNING, votes=())),
    ],
)
def test_otherwise_the_policy_answers_for_it_alone(given: Facts) -> None:
    assert approved_with_its_rollout(given, POLICY) is None


def test_who_may_not_ask_or_approve_any_more_masks_no_further_target() -> None:
    no = approved_with_its_rollout(at_its_turn(RUNNING, requester=replace(ALICE, groups=frozenset())), POLICY)
    assert isinstance(no, Refuse)
    for gone in (replace(BOB, is_deleted=True), replace(BOB, groups=frozenset()), ALICE):
        assert approved_with_its_rollout(at_its_turn(RUNNING, rollout_approvers=(gone,)), POLICY) is None


def test_one_act_for_all_is_refused_if_it_is_for_one() -> None:
    answers: list[tuple[str, Decision]] = [
        ("a", NeedsApproval("r", "b", 1, 0, ("sre",), MINUTE, MINUTE)),
        ("b", Refuse("no", "Not there.")),
    ]
    assert isinstance(strictest_target(answers, POLICY), NeedsApproval)
    assert isinstance(strictest_target(answers, POLICY, is_one_act=True), Refuse)


def test_none_begins_once_its_rollout_is_over() -> None:
    for stage in (Stage.DONE, Stage.CANCELLED):
        no = approved_with_its_rollout(at_its_turn(replace(RUNNING, stage=stage)), POLICY)
        assert isinstance(no, Refuse)
        assert no.code == "rollout_is_over"


def test_who_was_given_the_rollout_is_a_requester_of_each_target() -> None:
    assert approved_with_its_rollout(at_its_turn(handed(RUNNING, BOB, ALICE)), POLICY) is None
    assert approved_with_its_rollout(at_its_turn(handed(RUNNING, CAROL, ALICE)), POLICY)


def test_a_rule_that_asks_for_more_by_now_is_not_covered() -> None:
    assert approved_with_its_rollout(at_its_turn(RUNNING), replace(POLICY, rules=(replace(PROD, need=2),))) is None


def test_break_glass_and_a_free_undo_cover_their_targets_too() -> None:
    alone, glass = broken(replace(RUNNING, votes=())), replace(POLICY, break_glass=BreakGlassPolicy(frozenset({"eng"})))
    assert isinstance(approved_with_its_rollout(at_its_turn(alone), glass), Allow)
    assert approved_with_its_rollout(at_its_turn(alone), POLICY) is None  # nobody may any more
    closed = replace(glass, rules=(replace(PROD, allows_break_glass=False),))
    assert approved_with_its_rollout(at_its_turn(alone), closed) is None
    free = replace(RUNNING, votes=(), approval=None)
    for who in (ALICE, replace(BOB, groups=frozenset({"sre"}))):  # who approved the mask may not ask for one
        assert isinstance(approved_with_its_rollout(at_its_turn(free, Verb.UNMASK, requester=who), POLICY), Allow)
    assert approved_with_its_rollout(at_its_turn(free), POLICY) is None


ON_CALL = replace(POLICY, undo_by=("oncall",))
EVE = replace(DAVE, groups=frozenset({"oncall"}))


def steered_by(who: Any, rollout: Request = RUNNING, policy: Policy = ON_CALL, **changed: Any) -> Refuse | None:
    return why_not_steer(facts(rollout, Moment.VOTE, voter=who, **changed), policy)


def test_owner_approvers_and_people_on_call_steer_it() -> None:
    assert [steered_by(who) for who in (ALICE, BOB, CAROL, EVE)] == [None] * 4


def test_the_owners_of_its_hold_do() -> None:
    change = replace(RUNNING.ask.change, hold=Hold("storage", LATER))
    held, one = replace(RUNNING, ask=replace(RUNNING.ask, change=change)), replace(DAVE, groups=frozenset({"storage"}))
    assert steered_by(one, held) is None
    assert steered_by(one) is not None


def test_nobody_else_does() -> None:
    no = steered_by(DAVE)
    assert no is not None
    assert (no.code, no.hint) == ("may_not_steer", "@oncall or @sre may.")
    no = steered_by(DAVE, replace(RUNNING, approval=None), POLICY)
    assert no is not None
    assert no.hint == ""
    no = steered_by(DAVE, unknown={"sre": Unknown("Slack is away.", for_now=True)})
    assert no is not None
    assert no.code == "group_unknown_yet"
    no = steered_by(replace(BOB, is_guest=True))
    assert no is not None
    assert no.code == "not_a_member"


class Test_no_answer_is_dropped_that_matters:
    """Cases next to those above, each of which a mistake would decide otherwise."""

    def test_one_that_is_allowed_lets_the_rest_be_left_out(self) -> None:
        free = replace(POLICY, rules=(replace(PROD, need=0),))
        assert isinstance(about((WEB, "ssh.service"), (WEB, "cron.service"), policy=free), Allow)
        assert isinstance(about((WEB, "cron.service"), (WEB, "ssh.service"), policy=free), Allow)

    def test_where_all_are_refused_the_first_refusal_is_said(self) -> None:
        refused = about((WEB, "ssh.service"), (WEB, "dbus.service"))
        assert isinstance(refused, Refuse)
        assert "remote access" in refused.reason
        alone = about((WEB, "ssh.service"))
        assert isinstance(alone, Refuse)

    def test_a_guarded_target_is_confirmed_for_all_wherever_it_stands(self) -> None:
        for order in (("docker.service", "cron.service"), ("cron.service", "docker.service")):
            answer = about(*((WEB, unit) for unit in order))
            assert isinstance(answer, NeedsApproval)
            assert answer.guarded.startswith("every container")

    def test_what_asks_for_a_code_by_itself_says_so_once(self) -> None:
        coded = replace(POLICY, rules=(replace(PROD, step_up=True),))
        answer = about((WEB, "cron.service"), (WEB, "atd.service"), policy=coded)
        assert isinstance(answer, NeedsApproval)
        assert answer.because.count("each with a code") == 1

    def test_the_calendar_that_changes_first_counts(self) -> None:
        calm = [
            NeedsApproval("r", "b", 1, 0, ("sre",), MINUTE, MINUTE, calendar_changes_at=at) for at in (LATER, NOW, None)
        ]
        answer = strictest_target([(str(number), one) for number, one in enumerate(calm)], POLICY)
        assert isinstance(answer, NeedsApproval)
        assert answer.calendar_changes_at == NOW

    def test_the_undo_of_what_was_approved_by_nobody_is_covered_and_no_other_unmask(self) -> None:
        asked = replace(RUNNING, votes=())
        assert asked.approval is not None
        assert approved_with_its_rollout(at_its_turn(asked, Verb.UNMASK), POLICY) is None

    def test_a_target_that_was_not_begun_is_not_covered(self) -> None:
        ready = with_status(TargetStatus.READY)
        assert approved_with_its_rollout(at_its_turn(ready), POLICY) is None
        unknown = with_status(TargetStatus.UNKNOWN)
        assert isinstance(approved_with_its_rollout(at_its_turn(unknown), POLICY), Allow)

    def test_a_target_runs_in_its_wave_and_not_before(self) -> None:
        for wave, is_covered in ((0, False), (1, True), (2, True)):
            rollout = replace(RUNNING.rollout or Rollout(), wave=wave)
            answer = approved_with_its_rollout(at_its_turn(replace(RUNNING, rollout=rollout)), POLICY)
            assert (answer is not None) is is_covered

    def test_each_who_took_part_may_steer_by_that_alone(self) -> None:
        nobody = replace(DAVE, groups=frozenset())
        handed_on = handed(replace(RUNNING, approval=None, votes=()), nobody)
        asker = replace(ALICE, groups=frozenset())
        voter = replace(BOB, groups=frozenset())
        assert steered_by(nobody, handed_on) is None
        assert steered_by(asker, handed_on) is None
        assert steered_by(voter, replace(RUNNING, approval=None)) is None
        assert why_not_steer(facts(RUNNING, Moment.VOTE), ON_CALL) is None


class Test_each_target_counts:
    """Who may see, own, sign and steer a rollout, or vote on it, is judged at each of its targets, in any order."""

    TARGETS = (TargetFacts(WEB, request()), TargetFacts(DB, request()))
    OWN = replace(VAULT, need=1, ask=frozenset({"vault"}), approve=("dba",))
    POLICY = replace(POLICY, rules=(PROD, OWN))
    VAULT_TOO = replace(ALICE, groups=frozenset({"eng", "vault"}))

    def answers(self, may: Any, asked: Request, **people: Any) -> set[str]:
        orders = (self.TARGETS, self.TARGETS[::-1])
        given = [facts(replace(asked, id="R"), Moment.VOTE, targets=targets, **people) for targets in orders]
        return {no.code if (no := may(one, self.POLICY)) else "" for one in given}

    def test_who_may_take_part_at_one_of_them_alone_does_not_see_all(self) -> None:
        assert self.answers(why_not_see_all, whole()) == {"may_not_see"}
        assert self.answers(why_not_see_all, whole(), requester=self.VAULT_TOO) == {""}
        assert why_not_see_all(facts(whole(), requester=replace(ALICE, groups=frozenset())), POLICY) is not None

    def test_whoever_could_not_have_asked_at_one_of_them_does_not_own_it(self) -> None:
        new = replace(DAVE, groups=frozenset({"eng"}))
        assert self.answers(why_not_own, whole(), requester=new) == {"may_not_ask"}
        assert self.answers(why_not_own, whole(), requester=replace(new, groups=frozenset({"eng", "vault"}))) == {""}

    def test_whoever_could_not_have_approved_at_one_of_them_neither_signs_nor_decides(self) -> None:
        both = replace(BOB, groups=frozenset({"sre", "dba"}))
        assert self.answers(why_not_sign_off, broken(whole()), voter=BOB) == {"may_not_sign"}
        assert self.answers(why_not_sign_off, broken(whole()), voter=both) == {""}
        assert self.answers(why_not_vote, whole(waiting()), voter=BOB) == {"may_not_approve"}
        assert self.answers(why_not_vote, whole(waiting()), voter=both) == {""}


class Test_the_order_of_targets:
    """It decides nothing: of equally strict answers the rule that comes first in the policy file counts."""

    STAGE = replace(WEB, name="stage-01", environment="stage", groups=frozenset())
    POLICY = replace(POLICY, rules=(PROD, replace(PROD, name="other", environments=frozenset({"stage"}))))

    @pytest.mark.parametrize("need", [1, 0])
    def test_of_equals_the_first_of_the_file_counts(self, need: int) -> None:
        policy = replace(self.POLICY, rules=tuple(replace(rule, need=need) for rule in self.POLICY.rules))
        hosts = ((WEB, "cron.service"), (self.STAGE, "cron.service"))
        answers = {about(*order, policy=policy).rule for order in (hosts, hosts[::-1])}  # type: ignore[union-attr]
        assert answers == {"prod"}

    def test_of_what_no_rule_of_the_file_allows_one_counts_in_any_order(self) -> None:
        allowed: list[tuple[str, Decision]] = [(one, Allow(one, "why")) for one in ("prod", "a", "b")]
        assert strictest_target(allowed[:0:-1], POLICY) == strictest_target(allowed[1:], POLICY)
        assert strictest_target(allowed, POLICY) == strictest_target(allowed[::-1], POLICY) == allowed[0][1]

    def test_every_rule_that_covers_a_target_has_its_say_once(self) -> None:
        slow, careful = RolloutRule(pause=MINUTE), RolloutRule(strict=True)
        rules = (*self.POLICY.rules, replace(PROD, name="none", environments=frozenset({"lab"})))
        said = tuple(
            replace(rule, rollout=one) for rule, one in zip(rules, (slow, careful, RolloutRule()), strict=True)
        )
        policy = replace(self.POLICY, rules=said)
        targets = tuple(TargetFacts(host, request()) for host in (self.STAGE, WEB, replace(WEB, name="web-02")))
        for order in (targets, targets[::-1]):
            assert rollout_rules(facts(whole(), targets=order), policy) == (slow, careful)
        assert rollout_rules(facts(whole(), targets=targets[:1]), policy) == (careful,)
