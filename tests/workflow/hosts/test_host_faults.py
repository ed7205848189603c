"""What else breaks on a host: frozen, full, rebooted, lying, with a clock of its own, or changed by somebody else."""

import os
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.requests import Outcome, Stage
from bot.edges.ssh.guarded import GuardedHosts
from bot.edges.ssh.hosts import SshHosts, SshLimits
from tests.lab.hosts import LabHost
from tests.workflow.conftest import Opening
from tests.workflow.fleet import AnyHost, Fleet
from tests.workflow.lifecycle.test_outcome_unknown import interfering, is_masked, is_untouched
from tests.workflow.world import QUICK, World


@pytest.fixture(scope="module")
def fleet(real_fleet: Fleet, lab_hosts: Mapping[str, LabHost]) -> Iterator[Fleet]:
    """Systemd itself is the subject. Less of an answer is read than elsewhere, so that a flood need not be great."""
    ways = GuardedHosts(SshHosts(lab_hosts["web-01"].key_file, SshLimits(output=256 * 1024)))
    yield replace(real_fleet, ways=ways)
    ways.close()


pytestmark = pytest.mark.ssh

SYSTEMCTL = "/usr/bin/systemctl"
# For everybody but root, so that only the bot's looks are lied to.
LIAR = """#!/bin/sh
case "$(id -u) $*" in
    0\\ *) ;;
    *show*) {lie} ;;
esac
exec {real} "$@"
"""
FLOOD = "head -c 400000 /dev/zero | tr '\\0' x; echo"
TWICE = '{real} "$@" | sed p; exit'
SHORT = '{real} "$@" | grep -v ^ActiveState=; exit'


@contextmanager
def lying(host: AnyHost, lie: str) -> Iterator[None]:
    """systemctl says something else than the truth."""
    real = f"{SYSTEMCTL}.real"
    script = LIAR.format(lie=lie.format(real=real), real=real)
    host.run("mv", SYSTEMCTL, real)
    host.write(SYSTEMCTL, script, 0o755)
    try:
        yield
    finally:
        host.run("mv", real, SYSTEMCTL)


@contextmanager
def frozen(host: LabHost) -> Iterator[Callable[[], None]]:
    """Freezes PID 1 of the host when it is called; it goes on afterwards."""
    leader = host.nspawn.leader()
    try:
        yield lambda: os.kill(leader, signal.SIGSTOP)
    finally:
        os.kill(leader, signal.SIGCONT)


@contextmanager
def without_inodes(host: AnyHost) -> Iterator[None]:
    """The folder of the masks is on a file system that has no room for one more file."""
    fill = "i=0; while : >.full.$i; do i=$((i+1)); done 2>/dev/null"
    room = "mkdir /run/full; mount -t tmpfs -o nr_inodes=400 full /run/full; cp -a /etc/systemd/system/. /run/full"
    host.run("sh", "-c", f"{room}; mount --bind /run/full /etc/systemd/system; cd /etc/systemd/system; {fill}")
    try:
        yield
    finally:
        host.run("sh", "-c", "umount --lazy /etc/systemd/system /run/full; rmdir /run/full")


@pytest.mark.fault("F20", how="PID 1 of a real host stopped by SIGSTOP right after the stop was sent")
def test_a_host_whose_systemd_hangs_is_not_known_until_it_goes_on(
    open_world: Opening, lab_hosts: Mapping[str, LabHost], saw: Callable[[str], str]
) -> None:
    with open_world(timings=replace(QUICK, look_deadline=5.0, command_deadline=5.0)) as world:
        host = lab_hosts["web-01"]
        asked = world.mask("tuned")
        with frozen(host) as freeze, interfering(world.wire.after, verb="stop", happens=freeze):
            world.vote(asked)
            lost = world.when(asked, lambda now: now.target.unknown_since is not None, "an unknown outcome")
            assert "The host is overloaded, or its systemd hangs." in lost.target.note
            world.until(lambda: world.card(asked).startswith("NOT KNOWN YET"), "a card that says so")
            saw(f"NOT KNOWN YET: {lost.target.note}")
        done = world.until_final(asked)
        assert done.target.outcome is Outcome.PROVEN, done.target.note
        assert is_masked(host, "tuned.service")
        saw(world.card(done).partition("\n")[0])


@pytest.mark.fault("F26", how="/etc/systemd/system on a tmpfs without a free inode")
def test_a_full_disk_fails_before_anything_is_stopped(shared_world: World, saw: Callable[[str], str]) -> None:
    host = shared_world.hosts["web-02"]
    with without_inodes(host):
        done = shared_world.masked("tuned", host="web-02")
    assert done.target.outcome is Outcome.FAILED, (done.stage, done.because, done.target.note)
    card = shared_world.card(done)
    assert card.startswith("FAILED, NOTHING WAS CHANGED")
    assert "No space left on device" in card
    saw(f"FAILED, NOTHING WAS CHANGED: {done.target.note}")
    assert is_untouched(host, "tuned.service")


