"""What is refused without anybody being asked: said to the caller alone, at once, with what would have been right."""

import pytest

from tests.stories.scene import Story

pytestmark = [pytest.mark.slack, pytest.mark.ssh]

# Words that make no sense, answered in the acknowledgement itself. All others are tried on the grammar.
MISTAKES = {
    "/mask web-1 cron": "There is no host `web-1`. Did you mean `web-01`",
    "/mask web-01 cr*": "`cr*` is a pattern. Name one unit, for example `cron.service`.",
    "/unmask web-01 cron --runtime": "`--runtime` belongs to `/mask`",
}
FOREIGN_ALIAS = "ln -s /lib/systemd/system/ssh.service /etc/systemd/system/harmless.service && systemctl daemon-reload"


def nobody_was_asked(story: Story) -> bool:
    """Nothing stands in a channel or in a thread."""
    return not (story.messages("incident") or story.messages("random"))


def test_a_mistake_is_answered_at_once_to_the_caller_alone(story: Story) -> None:
    for typed, right in MISTAKES.items():
        ack = story.types("alice", typed)
        assert ack.in_time
        assert right in str(ack.said)
        story.ephemeral("alice", right)
    assert nobody_was_asked(story)


def test_a_critical_unit_is_refused_whatever_it_is_called_on_that_host(story: Story) -> None:
    """By its own name before any host is asked: gone-01 does not answer."""
    story.types("alice", "/mask gone-01 sshd")
    assert "Nobody can approve this." in story.ephemeral(
        "alice", "sshd.service is on the critical list: remote access."
    )

    story.host().run("sh", "-c", FOREIGN_ALIAS)
    story.types("alice", "/mask web-01 harmless")
    assert "Nobody can approve this." in story.ephemeral("alice", "harmless.service is ssh.service on web-01")
    assert nobody_was_asked(story)


def test_who_may_not_ask_is_told_who_may_whatever_a_phone_made_of_the_words(story: Story) -> None:
    ack = story.types("dave", "/mask <http://web-01|web-01> “cron”\u200b —runtime")
    assert "Got it: `mask web-01 cron.service --runtime`." in str(ack.said)
    story.ephemeral("dave", "You may not ask for masks on prod hosts (rule `prod`). @eng may.")
    assert nobody_was_asked(story)


def test_in_a_channel_without_the_bot_the_caller_is_told_in_a_direct_message(story: Story) -> None:
    story.refusals.append("chat.postEphemeral: not_in_channel")
    story.types("alice", "/mask web-01 cron", channel="random")

    said = story.sent("alice", "The bot does not act in this channel.")
    assert "Ask in a channel that the policy names." in said
    assert nobody_was_asked(story)
