"""What is said of a change that is done: to the thread if something came of it, to its owner while it stands."""

from datetime import timedelta

from bot.core.requests import Duration, Outcome, Request
from bot.errors import HostError
from bot.workflow.engine.periodic import schedule_configured
from bot.workflow.requests.mask_inventory import read_mask_inventory
from tests.workflow.hands import fail, knock
from tests.workflow.slack import ALICE, INCIDENT, words
from tests.workflow.wire import Call
from tests.workflow.world import World

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def notes(world: World, request: Request) -> list[str]:
    """What was said beside the card."""
    said = list(world.slack.messages.values())
    return [words(one.text) for one in said if one.mark.startswith(f"{request.id}:note:")]


def looked(world: World, request: Request, times: int) -> Request:
    return world.when(request, lambda now: now.aftercare.looks >= times, f"look {times} after the change")


def test_what_fails_after_a_mask_is_said_once_in_its_thread(world: World) -> None:
    host = world.hosts["web-01"]
    done, unrelated = world.masked("echo"), world.masked("restless")
    knock(host)
    fail(host, "lab-broken.service")

    world.clock.ahead += MINUTE
    looked(world, unrelated, 1)
    looked(world, done, 1)
    world.until(lambda: bool(notes(world, done)), "a note")
    assert "1 minute after the change: echo.socket has failed." in notes(world, done)[0]
    assert "lab-broken" not in notes(world, done)[0]
    assert "Use Unmask on the card to undo the mask." in notes(world, done)[0]

    world.clock.ahead += 4 * MINUTE
    looked(world, unrelated, 2)
    looked(world, done, 2)
    world.clock.ahead += 10 * MINUTE
    looked(world, unrelated, 3)
    assert looked(world, done, 3).aftercare.look_at is None
    assert len(notes(world, done)) == 1
    assert notes(world, unrelated) == []


def test_what_our_own_requests_have_done_since_is_no_news_in_the_threads_of_earlier_ones(world: World) -> None:
    """An undo whose unit another mask of ours takes along, and one whose unit is masked again through us."""
    takes_along, again = world.undo(world.masked("metrics")), world.undo(world.masked("restless"))
    assert (takes_along.target.outcome, again.target.outcome) == (Outcome.RESTORED, Outcome.RESTORED)
    masks = world.masked("worker"), world.masked("restless")
    for number, minutes in ((1, 1), (2, 4), (3, 10)):
        world.clock.ahead += minutes * MINUTE
        for done in (takes_along, again, *masks):
            looked(world, done, number)
    assert [note for done in (takes_along, again, *masks) for note in notes(world, done)] == []


def test_an_undo_under_way_is_no_news_in_the_thread_of_what_it_undoes(world: World) -> None:
    metrics = world.masked("metrics")
    worker = world.masked("worker")
    world.clock.ahead += MINUTE
    looked(world, worker, 1)
    looked(world, metrics, 1)
    world.undo(metrics)
    world.clock.ahead += 14 * MINUTE
    looked(world, worker, 2)
    assert notes(world, worker) == []
    assert notes(world, metrics) == []


def test_where_all_is_well_nothing_is_said(world: World) -> None:
    done = world.masked("worker")
    world.clock.ahead += MINUTE
    looked(world, done, 1)
    assert notes(world, done) == []


def test_a_mask_that_is_gone_is_noticed(world: World) -> None:
    host = world.hosts["web-01"]
    done = world.masked("restless")
    host.run("systemctl", "unmask", "restless.service")
    host.run("systemctl", "start", "restless.service")
    world.clock.ahead += MINUTE
    world.until(lambda: bool(notes(world, done)), "a note")
    assert "OUR MASK IS GONE: restless.service on web-01" in notes(world, done)[0]
    assert world.card(done).startswith("OUR MASK IS GONE")
    world.clock.ahead += 4 * MINUTE
    looked(world, done, 2)
    assert len(notes(world, done)) == 2  # in the channel and in the thread


