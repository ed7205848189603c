"""The command line against the running bot: the same rules and votes, by people the operating system knows."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.stories.scene import MASKED, RUNS, Story, id_of, words

pytestmark = [pytest.mark.slack, pytest.mark.ssh]

# Everything is imported before root's rights go: a checkout need not be readable for others.
AS_SOMEBODY = """
import os, pwd, sys
import bot.cli.call, bot.cli.audit_chain
from bot.__main__ import main
who = pwd.getpwnam(sys.argv.pop(1))
os.setgroups([]), os.setgid(who.pw_gid), os.setuid(who.pw_uid)
main()
"""


def maskbot(story: Story, login: str, *typed: str) -> subprocess.CompletedProcess[str]:
    """`maskbot ...`, typed by a user of the machine."""
    with typing(story, login, *typed) as process:
        said, told = process.communicate(timeout=120)
    return subprocess.CompletedProcess(typed, process.returncode, said, told)


@contextmanager
def typing(story: Story, login: str, *typed: str) -> Iterator["subprocess.Popen[str]"]:
    """The same, while it waits."""
    argv = (sys.executable, "-c", AS_SOMEBODY, login, *typed)
    environment = {
        name: text for name, text in story.demo.bot.installation.environment.items() if not name.startswith("SLACK_")
    }
    with subprocess.Popen(argv, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def test_what_root_asks_and_nobody_approves_is_masked_proven_and_undone(story: Story) -> None:
    """In this installation root is alice, and the user nobody is bob."""
    with typing(story, "root", "mask", "web-02", "worker", "INC-9: from a terminal") as asking:
        card = story.card("MASK worker.service on web-02")
        assert "INC-9: from a terminal" in words(card)

        story.presses("alice", "Approve", card)
        story.ephemeral("alice", "You asked for this, so somebody else must approve or deny it.")
        assert story.sees("worker.service", "web-02") == RUNS

        approved = maskbot(story, "nobody", "approve", id_of(card))
        assert approved.returncode == 0, approved.stderr
        said, told = asking.communicate(timeout=120)

    assert asking.returncode == 0, told
    assert "MASKED AND PROVEN" in said
    assert "Start      -        refused" in said
    assert "waits for 1 approval" in told
    story.card("MASKED AND PROVEN · worker.service on web-02")
    assert story.line("masked and proven")
    assert story.sees("worker.service", "web-02") == MASKED

    undone = story.demo.bot.installation.maskbot("unmask", "web-02", "worker")
    assert undone.returncode == 0, undone.stderr
    assert "UNMASKED, AS BEFORE" in undone.stdout
    assert story.sees("worker.service", "web-02") == RUNS
