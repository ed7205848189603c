"""The command line against the running bot: the same rules and votes, by people the operating system knows."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.stories.scene import MASKED, RUNS, Story, id_of, words

pytestmark = [pytest.mark.slack, pytest.mark.ssh]

# Everything is imported before root's rights go: a checkout need not be readable for others.
AS_SOMEBODY = """
import os, pwd, sys
import bot.terminal.asking, bot.terminal.records
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


def test_one_person_does_not_ask_in_slack_and_approve_at_a_terminal_nor_the_other_way_round(story: Story) -> None:
    """In this installation root is alice: compared is the person, whichever way they come."""
    card = story.asks("/mask db-01 restless")
    own = maskbot(story, "root", "approve", id_of(card))
    assert (own.returncode, "You asked for this, so somebody else has to decide." in own.stderr) == (1, True)
    story.presses("alice", "Withdraw", card)
    story.card("WITHDRAWN")

    with typing(story, "root", "mask", "db-01", "restless") as asking:
        card = story.card("MASK restless.service on db-01")
        story.presses("alice", "Approve", card)
        story.told("alice", "You asked for this, so somebody else has to decide.")
        story.presses("bob", "Deny", card)
        story.until(lambda: story.demo.slack.view("bob"), "the form for a denial")
        story.demo.slack.submit_view("bob", {})
        asking.communicate(timeout=120)
    story.card("DENIED")
    assert story.sees("restless.service", "db-01") == RUNS


def test_what_root_asks_and_nobody_approves_is_masked_proven_and_undone(story: Story) -> None:
    """In this installation root is alice, and the user nobody is bob."""
    with typing(story, "root", "mask", "web-02", "worker", "INC-9: from a terminal") as asking:
        card = story.card("MASK worker.service on web-02")
        assert "INC-9: from a terminal" in words(card)

        own = maskbot(story, "root", "approve", id_of(card))
        assert own.returncode == 1
        assert "You asked for this, so somebody else has to decide." in own.stderr
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

    undone = maskbot(story, "root", "unmask", "web-02", "worker")
    assert undone.returncode == 0, undone.stderr
    assert "UNMASKED, AS BEFORE" in undone.stdout
    assert story.sees("worker.service", "web-02") == RUNS


def test_what_is_asked_at_a_terminal_can_be_approved_in_slack(story: Story) -> None:
    asked = maskbot(story, "root", "mask", "web-01", "restless", "--no-wait", "--json")
    request: dict[str, Any] = json.loads(asked.stdout)
    assert (request["change"], request["stage"]) == ("mask web-01 restless.service", "asked")

    card = story.card("MASK restless.service on web-01")
    assert id_of(card) == request["id"]
    story.presses("carol", "Approve", card)
    story.card("MASKED AND PROVEN · restless.service on web-01")


def test_a_request_from_slack_can_be_denied_at_a_terminal(story: Story) -> None:
    card = story.asks("/mask web-01 tuned")
    denied = maskbot(story, "nobody", "deny", id_of(card), "not", "today", "--json")
    assert denied.returncode == 0, denied.stderr
    assert "Why  not today" in words(story.card("DENIED · mask tuned.service on web-01"))
    assert json.loads(denied.stdout)["stage"] == "denied"
    assert story.sees("tuned.service") == RUNS


def test_a_critical_unit_is_refused_at_a_terminal_too(story: Story) -> None:
    refused = maskbot(story, "root", "mask", "web-01", "sshd")
    assert refused.returncode == 1
    assert "critical list" in refused.stdout + refused.stderr
    assert story.said() == []


def test_whom_the_policy_maps_to_nobody_has_no_rights(story: Story) -> None:
    refused = maskbot(story, "daemon", "mask", "web-01", "cron")
    assert refused.returncode == 1
    assert "The user daemon is mapped to no person" in refused.stderr
    assert story.said() == []


def test_misuse_is_told_with_what_would_have_been_right(story: Story) -> None:
    wrong = maskbot(story, "root", "mask", "web-01", "cr*")
    assert (wrong.returncode, "is a pattern" in wrong.stderr) == (2, True)


def test_the_bot_tells_anybody_how_it_is(story: Story) -> None:
    told = maskbot(story, "daemon", "status")
    assert told.returncode == 0, told.stderr
    assert "ready, Slack: connected" in told.stdout
    assert "open requests: 0" in told.stdout


def test_questions_are_answered_for_people_and_for_programs(story: Story) -> None:
    status = maskbot(story, "root", "status", "web-01", "worker")
    plan = maskbot(story, "nobody", "plan", "web-01", "worker", "--json")
    why = maskbot(story, "root", "explain", "web-01", "worker")

    assert "running, enabled" in status.stdout
    decision = json.loads(plan.stdout)["decision"]
    assert (decision["answer"], decision["need"], decision["groups"]) == ("needs_approval", 1, ["sre"])
    assert "one of @sre" in why.stdout
