"""Approvers from a channel and from the on-call rota, each for one approval; and who hears of a request, and where."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from tests.lab.slack.lab import SlackLab
from tests.lab.slack.workspace import CHANNELS, USERS
from tests.stories.scene import MASKED, RUNS, Story, words

pytestmark = [pytest.mark.slack, pytest.mark.ssh]

INCIDENT, LEADS = CHANNELS["incident"], CHANNELS["random"]
RULES = [
    {
        "name": "prod",
        "units": ["cron.service", "tuned.service"],
        "ask": ["eng"],
        "need": 2,
        "approve": ["leads", "on-call"],
        "distinct": True,
    },
    {
        "name": "behind-doors",
        "units": ["restless.service"],
        "ask": ["eng"],
        "need": 2,
        "approve": ["leads"],
        "card_channel": LEADS,
        "mention": ["on-call"],
        "tell": [INCIDENT],
    },
]


@pytest.fixture(scope="module")
def prepare() -> Callable[[Path, SlackLab], None]:
    """A private channel of approvers with bob and carol in it, and a command that says who is on call: dave."""

    def prepared(folder: Path, slack: SlackLab) -> None:
        slack.set_channel("random", ["bob", "carol"], member=True, is_private=True)
        command = folder / "who-is-on-call"
        command.write_text(f'#!/bin/sh\n[ "$1" = primary ] && exec cat {folder}/rota.json\n')
        command.chmod(0o755)
        path = folder / "config/policy.yaml"
        policy = yaml.safe_load(path.read_text())
        eng = [USERS[name] for name in ("alice", "bob", "carol")]
        policy["groups"] = {"eng": {"users": eng}, "leads": {"channel": LEADS}, "on-call": {"on_call": "primary"}}
        policy |= {"on_call": {"command": [str(command)]}, "rules": RULES, "undo_by": ["on-call"]}
        policy["channels"] = {"ids": [INCIDENT, LEADS]}
        path.write_text(yaml.safe_dump(policy, sort_keys=False))
        rota(folder)

    return prepared


def rota(folder: Path, *names: str) -> None:
    """Who is on call from now on; dave unless somebody else is named."""
    until = (datetime.now(UTC) + timedelta(hours=8)).isoformat()
    shifts = [{"user": USERS[name], "until": until} for name in names or ("dave",)]
    (folder / "rota.json").write_text(json.dumps({"on_call": shifts}))


@pytest.fixture
def folder(story: Story) -> Iterator[Path]:
    """Where the rota is, which at the end of a story is what it was."""
    folder = story.demo.bot.installation.folder
    yield folder
    rota(folder)
    story.demo.slack.set_channel("random", ["bob", "carol"])


def test_one_of_the_channel_and_whoever_is_on_call_approve_together_and_one_of_them_takes_it_back(story: Story) -> None:
    card = story.asks("/mask web-01 cron")
    assert "2 of @leads and @on-call from different groups" in words(card)
    assert "On call  dave until " in words(card)

    story.presses("bob", "Approve", card)
    card = story.card("MASK cron.service on web-01 · needs 1 more approval")
    assert "Groups  @leads: @bob · @on-call: nobody yet" in words(card)
    story.presses("carol", "Approve", card)
    story.ephemeral("carol", "each must come from a different group. Still missing: @on-call.")
    assert story.sees("cron.service") == RUNS

    story.presses("dave", "Approve", card)
    done = story.card("MASKED AND PROVEN · cron.service on web-01")
    assert story.sees("cron.service") == MASKED
    story.presses("dave", "Unmask", done)
    assert "no approval was needed" in words(story.card("UNMASKED, AS BEFORE · cron.service on web-01"))
    assert story.sees("cron.service") == RUNS


def test_who_left_the_channel_or_went_off_call_does_not_approve_any_more(story: Story, folder: Path) -> None:
    card = story.asks("/mask web-02 cron")
    story.presses("bob", "Approve", card)
    story.card("MASK cron.service on web-02 · needs 1 more approval")
    rota(folder, "carol")
    story.presses("dave", "Approve", card)
    story.ephemeral("dave", "You may not approve or deny this")

    story.demo.slack.set_channel("random", ["carol"])
    story.presses("carol", "Approve", card)
    story.thread(card, "bob may no longer approve this, so their approval no longer counts.")
    head, now = "MASK cron.service on web-02 · needs 1 more approval", "1 of 2: @carol"
    waiting = story.card(head, which=lambda card: now in words(card))
    assert "On call  carol until " in words(waiting)
    assert story.sees("cron.service", "web-02") == RUNS
    story.presses("alice", "Withdraw", waiting)
    story.card("WITHDRAWN")


def test_a_card_behind_doors_is_told_of_where_it_was_asked_and_its_end_to_who_asked(story: Story) -> None:
    behind = Story(story.demo, channel="random")
    story.types("alice", "/mask web-01 restless INC-9")
    card = behind.card("MASK restless.service on web-01 · needs 2 approvals")
    assert "For  @dave" in words(card)
    story.ephemeral("alice", "`mask web-01 restless.service` waits for approval in #random.")
    told = story.until(
        lambda: [one for one in story.messages() if "alice asks for" in words(one)], "a word in #incident"
    )
    assert words(told[0]).startswith("alice asks for `mask web-01 restless.service`; it waits for approval.")

    for person in ("bob", "carol"):
        behind.presses(person, "Approve", card)
    behind.card("MASKED AND PROVEN · restless.service on web-01")
    assert story.sees("restless.service") == MASKED
    story.sent("alice", "masked and proven: restless.service on web-01 (alice, approved by bob and carol)")
    story.line("masked and proven: restless.service on web-01 (alice, approved by bob and carol)")
    assert story.cards() == []
