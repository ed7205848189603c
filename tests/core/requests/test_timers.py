"""When a request is due by itself: at the earliest of its timers, and never while only people can move it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.policy.requirements import is_outdated
from bot.core.requests import Followup, FollowupKind, Signature, Stage, Tally
from bot.core.requests.timers import first_due, next_due, put_off, stop_to_force
from tests.core.situations import ALICE, BOB, INCIDENT, NOW, broken, request, waiting

SOON = NOW + timedelta(seconds=9)
FINAL = [stage for stage in Stage if stage.is_final]
FOLLOWUP = Followup(FollowupKind.HAND_OVER, ALICE.id, ALICE.name, SOON, INCIDENT, to=BOB.id)


def test_a_new_request_is_due_at_once_or_when_it_was_recorded_for() -> None:
    assert first_due(request()) == request().asked_at
    assert first_due(replace(request(), due_at=SOON)) == SOON


@pytest.mark.parametrize("stage", [Stage.ASKED, Stage.APPROVED, Stage.RUNNING])
def test_what_the_workflow_put_off_is_due_when_it_said(stage: Stage) -> None:
    assert next_due(replace(request(), stage=stage, due_at=SOON)) == SOON


def test_a_waiting_request_is_due_when_the_time_to_decide_is_over() -> None:
    asked = waiting()

    assert asked.approval
    assert next_due(asked) == asked.approval.approve_by
    assert next_due(replace(asked, approval=None)) is None


def test_an_approved_request_is_due_when_its_approval_ends_however_long_it_was_put_off() -> None:
    put_off = replace(request(), stage=Stage.APPROVED, due_at=NOW + timedelta(days=1), act_by=SOON)

    assert next_due(put_off) == SOON
    assert next_due(replace(put_off, act_by=None)) == put_off.due_at


def test_what_has_to_wait_longer_than_its_approval_is_due_when_that_ends() -> None:
    later, over = SOON + timedelta(minutes=1), SOON + timedelta(seconds=1)
    approved = replace(request(), stage=Stage.APPROVED, act_by=SOON)

    assert put_off(approved, later, NOW) == SOON
    assert put_off(approved, later, over) == later  # it ends at once, and is not due for ever
    assert put_off(approved, NOW, NOW) == NOW
    assert put_off(replace(approved, stage=Stage.RUNNING), later, NOW) == later
    assert put_off(replace(approved, act_by=None), later, NOW) == later


def test_a_waiting_request_is_due_when_a_freeze_or_a_window_begins_or_ends() -> None:
    asked = waiting()
    assert asked.approval

    turning = replace(asked, approval=replace(asked.approval, calendar_changes_at=SOON))

    assert next_due(turning) == SOON
    assert is_outdated(turning, policy="", now=SOON)
    assert not is_outdated(turning, policy="", now=NOW)


@pytest.mark.parametrize("stage", [Stage.WAITING, Stage.APPROVED, *FINAL])
def test_what_somebody_wants_is_heard_at_once_and_only_once(stage: Stage) -> None:
    asked = replace(waiting(), stage=stage, due_at=NOW + timedelta(days=1))
    quiet = next_due(replace(asked, followups=(replace(FOLLOWUP, tally=Tally.REFUSED),)))
    assert quiet == next_due(asked)
    assert next_due(replace(asked, followups=(replace(FOLLOWUP, tally=Tally.COUNTED), FOLLOWUP))) == SOON


@pytest.mark.parametrize("stage", [Stage.ASKED, Stage.RUNNING])
def test_and_not_before_its_answer_could_be_told(stage: Stage) -> None:
    later = NOW + timedelta(days=1)
    assert (
        next_due(replace(broken(waiting(), remind_at=SOON), stage=stage, due_at=later, followups=(FOLLOWUP,))) == later
    )


@pytest.mark.parametrize("stage", FINAL)
def test_a_sign_off_is_asked_for_while_it_is_owed(stage: Stage) -> None:
    owed = replace(broken(waiting(), remind_at=SOON), stage=stage)
    assert next_due(owed) == SOON
    signed = broken(owed, remind_at=None, signed=Signature(BOB.id, BOB.name, NOW))
    assert next_due(signed) is None


@pytest.mark.parametrize("stage", FINAL)
def test_what_is_over_and_owes_nothing_is_not_due_again(stage: Stage) -> None:
    assert next_due(replace(waiting(), stage=stage, due_at=SOON)) is None


def test_only_a_request_to_force_a_stop_asks_each_time_whether_the_stop_is_over() -> None:
    asked = waiting()
    assert stop_to_force(asked) is None
    assert stop_to_force(replace(asked, ask=replace(asked.ask, forces="r1"))) == asked.asked_at
