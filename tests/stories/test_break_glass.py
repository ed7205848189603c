"""Nights and shifts: going ahead alone with a sign-off that is owed, a question before a vote, and a handover."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from tests.lab.authenticator import PhoneApp
from tests.lab.slack.lab import SlackLab
from tests.stories.scene import MASKED, RUNS, Message, Story, buttons, id_of, words

pytestmark = [pytest.mark.slack, pytest.mark.ssh]

WHY = "nobody answers, payments are down"


@pytest.fixture(scope="module")
def prepare() -> Callable[[Path, SlackLab], None]:
    """alice and carol may go ahead alone; one unit takes codes."""

    def write(folder: Path, slack: SlackLab) -> None:
        file = folder / "config/policy.yaml"
        policy = yaml.safe_load(file.read_text())
        policy["groups"]["oncall"] = {"users": [slack.users[name] for name in ("alice", "carol")]}
        policy["break_glass"] = {"groups": ["oncall"], "min_reason_length": 10}
        strict = {"name": "highest", "units": ["restless.service"], "ask": ["eng"], "approve": ["sre"], "step_up": True}
        policy["rules"].append(strict)
        file.write_text(yaml.safe_dump(policy))

    return write


def now() -> datetime:
    return datetime.now(UTC)


def details(story: Story, user: str, card: Message) -> Message:
    """What somebody alone reads who presses Details, with its buttons."""
    story.presses(user, "Details", card)
    story.ephemeral(user, "DETAILS")
    told = story.demo.slack.whispers(story.channel, user)
    return next(message for message in reversed(told) if words(message).startswith("DETAILS"))


def fills(story: Story, user: str, answers: dict[str, str | list[str]]) -> str:
    """The form before somebody, sent off; what it said."""
    form = story.until(lambda: story.demo.slack.view(user), f"a form before {user}")
    assert story.demo.slack.submit_view(user, answers).in_time
    return str(form)


def note(story: Story, part: str) -> str:
    """What the bot said for all to see, once these words are among it."""

    def found() -> str:
        return next((text for message in story.messages() if part in (text := words(message))), "")

    return story.until(found, f"a note `{part}`")


def test_alice_goes_ahead_alone_at_night_and_bob_signs_it_off_in_the_morning(story: Story) -> None:
    story.types("alice", f"/mask web-01 tuned --break-glass {WHY}")

    done = story.card("MASKED AND PROVEN · tuned.service on web-01")
    assert story.sees("tuned.service") == MASKED
    assert "BREAK-GLASS  @alice used break-glass" in words(done)
    assert f"Why  {WHY}" in words(done)
    assert buttons(done) == ["Unmask", "Set an expiry", "Sign off", "Details"]
    told = note(story, "BREAK-GLASS: alice uses break-glass for `mask web-01 tuned.service`")
    assert told.startswith("@bob @carol ")
    assert "BREAK-GLASS by alice" in story.line("masked and proven")
    story.types("bob", "/mask list")
    assert "tuned.service on web-01" in story.ephemeral("bob", "Sign-offs owed  1").partition("Sign-offs owed  1")[2]

    story.presses("alice", "Sign off", done)
    assert WHY in fills(story, "alice", {})
    story.ephemeral("alice", "You used break-glass, so somebody else must sign it off.")
    story.presses("bob", "Sign off", done)
    fills(story, "bob", {"reason": "page me next time"})
    signed = story.until(lambda: next(iter(story.cards_saying("Sign-off  by @bob")), None), "a signed card")
    assert "Remark  page me next time" in words(signed)
    assert buttons(signed) == ["Unmask", "Set an expiry", "Keep", "Details"]


def test_bob_wants_to_know_more_alice_answers_and_hands_it_to_carol_who_has_her_rights_from_then_on(
    story: Story,
) -> None:
    card = story.asks("/mask db-01 tuned")
    story.presses("bob", "Deny", card)
    fills(story, "bob", {"verdict": "more", "reason": "is the replica <healthy>?"})
    asked = story.until(lambda: next(iter(story.cards_saying("is the replica <healthy>?")), None), "a question")
    assert buttons(asked) == ["Approve", "Deny", "Details", "Withdraw"]
    assert story.thread(card, "bob asks:").startswith("@alice ")
    offered = details(story, "alice", asked)
    assert buttons(offered) == ["Answer", "Break glass", "Hand over"]
    story.presses("alice", "Answer", offered)
    fills(story, "alice", {"reason": "yes, two seconds behind"})
    answered = story.until(lambda: next(iter(story.cards_saying("yes, two seconds behind")), None), "an answer")

    story.presses("alice", "Hand over", offered)
    fills(story, "alice", {"person": story.demo.slack.users["carol"]})
    handed = story.until(
        lambda: next(iter(story.cards_saying("@alice asked, handed over to @carol")), None), "a new owner"
    )
    assert handed["ts"] == answered["ts"]
    assert "@carol alice hands" in story.thread(handed, "over to you")
    story.presses("alice", "Withdraw", handed)
    story.ephemeral("alice", "Only carol, who owns it now, can withdraw this.")
    story.presses("carol", "Approve", handed)
    story.ephemeral("carol", "so somebody else must approve or deny it")
    story.presses("bob", "Approve", handed)
    done = story.card("MASKED AND PROVEN · tuned.service on db-01")

    story.presses("carol", "Unmask", done)
    story.card("UNMASKED, AS BEFORE · tuned.service on db-01")
    assert story.sees("tuned.service", "db-01") == RUNS


def test_at_a_terminal_too_what_waits_goes_ahead_alone_and_its_mask_is_given_away(story: Story) -> None:
    installation = story.demo.bot.installation
    request = id_of(story.asks("/mask web-02 cron"))  # alice, who is mapped to whoever sits at the terminal

    went = installation.maskbot("break-glass", request, "--", WHY)
    assert went.returncode == 0, went.stderr
    assert "mask web-02 cron.service, asked by alice" in went.stderr  # the plan is read first
    assert "MASKED AND PROVEN" in went.stdout

    given = installation.maskbot("give", request, story.demo.slack.users["carol"])
    assert (given.returncode, "Handed over." in given.stdout) == (0, True), given.stderr
    late = installation.maskbot("withdraw", request)
    assert (late.returncode, "Only carol, who owns it now, can withdraw" in late.stderr) == (1, True), late.stderr


def test_bob_enrols_his_phone_and_approves_with_its_code_what_takes_one(story: Story) -> None:
    card = story.asks("/mask web-01 restless")
    assert "Code  approving needs a code from your authenticator" in words(card)
    story.presses("bob", "Approve", card)
    story.ephemeral("bob", "you have none here yet. Type `/mask enrol`")

    story.types("bob", "/mask enrol")
    shown = json.dumps(story.until(lambda: story.demo.slack.view("bob"), "a form before bob"))
    app = PhoneApp(re.findall(r"(?:[A-Z2-7]{4} ){7}[A-Z2-7]{4}", shown)[0])
    for code, said in ((app.wrong_code(now()), "not right"), (app.fresh_code(now()), "Enrolled.")):
        assert said in json.dumps(story.demo.slack.submit_view("bob", {"code": code}).said)
    story.sent("bob", "An authenticator was enrolled for you")
    story.demo.slack.close_view("bob")

    story.presses("bob", "Approve", card)
    code = app.fresh_code(now())
    fills(story, "bob", {"code": code})
    done = story.card("MASKED AND PROVEN · restless.service on web-01")
    assert story.sees("restless.service") == MASKED
    assert "@bob" in words(done)
    assert code not in repr(story.demo.slack.messages("incident"))
