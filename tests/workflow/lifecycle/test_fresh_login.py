"""The last line of the proof for a guarded unit, on real hosts: the bot can still log in anew, or all is put back."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from bot.core.requests import Outcome, Request
from bot.edges.ssh.guarded import GuardedHosts
from tests.workflow.fleet import AnyHost, Fleet
from tests.workflow.slack import BOB, CAROL
from tests.workflow.world import World

pytestmark = pytest.mark.ssh
VENDOR = "/usr/lib/systemd/system"
# pam_nologin(8): while this file is there, sshd lets nobody but root in; connections that are open go on.
CLOSED = "/etc/nologin"
PLAIN = "[Service]\nExecStart=/usr/bin/sleep infinity\n"
GATE = f"{PLAIN}ExecStartPre=/bin/rm -f {CLOSED}\nExecStopPost=/usr/bin/touch {CLOSED}\n"


@pytest.fixture(scope="module")
def fleet(real_fleet: Fleet) -> Fleet:
    """Logins are the subject."""
    return real_fleet


@pytest.fixture
def changed_deps(ways: GuardedHosts) -> Mapping[str, Any]:
    """A bot that can log in anew."""
    return {"log_in": ways.log_in}


@pytest.fixture
def host(world: World) -> Iterator[AnyHost]:
    """A host with guarded units; without one of them nobody is let in any more."""
    one = world.hosts["web-02"]
    one.write(f"{VENDOR}/redis-gate.service", GATE)
    one.write(f"{VENDOR}/redis-plain.service", PLAIN)
    one.run("sh", "-c", "systemctl daemon-reload; systemctl start redis-gate redis-plain")
    yield one
    one.run(
        "sh", "-c", f"systemctl stop redis-gate redis-plain; rm -f {CLOSED} {VENDOR}/redis-*; systemctl daemon-reload"
    )


def approved(world: World, unit: str, **options: Any) -> Request:
    request = world.mask(unit, host="web-02", **options)
    for person in (BOB, CAROL):
        world.vote(request, by=person, console_works=True)
    return world.until_final(request)


def test_a_mask_after_which_nobody_is_let_in_is_undone_over_the_connection_that_is_open(
    world: World, host: AnyHost
) -> None:
    mask = approved(world, "redis-gate")
    assert mask.target.outcome is Outcome.PROVEN
    assert "login" in mask.aftercare.no_login
    undone = world.when(mask, lambda now: bool(now.undone_by), "its undo")
    undo = world.until_final(world.store.get(undone.undone_by))
    assert (undo.ask.by_itself, undo.target.outcome) == (True, Outcome.RESTORED)
    assert host.show("redis-gate.service", "ActiveState", "LoadState") == {
        "ActiveState": "active",
        "LoadState": "loaded",
    }
    assert host.run("test", "-e", CLOSED).returncode != 0


def test_a_mask_after_which_the_bot_logs_in_anew_stays(world: World, host: AnyHost) -> None:
    mask = approved(world, "redis-plain")
    assert (mask.target.outcome, mask.aftercare.no_login, mask.is_live_mask) == (Outcome.PROVEN, "", True)
    assert world.undo(mask).target.outcome is Outcome.RESTORED
    assert host.show("redis-plain.service", "ActiveState") == {"ActiveState": "active"}
