"""Nights: nobody decides, and people are reminded, others are called and one is paged."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.edges.receiver import PageReceiver
from tests.lab.slack.lab import SlackLab
from tests.stories.scene import Message, Story, id_of, mark, words

pytestmark = [pytest.mark.slack, pytest.mark.ssh]

# What is minutes elsewhere.
DEADLINES = {
    "approve_within": "10m",
    "remind": ["3s"],
    "escalate": [{"after": "4s", "mention": ["eng"]}, {"after": "6s", "page": True}],
}


@pytest.fixture(scope="module")
def prepare() -> Callable[[Path, SlackLab], None]:
    def hurried(folder: Path, _: SlackLab) -> None:
        path = folder / "config/policy.yaml"
        described = yaml.safe_load(path.read_text()) | {"time_zone": "Europe/Berlin"}
        described["rules"][0] |= DEADLINES
        path.write_text(yaml.safe_dump(described, sort_keys=False))

    return hurried


def pages(receiver: PageReceiver, card: Message) -> list[str]:
    """What the pager was told about a request."""
    return [event for event, key in receiver.events() if key == f"maskbot-{id_of(card)}"]


def reminders(story: Story) -> list[str]:
    return [words(message) for message in story.messages() if ":reminder:" in mark(message)]


def mentions(reminder: str) -> set[str]:
    return {word for word in reminder.split() if word.startswith("@")}


def test_whoever_can_decide_is_reminded_then_others_are_called_then_one_is_paged(
    story: Story, receiver: PageReceiver
) -> None:
    card = story.asks("/mask web-01 worker INC-2041: runaway job")
    assert ", 10 minutes left" in words(card)

    thread = story.thread(card, "6 seconds without approval: somebody paged.")
    assert "4 seconds without approval: @eng notified." in thread
    first, second = story.until(lambda: reminders(story) if len(reminders(story)) == 2 else None, "both calls")
    assert "The mask of worker.service on web-01 needs 1 approval by " in first
    assert [mentions(call) for call in (first, second)] == [{"@bob", "@carol"}, {"@alice", "@bob", "@carol"}]
    story.until(lambda: pages(receiver, card), "a page")
    (call,) = [call for call in receiver.calls if call.event["dedup_key"] == f"maskbot-{id_of(card)}"]
    assert call.event["summary"].endswith("asked by alice: INC-2041: runaway job")
    assert call.headers["X-Maskbot-Signature"].startswith("v1=")

    story.presses("alice", "Withdraw", story.card("MASK worker.service"))
    story.until(lambda: pages(receiver, card) == ["trigger", "resolve"], "the end of the page")
    assert len(reminders(story)) == 2