@pytest.mark.parametrize(
    ("lie", "code"),
    [
        pytest.param(
            FLOOD,
            "no_answer",
            marks=pytest.mark.fault("F30", how="400 KB before each answer, and at most 256 KiB are read"),
        ),
        pytest.param(SHORT, "incomplete_observation", marks=pytest.mark.fault("F30", how="answers that lack a part")),
        pytest.param(TWICE, "hostile_output", marks=pytest.mark.fault("F31", how="every line of an answer twice")),
    ],
    ids=["a flood", "too little", "twice"],
)
def test_a_host_that_answers_nonsense_is_not_believed(
    shared_world: World, lie: str, code: str, saw: Callable[[str], str]
) -> None:
    world, host = shared_world, shared_world.hosts["db-01"]
    with lying(host, lie):
        refused = world.mask("tuned", host="db-01")
    assert refused.stage is Stage.REFUSED
    assert "Nothing was changed." in saw(refused.because)
    assert "xxxx" not in repr(world.slack) + repr(refused)
    (known,) = [
        one for one in world.store.records() if one["request_id"] == refused.id and one["type"] != "request.received"
    ]
    assert (known["type"], known["reason_code"]) == ("request.refused", code)
    assert is_untouched(host, "tuned.service")


@pytest.mark.fault(
    "F30", how="400 KB before each answer, and at most 256 KiB are read, from the moment when the unit was stopped"
)
def test_a_host_that_answers_nonsense_in_the_middle_is_not_known_rather_than_down(shared_world: World) -> None:
    world, host = shared_world, shared_world.hosts["db-01"]
    asked = world.mask("metrics", host="db-01")
    lies = lying(host, FLOOD)
    with interfering(world.wire.after, verb="stop", happens=lies.__enter__):
        world.vote(asked)
        lost = world.when(asked, lambda now: now.target.unknown_since is not None, "an unknown outcome")
    assert lost.stage is Stage.RUNNING
    world.until(lambda: world.card(asked).startswith("NOT KNOWN YET"), "a card that says so")
    lies.__exit__(None, None, None)
    done = world.until_final(asked)
    assert done.target.outcome is Outcome.PROVEN, done.target.note
    assert is_masked(host, "metrics.service")
    world.card(done)


@pytest.mark.parametrize("hours", [-1, 1])
@pytest.mark.fault("F32", how="the bot's clock an hour before the host's, and an hour after it")
def test_a_clock_that_differs_from_the_hosts_changes_nothing_about_a_mask(open_world: Opening, hours: int) -> None:
    with open_world() as world:
        world.clock.ahead = timedelta(hours=hours)
        done = world.masked("restless", host="web-02")
        assert done.target.outcome is Outcome.PROVEN, done.target.note
        assert world.card(done).startswith("MASKED AND PROVEN")
        back = world.undo(done)
        assert back.target.outcome is Outcome.RESTORED, back.target.note
        assert world.card(back).startswith("UNMASKED, AS BEFORE")


@pytest.mark.fault("F33", how="a real host rebooted while the request waits for approval")
def test_a_host_that_was_rebooted_since_people_were_asked_says_so_and_goes_on(
    shared_world: World, saw: Callable[[str], str]
) -> None:
    host = shared_world.hosts["db-01"]
    asked = shared_world.mask("tuned", host="db-01")
    host.reboot()
    host.start_transient()
    done = shared_world.approve(asked)
    assert done.target.outcome is Outcome.PROVEN, (done.stage, done.changed_since, done.target.note)
    assert "the host was rebooted after approval was asked" in shared_world.card(done)
    saw("MASKED AND PROVEN, with the line: since asking, the host was rebooted after approval was asked")
    assert is_masked(host, "tuned.service")


@pytest.mark.parametrize(
    ("moment", "verb"),
    [("after", "mask"), ("after", "daemon-reload"), ("before", "start")],
    ids=["after the link", "after the reload", "right before the proof"],
)
@pytest.mark.fault("F75", how="the mask removed on the host by hand, after it was made and right before the proof")
def test_a_mask_that_somebody_takes_away_in_the_middle_is_no_success(
    shared_world: World, moment: str, verb: str, saw: Callable[[str], str]
) -> None:
    world, host = shared_world, shared_world.hosts["web-01"]
    asked = world.mask("tuned")
    place = world.wire.after if moment == "after" else world.wire.before
    with interfering(place, verb=verb, happens=lambda: host.run("systemctl", "unmask", "tuned.service")):
        done = world.approve(asked)
    assert host.show("tuned.service", "LoadState", "ActiveState") == {"LoadState": "loaded", "ActiveState": "inactive"}
    assert done.target.outcome is Outcome.NOT_PROTECTED
    assert "Somebody removed the mask" in done.target.note
    card = world.card(done)
    saw(f"{card.partition(chr(10))[0]}: {done.target.note}")
    assert "STOPPED but NOT MASKED" in card
    world.undo(done)
    assert is_untouched(host, "tuned.service")


@pytest.mark.fault("F75", how="the unit started on the host by hand, after the stop")
def test_a_unit_that_somebody_starts_in_the_middle_goes_down_again(shared_world: World) -> None:
    world, host = shared_world, shared_world.hosts["web-02"]
    asked = world.mask("primary", host="web-02")
    start = lambda: host.run("systemctl", "start", "primary.service")  # noqa: E731 - it happens once, later
    with interfering(world.wire.after, verb="stop", happens=start):
        done = world.approve(asked)
    assert done.target.outcome is Outcome.PROVEN, done.target.note
    assert is_masked(host, "primary.service")
    assert world.card(done).startswith("MASKED AND PROVEN")
