"""Units that do not simply stop: slow, deaf, endless, unkillable, and started again while they go down."""

from collections.abc import Callable

import pytest

from bot.core.changes import Outcome, Stage
from bot.core.steps import Limits
from tests.workflow.slack import words
from tests.workflow.wire import Call
from tests.workflow.world import World

pytestmark = pytest.mark.ssh

TALK = """use IO::Socket::UNIX; my $c = IO::Socket::UNIX->new("/run/echo.sock") or die "refused"; print readline($c)"""
IN_TIME = {"limits": Limits(patience=1.0)}


@pytest.mark.fault("F21", how="a unit whose own stop takes six seconds")
def test_a_long_stop_is_shown_while_it_lasts(shared_world: World, saw: Callable[[str], str]) -> None:
    asked = shared_world.mask("slowstop")
    shared_world.vote(asked)

    def card() -> str:
        return words(shared_world.slack.marked(f"{asked.id}:card")[0].text)

    shared_world.until(lambda: "stopping for" in card() and "it may take up to 20 s" in card(), "progress on the card")
    assert shared_world.hosts["web-01"].show("slowstop.service", "ActiveState") == {"ActiveState": "deactivating"}
    saw(next(line for line in card().splitlines() if "stopping for" in line))
    done = shared_world.ended(asked)
    assert done.target.outcome is Outcome.PROVEN
    assert not done.target.settings_lost
    assert [sent.step for sent in done.target.sent].count("stop") == 1
    saw(shared_world.card(done).partition("\n")[0])


@pytest.mark.fault("F22", how="a unit that ignores SIGTERM")
def test_what_had_to_be_killed_is_said_so(shared_world: World, saw: Callable[[str], str]) -> None:
    host = shared_world.hosts["web-02"]
    done = shared_world.masked("stubborn", host="web-02")
    assert done.target.outcome is Outcome.PROVEN
    by_force = "stopped by force after 4 s (Result=timeout)"
    assert by_force in shared_world.card(done)
    saw(f"{shared_world.card(done).partition(chr(10))[0]}: {by_force}")
    assert host.show("stubborn.service", "ActiveState") == {"ActiveState": "failed"}


@pytest.mark.parametrize("parts", [IN_TIME], ids=["in time"])
def test_what_never_ends_to_stop_is_reported_in_time_and_not_as_stopped(world: World) -> None:
    host = world.hosts["db-01"]
    host.run("systemctl", "start", "endless.service")
    done = world.masked("endless", host="db-01")

    assert done.target.outcome is Outcome.MASKED_RUNNING
    assert world.card(done).startswith("MASKED, STILL RUNNING")
    assert "has not stopped within" in world.card(done)
    assert host.show("endless.service", "LoadState", "ActiveState") == {
        "LoadState": "masked",
        "ActiveState": "deactivating",
    }
    stopped = next(sent for sent in done.target.sent if sent.step == "stop")
    assert done.finished_at is not None
    assert (done.finished_at - stopped.at).total_seconds() < 15


def test_a_process_that_survives_its_unit_is_not_said_to_be_stopped(shared_world: World) -> None:
    host = shared_world.hosts["db-01"]
    host.run("systemctl", "start", "unkillable.service")
    done = shared_world.masked("unkillable", host="db-01")
    assert "sleep infinity" in host.run("systemd-cgls", "--no-pager", "--unit", "unkillable.service").stdout
    assert "stopped by force" not in shared_world.card(done)
    assert "Processes that it started still run" in shared_world.card(done)
    host.run("systemctl", "kill", "--signal=KILL", "unkillable.service")


@pytest.mark.fault("F23", how="a socket that is hit between stop and mask")
def test_what_its_socket_starts_again_is_stopped_again(shared_world: World, saw: Callable[[str], str]) -> None:
    host = shared_world.hosts["web-02"]
    host.run("perl", "-e", TALK)
    first = [True]

    def connect(call: Call) -> None:
        if call.verb == "stop" and call.unit == "echo.service" and first:
            first.pop()
            shared_world.until(
                lambda: host.show("echo.service", "ActiveState")["ActiveState"] == "inactive", "the first stop"
            )
            host.run("perl", "-e", TALK)

    shared_world.wire.after.append(connect)
    done = shared_world.masked("echo", host="web-02")
    shared_world.wire.after.remove(connect)
    assert done.target.outcome is Outcome.PROVEN
    assert [sent.step for sent in done.target.sent].count("stop") == 2
    saw(f"{shared_world.card(done).partition(chr(10))[0]}, stopped twice")
    assert host.show("echo.service", "LoadState", "ActiveState") == {"LoadState": "masked", "ActiveState": "inactive"}


@pytest.mark.fault("F23", how="a socket that is hit after every stop")
def test_what_its_socket_always_starts_again_is_said_to_run(shared_world: World) -> None:
    host = shared_world.hosts["db-01"]
    host.run("perl", "-e", TALK)

    def connect(call: Call) -> None:
        if call.verb == "stop" and call.unit == "echo.service":
            shared_world.until(lambda: host.show("echo.service", "ActiveState")["ActiveState"] == "inactive", "a stop")
            host.run("perl", "-e", TALK)

    shared_world.wire.after.append(connect)
    done = shared_world.masked("echo", host="db-01")
    shared_world.wire.after.remove(connect)
    assert done.stage is Stage.DONE
    assert done.target.outcome is Outcome.MASKED_RESTARTED
    assert shared_world.card(done).startswith("MASKED, RESTARTED BY ITS SOCKET")
    assert host.show("echo.service", "LoadState", "ActiveState") == {"LoadState": "masked", "ActiveState": "active"}
