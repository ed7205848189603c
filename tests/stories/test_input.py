"""How it can be said: in a form, after a mention, in a thread; and what can be asked."""

import pytest

from tests.stories.scene import MASKED, Story, buttons, words

pytestmark = [pytest.mark.slack, pytest.mark.ssh]

QUESTIONS = {
    "status web-01 worker": ("STATUS · worker.service on web-01", "running, enabled", "system/worker.service"),
    "why web-01 worker": (
        "WHY · mask worker.service on web-01",
        "needs 1 of @sre (rule prod)",
        "@sre: @bob, @carol",
        "rule prod (line",
    ),
    "list web-01": ("MASKS ON web-01",),
    "history": ("HISTORY",),
    "help": ("HELP", "/mask HOST UNIT", "db-01, gone-01, web-01, web-02"),
}


def test_a_question_is_answered_to_who_asked_alone(story: Story) -> None:
    for question, (first, *parts) in QUESTIONS.items():
        story.types("alice", f"/mask {question}")
        answer = story.ephemeral("alice", first)
        assert [part for part in parts if part not in answer] == []
    assert story.messages() == []
    assert story.whispers("bob") == []


def test_a_plan_is_what_approvers_would_see_where_they_would_see_it_and_nobody_is_asked(story: Story) -> None:
    story.types("alice", "/mask plan web-01 worker")

    (plan,) = story.until(lambda: [one for one in story.messages() if words(one).startswith("PLAN, NOBODY")], "a plan")
    said = words(plan)
    assert said.startswith("PLAN, NOBODY IS ASKED · mask worker.service on web-01\n@alice\n")
    assert "metrics.service" in said
    assert "1 of @sre" in said
    assert buttons(plan) == []
    assert story.cards() == []
    assert story.whispers("alice") == []


def test_a_bare_mask_opens_a_form_which_offers_real_units_and_shows_its_mistakes(story: Story) -> None:
    slack = story.demo.slack
    story.types("alice", "/mask")
    form = story.until(lambda: slack.view("alice"), "a form before alice")
    slack.choose("alice", "host", {"host": "web-02"})
    story.until(lambda: slack.view("alice") != form, "the form to note the host")
    found = story.until(lambda: offered(story, "watch", "watchdog.service"), "the units of web-02")
    assert found[:2] == ["watchdog.service", "watched.path"]
    assert slack.offered("alice", "unit", "ssh.s")[0] == "ssh.service (critical: remote access)"

    wrong = slack.submit_view("alice", {"host": "web-02", "unit": "ssh.service"})
    assert wrong.said is not None
    assert "lock everybody out of web-02" in wrong.said["errors"]["unit"]
    assert story.messages() == []

    slack.offered("alice", "unit", "watchdog")
    right: dict[str, str | list[str]] = {
        "host": "web-02",
        "unit": "watchdog.service",
        "for": "",
        "how": ["runtime"],
        "reason": "INC-7: it is <b>stuck</b>",
    }
    slack.submit_view("alice", right)
    card = story.card("MASK watchdog.service on web-02")
    assert "@alice · INC-7: it is <b>stuck</b>" in words(card)
    assert "until the next reboot" in words(card)
    story.presses("bob", "Approve", card)
    done = story.card("MASKED AND PROVEN · watchdog.service on web-02")
    assert "Lasts  until the next reboot" in words(done)
    assert not story.link("watchdog.service", "web-02").is_symlink()
    assert story.sees("watchdog.service", "web-02") == {**MASKED, "UnitFileState": "masked-runtime"}


def offered(story: Story, typed: str, wanted: str) -> list[str]:
    """What the form offers for this, once what is wanted is among it."""
    found = story.demo.slack.offered("alice", "unit", typed)
    return found if wanted in found else []


def test_what_is_asked_in_a_thread_is_answered_and_proven_in_that_thread(story: Story) -> None:
    slack = story.demo.slack
    talk = slack.write("alice", "incident", "db-01 eats all the memory")
    slack.mention("alice", "incident", "mask db-01 tuned", thread_ts=talk["ts"])
    card = story.card("MASK tuned.service on db-01")
    assert card["thread_ts"] == talk["ts"]

    story.presses("bob", "Approve", card)
    story.card("MASKED AND PROVEN · tuned.service on db-01")
    assert "maskbot-guard link persistent tuned.service" in story.thread(talk, "is masked")
    story.line("masked and proven: tuned.service on db-01")
    assert {message["thread_ts"] for message in story.messages()} == {talk["ts"]}
