"""Whatever is killed, cut off, doubled or slow: every request ends by itself, once, with one card."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.stories.scene import MASKED, RUNS, Story, words

pytestmark = [pytest.mark.slack, pytest.mark.ssh]

# How far the change is on the host when the bot is killed: nothing else tells it afterwards.
MOMENTS: dict[str, tuple[str, str, Callable[[Story, str], bool]]] = {
    "the approval was acknowledged": ("K4", "web-01", lambda _story, _host: True),
    "the mask's link stands and it is stopping": (
        "K7",
        "web-02",
        lambda story, host: story.link("slowstop.service", host).is_symlink(),
    ),
}


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param(moment, marks=pytest.mark.fault("F57", kill, how="SIGKILL of the real process"))
        for moment, (kill, _, _) in MOMENTS.items()
    ],
)
def test_a_bot_that_is_killed_ends_the_request_by_itself_when_it_runs_again(story: Story, moment: str) -> None:
    _, host, has_come = MOMENTS[moment]
    bot = story.demo.bot
    story.presses("bob", "Approve", story.asks(f"/mask {host} slowstop"))
    story.until(lambda: has_come(story, host), moment)
    bot.kill()
    bot.start()

    done = story.card(f"MASKED AND PROVEN · slowstop.service on {host}")
    assert story.sees("slowstop.service", host) == MASKED
    assert story.refuses_to_start("slowstop.service", host)
    assert "approved by @bob" in words(done)
    assert story.line("masked and proven")
    assert story.thread(done, f"on {host}, after").count("systemctl status slowstop.service on") == 2
    assert len(story.cards()) == 1


def test_a_bot_that_is_killed_after_the_mask_still_knows_its_undo(story: Story) -> None:
    done = story.masked("db-01 restless")
    story.line("masked and proven")  # what is posted when it dies may be posted again: this is about the undo
    story.thread(done, "is masked")
    story.types("alice", "/mask status db-01 restless")
    story.ephemeral("alice", "STATUS · restless.service on db-01")  # by now it has noted what it posted
    story.demo.bot.kill()
    story.demo.bot.start()
    story.presses("alice", "Unmask", done)
    story.card("UNMASKED, AS BEFORE · restless.service on db-01")
    assert story.sees("restless.service", "db-01") == RUNS


@pytest.mark.fault("F48", how="Slack away while the change runs")
def test_while_slack_is_down_the_host_is_finished_and_people_are_told_afterwards(story: Story) -> None:
    story.presses("bob", "Approve", story.asks("/mask web-02 slowstop"))
    story.until(lambda: story.sees("slowstop.service", "web-02")["ActiveState"] == "deactivating", "a stop")
    with story.demo.slack.outage():
        story.until(lambda: not story.has_processes("slowstop.service", "web-02"), "stopped")
        story.until(lambda: story.sees("slowstop.service", "web-02") == MASKED, "masked")
        assert story.cards("MASKED") == []

    done = story.card("MASKED AND PROVEN · slowstop.service on web-02")
    story.line("masked and proven")
    story.thread(done, "is masked")
    story.until(lambda: story.types("alice", "/mask help").in_time, "the bot, back on its socket")


@pytest.mark.fault("F38", how="every envelope delivered two and three times")
@pytest.mark.fault(
    "F39", "F40", how="429, 503 and a reset after the update; 503 and a reset after a message was posted"
)
def test_what_slack_delivers_twice_or_breaks_off_is_one_request_and_one_picture(story: Story) -> None:
    """What was posted is not posted again: that each message stands there once is seen after every story."""
    story.demo.slack.duplicate(2)
    card = story.asks("/mask web-01 restless")
    story.refusals.append("chat.update: ratelimited")
    for fault in ("429", "503", "reset-after"):
        story.demo.slack.fault("chat.update", fault)
    for fault in ("503-after", "reset-after"):
        story.demo.slack.fault("chat.postMessage", fault)
    story.demo.slack.duplicate(3)
    story.presses("bob", "Approve", card)
    story.card("MASKED AND PROVEN")
    assert story.line("masked and proven: restless.service on web-01")
    assert story.sees("restless.service") == MASKED
    assert len(story.cards()) == 1


@pytest.mark.fault("F37", how="the acknowledgement of a command lost on its way; typed once more")
def test_a_command_whose_acknowledgement_was_lost_is_recorded_and_a_second_try_is_told_so(story: Story) -> None:
    story.demo.slack.lose_acks()
    assert not story.types("alice", "/mask web-02 tuned").in_time
    story.types("alice", "/mask web-02 tuned")
    card = story.card("MASK tuned.service on web-02")
    assert story.ephemeral("alice", "and that request is still waiting")
    assert len(story.cards()) == 1
    story.presses("alice", "Withdraw", card)
    story.card("WITHDRAWN · mask tuned.service on web-02")


@pytest.mark.fault("F47", how="users.info fails at the approval")
def test_a_vote_counts_only_if_slack_says_who_votes(story: Story) -> None:
    card = story.asks("/mask web-01 tuned")
    story.demo.slack.fault("users.info", "fatal_error", times=None)
    story.refusals.append("users.info: fatal_error")
    story.presses("bob", "Approve", card)
    story.ephemeral("bob", "Slack did not say who everybody involved is")
    assert story.sees("tuned.service") == RUNS
    story.demo.slack.clear_faults()
    story.presses("alice", "Withdraw", card)
    story.card("WITHDRAWN")


def test_twenty_commands_at_once_are_all_acknowledged_in_time(story: Story) -> None:
    typed = [f"/mask gone-01 unit-{number}" for number in range(20)]
    with ThreadPoolExecutor(len(typed)) as pool:
        acks = list(pool.map(lambda text: story.types("alice", text), typed))

    assert all(ack.in_time for ack in acks), sorted(ack.millis or 0 for ack in acks)
    story.until(
        lambda: len([text for text in story.whispers("alice") if "Nothing was" in text]) == 20, "twenty answers"
    )
    assert story.messages() == []
