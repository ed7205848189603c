"""Observe mode: everything but the change itself, and the answer says what that would have been."""

from dataclasses import replace

import pytest

from bot.core.policy.decide import decide
from bot.core.policy.model import Allow, Moment, NeedsApproval, Refuse
from bot.core.policy.rules.observe import OBSERVED, ONLY_OBSERVES, the_bot_may_act
from bot.core.requests import Request, Verb
from bot.core.systemd.units import ActiveState, Layer, Snapshot
from tests.core.situations import BOB, POLICY, facts, looked, masked, our_mask, request, snapshot, waiting

OBSERVING = replace(POLICY, observe=True)
WHY = ONLY_OBSERVES
UNMASK = request("cron.service", Verb.UNMASK)


@pytest.mark.parametrize("moment", [Moment.ASK, Moment.LOOKED, Moment.VOTE])
def test_people_are_asked_and_approve_as_ever(moment: Moment) -> None:
    assert isinstance(decide(looked(snapshot(), waiting(), moment), OBSERVING), NeedsApproval)


@pytest.mark.parametrize(
    ("seen", "asked", "done"),
    [
        (snapshot(), request(), "stopped and masked cron.service on web-01 (persistent)"),
        (snapshot(active=ActiveState.INACTIVE), request(), "masked cron.service on web-01 (persistent)"),
        (snapshot(), request(runtime=True), "stopped and masked cron.service on web-01 (runtime)"),
        (snapshot(perpetual=True), request(), "stopped and masked cron.service on web-01"),
        (snapshot(), request(force=True), "killed cron.service on web-01"),
        (masked(Layer.PERSISTENT), UNMASK, "removed the mask of cron.service on web-01"),
    ],
)
def test_right_before_the_first_command_it_ends_with_what_would_have_been(
    seen: Snapshot, asked: Request, done: str
) -> None:
    at_last = looked(seen, asked, Moment.ACT, approvers=(BOB,))
    assert the_bot_may_act(at_last, OBSERVING) == Refuse(OBSERVED, WHY, f"It would have {done}.")
    assert the_bot_may_act(at_last, POLICY) is None


def test_no_approval_lets_it_act() -> None:
    at_last = looked(snapshot(), waiting(), Moment.ACT, approvers=(BOB,))
    assert isinstance(decide(at_last, POLICY), Allow)
    no = decide(at_last, OBSERVING)
    assert isinstance(no, Refuse)
    assert no.code == OBSERVED


def test_without_a_look_it_says_less() -> None:
    said = the_bot_may_act(facts(request(), Moment.ACT), OBSERVING)
    assert said == Refuse(OBSERVED, WHY, "It would have masked cron.service on web-01.")


def test_a_mask_of_its_own_from_before_is_undone_all_the_same() -> None:
    undo = looked(masked(Layer.PERSISTENT), UNMASK, Moment.ACT, own_mask=our_mask())
    assert isinstance(decide(undo, OBSERVING), Allow)


def test_a_mask_that_is_asked_for_again_is_a_change_like_any_other() -> None:
    again = looked(snapshot(), request(), Moment.ACT, own_mask=our_mask())
    no = the_bot_may_act(again, OBSERVING)
    assert no is not None
    assert no.code == OBSERVED


def test_what_touches_no_host_is_done() -> None:
    longer = replace(request(), ask=replace(request().ask, extends="r0"))
    assert the_bot_may_act(looked(snapshot(), longer, Moment.ACT, own_mask=our_mask()), OBSERVING) is None
