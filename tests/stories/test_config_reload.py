"""The operator changes the files and says SIGHUP: what waits is judged by them, and half a file is never in force."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.stories.scene import RUNS, Story, reloaded, words

pytestmark = [pytest.mark.slack, pytest.mark.ssh]
Policy = dict[str, Any]


@pytest.fixture
def policy(story: Story) -> Iterator[Path]:
    """policy.yaml, which at the end is again what it was, as hosts.yaml is, and in force."""
    path = story.demo.bot.installation.folder / "config/policy.yaml"
    before = {file: file.read_text() for file in (path, path.with_name("hosts.yaml"))}
    yield path
    for file, text in before.items():
        file.write_text(text)
    reloaded(story.demo)


def rewritten(path: Path, change: Callable[[Policy], object]) -> None:
    described = yaml.safe_load(path.read_text())
    change(described)
    path.write_text(yaml.safe_dump(described, sort_keys=False))


def test_a_stricter_policy_asks_more_people_at_once_and_the_vote_that_is_there_counts(
    story: Story, policy: Path
) -> None:
    card = story.asks("/mask web-01 cron")
    assert "needs 1 approval" in words(card)
    rewritten(policy, lambda described: described["rules"][0].update(need=2))
    reloaded(story.demo)

    card = story.card("MASK cron.service on web-01 · needs 2 approvals")
    story.until(lambda: [one for one in story.messages() if "rule prod changed" in words(one)], "what is new")
    story.presses("bob", "Approve", card)
    card = story.card("MASK cron.service on web-01 · needs 1 more approval")
    assert story.sees("cron.service") == RUNS
    story.presses("alice", "Withdraw", card)
    story.card("WITHDRAWN")


def test_status_says_what_of_the_files_is_not_in_force_and_that_the_bot_only_observes(
    story: Story, policy: Path
) -> None:
    maskbot = story.demo.bot.installation.maskbot
    rewritten(policy, lambda described: described.update(mode="observe"))
    before = maskbot("status").stdout
    assert "problem: the configuration files have changed since they were read" in before
    assert "OBSERVE MODE" not in before
    reloaded(story.demo)
    story.until(lambda: [one for one in story.messages() if "mode: act → observe" in words(one)], "what is new")
    after = maskbot("status").stdout
    assert "OBSERVE MODE: no host is changed, whatever is approved" in after
    assert "problem: " not in after
    policy.write_text("rules:\n- name")
    assert "problem: the configuration files hold mistakes now" in maskbot("status").stdout


@pytest.mark.fault("F72", how="policy.yaml cut in the middle, then SIGHUP")
def test_half_a_file_is_told_and_the_old_one_stays_in_force(
    story: Story, policy: Path, saw: Callable[[str], str]
) -> None:
    whole = policy.read_text()
    policy.write_text(whole[: whole.index("rules:") + len("rules:\n- name")])
    reloaded(story.demo, "configuration NOT reloaded")

    (said,) = story.until(lambda: [one for one in story.messages() if "NOT reloaded" in words(one)], "the complaint")
    assert "policy.yaml" in saw(words(said))
    story.presses("alice", "Withdraw", story.asks("/mask web-01 cron"))
    story.card("WITHDRAWN")


@pytest.mark.fault("F73", how="a host removed from hosts.yaml, then SIGHUP")
def test_a_host_that_is_taken_out_takes_what_waits_there_along(story: Story, policy: Path) -> None:
    hosts = policy.with_name("hosts.yaml")
    story.asks("/mask db-01 cron")
    rewritten(hosts, lambda described: described.update(hosts=[h for h in described["hosts"] if h["name"] != "db-01"]))
    reloaded(story.demo)

    ended = story.card("CANCELLED · mask cron.service on db-01")
    assert "There is no host db-01" in words(ended).replace("`", "")