def test_what_fails_is_told_once_whether_the_watch_sees_it_first_or_a_look_after_the_change(world: World) -> None:
    schedule_configured(world.deps)
    world.until(lambda: bool(read_mask_inventory(world.deps, "web-01").host_views[0].seen_at), "a first look")
    done = world.masked("echo")
    knock(world.hosts["web-01"])

    world.clock.ahead += 15 * MINUTE
    began = world.clock.now()
    looked(world, done, 1)
    world.until(
        lambda: (read_mask_inventory(world.deps, "web-01").host_views[0].seen_at or began) > began,
        "a turn of the watch",
    )
    world.until(lambda: bool(notes(world, done)), "a note")

    assert len([note for note in notes(world, done) if "echo.socket" in note]) == 1


def test_a_host_that_is_away_is_no_news_and_the_next_look_comes(world: World) -> None:
    done = world.masked("restless")

    def unreachable(call: Call) -> None:
        raise HostError(f"{call.host} does not answer.", code="ssh_unreachable", passing=True)

    world.wire.before.append(unreachable)
    world.clock.ahead += MINUTE
    looked(world, done, 1)
    world.wire.before.clear()
    assert notes(world, done) == []
    world.clock.ahead += 4 * MINUTE
    looked(world, done, 2)


def test_a_unit_that_does_not_stay_up_after_an_undo_is_said_in_the_thread_of_the_undo(world: World) -> None:
    host = world.hosts["web-01"]
    done = world.masked("restless")
    back = world.undo(done)
    assert back.target.outcome is Outcome.RESTORED
    assert world.store.get(done.id).due_at is None
    host.run("systemctl", "stop", "restless.service")
    world.clock.ahead += MINUTE
    world.until(lambda: bool(notes(world, back)), "a note")
    assert "1 minute after the change: restless.service is inactive." in notes(world, back)[0]
    assert "Unmask" not in notes(world, back)[0]


def test_an_owner_hears_that_a_mask_ends_soon(world: World) -> None:
    done = world.masked("restless", duration=Duration(lasts=2 * HOUR))
    world.clock.ahead += 2 * HOUR - 15 * MINUTE
    said = world.direct(ALICE, "expires ")
    assert "in 15 minutes, then everything is put back." in said
    assert "|the card>" in said
    assert world.when(done, lambda now: now.aftercare.remind_at is None, "that it is noted").aftercare.reminders == 0


def test_a_bot_that_comes_up_too_late_for_that_word_does_not_say_it(idle_world: World) -> None:
    world = idle_world
    with world.running():
        done = world.masked("restless", duration=Duration(lasts=2 * HOUR))
    world.clock.ahead += 3 * HOUR
    with world.running():
        world.when(done, lambda now: bool(now.undone_by), "its end")
    assert not [said for said in world.slack.messages.values() if said.channel == ALICE.id.user]


def test_a_mask_without_an_end_is_brought_to_mind_every_day_and_then_in_the_channel(world: World) -> None:
    done = world.masked("restless")
    for day in (1, 2, 3):
        world.clock.ahead += 24 * HOUR + MINUTE
        said = world.direct(ALICE, f"has no expiry and has lasted {day} day")
        assert "Reason: INC-42: runaway job" in said
        world.when(done, lambda now, day=day: now.aftercare.reminders == day, "that it is noted")  # type: ignore[misc]
    world.until(lambda: bool(notes(world, done)), "a note in the channel")
    (note,) = [one for one in world.slack.messages.values() if one.mark.startswith(f"{done.id}:note:")]
    assert (note.channel, note.thread) == (INCIDENT.channel, "")
    assert words(note.text).startswith(f"<@{ALICE.id.user}> The mask of restless.service on web-01 has no expiry")
    assert [record["type"] for record in world.store.records()].count("mask.reminded") == 3
