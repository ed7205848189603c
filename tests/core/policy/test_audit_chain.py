"""While the audit chain is broken the bot looks and answers, and nothing else."""

from dataclasses import replace

import pytest

from bot.core.policy.decide import decide, why_not_look
from bot.core.policy.model import Moment, Refuse
from bot.core.policy.rules.audit_chain import CHAIN_BROKEN
from bot.core.requests import Verb, Verdict
from bot.core.systemd.units import Layer
from tests.core.situations import BOB, CAROL, POLICY, facts, looked, masked, our_mask, request, snapshot, waiting

WHY = "record 7: its seal is wrong"


@pytest.mark.parametrize("moment", [Moment.ASK, Moment.LOOKED, Moment.BREAK_GLASS, Moment.ACT])
def test_nothing_is_asked_for_or_carried_out(moment: Moment) -> None:
    answer = decide(replace(looked(snapshot(), moment=moment), broken_chain=WHY), POLICY)
    assert isinstance(answer, Refuse)
    assert answer.code == CHAIN_BROKEN
    assert WHY in answer.reason


def test_an_undo_waits_too() -> None:
    undo = looked(masked(Layer.PERSISTENT), request("cron.service", Verb.UNMASK), own_mask=our_mask())
    assert not isinstance(decide(undo, POLICY), Refuse)
    assert isinstance(decide(replace(undo, broken_chain=WHY), POLICY), Refuse)


def test_what_waits_cannot_be_approved_but_denied() -> None:
    asked = facts(waiting(), Moment.VOTE, approvers=(BOB,), broken_chain=WHY)
    assert isinstance(decide(replace(asked, voter=CAROL, verdict=Verdict.APPROVE), POLICY), Refuse)
    assert not isinstance(decide(replace(asked, voter=CAROL, verdict=Verdict.DENY), POLICY), Refuse)


def test_people_may_look() -> None:
    assert why_not_look(replace(facts(), broken_chain=WHY), POLICY) is None
