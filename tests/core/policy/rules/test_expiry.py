"""Masks that end by themselves: how long they may last, that their end needs no vote, and who may extend them."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.core.people.identity import ITSELF, Person, PersonId
from bot.core.policy.decide import decide
from bot.core.policy.hold import HoldPolicy
from bot.core.policy.model import Allow, Facts, ListedUnit, Moment, NeedsApproval, Policy, Refuse
from bot.core.requests import (
    Aftercare,
    Ask,
    Duration,
    Extension,
    Hold,
    HoldState,
    NewKind,
    Outcome,
    Request,
    Rollout,
    RolloutTarget,
    Signature,
    Stage,
    TargetStatus,
    Verb,
)
from bot.core.requests.expiry import AftercarePolicy, extend, is_still_so, keep
from bot.core.systemd.units import Layer
from tests.core.situations import (
    ALICE,
    BOB,
    CAROL,
    DAVE,
    NOW,
    POLICY,
    PROD,
    broken,
    facts,
    looked,
    masked,
    our_mask,
    request,
    snapshot,
    waiting,
)

HOUR = timedelta(hours=1)
BOUNDED = replace(POLICY, rules=(replace(PROD, requires_expiry=True),))
NOBODY = Person(PersonId("TEVIL", "U0"), "nobody", is_deleted=True)


def answer_to(policy: Policy = POLICY, moment: Moment = Moment.ASK, **duration: Any) -> object:
    """What is said to a mask of such a length."""
    return decide(facts(request(duration=Duration(**duration) if duration else None), moment), policy)


def code(answer: object) -> str:
    assert isinstance(answer, Refuse), answer
    return answer.code


class TestTheLength:
    """Neither too short nor too long, and not over before it begins."""

    def test_an_ordinary_one_is_put_to_the_approvers_like_any_other(self) -> None:
        assert isinstance(answer_to(lasts=2 * HOUR), NeedsApproval)
        assert isinstance(answer_to(until=NOW + 2 * HOUR), NeedsApproval)

    @pytest.mark.parametrize(
        ("duration", "said"),
        [
            ({"lasts": timedelta(seconds=59)}, "too_short"),
            ({"until": NOW + timedelta(seconds=59)}, "too_short"),
            ({"lasts": timedelta(days=31)}, "too_long"),
            ({"lasts": timedelta.max}, "too_long"),
            ({"until": NOW + timedelta(days=31)}, "too_long"),
            ({"until": NOW}, "expiry_is_past"),
            ({"lasts": timedelta()}, "expiry_is_past"),
        ],
    )
    def test_what_makes_no_sense_is_refused(self, duration: dict[str, Any], said: str) -> None:
        assert code(answer_to(**duration)) == said

    def test_who_approves_late_leaves_less_of_it_but_not_nothing(self) -> None:
        assert isinstance(answer_to(moment=Moment.ACT, until=NOW + timedelta(seconds=9)), NeedsApproval)
        assert code(answer_to(moment=Moment.ACT, until=NOW)) == "expiry_is_past"

    def test_a_policy_can_ask_for_an_end(self) -> None:
        answer = answer_to(BOUNDED)
        assert isinstance(answer, Refuse)
        assert (answer.code, answer.reason) == ("needs_expiry", "Rule `prod` does not allow masks without expiry.")
        assert "`--for 2h`" in answer.hint
        assert isinstance(answer_to(BOUNDED, lasts=HOUR), NeedsApproval)
        assert not isinstance(decide(facts(request(verb=Verb.UNMASK)), BOUNDED), Refuse)


def ending(*, at: datetime = NOW, approved: datetime | None = None, outcome: Outcome = Outcome.PROVEN) -> Request:
    """Our mask of an hour ago, which ends then."""
    return replace(our_mask(outcome=outcome), aftercare=Aftercare(expires_at=at, approved_until=approved or at))


class TestTheEnd:
    """What ends by itself was approved with its end."""

    def due(self, mask: Request | None, verb: Verb = Verb.UNMASK, policy: Policy = POLICY, **changed: Any) -> object:
        ask = replace(request(verb=verb).ask, requester=ITSELF, undoes="r0", by_itself=True)
        given = looked(masked(Layer.PERSISTENT), replace(request(), ask=ask), requester=NOBODY, own_mask=mask)
        return decide(replace(given, **changed), policy)

    @pytest.mark.parametrize("moment", [Moment.ASK, Moment.LOOKED, Moment.ACT])
    def test_it_needs_no_vote_and_nobodys_rights(self, moment: Moment) -> None:
        answer = self.due(ending(), moment=moment, policy=replace(POLICY, channel_prefixes=()))
        assert isinstance(answer, Allow)
        assert answer.because == "time is up. Undone automatically, as approved"

    def test_a_mask_that_keeps_the_bot_out_is_undone_for_that(self) -> None:
        mask = ending()
        answer = self.due(replace(mask, aftercare=replace(mask.aftercare, no_login="web-01: the login was refused.")))
        assert isinstance(answer, Allow)
        assert answer.because.startswith("the bot could not log in again after the mask")

    @pytest.mark.parametrize(
        "mask",
        [None, our_mask(), ending(at=NOW + HOUR), replace(ending(), undone_by="r5"), ending(outcome=Outcome.FAILED)],
        ids=["no mask", "no end", "put off", "undone", "nothing there"],
    )
    def test_it_does_not_come_before_its_time(self, mask: Request | None) -> None:
        assert code(self.due(mask)) == "expiry_not_due"

    def test_nothing_else_comes_by_itself(self) -> None:
        assert code(self.due(ending(), Verb.MASK)) == "expiry_not_due"

    def test_what_was_stopped_and_never_masked_is_brought_back_as_well(self) -> None:
        assert isinstance(self.due(ending(outcome=Outcome.NOT_PROTECTED), snapshot=snapshot()), Allow)

    def test_an_explicit_no_stops_it_all_the_same(self) -> None:
        no = replace(PROD, name="frozen", forbid="not now", verbs=frozenset({Verb.UNMASK}))
        assert code(self.due(ending(), policy=replace(POLICY, rules=(no, PROD)))) == "forbidden"


class TestExtending:
    """As long again for those who answered for it; everything beyond that like a new mask."""

    def later(
        self,
        until: datetime | None,
        mask: Request | None = None,
        *,
        by: Person = ALICE,
        policy: Policy = POLICY,
        moment: Moment = Moment.ASK,
        voter: Person | None = None,
    ) -> object:
        wanted = request(duration=Duration(until=until) if until else None)
        ask: Ask = replace(wanted.ask, requester=by.id, extends="r0")
        stage = waiting(replace(wanted, ask=ask)) if voter else replace(wanted, ask=ask)
        given: Facts = looked(snapshot(), stage, moment, requester=by, voter=voter, own_mask=mask or ending())
        return decide(given, policy)

    @pytest.mark.parametrize("by", [ALICE, BOB])
    def test_its_requester_and_its_approver_extend_it_without_a_vote(self, by: Person) -> None:
        answer = self.later(NOW + HOUR, by=by)
        assert isinstance(answer, Allow)
        assert answer.because == "it may last until 2026-03-01 04:00 UTC without another approval"

    def test_more_than_was_approved_once_again_needs_a_vote(self) -> None:
        assert isinstance(self.later(NOW + HOUR + timedelta(seconds=1)), NeedsApproval)
        extended_already = ending(at=NOW + HOUR, approved=NOW)
        assert isinstance(self.later(NOW + 2 * HOUR, extended_already), NeedsApproval)

    def test_for_anybody_else_it_is_like_a_new_mask(self) -> None:
        assert isinstance(self.later(NOW + HOUR, by=CAROL), NeedsApproval)
        assert code(self.later(NOW + HOUR, by=DAVE)) == "may_not_ask"

    def test_a_policy_can_have_every_extension_voted_on(self) -> None:
        assert isinstance(self.later(NOW + HOUR, policy=replace(POLICY, free_extension=0.0)), NeedsApproval)

    def test_no_extension_without_a_vote_goes_beyond_the_longest_mask(self) -> None:
        short = replace(POLICY, longest_mask=1.5 * HOUR)
        assert isinstance(self.later(NOW + HOUR / 2, policy=short), Allow)
        assert code(self.later(NOW + HOUR, policy=short)) == "too_long"

    def test_a_guarded_unit_is_never_extended_without_a_vote(self) -> None:
        guarded = replace(POLICY, guarded=(ListedUnit("cron.service", "it is dear to us"),))
        assert isinstance(self.later(NOW + HOUR, policy=guarded), NeedsApproval)

    def test_what_somebody_did_alone_is_not_extended_without_a_vote_before_it_is_signed_off(self) -> None:
        alone = broken(ending(), BOB)
        assert isinstance(self.later(NOW + HOUR, alone), NeedsApproval)
        signed_off = broken(ending(), BOB, signed=Signature(CAROL.id, CAROL.name, NOW))
        assert isinstance(self.later(NOW + HOUR, signed_off), Allow)

    def test_keeping_it_for_good_needs_a_vote_or_is_not_allowed(self) -> None:
        assert isinstance(self.later(None), NeedsApproval)
        assert code(self.later(None, policy=BOUNDED)) == "needs_expiry"

    def test_a_sooner_end_is_an_unmask(self) -> None:
        assert code(self.later(NOW)) == "not_later"

    @pytest.mark.parametrize(
        "mask",
        [our_mask(), replace(ending(), undone_by="r5"), ending(outcome=Outcome.NOT_PROTECTED)],
        ids=["no end", "undone", "never masked"],
    )
    def test_what_does_not_stand_is_not_extended(self, mask: Request) -> None:
        assert code(self.later(NOW + HOUR, mask)) == "no_expiry"

    def test_what_was_written_down_before_a_crash_is_not_refused_as_done_already(self) -> None:
        done = Extension("r1", ALICE.id, ALICE.name, NOW, NOW + HOUR)
        aftercare = Aftercare(expires_at=NOW + HOUR, approved_until=NOW, extensions=(done,))
        assert isinstance(self.later(NOW + HOUR, replace(ending(), aftercare=aftercare)), Allow)

    def test_a_mask_that_is_not_on_record_is_not_extended(self) -> None:
        ask = replace(request().ask, extends="r0")
        assert code(decide(facts(replace(request(), ask=ask)), POLICY)) == "no_expiry"

    def test_a_mask_whose_time_is_not_known_is_never_extended_without_a_vote(self) -> None:
        unknown = replace(ending(), aftercare=Aftercare(expires_at=NOW))
        assert isinstance(self.later(NOW + HOUR, unknown), NeedsApproval)

    def test_no_vote_counts_from_whoever_would_not_need_one(self) -> None:
        assert code(self.later(NOW + HOUR, moment=Moment.VOTE, voter=DAVE)) == "may_not_approve"


DAY = timedelta(days=1)
HELD = replace(POLICY, holds=HoldPolicy(frozenset({"sre"})))
GUARDED = replace(HELD, guarded=(ListedUnit("cron.service", "it is dear to us"),))


class TestChangingItsKind:
    """What gets shorter, or stays as it was approved, needs no vote; a hold is asked for like any hold."""

    def turned(
        self,
        kind: NewKind,
        *,
        mask: Request | None = None,
        by: Person = ALICE,
        policy: Policy = HELD,
        moment: Moment = Moment.ASK,
        **wanted: Any,
    ) -> object:
        again = wanted.pop("remind_at", None)
        asked = request(by=by, **wanted)
        ask = replace(asked.ask, extends="r0", new_kind=kind, remind_at=again)
        return decide(looked(snapshot(), replace(asked, ask=ask), moment, requester=by, own_mask=mask), policy)

    def end(self, length: timedelta = HOUR, **given: Any) -> object:
        return self.turned(NewKind.ENDING, duration=Duration(until=NOW + length), **{"mask": our_mask()} | given)

    def look(self, later: timedelta = 7 * DAY, **given: Any) -> object:
        return self.turned(NewKind.LOOKED_AT, remind_at=NOW + later, **{"mask": our_mask()} | given)

    def hold(self, **given: Any) -> object:
        return self.turned(NewKind.HELD, hold=Hold("sre", NOW + 90 * DAY), **{"mask": our_mask()} | given)

    @pytest.mark.parametrize("policy", [HELD, GUARDED])
    @pytest.mark.parametrize("by", [ALICE, BOB])
    def test_who_took_part_gives_it_an_end_or_leaves_it_without_a_vote(self, by: Person, policy: Policy) -> None:
        for answer in (self.end(by=by, policy=policy), self.look(by=by, policy=policy)):
            assert isinstance(answer, Allow)
        signs_later = broken(our_mask(), BOB)
        assert isinstance(self.end(by=by, mask=signs_later, policy=policy), Allow)
        assert isinstance(self.look(by=ALICE, mask=signs_later, policy=policy), NeedsApproval)

    def test_nobody_is_free_of_the_bounds_that_the_policy_sets(self) -> None:
        assert code(self.end(31 * DAY)) == "too_long"
        assert code(self.end(timedelta(seconds=1))) == "too_short"
        assert isinstance(self.end(policy=BOUNDED), Allow)
        for answer in (self.look(policy=BOUNDED), self.hold(policy=replace(HELD, rules=BOUNDED.rules))):
            assert isinstance(answer, Refuse)
            assert (answer.code, answer.hint) == ("needs_expiry", "Use Extend, or Set an expiry.")
        will_do = replace(HELD, rules=(replace(PROD, requires_expiry=True, hold_will_do=True),))
        assert isinstance(self.hold(policy=will_do), NeedsApproval)
        answer = self.look(policy=will_do)
        assert isinstance(answer, Refuse)
        assert answer.hint.endswith("Or use Hold it under Details.")

    def test_for_anybody_else_it_is_like_a_new_mask(self) -> None:
        assert isinstance(self.end(by=CAROL), NeedsApproval)
        assert isinstance(self.look(by=CAROL), NeedsApproval)
        assert code(self.end(by=DAVE)) == "may_not_ask"
        assert code(self.end(31 * DAY, by=CAROL)) == "too_long"

    def test_an_old_mask_gets_an_end_that_counts_from_now_and_is_extended_from_there(self) -> None:
        old = replace(our_mask(), finished_at=NOW - 90 * DAY)
        assert isinstance(self.end(29 * DAY, by=CAROL, mask=old), NeedsApproval)
        given = Extension("r1", ALICE.id, "alice", NOW - DAY, NOW + DAY, new_kind=NewKind.ENDING)
        ends = replace(old, aftercare=extend(Aftercare(), given, AftercarePolicy(), is_approved=False))
        later = TestExtending().later
        assert isinstance(later(NOW + 29 * DAY, ends), NeedsApproval)
        assert code(later(NOW + 30 * DAY, ends)) == "too_long"

    @pytest.mark.parametrize("gone", [None, replace(our_mask(), undone_by="r9")])
    def test_what_is_gone_or_a_hold_changes_to_no_other_kind(self, gone: Request | None) -> None:
        held = replace(our_mask(), hold_state=HoldState(made_later=Hold("sre", NOW + DAY)))
        for mask in (gone, held):
            assert code(self.end(mask=mask)) == "no_mask"
            assert code(self.look(mask=mask)) == "no_mask"
            assert code(self.hold(mask=mask)) == "no_mask"

    def test_what_got_an_expiry_meanwhile_is_extended_and_kept_as_usual(self) -> None:
        assert code(self.end(mask=ending())) == "has_expiry"
        assert code(self.look(mask=ending())) == "has_expiry"
        assert isinstance(self.hold(mask=ending()), NeedsApproval)

    def test_an_end_lies_ahead_and_nobody_rests_for_longer_than_a_hold_may(self) -> None:
        assert code(self.end(timedelta())) == "expiry_is_past"
        assert isinstance(self.look(180 * DAY), Allow)
        assert code(self.look(181 * DAY)) == "review_too_far"
        assert isinstance(self.look(181 * DAY, moment=Moment.ACT), Allow)

    def test_a_hold_is_asked_for_like_any_hold(self) -> None:
        asked = self.hold()
        assert isinstance(asked, NeedsApproval)
        assert code(self.hold(by=DAVE)) == "may_not_ask"
        assert code(self.hold(policy=POLICY)) == "unknown_owners"
        assert code(self.turned(NewKind.HELD, mask=our_mask(), hold=Hold("sre", NOW))) == "review_is_past"

    def test_a_mask_that_was_made_a_hold_is_one_until_its_review_and_never_expires(self) -> None:
        later = NOW + 90 * DAY
        by = Extension("r1", ALICE.id, "alice", NOW, later, new_kind=NewKind.HELD)
        state = HoldState(made_later=Hold("sre", later))
        mask = replace(ending(), hold_state=state, aftercare=keep(ending(at=NOW).aftercare, by))
        assert mask.hold == Hold("sre", later)
        assert (mask.aftercare.expires_at, mask.aftercare.remind_at, mask.can_be_held) == (None, later, False)

    def test_only_a_mask_that_is_done_and_outlives_reboots_can_become_one(self) -> None:
        mask = our_mask()
        assert mask.can_be_held
        runtime, users = (replace(mask.ask.change, **what) for what in ({"runtime": True}, {"user": "deploy"}))
        for ask in (
            replace(mask.ask, change=runtime),
            replace(mask.ask, change=users),
            replace(mask.ask, rollout="r9"),
        ):
            assert not replace(mask, ask=ask).can_be_held
        assert not replace(mask, undone_by="r9").can_be_held
        made = RolloutTarget("web-01", mask.target.unit, status=TargetStatus.DONE, outcome="proven")
        whole = replace(mask, rollout=Rollout(targets=(made,)))
        assert whole.can_be_held
        assert not replace(whole, stage=Stage.RUNNING).can_be_held

    def test_of_two_that_were_judged_at_once_only_what_still_fits_is_written(self) -> None:
        def by(kind: NewKind | None) -> Extension:
            return Extension("r1", ALICE.id, "alice", NOW, NOW + DAY, new_kind=kind)

        held = replace(our_mask(), hold_state=HoldState(made_later=Hold("sre", NOW + DAY)))
        fits = {
            (NewKind.ENDING, False): [True, False, False],
            (NewKind.LOOKED_AT, False): [True, False, False],
            (NewKind.HELD, True): [True, True, False],
            (None, False): [False, True, False],
            (None, True): [False, False, True],
        }
        for (kind, is_held), wanted in fits.items():
            assert [is_still_so(mask, by(kind), held=is_held) for mask in (our_mask(), ending(), held)] == wanted

    def test_its_owner_is_reminded_on_the_day_that_they_chose(self) -> None:
        by = Extension("r1", ALICE.id, "alice", NOW, None, new_kind=NewKind.LOOKED_AT, remind_at=NOW + 7 * DAY)
        after = extend(Aftercare(remind_at=NOW, reminders=3), by, AftercarePolicy(), is_approved=False)
        assert (after.expires_at, after.remind_at, after.reminders) == (None, NOW + 7 * DAY, 0)
