"""As before, compared with the record on real hosts: what is brought back, what is not the same, what is said first."""

import re
from collections.abc import Iterator

import pytest

from bot.core.requests import Outcome, Stage
from tests.workflow.fleet import AnyHost, Fleet
from tests.workflow.world import World

pytestmark = pytest.mark.ssh

VENDOR, ETC = "/usr/lib/systemd/system", "/etc/systemd/system"
UNITS = {
    "asb-main.service": "",
    "asb-bound.service": "BindsTo=asb-main.service\nAfter=asb-main.service",
    "asb-part@.service": "PartOf=asb-main.service",
    "asb-edited.service": "",
    "asb-frozen.service": "",
    "asb-loud.service": "OnSuccess=asb-alarm.service",
    "asb-alarm.service": "",
    "asb-needy.service": "Wants=asb-helper.service\nAfter=asb-helper.service",
    "asb-helper.service": "StopWhenUnneeded=yes",
    "asb-jealous.service": "Conflicts=asb-rival.service",
    "asb-rival.service": "",
    "asb-picky.service": "ConditionPathExists=!/run/asb-off",
}
STARTED = "asb-main asb-bound asb-part@1 asb-edited asb-frozen asb-loud asb-needy asb-jealous asb-picky"
TALK = """use IO::Socket::UNIX; my $c = IO::Socket::UNIX->new("/run/echo.sock") or die "refused"; print readline($c)"""


@pytest.fixture(scope="module")
def fleet(real_fleet: Fleet) -> Fleet:
    """Systemd itself is the subject."""
    return real_fleet


@pytest.fixture(scope="module")
def host(shared_world: World) -> Iterator[AnyHost]:
    """One host with a unit for each habit."""
    one = shared_world.hosts["web-02"]
    made = "".join(
        f"printf '[Unit]\\n%s\\n[Service]\\nExecStart=/usr/bin/sleep infinity\\n' '{text}' >{VENDOR}/{name}\n"
        for name, text in UNITS.items()
    )
    timers = "".join(
        f"printf '[Timer]\\n%s=9h\\nUnit=asb-main.service\\n' {setting} >{VENDOR}/asb-{name}.timer\n"
        for name, setting in (("late", "OnBootSec"), ("anew", "OnActiveSec"))
    )
    run = f"systemctl daemon-reload; systemctl start {STARTED} asb-late.timer asb-anew.timer"
    prepared = one.run("sh", "-ec", f"{made}{timers}{run}")
    assert not prepared.stderr, prepared.stderr
    yield one
    one.run(
        "sh", "-c", f"systemctl stop 'asb-*'; rm -r {VENDOR}/asb-* {ETC}/asb-* {ETC}/*/asb-*; systemctl daemon-reload"
    )


def active(host: AnyHost, *units: str) -> list[str]:
    return [host.show(unit, "ActiveState")["ActiveState"] for unit in units]


@pytest.mark.fault("F82", how="units with BindsTo= and PartOf= on it, without enablement")
def test_what_stopped_with_it_is_brought_back_by_the_record(shared_world: World, host: AnyHost) -> None:
    family = ("asb-main.service", "asb-bound.service", "asb-part@1.service")
    done = shared_world.masked("asb-main", host="web-02")
    assert active(host, *family) == ["inactive"] * 3
    back = shared_world.undo(done)
    assert (back.target.outcome, active(host, *family)) == (Outcome.RESTORED, ["active"] * 3), back.target.note


@pytest.mark.fault("F81", how="its unit file edited and a drop-in added while it was masked")
def test_another_program_is_not_as_before(shared_world: World, host: AnyHost) -> None:
    done = shared_world.masked("asb-edited", host="web-02")
    host.write(f"{ETC}/asb-edited.service.d/more.conf", "[Service]\nNice=5\n")
    host.run("sh", "-c", f"echo '# edited' >>{VENDOR}/asb-edited.service")
    back = shared_world.undo(done)
    assert back.target.outcome is Outcome.RESTORED_PARTLY
    assert f"another program may run: {ETC}/asb-edited.service.d/more.conf is new" in back.target.note
    assert "asb-edited.service was changed" in back.target.note


def test_a_frozen_unit_is_said_to_thaw(shared_world: World, host: AnyHost) -> None:
    host.run("systemctl", "freeze", "asb-frozen.service")
    asked = shared_world.mask("asb-frozen", host="web-02")
    assert "it is frozen: a stop thaws it or, on newer systemd, fails" in shared_world.card(asked)
    done = shared_world.approve(asked)
    back = shared_world.undo(done)
    if done.target.outcome is Outcome.MASKED_RUNNING:  # systemd 257 does nothing to a frozen unit
        assert host.show("asb-frozen.service", "FreezerState") == {"FreezerState": "frozen"}
        assert back.target.outcome is Outcome.RESTORED
        return
    assert (done.target.outcome, back.target.outcome) == (Outcome.PROVEN, Outcome.RESTORED_PARTLY)
    assert back.target.note == "it was frozen, and is now active but not frozen"


@pytest.mark.fault("F84", how="OnSuccess= of the unit")
def test_what_the_stop_starts_is_said_before_and_named_after(shared_world: World, host: AnyHost) -> None:
    asked = shared_world.mask("asb-loud", host="web-02")
    assert "may start asb-alarm.service" in shared_world.card(asked)
    done = shared_world.approve(asked)
    assert done.target.outcome is Outcome.PROVEN
    assert "asb-alarm.service came up" in shared_world.card(done)
    back = shared_world.undo(done)
    assert back.target.note == "asb-alarm.service came up when this was stopped, and is running"
    assert active(host, "asb-alarm.service") == ["active"]


