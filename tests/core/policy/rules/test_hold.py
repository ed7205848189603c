"""Holds: how they are typed, who may own, lift and keep one, and when its mask is put back."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.core.cards.alert import summary
from bot.core.input.draft import Draft, read_draft
from bot.core.people.identity import Person
from bot.core.policy.calendar_and_limits import BlastRadius, ExtraApprovals, RequestLimits
from bot.core.policy.decide import decide
from bot.core.policy.groups import Group
from bot.core.policy.hold import HoldPolicy, conflict, paused_until
from bot.core.policy.model import Allow, ListedUnit, Moment, NeedsApproval, Policy, Refuse, Unknown
from bot.core.requests import (
    Aftercare,
    Cause,
    Change,
    Duration,
    Extension,
    Hold,
    HoldState,
    Loss,
    Outcome,
    Paging,
    Request,
    Verb,
)
from bot.core.requests.deadlines import repeat_change
from bot.core.requests.expiry import AftercarePolicy, begin_aftercare, keep
from bot.core.requests.timers import is_page_still_needed, next_due
from bot.core.systemd.units import Layer, Snapshot, UnitName
from bot.core.time.human_time import Now, read_day
from bot.errors import UsageError
from tests.core.input.test_grammar import HOSTS, order, refusal
from tests.core.input.test_grammar import NOW as TYPED_AT
from tests.core.situations import (
    ALICE,
    BOB,
    DAVE,
    NOW,
    POLICY,
    PROD,
    facts,
    looked,
    masked,
    our_mask,
    related_unit,
    request,
    snapshot,
)

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
HOLD = Hold("sre", NOW + 90 * DAY)
HELD = replace(POLICY, holds=HoldPolicy(frozenset({"sre"})), groups=(Group("eng"), Group("sre")))


def code(answer: object) -> str:
    assert isinstance(answer, Refuse), answer
    return answer.code


def our_hold(**held: Any) -> Request:
    """Our mask of an hour ago, which is held."""
    mask = our_mask()
    change = replace(mask.ask.change, hold=HOLD)
    mask = replace(mask, ask=replace(mask.ask, change=change), undo_until=None, hold_state=HoldState(**held))
    return mask.on_target(before=snapshot(), layer=Layer.PERSISTENT)


def off(**held: Any) -> Request:
    return our_hold(**{"loss": Loss.REMOVED, "loss_seen_at": NOW} | held)


class TestTheWords:
    """`--hold` and `--review`, which belong together."""

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("web-01 cron --hold sre --review 90d it is evil", "--hold sre --review 2026-06-12T15:00Z"),
            ("web-01 --hold @sre cron --review=2026-12-01 it is evil", "--hold sre --review 2026-12-01T09:00Z"),
            ("web-01 cron --hold <!subteam^S0SRE|@sre> --review 2026-12-01 08:30 it is evil", "T08:30Z"),
            ("web-01 cron —hold “sre” --review “Tue 18:00 UTC” it is evil", "--review 2026-03-17T18:00Z"),
            ('--hold="sre" --review="90d" web-01 cron -- it is evil', "--hold sre --review 2026-06-12T15:00Z"),
        ],
    )
    def test_a_hold_is_a_part_of_the_change(self, text: str, said: str) -> None:
        asked = order(text)
        assert str(asked.change).endswith(said), asked
        assert asked.reason == "it is evil"

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("web-01 cron --hold sre", "A hold needs its owners"),
            ("web-01 cron --review 90d", "A hold needs its owners"),
            ("web-01 cron --hold SRE! --review 90d", "`SRE!` is not a group"),
            ("web-01 cron --hold sre --review soon", "`soon` is not a date; write it like 90d or 2027-03-01."),
            ("web-01 cron --hold sre --review 400d", "more than a year away"),
            ("web-01 cron --hold sre --review 2026-01-01", "has passed"),
            ("web-01 cron --hold sre --review 90d --for 2h", "A hold never expires"),
            ("web-01 cron --hold sre --review 90d --runtime", "A hold outlives reboots"),
            ("web-01 cron --hold sre --review 90d --user deploy", "Users' own managers are not watched"),
            ("web-01 cron --hold a --hold b", "is given twice"),
        ],
    )
    def test_what_makes_no_sense_is_said(self, text: str, said: str) -> None:
        assert said in refusal(text)

    def test_it_belongs_to_a_mask(self) -> None:
        assert "`--hold` belongs to `/mask`" in refusal("web-01 cron --hold sre --review 90d", Verb.UNMASK)

    def test_what_made_sense_is_kept_for_the_form(self) -> None:
        assert read_draft("web-01 cr* --hold sre --review 90d", HOSTS, TYPED_AT) == Draft(
            "web-01", owners="sre", review="90d"
        )
        assert read_draft("web-01 cron --hold sre --review soon", HOSTS, TYPED_AT) == Draft("web-01", "cron.service")

    def test_a_day_is_one_to_come(self) -> None:
        now = Now(datetime(2026, 3, 1, 3, 0, 7, tzinfo=UTC))
        assert read_day("2h", now) == datetime(2026, 3, 1, 5, 0, tzinfo=UTC)
        with pytest.raises(UsageError, match="not a date"):
            read_day("", now)

    def test_what_takes_it_back_is_no_hold(self) -> None:
        change = Change(Verb.MASK, "web-01", UnitName("cron.service"), hold=HOLD)
        assert conflict(change) == conflict(replace(change, hold=None)) == ""
        assert change.as_undo(change.unit).hold is None


class TestWhoMayOwnOne:
    """Groups that the policy names, and a day that is not too far."""

    def answer_to(
        self, hold: Hold | None = HOLD, policy: Policy = HELD, moment: Moment = Moment.ASK, **more: Any
    ) -> object:
        return decide(facts(request(hold=hold, **more), moment), policy)

    def test_it_is_put_to_the_approvers_like_any_other(self) -> None:
        assert isinstance(self.answer_to(), NeedsApproval)

    def test_a_group_that_may_not_is_refused_with_those_that_may(self) -> None:
        answer = self.answer_to(Hold("eng", HOLD.review))
        assert isinstance(answer, Refuse)
        assert (answer.code, answer.hint) == ("unknown_owners", "@sre may.")
        answer = self.answer_to(policy=POLICY)
        assert isinstance(answer, Refuse)
        assert "names no owners" in answer.hint

    def test_what_cannot_be_held_is_refused_whoever_asks_for_it(self) -> None:
        assert code(self.answer_to(runtime=True)) == "no_hold_here"

    def test_its_review_lies_ahead_and_not_too_far(self) -> None:
        assert code(self.answer_to(Hold("sre", NOW))) == "review_is_past"
        assert code(self.answer_to(Hold("sre", NOW), moment=Moment.ACT)) == "review_is_past"
        assert code(self.answer_to(Hold("sre", NOW + 181 * DAY))) == "review_too_far"
        assert isinstance(self.answer_to(Hold("sre", NOW + 181 * DAY), moment=Moment.VOTE), NeedsApproval)

    @pytest.mark.parametrize("hold_will_do", [True, False])
    def test_a_policy_can_ask_for_an_end_or_for_a_hold(self, *, hold_will_do: bool) -> None:
        rule = replace(PROD, requires_expiry=True, hold_will_do=hold_will_do)
        policy = replace(HELD, rules=(rule,))
        assert isinstance(self.answer_to(None, policy, duration=Duration(lasts=HOUR)), NeedsApproval)
        answer = self.answer_to(None, policy)
        assert isinstance(answer, Refuse)
        assert ("--hold OWNERS" in answer.hint) is hold_will_do
        assert isinstance(self.answer_to(policy=policy), NeedsApproval if hold_will_do else Refuse)


class TestLiftingOne:
    """Its owners alone, with a vote, whether its mask is there or not."""

    def lift(
        self,
        by: Person = BOB,
        mask: Request | None = None,
        seen: Snapshot | None = None,
        policy: Policy = HELD,
        **more: Any,
    ) -> object:
        ask = replace(request(verb=Verb.UNMASK, by=by).ask, undoes="r0")
        given = looked(seen or masked(Layer.PERSISTENT), replace(request(), ask=ask), requester=by)
        return decide(replace(given, own_mask=mask or our_hold(), **more), policy)

    def test_who_asked_for_the_mask_and_everybody_else_is_told_whose_it_is(self) -> None:
        answer = self.lift(ALICE)
        assert isinstance(answer, Refuse)
        assert answer.code == "owners_only"
        assert answer.reason == "cron.service on web-01 is held by @sre, and nobody else lifts it."
        assert code(self.lift(DAVE)) == "owners_only"
        assert code(self.lift(ALICE, policy=replace(HELD, undo_by=("eng",)))) == "owners_only"

    def test_an_owner_needs_a_vote_and_no_rule_that_lets_them_ask(self) -> None:
        assert isinstance(self.lift(), NeedsApproval)
        assert isinstance(
            self.lift(policy=replace(HELD, rules=(replace(PROD, ask=frozenset({"dba"})),))), NeedsApproval
        )

    def test_it_is_there_until_it_is_lifted(self) -> None:
        assert code(self.lift(ALICE, off(), snapshot())) == "owners_only"
        assert isinstance(self.lift(BOB, off(), snapshot()), NeedsApproval)

    def test_where_nobody_can_tell_who_its_owners_are_the_answer_is_no(self) -> None:
        assert code(self.lift(ALICE, unknown={"sre": Unknown("Slack is away.")})) == "group_unknown"

    def test_owners_whom_the_policy_has_not_any_more_are_named(self) -> None:
        assert code(self.lift(ALICE, policy=replace(HELD, groups=()))) == "owners_gone"

    def test_one_that_was_put_back_since_is_lifted_there(self) -> None:
        assert replace(our_hold(), repeated_by="r9").hold is None
        assert our_hold().on_target(outcome=Outcome.NOT_PROTECTED).hold is None


class TestKeepingOne:
    """Its owners, a later day, and no vote."""

    def keep(self, by: Person = BOB, mask: Request | None = None, *, days: int = 30) -> object:
        wanted = request(by=by, hold=Hold("sre", NOW + days * DAY))
        asked = replace(wanted, ask=replace(wanted.ask, extends="r0"))
        return decide(looked(snapshot(), asked, requester=by, own_mask=mask), HELD)

    def test_only_its_owners_keep_it(self) -> None:
        answer = self.keep(mask=our_hold())
        assert isinstance(answer, Allow)
        assert answer.because == "@sre reviewed it"
        assert code(self.keep(ALICE, our_hold())) == "owners_only"

    def test_the_next_review_lies_ahead(self) -> None:
        assert code(self.keep(mask=our_hold(), days=0)) == "review_is_past"
        assert code(self.keep(mask=our_hold(), days=181)) == "review_too_far"

    def test_what_was_lifted_is_not_kept_unless_this_was_written_down_before_a_crash(self) -> None:
        assert code(self.keep()) == "no_hold"
        lifted = replace(our_hold(), undone_by="r9")
        assert code(self.keep(mask=lifted)) == "no_hold"
        done = Extension("r1", BOB.id, "bob", NOW, NOW + DAY)
        assert isinstance(self.keep(mask=replace(lifted, aftercare=Aftercare(extensions=(done,)))), Allow)

    def test_its_review_is_the_one_that_they_said_last(self) -> None:
        first, later = (Extension("r1", BOB.id, "bob", NOW, NOW + n * DAY) for n in (1, 2))
        mask = replace(our_hold(), aftercare=keep(keep(Aftercare(reminders=3), first), later))
        assert mask.hold == Hold("sre", NOW + 2 * DAY)
        assert (mask.aftercare.remind_at, mask.aftercare.reminders) == (NOW + 2 * DAY, 0)
        assert repeat_change(mask, NOW).hold == mask.hold
        assert repeat_change(replace(mask, undone_by="r9"), NOW).hold == HOLD


class TestPuttingOneBack:
    """By itself, because the hold was approved, while the unit is in all that lasts what was approved."""

    def back(
        self,
        mask: Request | None = None,
        seen: Snapshot | None = None,
        policy: Policy = HELD,
        moment: Moment = Moment.LOOKED,
        **more: Any,
    ) -> object:
        wanted = request(hold=HOLD).on_target(layer=Layer.PERSISTENT)
        asked = replace(wanted, ask=replace(wanted.ask, repeats="r0", by_itself=True))
        given = looked(seen or snapshot(), asked, moment, requester=DAVE, own_mask=mask or off(), **more)
        return decide(given, policy)

    @pytest.mark.parametrize("moment", [Moment.LOOKED, Moment.ACT])
    def test_it_needs_no_vote_and_nobodys_rights(self, moment: Moment) -> None:
        answer = self.back(moment=moment)
        assert isinstance(answer, Allow)
        assert answer.because == "approved with the hold"

    def test_before_a_look_there_is_nothing_to_compare(self) -> None:
        wanted = request(hold=HOLD)
        asked = replace(wanted, ask=replace(wanted.ask, repeats="r0", by_itself=True))
        assert isinstance(decide(facts(asked, own_mask=off()), HELD), Allow)
        assert code(decide(facts(asked), HELD)) == "not_removed"

    @pytest.mark.parametrize(
        "mask",
        [
            our_hold(),
            off(loss=Loss.REPLACED),
            our_mask(),
            replace(off(), undone_by="r9"),
            replace(off(), repeated_by="r9"),
        ],
        ids=["there", "another's", "no hold", "lifted", "back already"],
    )
    def test_what_is_not_to_be_put_back_is_not(self, mask: Request) -> None:
        assert code(self.back(mask)) == "not_removed"

    def test_a_policy_may_have_it_announced_only(self) -> None:
        assert code(self.back(policy=replace(HELD, holds=replace(HELD.holds, reapply=False)))) == "not_removed"

    def test_it_rests_when_it_was_put_back_too_often_lately(self) -> None:
        rounds = (NOW - 3 * HOUR, NOW - HOUR / 2, NOW - HOUR / 3, NOW - HOUR / 4)
        assert code(self.back(off(reapplied_at=rounds))) == "reapply_paused"
        assert isinstance(self.back(off(reapplied_at=rounds[:3])), Allow)
        assert paused_until(rounds, HELD.holds, NOW) == NOW + HOUR / 2
        assert paused_until(rounds, HELD.holds, NOW + HOUR / 2) is None

    @pytest.mark.parametrize(
        ("seen", "why"),
        [
            (snapshot(machine_id="m2"), "another machine"),
            (snapshot(aliases=("crond.service",)), "other names"),
            (snapshot(would_stop=(related_unit("payroll.service"),)), "payroll.service would stop with it"),
        ],
    )
    def test_it_is_not_put_back_on_what_nobody_approved(self, seen: Snapshot, why: str) -> None:
        answer = self.back(seen=seen)
        assert isinstance(answer, Refuse)
        assert (answer.code, why in answer.reason) == ("not_as_approved", True)

    def test_another_layer_or_a_before_that_nobody_knows_is_not_what_was_approved(self) -> None:
        assert code(self.back(off().on_target(layer=Layer.CONTROL))) == "not_as_approved"
        assert code(self.back(off().on_target(before=None))) == "not_as_approved"

    def test_an_upgrade_is_what_a_hold_survives(self) -> None:
        assert isinstance(self.back(seen=snapshot(fragment_hash="another", drop_ins=(("a.conf", "b"),))), Allow)

    def test_what_raises_approvals_raises_none_here_but_an_explicit_no_holds(self) -> None:
        bounded = replace(HELD, limits=RequestLimits(hosts=0, beyond=ExtraApprovals(forbid="no")))
        assert isinstance(self.back(policy=bounded, blast_radius=BlastRadius()), Allow)
        no = replace(PROD, name="no", forbid="not now")
        assert code(self.back(policy=replace(HELD, rules=(no, PROD)))) == "forbidden"
        critical = replace(HELD, critical=(ListedUnit("cron.service", "dear"),))
        assert code(self.back(policy=critical)) == "critical_unit"


class TestItsClocks:
    """A review, a try to put it back, a page until it is back."""

    def test_its_owners_hear_of_it_on_its_review_day(self) -> None:
        aftercare = begin_aftercare(our_hold(), NOW, AftercarePolicy())
        assert (aftercare.expires_at, aftercare.remind_at) == (None, HOLD.review)
        assert begin_aftercare(our_hold(), HOLD.review, AftercarePolicy()).remind_at == HOLD.review + DAY

    def test_it_is_due_when_putting_it_back_is_tried(self) -> None:
        assert next_due(off(try_at=NOW + HOUR)) == NOW + HOUR
        assert next_due(our_hold(try_at=NOW + HOUR)) is None
        assert next_due(replace(off(try_at=NOW), undone_by="r9")) is None

    def test_who_is_woken_up_about_it_is_told_when_it_is_over(self) -> None:
        paged = replace(off(), paging=Paging(Cause.HOLD_REMOVED, paged_at=NOW))
        assert is_page_still_needed(paged)
        assert not is_page_still_needed(replace(paged, hold_state=HoldState()))
        assert not is_page_still_needed(replace(paged, repeated_by="r9"))
        assert summary(paged, Cause.HOLD_REMOVED) == (
            "A hold is taken off again and again: the mask of cron.service on web-01"
        )
