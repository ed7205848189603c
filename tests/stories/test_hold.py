"""Lockouts that last: put back when somebody takes one off by hand, and held on a whole group until that is lifted."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import yaml

from tests.lab.demo import Demo
from tests.lab.hosts import LabHost
from tests.lab.slack.lab import SlackLab
from tests.stories.conftest import booted
from tests.stories.scene import MASKED, RUNS, Message, Story, buttons, words

pytestmark = [pytest.mark.slack, pytest.mark.ssh]

BACK = "UNMASKED, AS BEFORE"


@pytest.fixture(scope="module")
def demo(lab_hosts: Mapping[str, LabHost]) -> Iterator[Demo]:
    """A watch that comes round soon: what it sees is what these stories are about."""

    def with_holds(folder: Path, _: SlackLab) -> None:
        path = folder / "config/policy.yaml"
        described = yaml.safe_load(path.read_text()) | {"holds": {"owners": ["sre"]}}
        path.write_text(yaml.safe_dump(described, sort_keys=False))

    with booted(lab_hosts, {"MASKBOT_WATCH_INTERVAL": "2"}, with_holds) as one:
        yield one


def lift(story: Story, held: Message, head: str) -> None:
    """Bob, who is an owner, asks for it, and carol agrees."""
    story.presses("bob", "Unmask", held)
    story.presses("carol", "Approve", story.card("UNMASK "))
    story.card(head)


def test_a_hold_that_somebody_takes_off_by_hand_is_put_back_and_only_its_owners_lift_it(story: Story) -> None:
    card = story.asks("/mask web-01 worker --hold sre --review 90d it talks to strangers")
    assert "only @sre can lift it, with approval" in words(card)
    story.presses("bob", "Approve", card)
    held = story.card("MASKED AND PROVEN, HELD · worker.service on web-01")
    assert buttons(held) == ["Unmask", "Keep", "Details"]
    assert story.sees("worker.service") == MASKED

    story.host().run("systemctl", "unmask", "worker.service")
    story.thread(held, "A HOLD WAS TAKEN OFF: worker.service on web-01, which @sre holds, is no longer masked.")
    back = story.until(
        lambda: next((one for one in story.cards("MASKED AND PROVEN, HELD") if one["ts"] != held["ts"]), None),
        "the card of a mask that is back",
    )
    assert "Masked again by its hold, approved with the hold" in words(back)
    assert story.sees("worker.service") == MASKED
    assert story.refuses_to_start("worker.service")

    story.presses("alice", "Unmask", back)
    story.ephemeral("alice", "worker.service on web-01 is held by @sre, and nobody else lifts it.")
    lift(story, back, f"{BACK} · worker.service on web-01")
    assert story.sees("worker.service") == RUNS


def test_a_group_is_held_with_one_vote_and_lifted_as_a_whole(story: Story) -> None:
    card = story.asks("/mask @web tuned --hold sre --review 90d it talks to strangers", head="MASK tuned")
    assert words(card).startswith("MASK tuned.service on 2 hosts of @web · needs 1 approval")
    assert "Later  hosts that join @web are held too" in words(card)
    story.presses("bob", "Approve", card)
    held = story.card("MASKED AND PROVEN ON 2 HOSTS, HELD · tuned.service")
    assert [story.sees("tuned.service", host) for host in ("web-01", "web-02")] == [MASKED, MASKED]

    story.presses("bob", "Undo all", held)
    lifts = story.card("UNMASK tuned.service on 2 hosts of @web")
    story.presses("carol", "Approve", lifts)
    story.card("UNMASKED AND AS BEFORE ON 2 HOSTS · tuned.service")
    assert [story.sees("tuned.service", host) for host in ("web-01", "web-02")] == [RUNS, RUNS]
