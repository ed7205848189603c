"""The way back: everything as it was, and nothing that is anybody else's."""

from collections.abc import Mapping
from datetime import timedelta

import pytest

from bot.core.requests import Outcome, Stage
from bot.core.systemd.units import ActiveState
from tests.workflow.fleet import AnyHost, Fleet
from tests.workflow.slack import BOB, CAROL, DAVE
from tests.workflow.world import World


@pytest.fixture(scope="module")
def fleet(real_fleet: Fleet) -> Fleet:
    """Systemd itself is the subject."""
    return real_fleet


pytestmark = pytest.mark.ssh

SHOWN = ("LoadState", "ActiveState", "UnitFileState")
TALK = """use IO::Socket::UNIX; my $c = IO::Socket::UNIX->new("/run/echo.sock") or die "refused"; print readline($c)"""


def states(host: AnyHost, *units: str) -> Mapping[str, Mapping[str, str]]:
    return {unit: host.show(unit, *SHOWN) for unit in units}


def own_stops(host: AnyHost) -> int:
    return host.run("sh", "-c", "cat /var/lib/lab/worker.stopped 2>/dev/null").stdout.count("stopped")


def test_what_stopped_with_it_runs_again_and_its_own_stop_command_ran(shared_world: World) -> None:
    host = shared_world.hosts["web-01"]
    family = ("worker.service", "metrics.service", "partof.service")
    before, stops = states(host, *family), own_stops(host)

    done = shared_world.masked("worker")
    assert done.target.outcome is Outcome.PROVEN
    assert [host.show(unit, "ActiveState")["ActiveState"] for unit in family] == ["inactive"] * 3
    assert own_stops(host) == stops + 1
    assert "metrics.service" in shared_world.card(done)

    back = shared_world.undo(done)
    assert back.target.outcome is Outcome.RESTORED
    assert states(host, *family) == before
    assert "UNMASKED, AS BEFORE" in shared_world.card(back)


def test_a_mask_that_somebody_made_anew_is_left_alone(shared_world: World) -> None:
    host = shared_world.hosts["web-01"]
    done = shared_world.masked("restless")
    host.run("systemctl", "unmask", "restless.service")
    host.run("systemctl", "mask", "restless.service")

    back = shared_world.undo(done)
    assert back.target.outcome is Outcome.NOT_OURS
    assert host.run("readlink", "/etc/systemd/system/restless.service").stdout == "/dev/null\n"
    assert host.show("restless.service", "LoadState") == {"LoadState": "masked"}


def test_a_mask_that_somebody_took_away_is_not_undone_again(shared_world: World) -> None:
    host = shared_world.hosts["web-02"]
    done = shared_world.masked("restless", host="web-02")
    host.run("systemctl", "unmask", "restless.service")

    back = shared_world.undo(done)
    assert back.target.outcome is Outcome.NOT_OURS, back.because
    assert "somebody else or a reboot removed it" in shared_world.card(back)
    assert host.show("restless.service", "ActiveState") == {"ActiveState": "inactive"}
    assert shared_world.card(done).startswith("OUR MASK IS GONE")


@pytest.mark.fault("F28", how="an undo whose turn comes when somebody else's is over")
def test_an_approver_undoes_without_a_vote_and_others_need_one_or_may_not_ask(shared_world: World) -> None:
    host = shared_world.hosts["db-01"]
    done = shared_world.masked("tuned", host="db-01")
    strangers = shared_world.undo(done, by=DAVE)
    assert (strangers.stage, "may not ask" in strangers.because) == (Stage.REFUSED, True)
    colleague = shared_world.undo(done, by=CAROL)
    assert colleague.stage is Stage.WAITING
    assert host.show("tuned.service", "LoadState") == {"LoadState": "masked"}

    back = shared_world.undo(done, by=BOB)
    assert (back.stage, back.target.outcome) == (Stage.DONE, Outcome.RESTORED), back.because
    assert host.show("tuned.service", *SHOWN) == dict(zip(SHOWN, ("loaded", "active", "enabled"), strict=True))

    late = shared_world.approve(colleague)
    assert late.target.outcome is Outcome.NO_CHANGE
    assert shared_world.card(late).startswith("NO CHANGE")
    assert host.show("tuned.service", "ActiveState") == {"ActiveState": "active"}


