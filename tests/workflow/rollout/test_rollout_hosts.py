"""Rollouts on real hosts: a set is closed and brought back as one, and no wave begins that must not."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.core.hosts.inventory import Inventory
from bot.core.policy.configuration import ConfigSnapshot
from bot.core.requests import Duration, FollowupKind, KeepActive, Outcome, Rollout, RolloutRule, Stage, TargetStatus
from tests.workflow.fleet import AnyHost, Fleet
from tests.workflow.rollout.rolled import HOSTS, paused, refuse, rolled_out, statuses, targets, touched
from tests.workflow.slack import ALICE
from tests.workflow.world import POLICY, World, inventory

pytestmark = pytest.mark.ssh
DONE, FAILED, READY = TargetStatus.DONE, TargetStatus.FAILED, TargetStatus.READY
SET = ("echo.socket", "echo.timer", "echo.service")
GREETING = 'use IO::Socket::UNIX; my $s = IO::Socket::UNIX->new("/run/echo.sock") or die "refused"; print <$s>'
DROP_INS = "/etc/systemd/system/echo.service.d"
MASKED = {"LoadState": "masked", "ActiveState": "inactive"}


@pytest.fixture(scope="module")
def fleet(real_fleet: Fleet) -> Fleet:
    """What sockets and timers start, systemd alone knows."""
    return real_fleet


@pytest.fixture
def changed_deps() -> Mapping[str, Any]:
    (rule,) = POLICY.rules
    kept = replace(rule, rollout=RolloutRule(waves=("1", "1", "rest"), keep_active=KeepActive("web", 1)))
    return {"policy": replace(POLICY, rules=(kept,))}


def states(host: AnyHost, units: tuple[str, ...] = SET) -> list[dict[str, str]]:
    return [host.show(unit, "LoadState", "ActiveState", "SubState", "UnitFileState") for unit in units]


def greeting(host: AnyHost) -> str:
    said = host.run("perl", "-e", GREETING)
    return said.stdout.strip() or said.stderr.partition(" at ")[0]


@pytest.fixture
def with_timer(world: World) -> Any:
    """A host on which a socket and a timer start the same service."""
    host = world.hosts["web-01"]
    host.write("/etc/systemd/system/echo.timer", "[Timer]\nOnActiveSec=1h\n")
    host.run("systemctl", "daemon-reload")
    host.run("systemctl", "stop", "echo.service")
    host.run("systemctl", "start", "echo.socket", "echo.timer")
    yield host
    host.run("systemctl", "stop", "echo.timer")
    host.run("rm", "-rf", "/etc/systemd/system/echo.timer", DROP_INS)
    host.run("systemctl", "daemon-reload")


@pytest.mark.parametrize(
    ("service", "named"),
    [("idle", ("echo",)), ("running", ("echo", "echo.socket", "echo.timer")), ("bound to its socket", ("echo",))],
)
def test_a_set_is_closed_and_brought_back_as_one(
    world: World, with_timer: AnyHost, service: str, named: tuple[str, ...]
) -> None:
    if service == "bound to its socket":  # its stop takes the service with it
        with_timer.write(f"{DROP_INS}/bound.conf", "[Unit]\nRequires=echo.socket\nAfter=echo.socket\n")
        with_timer.run("systemctl", "daemon-reload")
    if service != "idle":
        assert greeting(with_timer) == "hello"
    before = states(with_timer)
    assert before[-1]["ActiveState"] == ("inactive" if service == "idle" else "active")
    asked = rolled_out(world, "web-01", units=named, with_triggers=named == ("echo",))
    assert {str(one.unit) for one in _rollout(asked).planned} == {*SET}, [one.note for one in _rollout(asked).targets]
    assert str(_rollout(asked).targets[-1].unit) == "echo.service"
    done = world.approve(asked)
    masked = [call.unit for call in world.wire.calls if call.verb == "mask"]
    assert sorted(masked[:2]) == ["echo.socket", "echo.timer"] and masked[2:] == ["echo.service"]
    assert {one.status for one in _rollout(done).targets} == {DONE}, _ends(done)
    for unit in SET:
        assert "is masked" in with_timer.run("systemctl", "start", unit).stderr
        assert with_timer.show(unit, *MASKED) == MASKED
    assert greeting(with_timer) == "refused"
    undone = world.until_final(world.undo(done))
    assert {one.status for one in _rollout(undone).targets} == {DONE}, _ends(undone)
    assert states(with_timer) == before
    assert greeting(with_timer) == "hello"


def test_one_that_was_edited_is_asked_again_and_the_end_of_the_hour_takes_all_back(world: World) -> None:
    before = [states(host, ("worker.service",)) for host in world.hosts.values()]
    asked = rolled_out(world, *HOSTS, duration=Duration(lasts=timedelta(hours=1)))
    edited = world.hosts["web-02"]
    edited.write("/etc/systemd/system/worker.service.d/later.conf", "[Service]\nNice=5\n")
    edited.run("systemctl", "daemon-reload")
    world.vote(asked)
    world.when(asked, lambda now: statuses(world, now)["db-01"] is DONE, "the others")
    assert edited.show("worker.service", "LoadState", "ActiveState") == {"LoadState": "loaded", "ActiveState": "active"}
    world.vote(targets(world, asked)["web-02"])
    assert set(statuses(world, world.until_final(asked)).values()) == {DONE}
    world.clock.ahead += timedelta(hours=1, minutes=1)
    gone = world.when(asked, lambda now: bool(now.undone_by), "its end")
    assert set(statuses(world, world.until_final(world.store.get(gone.undone_by))).values()) == {DONE}
    assert [states(host, ("worker.service",)) for host in world.hosts.values()] == before
    edited.run("rm", "-r", "/etc/systemd/system/worker.service.d")
    edited.run("systemctl", "daemon-reload")


def test_it_stops_at_the_second_of_three_and_undo_all_undoes_the_first(world: World) -> None:
    asked = rolled_out(world, *HOSTS)
    refuse(world, "web-02")
    world.vote(asked)
    stopped = paused(world, asked)
    assert statuses(world, stopped) == {"web-01": DONE, "web-02": FAILED, "db-01": READY}
    assert world.hosts["web-01"].show("worker", *MASKED) == MASKED
    assert world.hosts["db-01"].show("worker", "ActiveState") == {"ActiveState": "active"}
    assert "db-01" not in touched(world)
    world.follow_up(stopped, FollowupKind.STOP_HERE, by=ALICE)
    over = world.until_final(asked)
    assert targets(world, over)["web-01"].target.outcome is Outcome.PROVEN
    world.wire.before.clear()
    world.until_final(world.undo(over))
    for host in world.hosts.values():
        assert host.show("worker", "LoadState") == {"LoadState": "loaded"}


def test_a_host_that_is_down_already_counts_against_those_that_must_stay_active(world: World) -> None:
    web = tuple(replace(host, groups=frozenset({"web"})) for host in inventory(world.hosts).hosts)
    world.in_force.put(ConfigSnapshot(Inventory(web), world.in_force.policy))
    world.hosts["db-01"].run("systemctl", "stop", "worker")
    refused = rolled_out(world, "web-01", "web-02")
    assert refused.stage is Stage.REFUSED
    assert (
        "worker.service must stay active on 1 host of @web. It is active on 2 now, and this would leave 0"
        in refused.because
    )
    assert touched(world) == set()


def _rollout(request: Any) -> Rollout:
    assert request.rollout
    rollout: Rollout = request.rollout
    return rollout


def _ends(request: Any) -> list[str]:
    return [f"{one.unit}: {one.outcome or one.status} {one.note}" for one in _rollout(request).targets]
