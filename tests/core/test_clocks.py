"""When a request is due by itself: at the earliest of its clocks, and never while only people can move it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.changes import Stage
from bot.core.clocks import next_due
from bot.core.demands import is_outdated
from tests.core.situations import NOW, request, waiting

SOON = NOW + timedelta(seconds=9)


@pytest.mark.parametrize("stage", [Stage.ASKED, Stage.APPROVED, Stage.RUNNING])
def test_what_the_workflow_put_off_is_due_when_it_said(stage: Stage) -> None:
    assert next_due(replace(request(), stage=stage, due_at=SOON)) == SOON


def test_a_waiting_request_is_due_when_the_time_to_decide_is_over() -> None:
    asked = waiting()

    assert asked.approval
    assert next_due(asked) == asked.approval.decide_by
    assert next_due(replace(asked, approval=None)) is None


def test_a_waiting_request_is_due_when_a_freeze_or_a_window_begins_or_ends() -> None:
    asked = waiting()
    assert asked.approval

    turning = replace(asked, approval=replace(asked.approval, turns_at=SOON))

    assert next_due(turning) == SOON
    assert is_outdated(turning, policy="", now=SOON)
    assert not is_outdated(turning, policy="", now=NOW)


@pytest.mark.parametrize("stage", [stage for stage in Stage if stage.is_final])
def test_what_is_over_and_owes_nothing_is_not_due_again(stage: Stage) -> None:
    assert next_due(replace(waiting(), stage=stage, due_at=SOON)) is None
