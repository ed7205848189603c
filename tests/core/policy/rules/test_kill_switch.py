"""The kill switch: while it is pulled nothing new is masked, whoever agrees, and everything else goes on."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.core.policy.decide import decide
from bot.core.policy.model import Allow, Facts, Moment, NeedsApproval, Refuse
from bot.core.policy.rules.kill_switch import KILL_SWITCH_ON
from bot.core.requests import Aftercare, Duration, Hold, KillSwitch, NewKind, Verb, Verdict
from bot.core.systemd.units import Layer
from tests.core.situations import BOB, CAROL, NOW, POLICY, facts, looked, masked, our_mask, request, snapshot, waiting

STOPPED = KillSwitch(BOB.id, "bob", "the bot masks what it should not.", NOW)
NO = Refuse(
    KILL_SWITCH_ON,
    "The kill switch has been on since 2026-03-01 03:00 UTC, by bob: the bot masks what it should not.",
    "To turn it off, two people who may approve type `/mask thaw`.",
)
ASKED = facts(waiting(), Moment.VOTE, approvers=(BOB,), kill_switch=STOPPED)


@pytest.mark.parametrize("moment", [Moment.ASK, Moment.LOOKED, Moment.BREAK_GLASS, Moment.ACT])
def test_a_new_mask_is_stopped_when_it_is(moment: Moment) -> None:
    assert decide(replace(looked(snapshot(), moment=moment), kill_switch=STOPPED), POLICY) == NO


def test_what_waits_cannot_be_approved_but_denied() -> None:
    assert decide(replace(ASKED, voter=CAROL, verdict=Verdict.APPROVE), POLICY) == NO
    assert not isinstance(decide(replace(ASKED, voter=CAROL, verdict=Verdict.DENY), POLICY), Refuse)


def test_votes_that_are_there_stay_counted() -> None:
    assert isinstance(decide(ASKED, POLICY), Allow)
    assert isinstance(decide(replace(ASKED, approvers=()), POLICY), NeedsApproval)


def undo() -> Facts:
    return looked(
        masked(Layer.PERSISTENT), request("cron.service", Verb.UNMASK), own_mask=our_mask(), kill_switch=STOPPED
    )


def test_an_undo_goes_on_and_so_does_any_unmask() -> None:
    assert isinstance(decide(undo(), POLICY), Allow)
    assert isinstance(decide(replace(undo(), own_mask=None), POLICY), NeedsApproval)


def test_a_mask_does_not_begin_to_last_then_but_is_extended() -> None:
    mask = replace(our_mask(), aftercare=Aftercare(expires_at=NOW))
    hold, hour = Hold("sre", NOW + timedelta(days=90)), Duration(until=NOW + timedelta(hours=1))
    answers = []
    wanted: dict[str, Any]
    for kind, wanted in ((None, {}), (NewKind.HELD, {"hold": hold}), (None, {"duration": hour})):
        asked = request(by=CAROL, **wanted)
        asked = replace(asked, ask=replace(asked.ask, extends="r0", new_kind=kind))
        answers.append(decide(looked(snapshot(), asked, requester=CAROL, own_mask=mask, kill_switch=STOPPED), POLICY))
    assert answers[:2] == [NO, NO]
    assert isinstance(answers[2], NeedsApproval)


def test_a_stranger_is_not_told_of_it() -> None:
    answer = decide(facts(requester=replace(BOB, is_guest=True), kill_switch=STOPPED), POLICY)
    assert isinstance(answer, Refuse)
    assert answer.code == "not_a_member"
