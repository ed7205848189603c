"""Somebody's own page: what waits for them can be decided there, and what is theirs taken back."""

import pytest

from tests.stories.scene import MASKED, RUNS, Story

pytestmark = [pytest.mark.slack, pytest.mark.ssh]


def test_an_approver_decides_and_a_requester_takes_back_on_their_own_pages(story: Story) -> None:
    slack = story.demo.slack
    slack.home("bob")
    story.page("bob", "Waiting for you · nothing")
    story.page("bob", "prod hosts: you may ask for masks and unmasks, and approve (it takes one of @sre)")

    card = story.asks("/mask web-01 restless INC-77: it flaps")
    slack.home("bob")
    waiting = story.page("bob", "Waiting for you · 1")
    assert "MASK restless.service on web-01 · needs 1 approval\n@alice · INC-77: it flaps" in waiting
    slack.press_at_home("bob", "Approve: restless.service on web-01")
    form = story.until(lambda: slack.view("bob"), "a form before bob")
    assert "MASK restless.service on web-01" in str(form["blocks"])
    assert story.cards("MASK restless.service on web-01 · needs 1 approval")
    slack.submit_view("bob")
    done = story.card("MASKED AND PROVEN · restless.service on web-01")
    assert done["ts"] == card["ts"]
    story.page("bob", "Waiting for you · nothing")
    assert story.sees("restless.service") == MASKED

    slack.home("alice")
    story.page("alice", "restless.service on web-01\nmasked")
    slack.press_at_home("alice", "Unmask: restless.service on web-01")
    assert story.card("UNMASKED, AS BEFORE · restless.service on web-01")
    after = story.page("alice", "Your live masks · nothing")
    assert "unmasked, as before: restless.service on web-01" in after
    assert story.sees("restless.service") == RUNS


def test_a_guest_is_shown_nothing(story: Story) -> None:
    story.demo.slack.home("eve")
    assert story.page("eve", "full members") == "This page is for full members of this workspace."


def test_details_open_over_the_page(story: Story) -> None:
    slack = story.demo.slack
    card = story.asks("/mask web-01 restless")
    slack.home("alice")
    story.page("alice", "Your requests · 1")
    slack.press_at_home("alice", "Details: restless.service on web-01")
    story.until(lambda: "DETAILS" in str(slack.view("alice")), "the details")
    slack.close_view("alice")
    slack.press_at_home("alice", "Withdraw: restless.service on web-01")
    story.card("WITHDRAWN")
    story.page("alice", "Your requests · nothing")
    assert card["ts"]


def test_a_host_that_is_gone_is_named_to_people(story: Story) -> None:
    story.types("alice", "/mask status gone-01 cron")
    story.told("alice", "gone-01")
    story.demo.slack.home("alice")
    story.page("alice", "Not reached  gone-01 since")
