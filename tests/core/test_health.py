"""Signs of life: what makes the bot not ready, what makes it useless, and what somebody is paged about, and when."""

from dataclasses import replace
from datetime import timedelta

from bot.core import health
from bot.core.health import Backlog, ComponentHealth
from tests.core.situations import NOW

MINUTE = timedelta(minutes=1)
SLACK = ComponentHealth("slack", is_well=False, words="not connected", since=NOW, patience=5 * MINUTE)
WELL = ComponentHealth("database", is_well=True, words="can be read and written", since=NOW, patience=MINUTE)


def test_it_is_ready_when_all_that_is_needed_is_well() -> None:
    assert health.is_ready([WELL])
    assert not health.is_ready([WELL, SLACK])
    assert health.is_ready([WELL, replace(SLACK, needed=False)])


def test_a_process_is_not_ended_because_slack_is_away() -> None:
    assert health.is_alive([WELL, SLACK])
    assert not health.is_alive([WELL, replace(SLACK, vital=True)])


def test_a_part_keeps_the_time_since_when_it_is_so() -> None:
    before = {"slack": SLACK, "database": WELL}
    later = NOW + MINUTE
    fresh = [replace(SLACK, since=None), replace(WELL, is_well=False), ComponentHealth("loop", is_well=True, words="")]

    assert [component.since for component in health.with_since(fresh, before, later)] == [NOW, later, later]


def test_the_document_says_in_words_what_is_not_well() -> None:
    said = health.document([WELL, replace(SLACK, since=None)], verdict="ready", is_well=False)

    assert said["ready"] is False
    assert said["why"] == ["slack: not connected"]
    assert said["components"]["slack"] == {"ok": False, "words": "not connected", "since": None, "needed": True}
    assert said["components"]["database"]["since"] == "2026-03-01T03:00:00+00:00"
    assert SLACK.sentence == "slack: not connected since 2026-03-01 03:00:00 UTC"


def test_somebody_is_paged_about_what_lasts_longer_than_its_patience_and_told_when_it_is_over() -> None:
    watched = [SLACK, WELL, replace(SLACK, name="sink", patience=None), replace(SLACK, name="x", since=None)]

    assert health.alarms(watched, source="bot-1", now=NOW + 4 * MINUTE) == {}
    (page,) = health.alarms(watched, source="bot-1", now=NOW + 5 * MINUTE).values()
    assert (page.key, page.at, page.is_over) == ("maskbot-bot-1-slack", NOW, False)
    assert page.summary == "maskbot on bot-1: slack: not connected since 2026-03-01 03:00:00 UTC"

    over = health.all_clear(page, replace(SLACK, is_well=True, words="connected"), now=NOW + 9 * MINUTE)
    assert (over.key, over.is_over) == (page.key, True)
    assert over.summary == "Over: slack: connected since 2026-03-01 03:00:00 UTC"
    assert health.all_clear(page, None, now=NOW).summary == "Over: it is over"


def test_messages_that_are_tried_again_and_again_are_told_with_the_cards_among_them() -> None:
    assert health.messages(Backlog(undelivered=7)).is_well
    one = health.messages(Backlog(undelivered=7, retried=1))
    assert (one.is_well, one.words) == (False, "1 message is tried again and again")
    assert not one.needed
    many = health.messages(Backlog(undelivered=7, retried=4, final_cards=2))
    assert many.words == "4 messages are tried again and again, 2 of them say how a change ended"
    assert health.with_patience(many, MINUTE).patience == MINUTE


def test_a_thread_that_does_not_come_round_is_named() -> None:
    assert health.loop({"claim": 3.0, "renew": 14.0}, longest=60, patience=MINUTE).is_well
    stuck = health.loop({"claim": 75.2, "renew": 14.0}, longest=60, patience=MINUTE)
    assert (stuck.is_well, stuck.vital) == (False, True)
    assert stuck.words == "stuck, nothing was heard of claim for 75 s"


def test_a_loop_that_has_not_begun_is_not_ready_and_no_reason_to_end_the_process() -> None:
    component = health.loop({}, longest=60, patience=MINUTE)
    assert (component.is_well, component.vital, component.words, component.patience) == (
        False,
        False,
        "not begun",
        None,
    )
