"""What is refused without anybody being asked: said to the caller alone, at once, with what would have been right."""

import pytest

from tests.stories.scene import RUNS, Story

pytestmark = [pytest.mark.slack, pytest.mark.ssh]

# Words that make no sense, answered in the acknowledgement itself.
MISTAKES = {
    "/mask web-01 -.mount": "It is never masked.",
    "/mask web-1 cron": "There is no host `web-1`. Did you mean `web-01`",
    "/mask web-01;id cron": "There is no host `web-01;id`.",
    "/mask web-01 cr*": "`cr*` is a pattern. Name one unit, for example `cron.service`.",
    "/mask web-01 ../cron.service": "`../cron.service` is a path. Name the unit instead, for example `cron.service`.",
    "/mask web-01 cron;id": "`cron;id` is not a unit name",
    "/mask web-01": "Which unit on web-01? Write it as in `/mask web-01 cron`.",
    "/mask cron web-01": "The host comes first: `/mask web-01 cron`.",
    "/mask web-01,web-02 cron": "One host at a time for now",
    "/mask web-01 cron --for a while": "is no length of time; write it like 30m, 2h or until 18:00",
    "/mask web-01 cron --now": "Leave `--now` out: the unit is stopped anyway",
    "/mask web-01 cron --runtim": "There is no option `--runtim`. Did you mean `--runtime`",
    "/unmask web-01 cron --runtime": "`--runtime` belongs to `/mask`",
    "/unmask": "I need a host and a unit, as in `/unmask",
}
# On a host that does not answer: a critical name is refused before anybody would have to look.
CRITICAL = {
    "ssh": "ssh.service is on the critical list: remote access.",
    "sshd": "sshd.service is on the critical list: remote access.",
    "dbus": "dbus.service is on the critical list",
    "systemd-journald": "systemd-journald.service is on the critical list",
}
FOREIGN_ALIAS = "ln -s /lib/systemd/system/ssh.service /etc/systemd/system/harmless.service && systemctl daemon-reload"


def nobody_was_asked(story: Story) -> bool:
    """Nothing stands in a channel or in a thread."""
    return not (story.said("incident") or story.said("random"))


@pytest.mark.parametrize("typed", MISTAKES)
def test_a_mistake_is_answered_at_once_to_the_caller_alone(story: Story, typed: str) -> None:
    ack = story.types("alice", typed)

    assert ack.in_time
    assert MISTAKES[typed] in str(ack.said)
    assert MISTAKES[typed] in story.told("alice", MISTAKES[typed])
    assert nobody_was_asked(story)


@pytest.mark.parametrize("unit", CRITICAL)
def test_a_critical_unit_is_refused_before_any_host_is_asked(story: Story, unit: str) -> None:
    story.types("alice", f"/mask gone-01 {unit}")

    assert "Nobody can approve this." in story.told("alice", CRITICAL[unit])
    assert nobody_was_asked(story)


def test_an_alias_of_a_critical_unit_is_refused_whatever_it_is_called(story: Story) -> None:
    story.host().run("sh", "-c", FOREIGN_ALIAS)
    story.types("alice", "/mask web-01 harmless")

    said = story.told("alice", "harmless.service is ssh.service on web-01")
    assert "Nobody can approve this." in said
    assert nobody_was_asked(story)


def test_what_would_take_a_critical_unit_down_is_refused(story: Story) -> None:
    story.types("alice", "/mask web-01 gate")
    story.told("alice", "auditd.service depends on gate.service and is on the critical list")
    assert nobody_was_asked(story)
    assert story.sees("gate.service") == RUNS


def test_a_typo_is_answered_with_the_near_name(story: Story) -> None:
    story.types("alice", "/mask web-01 wroker runaway job")
    story.told("alice", "wroker.service is not found on web-01. Did you mean worker.service?")
    assert nobody_was_asked(story)


def test_what_is_masked_already_is_not_asked_about(story: Story) -> None:
    story.types("alice", "/mask web-01 handmade")
    story.told("alice", "handmade.service is masked on web-01 already")
    assert nobody_was_asked(story)


def test_dave_may_not_ask_and_is_told_who_may(story: Story) -> None:
    story.types("dave", "/mask web-01 cron")
    story.told("dave", "You may not ask for masks on prod hosts (rule `prod`). @eng may.")
    assert nobody_was_asked(story)


def test_a_guest_may_not_ask(story: Story) -> None:
    story.types("eve", "/mask web-01 cron")
    story.told("eve", "guests may neither ask nor approve")
    assert nobody_was_asked(story)


def test_a_command_from_another_organisation_is_not_even_recorded(story: Story) -> None:
    story.demo.slack.set_user("carol", team_id="T0STRANGER")
    try:
        ack = story.types("carol", "/mask web-01 cron")
    finally:
        story.demo.slack.set_user("carol", team_id="T0MASKLAB")
    assert "Nothing was recorded." in str(ack.said)
    assert nobody_was_asked(story)


def test_in_a_channel_without_the_bot_the_caller_is_told_in_a_direct_message(story: Story) -> None:
    story.refusals.append("chat.postEphemeral: not_in_channel")
    story.types("alice", "/mask web-01 cron", channel="random")

    said = story.sent("alice", "The bot does not act in this channel.")
    assert "Ask in a channel that the policy names." in said
    assert nobody_was_asked(story)


def test_a_host_that_does_not_answer_is_said_and_nothing_was_changed(story: Story) -> None:
    story.types("alice", "/mask gone-01 cron")
    assert "gone-01" in story.told("alice", "Nothing was changed.")
    assert nobody_was_asked(story)
