"""What a look meets on a real host at its bounds, and what is removed behind its back: seen, and said."""

import time
from collections.abc import Iterator

import pytest

from bot.core.requests import Outcome, Request, Stage
from bot.core.systemd.host_rules import LOOK_SECONDS
from tests.workflow.fleet import AnyHost, Fleet
from tests.workflow.world import World

pytestmark = pytest.mark.ssh

VENDOR, ETC = "/usr/lib/systemd/system", "/etc/systemd/system"
PLAIN = "[Service]\nExecStart=/usr/bin/sleep infinity\n"
MANY = 400
LONG = "b" * 180


@pytest.fixture(scope="module")
def fleet(real_fleet: Fleet) -> Fleet:
    """Files and systemd are the subject."""
    return real_fleet


@pytest.fixture(scope="module")
def host(shared_world: World) -> Iterator[AnyHost]:
    """One host with units that others have furnished oddly."""
    one = shared_world.hosts["web-02"]
    for name in ("dropped", "overridden", "odd"):
        one.write(f"{VENDOR}/bnd-{name}.service", PLAIN)
        one.write(f"{ETC}/bnd-{name}.service.d/nice.conf", "[Service]\nNice=3\n")
    one.write(f"{ETC}/bnd-overridden.service", f"# ours\n{PLAIN}")
    one.run("sh", "-c", "systemctl daemon-reload; systemctl start bnd-dropped bnd-overridden bnd-odd")
    yield one
    one.run("sh", "-c", f"systemctl stop 'bnd-*'; cd {ETC}; rm -rf bnd-* {VENDOR}/bnd-*; systemctl daemon-reload")


def asked_anew(world: World, asked: Request) -> Request:
    """Approve, and return when people are asked once more, or when it is over."""
    before = asked.target.digest
    world.vote(asked)
    return world.when(
        asked,
        lambda now: now.stage.is_final or (now.stage is Stage.WAITING and now.target.digest != before),
        "another question",
    )


@pytest.mark.fault("F85", how="a unit file on a real host that leads to /dev/zero")
def test_a_unit_file_without_an_end_is_not_read(shared_world: World, host: AnyHost) -> None:
    host.run("ln", "-s", "/dev/zero", f"{ETC}/bnd-hollow.service")
    began = time.monotonic()
    answered = shared_world.mask("bnd-hollow", host="web-02")
    assert (answered.stage, time.monotonic() - began < LOOK_SECONDS / 2) == (Stage.REFUSED, True)
    assert "masked" in answered.because
    assert "/dev/zero" not in host.run("ps", "-u", host.login, "-o", "args=").stdout


@pytest.mark.fault("F86", how="a drop-in with blanks in its name and one that only root may read, then edited")
def test_odd_and_unreadable_drop_ins_are_said_and_their_edits_noticed(shared_world: World, host: AnyHost) -> None:
    folder = f"{VENDOR}/bnd-odd.service.d"
    host.write(f"{folder}/a b  c.conf", "[Service]\nNice=4\n")
    host.write(f"{folder}/secret.conf", "[Service]\nNice=5\n", 0o600)
    host.run("systemctl", "daemon-reload")
    asked = shared_world.mask("bnd-odd", host="web-02")
    assert f"{folder}/secret.conf: the bot may not read it, and notices an edit by size and time" in shared_world.card(
        asked
    )
    host.write(f"{folder}/a b  c.conf", "[Service]\nNice=6\n")
    asked = asked_anew(shared_world, asked)
    assert f"{folder}/a b  c.conf" in " ".join(asked.changed_since)
    host.write(f"{folder}/secret.conf", "[Service]\nNice=7\n", 0o600)
    asked = asked_anew(shared_world, asked)
    assert f"{folder}/secret.conf" in " ".join(asked.changed_since)
    assert "the plan has changed since it was approved" in shared_world.card(asked)


@pytest.mark.fault("F87", how=f"{MANY} services of a real host, with names of 200 letters, that stop with the unit")
def test_hundreds_of_services_with_long_names_are_all_seen(shared_world: World, host: AnyHost) -> None:
    known = "".join(f"After=bnd-{LONG}@{number}.service\n" for number in range(MANY))
    names = [f"bnd-{LONG}@{number}.service" for number in range(MANY)]
    host.write(f"{VENDOR}/bnd-{LONG}@.service", f"[Unit]\nBindsTo=bnd-hub.service bnd-idle.service\n{PLAIN}")
    host.write(f"{VENDOR}/bnd-idle.service", f"[Unit]\n{known.replace('After', 'Before')}{PLAIN}")
    host.write(f"{VENDOR}/bnd-hub.service", PLAIN)
    host.write(f"{VENDOR}/bnd-keeper.service", f"[Unit]\n{known}{PLAIN}")  # as long as it runs, all are loaded
    host.run("sh", "-c", "systemctl daemon-reload; systemctl start bnd-keeper")
    asked = shared_world.mask("bnd-hub", host="web-02")
    assert asked.target.planned and asked.target.planned.around, asked.because
    assert {one.unit for one in asked.target.planned.around.would_stop} == {*names}
    assert "MASK bnd-hub.service on web-02" in shared_world.card(asked)
    host.run("systemctl", "stop", "bnd-keeper")

    idle = shared_world.mask("bnd-idle", host="web-02")  # none of them is loaded, and each question would load them all
    assert idle.target.planned and idle.target.planned.around, idle.because
    assert {one.unit for one in idle.target.planned.around.would_stop} == {*names}


@pytest.mark.fault("F88", how="an override in /etc and a folder of drop-ins removed while the units were masked")
@pytest.mark.parametrize(
    ("unit", "gone"),
    [("bnd-dropped.service", "bnd-dropped.service.d"), ("bnd-overridden.service", "bnd-overridden.service")],
)
def test_what_is_removed_is_seen_before_it_acts_and_after_the_undo(
    shared_world: World, host: AnyHost, unit: str, gone: str
) -> None:
    path, kept = f"{ETC}/{gone}", f"/opt/kept-{gone}"
    file = f"{path}/nice.conf" if gone.endswith(".d") else path
    asked = shared_world.mask(unit, host="web-02")
    host.run("mv", path, kept)
    asked = asked_anew(shared_world, asked)
    assert file in " ".join(asked.changed_since), asked
    host.run("mv", kept, path)
    done = shared_world.approve(asked)  # as it was approved first
    assert done.target.outcome is Outcome.PROVEN, done.target.note
    host.run("rm", "-r", path)
    back = shared_world.undo(done)
    assert back.target.outcome is Outcome.RESTORED_PARTLY
    assert f"another program may run: {file} is not part of it any more" in back.target.note


@pytest.mark.fault("F89", how="sixty unit files of a real host changed since its systemd read them")
def test_more_changed_files_than_a_look_follows_are_counted(shared_world: World, host: AnyHost) -> None:
    names = " ".join(f"bnd-new-{number}.service" for number in range(60))
    host.run("sh", "-c", f"sleep 0.1; cd {ETC}; touch {names}")
    try:
        asked = shared_world.mask("worker", host="web-02")
        assert "also reads 1" in shared_world.card(asked)
        assert "more changed files" in shared_world.card(asked)
    finally:
        host.run("sh", "-c", f"cd {ETC}; rm {names}; systemctl daemon-reload")
