"""A hold for many hosts: where it goes by itself, who is asked where it does not, and who lifts it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot.core.hosts.inventory import Host
from bot.core.people.identity import Person
from bot.core.policy.calendar_and_limits import BlastRadius, ExtraApprovals, RequestLimits
from bot.core.policy.decide import decide
from bot.core.policy.groups import BreakGlassPolicy, Group
from bot.core.policy.hold import HoldPolicy
from bot.core.policy.model import Allow, Decision, Moment, NeedsApproval, Refuse, TargetFacts
from bot.core.requests import Hold, Request, Rollout, RolloutTarget, Selection, Stage, TargetStatus, Verb
from bot.core.requests.expiry import AftercarePolicy, begin_aftercare
from bot.core.requests.timers import next_join
from bot.core.systemd.units import Layer, Snapshot, UnitName
from tests.core.policy.rules.test_hold import code
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
    looked,
    masked,
    our_mask,
    request,
    snapshot,
)

DAY = timedelta(days=1)
CRON = UnitName("cron.service")
HOLD = Hold("sre", NOW + 90 * DAY)
HELD = replace(POLICY, holds=HoldPolicy(frozenset({"sre"})), groups=(Group("eng"), Group("sre")))
WEB_02 = replace(WEB, name="web-02")
VAULT = replace(WEB, name="vault-01", environment="vault")
STRICT = replace(PROD, name="strict", environments=frozenset({"vault"}), need=2)
SELECTION = Selection(("@web",), (CRON,))


def whole(*voters: Person, console_works: bool = False, **changed: Any) -> Request:
    """A hold that is in force on web-01 and goes to web-02; approved by bob, unless others are named."""
    mask = our_mask()
    (vote,) = mask.votes
    votes = tuple(replace(vote, voter=one.id, groups=("sre",), console_works=console_works) for one in voters or (BOB,))
    ask = replace(mask.ask, change=replace(mask.ask.change, host="@web", hold=HOLD), selection=SELECTION)
    on_one = RolloutTarget("web-01", CRON, "r2", TargetStatus.DONE, digest="p", outcome="proven")
    joins = RolloutTarget("web-02", CRON, "r1", TargetStatus.STARTED, digest="d2", tries=1)
    return replace(mask, ask=ask, votes=votes, rollout=Rollout(targets=(on_one, joins), joins_at=NOW), **changed)


class TestOneThatJoins:
    """Where its plan is as approved it needs no vote, if the hold got all that are asked for there."""

    def join(self, seen: Snapshot | None = None, policy: Any = HELD, host: Host = WEB_02, **more: Any) -> Decision:
        wanted = request(hold=HOLD, by=more.pop("by", ALICE)).on_target(layer=Layer.PERSISTENT, digest="d2")
        asked = replace(wanted, ask=replace(wanted.ask, rollout="r0"), stage=Stage.APPROVED)
        asked = replace(asked, ask=replace(asked.ask, change=replace(asked.ask.change, host=host.name)))
        given = looked(seen or snapshot(), asked, Moment.ACT, host=host, rollout=whole())
        return decide(replace(given, **more), policy)

    def test_it_needs_no_vote_in_whichever_wave_it_would_have_been(self) -> None:
        hold = whole()
        assert hold.rollout
        (one, joins) = hold.rollout.targets
        for wave in (0, 1):
            later = replace(hold.rollout, targets=(one, replace(joins, wave=wave)), wave=0)
            assert isinstance(self.join(rollout=replace(hold, rollout=later)), Allow)

    def test_another_plan_is_asked_about(self) -> None:
        hold = whole()
        assert hold.rollout
        (one, joins) = hold.rollout.targets
        other = replace(hold, rollout=replace(hold.rollout, targets=(one, replace(joins, digest=""))))
        assert isinstance(self.join(rollout=other), NeedsApproval)

    def test_where_more_votes_are_asked_for_people_are_asked(self) -> None:
        policy = replace(HELD, rules=(PROD, STRICT))
        answer = self.join(policy=policy, host=VAULT)
        assert isinstance(answer, NeedsApproval)
        assert (answer.rule, answer.need) == ("strict", 2)
        assert isinstance(self.join(policy=policy, host=VAULT, rollout=whole(BOB, CAROL)), Allow)

    def test_a_unit_that_is_guarded_there_needs_the_votes_and_the_word(self) -> None:
        docker = snapshot("cron.service", aliases=("docker.service",))
        assert isinstance(self.join(docker), NeedsApproval)
        assert isinstance(self.join(docker, rollout=whole(BOB, CAROL)), NeedsApproval)
        assert isinstance(self.join(docker, rollout=whole(BOB, CAROL, console_works=True)), Allow)

    def test_what_somebody_let_through_alone_goes_no_further_by_itself(self) -> None:
        alone = replace(broken(whole()), votes=())
        assert isinstance(self.join(rollout=alone), NeedsApproval)
        glass = replace(HELD, break_glass=BreakGlassPolicy(frozenset({"eng"})))
        runs = replace(alone, stage=Stage.RUNNING)
        assert isinstance(self.join(rollout=runs, rollout_break_glass=ALICE, policy=glass), Allow)

    def test_it_goes_nowhere_once_it_was_lifted(self) -> None:
        assert code(self.join(rollout=whole(undone_by="r9"))) == "rollout_is_over"
        lifted = whole()
        lifted = replace(lifted, aftercare=replace(lifted.aftercare, expires_at=NOW))
        assert (lifted.hold, code(self.join(rollout=lifted))) == (None, "rollout_is_over")

    def test_what_nobody_could_approve_holds_there(self) -> None:
        assert code(self.join(snapshot(aliases=("sshd.service",)))) == "critical_unit"
        no = replace(PROD, name="no", forbid="not now")
        assert code(self.join(policy=replace(HELD, rules=(no, PROD)))) == "forbidden"
        assert code(self.join(policy=replace(HELD, rules=()))) == "no_rule"
        assert code(self.join(masked(Layer.PERSISTENT))) == "already_masked"

    def test_what_a_new_hold_would_need_there_it_needs_too(self) -> None:
        ask = replace(request(hold=HOLD).ask, rollout="r0")
        asked = looked(snapshot(), replace(request(), ask=ask), host=WEB_02)
        assert isinstance(decide(asked, HELD), NeedsApproval)
        strict = replace(HELD, rules=(replace(PROD, requires_expiry=True),))
        assert code(decide(asked, strict)) == "needs_expiry"
        assert code(decide(asked, replace(HELD, holds=HoldPolicy()))) == "unknown_owners"

    def test_its_review_may_be_due(self) -> None:
        late = replace(HOLD, review=NOW - DAY)
        alone = request(hold=late)
        assert code(decide(facts(alone), HELD)) == "review_is_past"
        assert isinstance(decide(facts(replace(alone, ask=replace(alone.ask, rollout="r0"))), HELD), NeedsApproval)

    def test_a_bound_on_how_much_is_masked_counts_there_too(self) -> None:
        bounded = replace(HELD, limits=RequestLimits(hosts=1, beyond=ExtraApprovals(more=1)))
        assert isinstance(self.join(policy=bounded, blast_radius=BlastRadius(hosts=2)), NeedsApproval)
        assert isinstance(self.join(policy=bounded, blast_radius=BlastRadius(hosts=1)), Allow)
        forbidden = replace(HELD, limits=RequestLimits(hosts=1, beyond=ExtraApprovals(forbid="too many")))
        assert code(self.join(policy=forbidden, blast_radius=BlastRadius(hosts=2))) == "blast_radius"


class TestTheWhole:
    """It is reviewed, kept and lifted as one."""

    def test_it_is_looked_at_again_and_none_of_its_hosts(self) -> None:
        assert begin_aftercare(whole(), NOW, AftercarePolicy()).remind_at == HOLD.review
        one = our_mask()
        ask = replace(one.ask, rollout="r0", change=replace(one.ask.change, hold=HOLD))
        assert begin_aftercare(replace(one, ask=ask), NOW, AftercarePolicy()).remind_at is None

    def test_hosts_join_it_until_it_is_stopped_or_lifted(self) -> None:
        hold = whole()
        assert next_join(hold) == NOW
        assert hold.rollout
        assert next_join(replace(hold, rollout=replace(hold.rollout, stopped_at=NOW))) is None
        assert next_join(replace(hold, undone_by="r9")) is None
        assert next_join(our_mask()) is None

    def test_only_its_owners_lift_it(self) -> None:
        one = replace(request(verb=Verb.UNMASK, by=BOB), id="r5")
        targets = (TargetFacts(WEB, one), TargetFacts(WEB_02, one))
        ask = replace(one.ask, undoes="r0", selection=SELECTION)
        given = facts(replace(one, ask=ask), requester=BOB, own_mask=whole(), targets=targets)
        assert isinstance(decide(given, HELD), NeedsApproval)
        assert code(decide(replace(given, requester=ALICE), HELD)) == "owners_only"
        assert code(decide(replace(given, requester=DAVE), HELD)) == "owners_only"

    def test_only_its_owners_keep_it(self) -> None:
        asked = request(hold=replace(HOLD, review=NOW + 100 * DAY), by=BOB)
        ask = replace(asked.ask, extends="r0", selection=SELECTION)
        targets = (TargetFacts(WEB, replace(our_mask(), ask=asked.ask)),)
        given = facts(replace(asked, ask=ask), requester=BOB, own_mask=whole(), targets=targets)
        assert isinstance(decide(given, HELD), Allow)
        assert code(decide(replace(given, requester=ALICE), HELD)) == "owners_only"

    def test_what_was_lifted_is_no_hold_any_more_and_ends(self) -> None:
        hold = whole()
        ask = replace(request(verb=Verb.UNMASK).ask, undoes="r0", by_itself=True)
        given = looked(masked(Layer.PERSISTENT), replace(request(), ask=ask), own_mask=hold)
        assert code(decide(given, HELD)) == "expiry_not_due"
        lifted = replace(hold, aftercare=replace(hold.aftercare, expires_at=NOW))
        answer = decide(replace(given, own_mask=lifted), HELD)
        assert isinstance(answer, Allow)
        assert answer.because == "its hold was lifted"
        assert isinstance(decide(replace(given, own_mask=None), HELD), Refuse)
