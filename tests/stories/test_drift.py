"""Drift with the real bot: who masked what on the hosts, and what somebody does behind its back."""

import json
from collections.abc import Iterator, Mapping

import pytest

from tests.lab.demo import Demo
from tests.lab.hosts import LabHost
from tests.stories.conftest import booted
from tests.stories.scene import Story, buttons, words

pytestmark = [pytest.mark.slack, pytest.mark.ssh]


@pytest.fixture(scope="module")
def demo(lab_hosts: Mapping[str, LabHost]) -> Iterator[Demo]:
    """A watch that people could wait for."""
    with booted(lab_hosts, {"MASKBOT_WATCH_INTERVAL": "2"}) as one:
        yield one


def notes(story: Story, part: str) -> list[str]:
    """What the bot said by itself in the channel, with these words."""
    said = [words(message) for message in story.messages()]
    return [text for text in said if part in text]


def test_every_mask_is_listed_with_its_owner_and_what_happens_by_hand_is_told_once(story: Story) -> None:
    host = story.host("db-01")
    done = story.masked("db-01 worker INC-2041: runaway job")
    listed = story.until(lambda: listing(story, "undo without approval until"), "our mask in the list")
    assert "worker.service on db-01: by " in listed
    assert "by alice · INC-2041: runaway job" in listed
    assert "handmade.service on web-01: not by maskbot" in listed
    assert "gone-01 since" in listed
    _check_handover(story)
    story.until(lambda: "not scanned since" not in listing(story, "worker.service on db-01: by "), "a look")

    host.run("systemctl", "mask", "tuned.service")
    story.until(lambda: notes(story, "Masked on db-01 by others: tuned.service"), "word of a mask by hand")
    host.run("systemctl", "unmask", "worker.service", "tuned.service")
    gone = story.card("OUR MASK IS GONE · worker.service on db-01")
    assert (gone["ts"], buttons(gone)) == (done["ts"], ["Details"])
    story.thread(gone, "OUR MASK IS GONE: worker.service on db-01. It was not removed by maskbot")
    story.until(lambda: notes(story, "@alice OUR MASK IS GONE"), "word of it in the channel")
    story.until(lambda: notes(story, "Masks made by others are gone from db-01"), "word of a mask by hand that is gone")
    assert len(notes(story, "OUR MASK IS GONE: worker.service on db-01")) == 2  # in the channel and in its thread
    assert len(notes(story, "Masked on db-01 by others")) == 1


def _check_handover(story: Story) -> None:
    """What the next shift reads, in Slack and at a terminal."""
    waits = story.asks("/mask web-02 cron INC-7")
    story.types("carol", "/mask handover")
    handover = story.ephemeral("carol", "HANDOVER · 1 masked, 1 waiting, 0 under way")
    assert "mask cron.service on web-02: needs 1 approval" in handover
    assert "worker.service on db-01: by " in handover
    story.presses("alice", "Withdraw", waits)
    told = json.loads(story.demo.bot.installation.maskbot("list", "db-01", "--json").stdout)
    assert {mask["unit"]: mask["ours"] for mask in told["masks"]}["worker.service"]


def listing(story: Story, part: str) -> str:
    """The list as it is now, if it has these words."""
    told = len(story.whispers("alice"))
    story.types("alice", "/mask list")
    answer = story.until(lambda: story.whispers("alice")[told:], "a list")[-1]
    return answer if part in answer else ""