def test_a_foreign_mask_is_removed_with_an_approval_and_nothing_is_started(shared_world: World) -> None:
    host = shared_world.hosts["web-01"]
    asked = shared_world.unmask("handmade")
    assert asked.stage is Stage.WAITING
    assert "not made by maskbot" in shared_world.card(asked)

    done = shared_world.approve(asked)
    assert done.target.outcome is Outcome.UNMASKED
    assert host.show("handmade.service", "LoadState", "ActiveState") == {
        "LoadState": "loaded",
        "ActiveState": "inactive",
    }


def test_a_foreign_mask_in_two_layers_is_removed_from_both(shared_world: World) -> None:
    host = shared_world.hosts["db-01"]
    host.run("sh", "-c", "systemctl mask cron.service; systemctl mask --runtime cron.service")
    done = shared_world.approve(shared_world.unmask("cron", host="db-01"))
    assert done.target.outcome is Outcome.UNMASKED
    assert host.show("cron.service", "LoadState", "UnitFileState") == {
        "LoadState": "loaded",
        "UnitFileState": "enabled",
    }


def test_a_timer_that_failed_under_the_mask_waits_for_its_next_turn_again(shared_world: World) -> None:
    host = shared_world.hosts["web-02"]
    host.write("/run/systemd/system/beat.timer.d/often.conf", "[Timer]\nOnUnitActiveSec=1s\n")
    host.run("sh", "-c", "systemctl daemon-reload; systemctl restart beat.timer")
    done = shared_world.masked("beat", host="web-02")
    while done.target.before and done.target.before.active is ActiveState.ACTIVATING:  # met in the middle of a beat
        shared_world.undo(done)
        done = shared_world.masked("beat", host="web-02")
    shared_world.until(lambda: host.show("beat.timer", "ActiveState")["ActiveState"] == "failed", "the timer's failure")

    back = shared_world.undo(done)
    assert back.target.outcome is Outcome.RESTORED, back.target.note
    beats = host.run("cat", "/var/lib/lab/beats").stdout
    shared_world.until(lambda: host.run("cat", "/var/lib/lab/beats").stdout != beats, "the next beat")


def test_a_socket_that_failed_under_the_mask_listens_again(shared_world: World) -> None:
    host = shared_world.hosts["db-01"]
    host.run("perl", "-e", TALK)
    done = shared_world.masked("echo", host="db-01")
    assert done.target.outcome is Outcome.PROVEN
    host.run("perl", "-e", TALK, seconds=5)
    shared_world.until(
        lambda: host.show("echo.socket", "ActiveState")["ActiveState"] == "failed", "the socket's failure"
    )

    back = shared_world.undo(done)
    assert back.target.outcome is Outcome.RESTORED, back.target.note
    assert host.run("perl", "-e", TALK).stdout == "hello\n"


def test_a_socket_is_masked_and_undone_with_its_listener(shared_world: World) -> None:
    host = shared_world.hosts["web-01"]
    done = shared_world.masked("echo.socket")
    assert done.target.outcome is Outcome.PROVEN
    assert "echo.service" in shared_world.card(done) or "echo.service" in repr(done.target.before)
    assert shared_world.undo(done).target.outcome is Outcome.RESTORED
    assert host.run("perl", "-e", TALK).stdout == "hello\n"


def test_after_a_day_an_undo_is_a_request_like_any_other(idle_world: World) -> None:
    with idle_world.running():
        done = idle_world.masked("tuned")
        idle_world.card(done)
    idle_world.clock.ahead = timedelta(hours=25)
    with idle_world.running():
        back = idle_world.unmask("tuned")
        assert (back.ask.undoes, back.stage) == (done.id, Stage.WAITING)
        assert idle_world.approve(back).target.outcome is Outcome.RESTORED
