"""When a host breaks in the middle: what is said is what is known, and nothing is sent again that is not needed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.hosts.inventory import Inventory
from bot.core.requests import Outcome, Request, Stage
from bot.core.systemd.host_rules import GUARD
from bot.edges.ssh.guarded import GuardedHosts
from tests.plugins.fault_table import was_read
from tests.workflow.fleet import AnyHost, Fleet
from tests.workflow.hands import SESSION, cut_off, let_in
from tests.workflow.invariants import violations
from tests.workflow.slack import ALICE, caller
from tests.workflow.wire import Call, Trouble
from tests.workflow.world import World, inventory


@pytest.fixture(scope="module")
def fleet(real_fleet: Fleet) -> Fleet:
    """Systemd itself is the subject."""
    return real_fleet


pytestmark = pytest.mark.ssh

SUDOERS = "/etc/sudoers.d/maskbot"
SLOW_GENERATOR = "/run/systemd/system-generators/slow"


@contextmanager
def interfering(calls: list[Trouble], *, verb: str, happens: Callable[[], object]) -> Iterator[None]:
    """Something happens once, at the first sending of a verb."""
    once = [happens]

    def interfere(call: Call) -> None:
        if call.verb == verb and once:
            once.pop()()

    calls.append(interfere)
    yield
    calls.remove(interfere)
    assert not once


def without_right(host: AnyHost, verb: str) -> str:
    """A guard that does not do a verb any more; returns how it was."""
    whole = host.run("cat", GUARD).stdout
    assert f'self._systemctl("{verb}' in whole
    host.write(GUARD, whole.replace(f'self._systemctl("{verb}', f'self._systemctl("not-{verb}'), 0o755)
    return whole


def is_untouched(host: AnyHost, unit: str) -> bool:
    return host.show(unit, "LoadState", "ActiveState") == {"LoadState": "loaded", "ActiveState": "active"}


def is_masked(host: AnyHost, unit: str) -> bool:
    return host.show(unit, "LoadState", "ActiveState") == {"LoadState": "masked", "ActiveState": "inactive"}


@pytest.mark.fault("F25", how="/etc remounted read-only on the host")
def test_a_read_only_etc_fails_before_anything_is_stopped(shared_world: World) -> None:
    host = shared_world.hosts["web-01"]
    host.run("sh", "-ec", "mount --bind /etc /etc; mount -o remount,ro,bind /etc")
    done = shared_world.masked("tuned")
    assert host.run("umount", "--lazy", "/etc").returncode == 0  # somebody may just have a file of it open
    assert done.target.outcome is Outcome.FAILED
    assert shared_world.card(done).startswith("FAILED, NOTHING WAS CHANGED")
    assert "Read-only file system" in shared_world.card(done)
    assert is_untouched(host, "tuned.service")


@pytest.mark.parametrize("way_on", ["mask again", "start it again"])
@pytest.mark.fault("F27", how="a guard that cannot reload any more after the stop")
def test_a_reload_that_fails_leaves_it_not_protected_and_shows_two_ways_on(shared_world: World, way_on: str) -> None:
    world, host = shared_world, shared_world.hosts["web-02"]
    kept: list[str] = []
    asked = world.mask("worker", host="web-02")
    with interfering(world.wire.after, verb="stop", happens=lambda: kept.append(without_right(host, "daemon-reload"))):
        done = world.approve(asked)
    host.write(GUARD, kept[0], 0o755)
    assert done.target.outcome is Outcome.NOT_PROTECTED, done.target.note
    card = world.card(done)
    assert card.startswith("NOT PROTECTED")
    assert "STOPPED but NOT MASKED" in card
    assert "[Mask again] [Start it again]" in card
    assert host.show("worker.service", "ActiveState") == {"ActiveState": "inactive"}

    if way_on == "mask again":
        again = world.desk.mask_again(done.id, caller(ALICE, f"again-{done.id}"))
        ended = world.until_answered(again)
        assert ended.target.outcome is Outcome.PROVEN, (ended.stage, ended.because, ended.target.note)
        assert is_masked(host, "worker.service")
        assert world.card(done).startswith("NOT PROTECTED, MASKED AGAIN SINCE")
        assert "[Start it again]" not in world.card(done)
        back = world.undo(ended)
    else:
        back = world.undo(done)
    assert back.target.outcome is Outcome.RESTORED, (back.because, back.target.note)
    for unit in ("worker.service", "metrics.service", "partof.service"):
        assert is_untouched(host, unit), unit


@pytest.mark.fault("F01", how="sshd stopped after the approval")
def test_a_host_that_cannot_be_reached_when_its_turn_comes_is_not_changed(shared_world: World) -> None:
    host = shared_world.hosts["db-01"]
    asked = shared_world.mask("tuned", host="db-01")
    cut_off(host)
    done = shared_world.approve(asked)
    let_in(host)
    assert done.target.outcome is Outcome.FAILED
    assert "connection refused. Nothing was sent." in shared_world.card(done)
    assert is_untouched(host, "tuned.service")


@pytest.mark.fault("F14", how="sshd stopped after the stop was sent")
def test_a_host_that_is_lost_after_the_stop_is_not_known_until_it_is_seen_again(shared_world: World) -> None:
    world, host = shared_world, shared_world.hosts["db-01"]
    asked = world.mask("tuned", host="db-01")
    with interfering(world.wire.after, verb="stop", happens=lambda: cut_off(host)):
        world.vote(asked)
        lost = world.when(asked, lambda now: now.target.unknown_since is not None, "an unknown outcome")
    assert lost.stage is Stage.RUNNING
    world.until(lambda: world.card(asked).startswith("NOT KNOWN YET"), "a card that says so")
    assert "[Check now]" in world.card(asked)
    let_in(host)
    done = world.until_final(asked)
    assert done.target.outcome is Outcome.PROVEN
    assert [sent.step for sent in done.target.sent].count("stop") == 1
    assert is_masked(host, "tuned.service")


@pytest.mark.fault("F15", how="the session's sshd killed while a daemon-reload runs")
def test_a_command_whose_answer_is_cut_off_is_looked_after_and_not_repeated(shared_world: World) -> None:
    world, host = shared_world, shared_world.hosts["web-01"]
    asked = world.mask("tuned")
    host.write(SLOW_GENERATOR, "#!/bin/sh\nsleep 2\n", 0o755)  # systemd waits for it at each reload
    world.vote(asked)
    world.when(asked, lambda now: [sent.step for sent in now.target.sent][-1:] == ["reload"], "a reload")
    world.until(lambda: host.run("pgrep", "-f", "systemctl.*daemon-reload").returncode == 0, "that reload on the host")
    host.run("pkill", "-KILL", "-f", SESSION)
    host.run("rm", SLOW_GENERATOR)
    ended = world.until_final(asked)
    assert ended.target.outcome is Outcome.PROVEN, ended.target.note
    assert [sent.exit_code for sent in ended.target.sent if sent.step == "reload"] == [None]
    assert "exec.outcome_unknown" in {event["type"] for event in world.store.records()}
    assert is_masked(host, "tuned.service")
    world.undo(ended)


@pytest.mark.fault("F17", how="the sudoers fragment removed")
def test_missing_rights_are_known_when_it_is_asked(shared_world: World) -> None:
    host = shared_world.hosts["web-02"]
    whole = host.run("cat", SUDOERS).stdout
    host.run("rm", SUDOERS)
    refused = shared_world.mask("tuned", host="web-02")
    host.write(SUDOERS, whole, 0o440)
    assert (refused.stage, "does not let the bot's login call the guard" in was_read(refused.because)) == (
        Stage.REFUSED,
        True,
    ), refused.because
    assert is_untouched(host, "tuned.service")


@pytest.mark.fault("F34", how="another machine-id than the one in hosts.yaml")
def test_another_machine_under_the_same_name_is_refused(
    shared_world: World, ways: GuardedHosts, tmp_path: Path
) -> None:
    known = inventory(shared_world.hosts)
    other = Inventory(tuple(replace(host, machine_id="f" * 32) for host in known.hosts))
    world = World(shared_world.hosts, f"sqlite:///{tmp_path}/var/maskbot.db", ways=ways, inventory=other)
    with world.store.exclusive(), world.running():
        refused: Request = world.mask("restless")
        assert (refused.stage, "machine-id" in was_read(refused.because)) == (Stage.REFUSED, True)
        assert violations(world) == []
    world.answers.close()
    assert is_untouched(shared_world.hosts["web-01"], "restless.service")


def test_a_mask_until_the_next_reboot_is_over_after_one_and_the_undo_says_so(shared_world: World) -> None:
    host = shared_world.hosts["db-01"]
    done = shared_world.masked("cron", host="db-01", runtime=True)
    assert done.target.outcome is Outcome.PROVEN
    host.reboot()
    assert is_untouched(host, "cron.service")
    back = shared_world.undo(done)
    assert back.target.outcome is Outcome.UNMASKED, back.because
    assert "The mask lasted until the next reboot, and the host was rebooted." in shared_world.card(back)
    assert is_untouched(host, "cron.service")
    assert shared_world.card(done).startswith("UNDONE")
    host.start_transient()


@pytest.mark.fault("F75", how="our link replaced by another one between the last look and its removal")
def test_a_link_that_somebody_puts_in_the_place_of_ours_right_before_the_removal_stays(world: World) -> None:
    """Between the last look and the command: what is removed is what was seen, by its inode and its change time."""
    done = world.masked("tuned", host="web-01")
    path, host = "/etc/systemd/system/tuned.service", world.hosts["web-01"]

    def put_another() -> None:
        host.run("rm", path)
        host.run("ln", "-s", "/dev/null", path)

    with interfering(world.wire.before, verb="unmask", happens=put_another):
        back = world.undo(done)
    assert back.target.outcome is Outcome.NOT_OURS
    assert host.run("readlink", path).stdout == "/dev/null\n"
