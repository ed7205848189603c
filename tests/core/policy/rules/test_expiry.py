"""Masks that end by themselves: how long they may last, that their end needs no vote, and who may extend them."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.core.people.identity import ITSELF, Person, PersonId
from bot.core.policy.decide import decide
from bot.core.policy.model import Allow, Facts, ListedUnit, Moment, NeedsApproval, Policy, Refuse
from bot.core.requests import Aftercare, Ask, Duration, Extension, Outcome, Request, Signature, Verb
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