def test_a_helper_that_nobody_needs_goes_and_comes_with_it(shared_world: World, host: AnyHost) -> None:
    done = shared_world.masked("asb-needy", host="web-02")
    assert active(host, "asb-helper.service") == ["inactive"]
    assert "asb-helper.service went down" in shared_world.card(done)
    back = shared_world.undo(done)
    assert (back.target.outcome, active(host, "asb-helper.service")) == (Outcome.RESTORED, ["active"]), back.target.note


@pytest.mark.fault("F84", how="Conflicts= of the unit with one that was started meanwhile")
def test_what_the_start_stops_is_said_before_and_named_after(shared_world: World, host: AnyHost) -> None:
    asked = shared_world.mask("asb-jealous", host="web-02")
    assert "asb-rival.service, if it is running then (Conflicts=)" in shared_world.card(asked)
    done = shared_world.approve(asked)
    host.run("systemctl", "start", "asb-rival.service")
    back = shared_world.undo(done)
    assert (back.target.outcome, back.target.note) == (
        *(Outcome.RESTORED_PARTLY, "asb-rival.service went down when this was started"),
    )


def test_a_timer_that_counts_from_the_boot_comes_when_it_would_have(shared_world: World, host: AnyHost) -> None:
    turn = host.show("asb-late.timer", "NextElapseUSecMonotonic", "SubState")
    asked = shared_world.mask("asb-late.timer", host="web-02")
    assert "after an undo its next run may come at once, later or never" in shared_world.card(asked)
    back = shared_world.undo(shared_world.approve(asked))
    assert (back.target.outcome, back.target.note) == (Outcome.RESTORED, "")
    assert host.show("asb-late.timer", "NextElapseUSecMonotonic", "SubState") == turn


def test_a_timer_that_counts_from_its_start_is_said_to_be_counted_anew(shared_world: World, host: AnyHost) -> None:
    """systemd counts it from each daemon-reload as well, whoever asks for that."""
    turn = host.show("asb-anew.timer", "NextElapseUSecMonotonic")
    asked = shared_world.mask("asb-anew.timer", host="web-02")
    assert "restarts the countdown of asb-anew.timer" in shared_world.card(asked)
    back = shared_world.undo(shared_world.approve(asked))
    assert re.fullmatch(
        r"Its next turn is counted again, \d+ (seconds?|minutes?) later than before\.", back.target.note
    )
    assert host.show("asb-anew.timer", "NextElapseUSecMonotonic") != turn


def test_a_start_that_a_condition_skips_is_named_as_the_cause(shared_world: World, host: AnyHost) -> None:
    host.run("systemctl", "add-wants", "multi-user.target", "asb-picky.service")  # what nothing wants is forgotten
    done = shared_world.masked("asb-picky", host="web-02")
    host.write("/run/asb-off", "")
    back = shared_world.undo(done)
    assert (back.target.outcome, active(host, "asb-picky.service")) == (Outcome.RESTORED_PARTLY, ["inactive"])
    assert "it did not start, because a condition of its file" in back.target.note


@pytest.mark.fault("F83", how="a mask of a socket whose service runs")
def test_a_socket_whose_service_runs_is_refused_at_the_look(shared_world: World, host: AnyHost) -> None:
    host.run("perl", "-e", TALK)
    refused = shared_world.mask("echo.socket", host="web-02")
    assert (refused.stage, "systemd starts no socket whose service runs" in refused.because) == (Stage.REFUSED, True)


def test_a_socket_that_lost_its_listener_under_the_mask_listens_again(shared_world: World, host: AnyHost) -> None:
    host.run("perl", "-e", TALK)
    done = shared_world.masked("echo.socket", host="web-02", keep_running=True)
    assert done.target.outcome is Outcome.PROVEN, done.target.note
    host.run("systemctl", "stop", "echo.service")
    back = shared_world.undo(done)
    assert back.target.outcome is Outcome.RESTORED, back.target.note
    assert host.run("perl", "-e", TALK).stdout == "hello\n"


def test_a_missed_run_that_the_undo_makes_up_for_is_said_before_and_after(shared_world: World, host: AnyHost) -> None:
    host.write(f"{VENDOR}/asb-job.service", "[Service]\nType=oneshot\nExecStart=/bin/sh -c 'echo ran >>/run/asb-job'\n")
    timer = "OnCalendar=*:*:0/4\nAccuracySec=1ms\nPersistent=yes\nUnit=asb-job.service"
    host.write(f"{VENDOR}/asb-missed.timer", f"[Timer]\n{timer}\n")
    host.run("sh", "-c", "systemctl daemon-reload; systemctl start asb-missed.timer; sleep 5")
    asked = shared_world.mask("asb-missed.timer", host="web-02")
    assert "a missed run at once" in shared_world.card(asked)
    done = shared_world.approve(asked)
    host.run("sh", "-c", "rm -f /run/asb-job; sleep 5")
    back = shared_world.undo(done)
    shared_world.until(lambda: host.run("test", "-e", "/run/asb-job").returncode == 0, "the missed run")
    assert "It fired at the undo, and has started asb-job.service." in back.target.note
