"""The bot as a service of its own machine, by the unit that is shipped: it plays the main story from within a host."""

import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.deploy.service import CHECKOUT, DEPLOY, clear, copy_bot, documented, journal, says, start
from tests.lab.demo import Demo, workspace
from tests.lab.hosts import LabHost
from tests.lab.installation import Bot, Installation
from tests.lab.machine import NotHereError
from tests.lab.pristine import Pristine
from tests.lab.slack.lab import SlackLab
from tests.stories.scene import MASKED, RUNS, Story, words

EXPOSURE = 15  # of 100, in systemd-analyze(1)'s count; it prints a tenth of it


@pytest.fixture
def demo(lab_hosts: Mapping[str, LabHost], found: Mapping[str, Pristine], tmp_path: Path) -> Iterator[Demo]:
    """The bot as a service on web-02."""
    try:
        slack = SlackLab().__enter__()
    except NotHereError as cannot:
        pytest.skip(str(cannot))
    try:
        written = Installation.write(tmp_path, [*lab_hosts.values()], workspace(slack))
        copy_bot(lab_hosts["web-02"])
        start(lab_hosts["web-02"], written)
        yield Demo(dict(lab_hosts), slack, Bot(written))
    finally:
        clear(lab_hosts["web-02"])
        for pristine in found.values():
            pristine.restore()
        slack.__exit__(None, None, None)


@pytest.mark.slack
@pytest.mark.ssh
def test_the_main_story_is_played_by_a_service_that_may_do_nothing_else(demo: Demo) -> None:
    """It is killed in the middle, and systemd starts it again."""
    story, machine = Story(demo), demo.hosts["web-02"]
    says(story, machine, "ready")
    done = story.masked("web-01 cron")
    assert story.sees("cron.service") == MASKED
    machine.run("systemctl", "kill", "-s", "KILL", "maskbot.service")
    says(story, machine, "ready", times=2)
    story.presses("alice", "Unmask", done)
    story.card("UNMASKED, AS BEFORE · cron.service on web-01")
    assert story.sees("cron.service") == RUNS
    reloaded = machine.run("systemctl", "reload", "maskbot.service")
    assert reloaded.returncode == 0, reloaded.stderr
    kept = machine.run("sh", "-c", "stat -c '%U %a' /var/lib/maskbot /var/lib/maskbot/maskbot.sqlite /run/maskbot")
    assert kept.stdout.splitlines() == ["maskbotd 700", "maskbotd 600", "maskbotd 755"]
    secrets = machine.run("sh", "-c", "cat /proc/$(systemctl show -p MainPID --value maskbot.service)/environ").stdout
    assert "MASKBOT_SECRETS_DIR=/run/credentials/maskbot.service" in secrets
    assert "xapp-" not in secrets
    assert "xoxb-" not in secrets


@pytest.mark.slack
@pytest.mark.ssh
def test_what_a_bot_recorded_that_was_run_by_hand_goes_along(demo: Demo) -> None:
    story, machine = Story(demo), demo.hosts["web-02"]
    says(story, machine, "ready")
    by_hand = f"cd {CHECKOUT} && systemctl stop maskbot && mv /var/lib/maskbot maskbot/state && chown -R root maskbot"
    carried = f"{by_hand}\n{documented('## The bot as a service', 1)}systemctl start maskbot"
    done = machine.run("sh", "-ec", carried, seconds=60)
    assert done.returncode == 0, done.stderr
    says(story, machine, "ready", times=2)
    assert journal(machine).count("(new: nothing is on record yet)") == 1


@pytest.mark.slack
@pytest.mark.ssh
def test_with_a_lost_seal_key_it_begins_anew_and_finds_what_it_masked(demo: Demo) -> None:
    """By the lines of operations.md."""
    story, machine = Story(demo), demo.hosts["web-02"]
    says(story, machine, "ready")
    done = story.masked("web-01 cron")
    machine.run("rm", "/etc/maskbot/secrets/maskbot_seal_keys")
    begun = machine.run("sh", "-ec", documented("### A lost seal key"), seconds=60)
    assert begun.returncode == 0, begun.stderr
    says(story, machine, "ready", times=2)
    kept = machine.run("sh", "-c", "stat -c %a /etc/maskbot/secrets/maskbot_seal_keys; ls /var/lib/maskbot.lost-key")
    assert kept.stdout.split() == ["600", "maskbot.anchor", "maskbot.sqlite", "maskbot.sqlite.lock"]
    told = "Masked on web-01 by maskbot, but not on record here"
    story.until(lambda: any(told in words(one) for one in story.messages()), told)
    story.presses("alice", "Unmask", done)
    story.ephemeral("alice", "no longer on record")
    adopting = story.asks("/mask web-01 cron --adopt --for 7d the seal key was lost", head="ADOPT THE MASK")
    story.presses("bob", "Approve", adopting)
    story.card("ADOPTED")


def test_what_it_may_do_is_little() -> None:
    words = ("systemd-analyze", "security", "--offline=yes", f"--threshold={EXPOSURE}", DEPLOY / "maskbot.service")
    analyzed = subprocess.run(words, capture_output=True, text=True, check=False)
    assert analyzed.returncode == 0, analyzed.stdout
