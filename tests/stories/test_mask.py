"""What maskbot is for: asked in the channel, approved by others, carried out, proven and undone on a real host."""

from concurrent.futures import ThreadPoolExecutor

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
    assert buttons(done) == ["Unmask", "Details"]
    assert story.line("masked and proven") == "masked and proven: cron.service on web-01 (alice, approved by bob)"
    evidence = story.thread(done, "is masked")
    assert "mask --no-reload -- cron.service\n  exit 0" in evidence
    assert "systemctl status cron.service on web-01, before" in evidence
    assert "systemctl status cron.service on web-01, after" in evidence

    story.presses("alice", "Unmask", done)
    back = story.card("UNMASKED, AS BEFORE · cron.service on web-01")
    assert "Active   inactive      -> running" in words(back)
    assert story.sees("cron.service") == RUNS
    assert "unmasked, as before" in story.line("unmasked")


def test_a_second_click_changes_nothing_and_is_answered(story: Story) -> None:
    card = story.asks("/mask web-01 tuned")
    story.presses("bob", "Approve", card)
    done = story.card("MASKED AND PROVEN")

    story.presses("carol", "Approve", card)
    story.told("carol", "Too late: it is approved by bob already.")
    story.presses("alice", "Unmask", done)
    story.card("UNMASKED, AS BEFORE")
    story.presses("alice", "Unmask", done)
    story.told("alice", "There is nothing left to take back")
    assert story.sees("tuned.service") == RUNS


def test_nobody_approves_who_is_not_entitled_and_each_is_told_alone_why(story: Story) -> None:
    card = story.asks("/mask web-01 restless")
    for person in ("dave", "eve", "alice"):
        story.presses(person, "Approve", card)

    assert "@sre may." in story.told("dave", "You may not decide this")
    story.told("eve", "guests may neither ask nor approve")
    assert "You may withdraw it." in story.told("alice", "You asked for this, so somebody else has to decide.")
    assert story.whispers("bob") == []
    assert words(story.card("MASK restless.service")).count("needs 1 approval") == 1
    assert story.sees("restless.service") == RUNS
    story.presses("alice", "Withdraw", card)
    story.card("WITHDRAWN")


def test_a_click_from_another_organisation_is_refused(story: Story) -> None:
    card = story.asks("/mask web-02 restless")
    story.demo.slack.set_user("carol", team_id="T0STRANGER")
    try:
        story.presses("carol", "Approve", card)
        story.told("carol", "I act only for people of the workspaces that my policy names.")
    finally:
        story.demo.slack.set_user("carol", team_id="T0MASKLAB")
    story.presses("alice", "Withdraw", card)
    story.card("WITHDRAWN")
    assert story.sees("restless.service", "web-02") == RUNS


def test_two_who_approve_at_once_cause_one_execution(story: Story) -> None:
    card = story.asks("/mask web-02 worker")
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda person: story.presses(person, "Approve", card), ("bob", "carol")))

    done = story.card("MASKED AND PROVEN")
    assert story.thread(done, "is masked").count(" mask --no-reload -- worker.service") == 1
    assert story.line("masked and proven")
    assert story.sees("worker.service", "web-02") == MASKED


def test_the_units_own_stop_command_has_run(story: Story) -> None:
    mark = story.host().root / "var/lib/lab/worker.stopped"
    mark.unlink(missing_ok=True)

    done = story.masked("web-01 worker")

    assert mark.read_text() == "stopped\n"
    assert "Also stopped" in words(done)
    assert "metrics.service" in words(done)
    story.presses("bob", "Unmask", done)
    story.card("UNMASKED, AS BEFORE")
    assert [story.sees(unit) for unit in ("worker.service", "metrics.service")] == [RUNS, RUNS]


def test_a_local_unit_is_masked_through_the_control_layer_proven_and_undone(story: Story) -> None:
    card = story.asks("/mask web-01 local")
    assert "the control layer, because its own file is in /etc/systemd/system" in words(card)
    story.presses("bob", "Approve", card)

    done = story.card("MASKED AND PROVEN · local.service on web-01")
    assert story.link("local.service", place="etc/systemd/system.control").readlink().as_posix() == "/dev/null"
    assert story.refuses_to_start("local.service")
    story.presses("alice", "Unmask", done)
    story.card("UNMASKED, AS BEFORE · local.service")
    assert story.sees("local.service") == RUNS
    assert not story.link("local.service", place="etc/systemd/system.control").is_symlink()


