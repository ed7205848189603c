"""How it can be said: with what phones do to a text, in a form, after a mention, in a thread; and what can be asked."""

import pytest

from tests.lab.slack.workspace import CHANNELS
from tests.stories.scene import MASKED, RUNS, Story, buttons, words

pytestmark = [pytest.mark.slack, pytest.mark.ssh]

# All of them mean the same.
TYPED = (
    "/mask web-01 cron —runtime",
    "/mask web-01 “cron.service” –runtime",
    "/mask <http://web-01|web-01> cron --runtime",
    "/mask web-\u200b01 cron\u200b --runtime",
    "/mask   web-01 ‘cron’   −−runtime".replace("−−", "--"),
    "/mask --runtime web-01 cron",
)
QUESTIONS = {
    "status web-01 worker": ("STATUS · worker.service on web-01", "running, enabled", "system/worker.service"),
    "status web-01": ("MASKS ON web-01 · 0 ours",),
    "plan web-01 sshd": ("PLAN, NOBODY IS ASKED · mask", "is on the critical list", "Nobody can approve this."),
    "why web-01 worker": (
        "WHY · mask worker.service on web-01",
        "it would need one of @sre (rule prod)",
        "@sre: @bob, @carol",
        "rule prod (line",
    ),
    "why web-01 sshd": ("WHY · mask", "is on the critical list: remote access", "Nobody can approve this."),
    "list": ("MASKS · 0 ours",),
    "list web-01": ("MASKS ON web-01 · 0 ours",),
    "handover": ("HANDOVER · 0 masked, 0 waiting", "Nothing of ours is masked, and nothing waits or runs."),
    "history": ("HISTORY",),
    "help": ("HELP", "/mask HOST UNIT", "db-01, gone-01, web-01, web-02"),
}


@pytest.mark.parametrize("typed", TYPED)
def test_what_phones_and_slack_do_to_a_text_is_undone(story: Story, typed: str) -> None:
    ack = story.types("dave", typed)  # who may not ask: so it is heard, and that is all
    assert "Asked: `mask web-01 cron.service --runtime`." in str(ack.said)
    story.told("dave", "@eng may.")


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_is_answered_to_who_asked_alone(story: Story, question: str) -> None:
    story.types("alice", f"/mask {question}")

    first, *parts = QUESTIONS[question]
    answer = story.told("alice", first)
    assert [part for part in parts if part not in answer] == []
    assert story.said() == []
    assert story.whispers("bob") == []


def test_a_plan_is_what_approvers_would_see_where_they_would_see_it_and_nobody_is_asked(story: Story) -> None:
    story.types("alice", "/mask plan web-01 worker")

    (plan,) = story.until(lambda: [one for one in story.said() if words(one).startswith("PLAN, NOBODY")], "a plan")
    said = words(plan)
    assert said.startswith("PLAN, NOBODY IS ASKED · mask worker.service on web-01\n@alice\n")
    assert "metrics.service" in said
    assert "one of @sre" in said
    assert buttons(plan) == []
    assert story.cards() == []
    assert story.whispers("alice") == []


def test_who_may_not_ask_sees_a_plan_alone(story: Story) -> None:
    story.types("dave", "/mask plan web-01 worker")
    assert "You may not ask for masks on prod hosts" in story.told("dave", "PLAN, NOBODY IS ASKED")
    assert story.said() == []


def test_a_bare_mask_opens_a_form_which_offers_real_units_and_shows_its_mistakes(story: Story) -> None:
    slack = story.demo.slack
    story.types("alice", "/mask")
    form = story.until(lambda: slack.view("alice"), "a form before alice")
    slack.choose("alice", "host", {"host": "web-02"})
    story.until(lambda: slack.view("alice") != form, "the form to note the host")
    found = story.until(lambda: offered(story, "watch", "watchdog.service"), "the units of web-02")
    assert found[:2] == ["watchdog.service", "watched.path"]
    assert slack.offered("alice", "unit", "ssh.s")[0] == "ssh.service (critical: remote access)"

    wrong = slack.submit_view("alice", {"host": "web-02", "unit": "ssh.service", "for": "a while"})
    assert wrong.said is not None
    assert wrong.said["response_action"] == "errors"
    assert "a while" in wrong.said["errors"]["for"]
    wrong = slack.submit_view("alice", {"host": "web-02", "unit": "ssh.service"})
    assert wrong.said is not None
    assert "lock everybody out of web-02" in wrong.said["errors"]["unit"]
    assert story.said() == []

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
    story.card("MASKED AND PROVEN · watchdog.service on web-02")
    assert story.sees("watchdog.service", "web-02") == {**MASKED, "UnitFileState": "masked-runtime"}


