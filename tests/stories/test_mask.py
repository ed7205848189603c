"""What maskbot is for: asked in the channel, approved by others, carried out, proven and undone on a real host."""

import pytest

from tests.stories.scene import MASKED, RUNS, Story, buttons, words

pytestmark = [pytest.mark.slack, pytest.mark.ssh]


def test_what_alice_asks_and_bob_approves_is_masked_proven_and_undone(story: Story) -> None:
    assert story.sees("cron.service") == RUNS

    card = story.asks("/mask web-01 cron INC-2041: runaway job")
    assert words(card).startswith("MASK cron.service on web-01 · needs 1 approval\n@alice · INC-2041: runaway job\n")
    assert buttons(card) == ["Approve", "Deny", "Details", "Withdraw"]
    assert story.sees("cron.service") == RUNS

    assert story.presses("bob", "Approve", card).in_time
    done = story.card("MASKED AND PROVEN · cron.service on web-01")
    assert story.sees("cron.service") == MASKED
    assert story.refuses_to_start("cron.service")
    for row in (
        "Load     loaded        -> masked",
        "Active   running       -> inactive",
        "Start    -             -> ref",
    ):
        assert row in words(done)
    assert "@alice asked, approved by @bob" in words(done)
    assert buttons(done) == ["Unmask", "Set an expiry", "Keep", "Details"]
    assert story.line("masked and proven") == "masked and proven: cron.service on web-01 (alice, approved by bob)"
    evidence = story.thread(done, "cron.service on web-01, after")
    assert "maskbot-guard link persistent cron.service\n  exit 0" in evidence
    assert "systemctl status cron.service on web-01, before" in evidence

    story.presses("alice", "Unmask", done)
    back = story.card("UNMASKED, AS BEFORE · cron.service on web-01")
    assert "Active   inactive      -> running" in words(back)
    assert story.sees("cron.service") == RUNS
    assert "unmasked, as before" in story.line("unmasked")


def test_nobody_approves_who_is_not_entitled_and_each_is_told_alone_why(story: Story) -> None:
    card = story.asks("/mask web-01 restless")
    for person in ("dave", "eve", "alice"):
        story.presses(person, "Approve", card)

    assert "@sre may." in story.ephemeral("dave", "You may not approve or deny this")
    story.ephemeral("eve", "guests may neither ask nor approve")
    assert "You may withdraw it." in story.ephemeral(
        "alice", "You asked for this, so somebody else must approve or deny it."
    )
    assert story.whispers("bob") == []
    assert words(story.card("MASK restless.service")).count("needs 1 approval") == 1
    assert story.sees("restless.service") == RUNS
    story.presses("alice", "Withdraw", card)
    story.card("WITHDRAWN")


def test_a_local_unit_is_masked_through_the_control_layer_proven_and_undone(story: Story) -> None:
    card = story.asks("/mask web-01 local")
    assert "/etc/systemd/system.control, because its unit file is in /etc/systemd/system" in words(card)
    story.presses("bob", "Approve", card)

    done = story.card("MASKED AND PROVEN · local.service on web-01")
    assert story.link("local.service", place="etc/systemd/system.control").readlink().as_posix() == "/dev/null"
    assert story.refuses_to_start("local.service")
    story.presses("alice", "Unmask", done)
    story.card("UNMASKED, AS BEFORE · local.service")
    assert story.sees("local.service") == RUNS
    assert not story.link("local.service", place="etc/systemd/system.control").is_symlink()


def test_a_guarded_unit_needs_two_who_each_vouch_for_console_access(story: Story) -> None:
    card = story.asks("/mask web-01 primary")
    assert "2 of @sre" in words(card)
    assert "it carries the mail of web-01" in words(card)
    for person in ("bob", "carol"):
        assert story.sees("primary.service") == RUNS
        story.presses(person, "Approve", card)
        form = story.until(lambda who=person: story.demo.slack.view(who), f"a form before {person}")  # type: ignore[misc]
        assert "Console or other out-of-band access to web-01 works today" in str(form)
        story.demo.slack.submit_view(person, {"console": ["console_works"]})
        if person == "bob":
            card = story.card("MASK primary.service on web-01 · needs 1 more approval")

    story.card("MASKED AND PROVEN · primary.service on web-01")
    assert "approved by bob, carol" in story.line("masked and proven").replace(" and carol", ", carol")
    assert story.sees("primary.service") == MASKED


def test_a_mask_of_somebody_else_is_removed_only_by_a_request_that_says_so(story: Story) -> None:
    card = story.asks("/unmask web-01 handmade it is needed again", head="UNMASK ")
    assert "the mask, not made by maskbot" in words(card)
    assert story.sees("handmade.service")["LoadState"] == "masked"
    story.presses("bob", "Approve", card)

    done = story.card("UNMASKED")
    assert "handmade.service on web-01" in words(done)
    assert "Unmask" not in buttons(done)
    assert story.sees("handmade.service")["LoadState"] == "loaded"
    assert story.sees("handmade.service")["ActiveState"] == "inactive"