def test_an_alias_is_asked_for_and_the_real_unit_is_masked(story: Story) -> None:
    card = story.asks("/mask db-01 oldname", head="MASK worker.service")
    assert "`oldname.service` is another name of `worker.service`" in words(card)
    story.presses("bob", "Approve", card)
    story.card("MASKED AND PROVEN · worker.service on db-01")
    assert story.sees("worker.service", "db-01") == MASKED


def test_a_long_stop_shows_its_progress_and_is_waited_for(story: Story) -> None:
    story.presses("bob", "Approve", story.asks("/mask db-01 slowstop"))
    under_way = story.until(
        lambda: next((card for card in story.cards("MASKING") if "stopping for" in words(card)), None), "a long stop"
    )
    assert "it may take up to 20 s" in words(under_way)
    assert buttons(under_way) == ["Details"]
    story.card("MASKED AND PROVEN · slowstop.service on db-01")
    assert story.sees("slowstop.service", "db-01") == MASKED


def test_a_unit_that_ignores_its_stop_is_reported_as_stopped_by_force(story: Story) -> None:
    done = story.masked("web-02 stubborn")
    assert "stopped by force" in words(done)
    assert story.sees("stubborn.service", "web-02")["LoadState"] == "masked"


def test_a_mask_that_leaves_the_unit_running_says_so(story: Story) -> None:
    card = story.asks("/mask web-02 tuned --keep-running")
    assert "left running, refuses to start once it is down" in words(card)
    story.presses("bob", "Approve", card)
    story.card("MASKED AND PROVEN, LEFT RUNNING · tuned.service on web-02")
    assert story.sees("tuned.service", "web-02") == {**MASKED, "ActiveState": "active"}


def test_a_mask_until_the_next_reboot_is_a_link_in_run(story: Story) -> None:
    done = story.masked("web-02 cron --runtime quick look")
    assert "Ends with the next reboot" in words(done).replace("Ends  with", "Ends with")
    assert not story.link("cron.service", "web-02").is_symlink()
    assert story.sees("cron.service", "web-02")["UnitFileState"] == "masked-runtime"


def test_bob_denies_with_a_reason_and_nothing_is_changed(story: Story) -> None:
    card = story.asks("/mask db-01 restless")
    story.presses("bob", "Deny", card)
    story.until(lambda: story.demo.slack.view("bob"), "a form before bob")
    story.demo.slack.submit_view("bob", {"reason": "not during the freeze"})

    denied = story.card("DENIED · mask restless.service on db-01")
    assert "Why  not during the freeze" in words(denied)
    assert buttons(denied) == ["Details"]
    assert "denied by bob" in story.line("denied")
    story.presses("carol", "Approve", card)
    story.told("carol", "Too late: bob denied it: not during the freeze")
    assert story.sees("restless.service", "db-01") == RUNS


def test_only_who_asked_can_withdraw(story: Story) -> None:
    card = story.asks("/mask db-01 restless")
    story.presses("bob", "Withdraw", card)
    story.told("bob", "Only alice, who asked, can withdraw this. You can deny it.")
    story.presses("alice", "Withdraw", card)
    assert "Nothing was changed on db-01." in words(story.card("WITHDRAWN · mask restless.service"))


def test_details_are_for_those_who_may_ask_or_approve(story: Story) -> None:
    card = story.asks("/mask db-01 restless")
    story.presses("bob", "Details", card)
    story.presses("eve", "Details", card)

    details = story.told("bob", "DETAILS · mask restless.service on db-01")
    assert "Restart    always" in details
    story.told("eve", "guests may neither ask nor approve")
    assert not any("DETAILS" in said for said in story.whispers("eve") + story.whispers("alice"))
    story.presses("alice", "Withdraw", card)
    story.card("WITHDRAWN")


def test_a_guarded_unit_needs_two_who_each_vouch_for_console_access(story: Story) -> None:
    card = story.asks("/mask web-01 primary")
    assert "two of @sre" in words(card)
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
    assert "this mask was not made by maskbot" in words(card)
    assert story.sees("handmade.service")["LoadState"] == "masked"
    story.presses("bob", "Approve", card)

    done = story.card("UNMASKED")
    assert "handmade.service on web-01" in words(done)
    assert "Unmask" not in buttons(done)
    assert story.sees("handmade.service")["LoadState"] == "loaded"
    assert story.sees("handmade.service")["ActiveState"] == "inactive"
