"""When the card of a request is posted and edited: at once if people wait for it, else not too often."""

from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from bot.core.requests import Stage
from bot.core.requests.card_updates import (
    NEVER_POSTED,
    CardState,
    CardUpdate,
    card_after_lost_lease,
    card_after_post,
    card_after_save,
)
from tests.core.situations import NOW, request, waiting

INTERVAL = timedelta(seconds=10)
LAST_EDIT = NOW - timedelta(seconds=3)
LATER = NOW + timedelta(seconds=30)
VERSION = 7
CURRENT = CardState(posted_version=6, urgent_version=6, posted_at=LAST_EDIT)
NEW = CardState(posted_version=NEVER_POSTED, urgent_version=5)
OF_ROLLOUT = replace(CURRENT, is_of_rollout=True)


def after_save(
    card: CardState | None, stage: Stage = Stage.WAITING, *, urgent: bool = True, has_moved: bool = False
) -> CardUpdate | None:
    saved = replace(request(), stage=stage, version=VERSION)
    return card_after_save(saved, card, urgent=urgent, has_moved=has_moved, now=NOW, interval=INTERVAL)


@pytest.mark.parametrize("stage", [Stage.WAITING, Stage.APPROVED, Stage.RUNNING, Stage.DONE])
def test_a_request_that_people_should_see_gets_a_card_at_once(stage: Stage) -> None:
    assert after_save(None, stage, urgent=False) == CardUpdate(NOW, VERSION)


@pytest.mark.parametrize("stage", [Stage.ASKED, Stage.REFUSED, Stage.DENIED, Stage.TIMED_OUT, Stage.CANCELLED])
def test_a_request_that_nobody_else_has_heard_of_gets_none(stage: Stage) -> None:
    assert after_save(None, stage) is None


@pytest.mark.parametrize("stage", list(Stage))
def test_a_card_that_is_there_shows_a_new_stage_at_once(stage: Stage) -> None:
    assert after_save(CURRENT, stage, has_moved=True) == CardUpdate(NOW, VERSION)


def test_an_answer_in_the_same_stage_is_shown_at_once() -> None:
    assert after_save(CURRENT) == CardUpdate(NOW, VERSION)


def test_the_progress_of_a_running_request_waits_for_the_interval() -> None:
    assert after_save(CURRENT, Stage.RUNNING) == CardUpdate(LAST_EDIT + INTERVAL, 6)


def test_what_nobody_waits_for_waits_for_the_interval_also_when_the_stage_is_new() -> None:
    assert after_save(CURRENT, urgent=False, has_moved=True) == CardUpdate(LAST_EDIT + INTERVAL, 6)


def test_an_interval_that_is_over_is_not_waited_for() -> None:
    long_ago = replace(CURRENT, posted_at=NOW - timedelta(hours=1))
    assert after_save(long_ago, urgent=False) == CardUpdate(NOW, 6)


@pytest.mark.parametrize("card", [NEW, replace(CURRENT, posted_version=4)], ids=["never posted", "one is outstanding"])
def test_a_card_that_people_wait_for_already_is_not_put_off(card: CardState) -> None:
    assert after_save(card, urgent=False) == CardUpdate(NOW, card.urgent_version)


def test_a_card_that_was_never_posted_does_not_wait_for_an_interval() -> None:
    assert after_save(replace(NEW, urgent_version=NEVER_POSTED), urgent=False) == CardUpdate(NOW, NEVER_POSTED)


@pytest.mark.parametrize("urgent", [True, False])
def test_the_card_of_a_rollout_waits_for_the_interval_whoever_waits_for_it(urgent: object) -> None:
    shown = CardUpdate(LAST_EDIT + INTERVAL, VERSION if urgent else 6)
    assert after_save(OF_ROLLOUT, urgent=bool(urgent), has_moved=True) == shown
    assert after_save(replace(OF_ROLLOUT, posted_at=None), has_moved=True) == CardUpdate(NOW, VERSION)


def test_progress_does_not_bring_a_card_of_a_rollout_forward_that_people_wait_for() -> None:
    awaited = replace(OF_ROLLOUT, urgent_version=7)
    assert after_save(awaited, urgent=False) == CardUpdate(LAST_EDIT + INTERVAL, 7)


@pytest.mark.parametrize("urgent", [True, False])
def test_the_pause_that_slack_asked_for_is_kept(urgent: object) -> None:
    paused = replace(CURRENT, not_before=LATER)
    assert after_save(paused, urgent=bool(urgent)) == CardUpdate(LATER, VERSION if urgent else 6)


def after_post(card: CardState, *, newest: int) -> object:
    return card_after_post(card, newest=newest, now=NOW, interval=INTERVAL)


def test_a_card_that_shows_the_newest_version_is_not_edited_again() -> None:
    assert after_post(CURRENT, newest=6) is None


def test_a_request_that_has_moved_on_is_shown_after_the_interval() -> None:
    assert after_post(CURRENT, newest=VERSION) == NOW + INTERVAL


def test_a_version_that_people_wait_for_is_shown_at_once() -> None:
    assert after_post(replace(CURRENT, urgent_version=VERSION), newest=VERSION) == NOW


def test_a_card_that_another_process_may_have_overwritten_is_edited_at_once() -> None:
    assert after_post(replace(CURRENT, is_overwritten=True), newest=6) == NOW


def test_what_a_rollout_has_come_to_meanwhile_is_shown_after_the_interval() -> None:
    for card in (replace(OF_ROLLOUT, urgent_version=VERSION), replace(OF_ROLLOUT, is_overwritten=True)):
        assert after_post(card, newest=VERSION) == NOW + INTERVAL
    assert after_post(OF_ROLLOUT, newest=6) is None


def test_a_card_that_was_written_too_late_is_edited_once_more() -> None:
    again = partial(card_after_lost_lease, now=NOW, interval=INTERVAL)
    assert again(CURRENT, None) == NOW
    assert again(replace(CURRENT, not_before=LATER), None) == LATER
    assert again(OF_ROLLOUT, None) == again(OF_ROLLOUT, LAST_EDIT) == NOW + INTERVAL
    assert again(OF_ROLLOUT, LATER) == LATER


def test_one_target_of_a_rollout_has_a_card_only_if_it_has_approvers_of_its_own() -> None:
    part = replace(waiting(), ask=replace(request().ask, rollout="R"), version=VERSION)
    saved = partial(card_after_save, card=None, urgent=True, has_moved=True, now=NOW, interval=INTERVAL)
    assert saved(replace(part, approval=None)) is None
    assert saved(part) == CardUpdate(NOW, VERSION)