def test_a_mistyped_command_opens_the_form_with_what_made_sense(story: Story) -> None:
    slack = story.demo.slack
    story.types("alice", "/mask web-0 restless INC-9: it flaps")
    story.told("alice", "There is no host `web-0`. Did you mean `web-02`")
    story.until(lambda: slack.view("alice"), "a form before alice")
    slack.submit_view("alice", {"host": "web-02"})
    card = story.card("MASK restless.service on web-02")
    assert "@alice · INC-9: it flaps" in words(card)
    story.presses("alice", "Withdraw", card)
    story.card("WITHDRAWN")


def test_a_message_in_a_thread_becomes_a_request_in_that_thread(story: Story) -> None:
    slack = story.demo.slack
    talk = slack.write("carol", "incident", "who knows db-01?")
    alert = slack.write("bob", "incident", "restless.service on db-01 flaps again", thread_ts=talk["ts"])
    slack.shortcut("alice", "mask_for_message", "incident", alert)
    story.until(lambda: slack.view("alice"), "a form before alice")
    slack.submit_view("alice")
    card = story.card("MASK restless.service on db-01 · needs 1 approval")
    assert card["thread_ts"] == talk["ts"]
    assert "@alice · restless.service on db-01 flaps again https://maskbot-demo.slack.com/archives/" in words(card)
    story.presses("alice", "Withdraw", card)
    story.card("WITHDRAWN")


def test_a_shortcut_from_anywhere_asks_for_the_channel(story: Story) -> None:
    slack = story.demo.slack
    slack.shortcut("alice", "mask_from_anywhere")
    story.until(lambda: slack.view("alice"), "a form before alice")
    slack.choose("alice", "host", {"host": "db-01"})
    story.until(lambda: offered(story, "restless", "restless.service"), "the units of db-01")
    slack.submit_view("alice", {"host": "db-01", "unit": "restless.service", "channel": CHANNELS["incident"]})
    card = story.card("MASK restless.service on db-01 · needs 1 approval")
    story.presses("alice", "Withdraw", card)
    story.card("WITHDRAWN")


def offered(story: Story, typed: str, wanted: str) -> list[str]:
    """What the form offers for this, once what is wanted is among it."""
    found = story.demo.slack.offered("alice", "unit", typed)
    return found if wanted in found else []


def test_a_mention_is_a_command_too(story: Story) -> None:
    story.demo.slack.mention("alice", "incident", "mask web-01 restless it flaps")
    card = story.card("MASK restless.service on web-01 · needs 1 approval")
    assert "thread_ts" not in card
    assert "@alice · it flaps" in words(card)
    story.presses("alice", "Withdraw", card)
    story.card("WITHDRAWN")


def test_what_is_asked_in_a_thread_is_answered_and_proven_in_that_thread(story: Story) -> None:
    slack = story.demo.slack
    talk = slack.write("alice", "incident", "db-01 eats all the memory")
    slack.mention("alice", "incident", "mask db-01 tuned", thread_ts=talk["ts"])
    card = story.card("MASK tuned.service on db-01")
    assert card["thread_ts"] == talk["ts"]

    story.presses("bob", "Approve", card)
    done = story.card("MASKED AND PROVEN · tuned.service on db-01")
    assert "mask --no-reload -- tuned.service" in story.thread(talk, "is masked")
    story.line("masked and proven: tuned.service on db-01")
    assert {message["thread_ts"] for message in story.said()} == {talk["ts"]}
    story.presses("bob", "Unmask", done)
    assert story.card("UNMASKED, AS BEFORE")["thread_ts"] == talk["ts"]
    assert story.sees("tuned.service", "db-01") == RUNS


def test_a_mistake_after_a_mention_is_told_to_who_made_it(story: Story) -> None:
    story.demo.slack.mention("alice", "incident", "msak web-01 cron")
    assert "Did you mean `mask`" in story.told("alice", "I do not know `msak`.")
    assert story.said() == []


def test_what_people_write_cannot_speak_for_the_bot(story: Story) -> None:
    reason = "<!channel> *MASKED AND PROVEN* <https://evil.example|card> `x` ```y``` @here"
    card = story.asks(f"/mask db-01 restless {reason}")
    (block,) = (block for block in card["blocks"] if "MASKED AND PROVEN" in str(block))
    raw = block["text"]["text"]
    assert "<!channel>" not in raw
    assert "<https://evil.example" not in raw
    assert "```" not in raw
    story.presses("alice", "Withdraw", card)
    story.card("WITHDRAWN")
