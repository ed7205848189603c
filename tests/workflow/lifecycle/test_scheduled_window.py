"""Approved in daylight, carried out at night: at the time that was approved, after one more look, or not at all."""

from datetime import datetime, timedelta

from bot.core.requests import Outcome, Request, ScheduledWindow, Stage, Verb
from tests.workflow.hands import cut_off, let_in
from tests.workflow.lifecycle.test_outcome_unknown import is_masked, is_untouched
from tests.workflow.slack import ALICE
from tests.workflow.wire import LOOK
from tests.workflow.world import World

HOUR = timedelta(hours=1)


def tonight(world: World) -> ScheduledWindow:
    opens = world.clock.now() + 10 * HOUR
    return ScheduledWindow(opens, opens + HOUR)


def go_to(world: World, at: datetime) -> None:
    """Let hours pass."""
    world.clock.ahead += at - world.clock.now()


def approved(world: World, unit: str, window: ScheduledWindow) -> Request:
    """Asked and approved hours before."""
    asked = world.mask(unit, scheduled_window=window)
    assert asked.approval
    assert asked.approval.approve_by == window.opens
    world.vote(asked)
    return world.when(asked, lambda now: now.stage is Stage.APPROVED, "an approval")


def test_it_runs_when_its_window_opens_though_no_bot_ran_meanwhile(idle_world: World) -> None:
    host = idle_world.hosts["web-01"]
    world, window = idle_world, tonight(idle_world)
    with world.running():
        asked = approved(world, "tuned", window)
        assert "approved for its window" in world.card(asked)
    assert (asked.act_by, asked.due_at) == (window.closes, window.opens)
    looks = len([call for call in world.wire.calls if LOOK in call.argv])

    go_to(world, window.opens - timedelta(minutes=1))
    with world.running():
        other = world.mask("restless")  # another request comes and goes, and this one stays as it is
        world.desk.withdraw(other.id, by=ALICE.id)
        assert world.store.get(asked.id).stage is Stage.APPROVED
    assert is_untouched(host, "tuned.service")

    go_to(world, window.opens)
    with world.running():
        done = world.until_final(asked)

    assert done.target.outcome is Outcome.PROVEN
    assert is_masked(host, "tuned.service")
    assert len([call for call in world.wire.calls if LOOK in call.argv and call.unit == "tuned.service"]) > looks
    with world.running():
        assert world.undo(done).target.outcome is Outcome.RESTORED  # at once, and not in any window


def test_a_window_that_passes_unused_ends_the_request_and_says_so(idle_world: World) -> None:
    host = idle_world.hosts["web-01"]
    world, window = idle_world, tonight(idle_world)
    with world.running():
        asked = approved(world, "tuned", window)

    go_to(world, window.closes + timedelta(minutes=5))
    with world.running():
        ended = world.until_final(asked)
        world.until(lambda: bool(world.slack.marked(f"{asked.id}:line")), "a word in the channel")
        card = world.card(ended)

    assert ended.stage is Stage.TIMED_OUT
    assert "window closed at" in card
    assert is_untouched(host, "tuned.service")


def test_a_unit_that_is_another_one_by_then_is_asked_for_anew(idle_world: World) -> None:
    host = idle_world.hosts["web-01"]
    world, window = idle_world, tonight(idle_world)
    with world.running():
        asked = approved(world, "tuned", window)
    host.write("/etc/systemd/system/tuned.service.d/more.conf", "[Service]\nNice=5\n")
    host.run("systemctl", "daemon-reload")

    go_to(world, window.opens + timedelta(minutes=50))
    with world.running():
        anew = world.when(asked, lambda now: now.stage is Stage.WAITING, "a second question")
        assert anew.approval
        assert anew.approval.approve_by == window.closes
        assert is_untouched(host, "tuned.service")
        assert world.approve(asked).target.outcome is Outcome.PROVEN


def test_what_waits_for_its_window_holds_up_no_incident(idle_world: World) -> None:
    host = idle_world.hosts["web-01"]
    world, window = idle_world, tonight(idle_world)
    with world.running():
        planned = approved(world, "tuned", window)
        assert world.masked("tuned").target.outcome is Outcome.PROVEN

    go_to(world, window.opens)
    with world.running():
        assert world.until_final(planned).target.outcome is Outcome.NO_CHANGE
    assert is_masked(host, "tuned.service")


def test_a_host_that_is_away_when_it_opens_has_until_it_closes(idle_world: World) -> None:
    host = idle_world.hosts["web-01"]
    world, window = idle_world, tonight(idle_world)
    with world.running():
        asked = approved(world, "tuned", window)
    cut_off(host)

    go_to(world, window.opens)
    with world.running():
        away = world.when(asked, lambda now: bool(now.target.note), "a word about the host")
        assert away.stage is Stage.APPROVED
        let_in(host)
        done = world.until_final(asked)

    assert done.target.outcome is Outcome.PROVEN
    assert is_masked(host, "tuned.service")


def test_an_undo_can_be_asked_for_a_time_and_needs_no_vote_either(idle_world: World) -> None:
    host = idle_world.hosts["web-01"]
    world = idle_world
    with world.running():
        world.masked("tuned")
        window = tonight(world)
        undo = world.ask(Verb.UNMASK, "tuned", scheduled_window=window)
        undo = world.when(undo, lambda now: now.stage is Stage.APPROVED, "an answer")
    assert is_masked(host, "tuned.service")

    go_to(world, window.opens)
    with world.running():
        assert world.until_final(undo).target.outcome is Outcome.RESTORED
    assert is_untouched(host, "tuned.service")
