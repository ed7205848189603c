"""How units start and stop, tested on the model and on a real systemd alike."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bot.core.systemd.systemctl import link_argv, reload_argv, start_argv, stop_argv
from bot.core.systemd.units import Layer, UnitName
from tests.model.files import ETC, VENDOR
from tests.model.hosts import ModelHost
from tests.model.sides import Side

RUNS, DOWN, FAILED = ("active", "running", False), ("inactive", "dead", False), ("failed", "failed", False)
STARTS, STOPS = ("activating", "start-pre", True), ("deactivating", "stop", True)
QUEUED, DIES = ("inactive", "dead", True), ("deactivating", "stop-sigterm", True)
OWN = "/var/lib/lab/own"  # created by a stop command that was not skipped
MARKS = f"ExecStop=/bin/sh -c 'echo x >{OWN}'"
CHECK = "ExecStartPre=/usr/bin/test -e /opt/nothing"
CRON = UnitName("cron.service")
DYING = "ExecStart=\nExecStart=/bin/sh -c 'trap \"sleep 2; exit 0\" TERM; while :; do sleep 0.1; done'"
UNITS = {
    "slow": f"ExecStartPre=/usr/bin/sleep 2\n{MARKS}",
    "fails": CHECK,
    "again": f"{CHECK}\nRestart=always\nRestartSec=1min",
    "first": "",
    "then": "ExecStop=/usr/bin/sleep 2\n[Unit]\nAfter=first.service\nPartOf=first.service",
    "both": "ExecStartPre=/usr/bin/sleep 3\nExecStop=/usr/bin/sleep 2",
    "next": "[Unit]\nAfter=both.service",
    "dying": "ExecStop=/usr/bin/sleep 2\n" * 2 + f"{MARKS}\n{DYING}\nTimeoutStopSec=3\nKillMode=mixed",
    "late": f"ExecStop=/usr/bin/sleep 60\n{MARKS}\nTimeoutStopSec=1",
    "masked": f"ExecStop=/usr/bin/sleep 3\n{MARKS}\nTimeoutStopSec=20",
    "reloads": f"ExecReload=/usr/bin/sleep 2\n{MARKS}",
    "bound": "[Unit]\nBindsTo=first.service",
    r"\x2eodd": "[Unit]\nPartOf=first.service",
}
HELD = UNITS.keys() - {"bound", r"\x2eodd"}  # enabled units


def furnish(side: Side) -> None:
    """Write services of all these kinds, none of which runs."""
    for name, settings in UNITS.items():
        text = f"[Service]\nExecStart=/usr/bin/sleep infinity\n{settings}\n"
        side.host.write(f"{VENDOR}/{name}.service", text)
    for name in HELD:
        side.host.run("ln", "-s", f"{VENDOR}/{name}.service", f"{ETC}/multi-user.target.wants/{name}.service")
    side.root("daemon-reload")


@pytest.fixture(scope="module")
def furnished(real: Side) -> Iterator[Side]:
    """The real host with these services, removed without a trace afterwards."""
    furnish(real)
    yield real
    names = [f"{name}.service" for name in UNITS]
    for verb in ("kill --signal=KILL", "stop", "reset-failed"):
        real.root(*verb.split(), *names)
    folders = (VENDOR, ETC, f"{ETC}/multi-user.target.wants")
    real.host.run("rm", "-f", *(f"{folder}/{name}" for folder in folders for name in names))
    real.root("daemon-reload")


@pytest.fixture(params=["furnished", "model"])
def side(request: pytest.FixtureRequest) -> Side:
    """The model, then the real host."""
    chosen: Side = request.getfixturevalue(request.param)
    if request.param == "model":
        furnish(chosen)
    return chosen


def send(side: Side, verb: str, *names: str) -> None:
    """Send a command of the bot to some units."""
    for name in names:
        side.send((stop_argv if verb == "stop" else start_argv)(UnitName(f"{name}.service")))


def ran_its_own(side: Side) -> bool:
    """Whether all stop commands of the last unit ran; the last command creates a file."""
    if isinstance(side.host, ModelHost):
        marks = side.host.manager.marks
        return bool(marks) and bool(marks.pop())
    return side.host.run("rm", OWN).returncode == 0


def test_a_start_takes_its_time_and_a_stop_in_the_middle_of_it_kills(side: Side) -> None:
    send(side, "start", "slow")
    side.until("slow.service", STARTS)
    side.until("slow.service", RUNS)
    first = side.look("slow.service").invocation
    send(side, "stop", "slow")
    side.until("slow.service", DOWN)
    assert ran_its_own(side)
    send(side, "start", "slow")
    assert side.doing("slow.service") == STARTS
    assert side.look("slow.service").invocation != first
    send(side, "stop", "slow")
    side.until("slow.service", FAILED)
    assert not ran_its_own(side)


def test_a_start_that_fails_leaves_a_failure_or_is_tried_again_and_again(side: Side) -> None:
    send(side, "start", "fails", "again")
    side.until("fails.service", FAILED)
    side.until("again.service", ("activating", "auto-restart", False))
    send(side, "stop", "again")
    side.until("again.service", DOWN)


def test_a_stop_waits_for_what_comes_after_and_a_start_takes_the_place_of_one_that_waits(side: Side) -> None:
    for last in (RUNS, DOWN):
        send(side, "start", "first", "then")
        side.until("then.service", RUNS)
        before = side.look("first.service").invocation
        send(side, "stop", "first")
        assert side.doing("first.service") == ("active", "running", True)
        assert side.doing("then.service") == STOPS
        if last == RUNS:
            send(side, "start", "first")
        side.until("then.service", DOWN)
        side.until("first.service", last)
        assert side.look("first.service").invocation == before


def test_a_start_waits_for_what_comes_before_and_for_the_end_of_a_stop(side: Side) -> None:
    send(side, "start", "both", "next")
    assert side.doing("next.service") == QUEUED
    send(side, "stop", "next")
    assert side.doing("next.service") == DOWN
    send(side, "start", "next")
    assert side.doing("next.service") == QUEUED
    side.until("next.service", RUNS)
    assert side.doing("both.service") == RUNS
    first = side.look("both.service").invocation
    send(side, "stop", "both")
    side.until("both.service", STOPS)
    send(side, "start", "both")
    assert side.doing("both.service") == STOPS
    side.until("both.service", STARTS)
    assert side.look("both.service").invocation != first


def test_each_stop_command_has_a_limit_of_its_own_and_so_has_the_process(side: Side) -> None:
    send(side, "start", "dying")
    side.wait(1)  # for its shell to start
    send(side, "stop", "dying")
    for state in (STOPS, DIES, DOWN):
        side.until("dying.service", state)
    assert ran_its_own(side)


def test_a_stop_command_that_is_too_late_is_cut_off_with_all_after_it(side: Side) -> None:
    send(side, "start", "late")
    side.until("late.service", RUNS)
    send(side, "stop", "late")
    side.until("late.service", FAILED)
    assert not ran_its_own(side)


def test_a_mask_that_is_loaded_during_a_stop_takes_what_has_not_begun(side: Side) -> None:
    """The running command goes on: so a unit with one stop command loses nothing."""
    send(side, "start", "masked")
    side.until("masked.service", RUNS)
    send(side, "stop", "masked")
    side.send(link_argv(UnitName("masked.service"), Layer.PERSISTENT))
    side.send(reload_argv())
    seen = side.look("masked.service")
    assert (seen.load, seen.active, seen.timeout_stop_usec) == ("masked", "deactivating", 90 * 10**6)
    side.until("masked.service", DOWN)
    assert not ran_its_own(side)


def test_a_stop_in_the_middle_of_a_reload_kills_and_skips_the_stop_commands(side: Side) -> None:
    send(side, "start", "reloads")
    for stops in (False, True):
        side.until("reloads.service", RUNS)
        side.root("reload", "reloads.service")
        assert side.doing("reloads.service") == ("reloading", "reload", True)
        if stops:
            send(side, "stop", "reloads")
            side.until("reloads.service", FAILED)
            assert not ran_its_own(side)


def test_what_nothing_holds_is_forgotten_once_it_is_down(side: Side) -> None:
    """Its relations are gone too: only an earlier look knows that it stops with another unit."""
    down, up = {"then.service": "inactive"}, {r"\x2eodd.service": "active", "bound.service": "active"}
    side.root("start", "first.service")
    assert would_stop(side) == down
    side.root("start", *up)
    side.until("bound.service", RUNS)
    assert would_stop(side) == down | up
    send(side, "stop", "first")
    side.until("first.service", DOWN)
    assert would_stop(side) == down


def would_stop(side: Side) -> dict[str, str]:
    around = side.look("first.service", full=True).around
    assert around
    return {other.unit: other.active for other in around.would_stop}


def test_a_folder_that_cannot_be_written_keeps_its_links_and_takes_none(side: Side) -> None:
    with trouble(side, f"mount --bind {ETC} {ETC}; mount -o remount,ro,bind {ETC}", f"umount --lazy {ETC}"):
        assert side.send(link_argv(CRON, Layer.PERSISTENT)) == (*(1, f"{ETC}: Read-only file system"),)
        assert side.send(side.removal(UnitName("handmade.service"), Layer.PERSISTENT, foreign=True)) == (
            *(1, f"{ETC}: Read-only file system"),
        )
        assert side.look("handmade.service").mask_layers == (Layer.PERSISTENT,)


def test_a_reload_without_space_for_it_is_refused(side: Side) -> None:
    with trouble(side, "mount -o remount,size=20m /run", "mount -o remount,size=50% /run"):
        code, said = side.send(reload_argv())
        why = "Reload daemon failed: Refusing to reload, not enough space"
        assert (code, said.partition(" available")[0]) == (1, why)
    assert side.send(reload_argv()) == (0, "")


@contextmanager
def trouble(side: Side, make: str, end: str) -> Iterator[None]:
    """A problem of the disk; the model has both at once."""
    host = side.host
    if isinstance(host, ModelHost):
        host.manager.is_run_full, host.manager.files.trouble = True, "Read-only file system"
        yield
        host.manager.is_run_full, host.manager.files.trouble = False, ""
        return
    host.run("sh", "-c", make)
    try:
        yield
    finally:
        host.run("sh", "-c", end)
