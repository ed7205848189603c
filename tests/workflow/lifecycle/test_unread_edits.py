"""Edits that a reload would apply, on a real host: a masked unit with a drop-in has none, though 252 says so."""

from collections.abc import Mapping

import pytest

from bot.core.cards.blocks import escape
from bot.core.requests import Outcome, Verdict
from tests.workflow.fleet import Fleet
from tests.workflow.world import World

pytestmark = pytest.mark.ssh
VENDOR, ETC = "/usr/lib/systemd/system", "/etc/systemd/system"


@pytest.fixture(scope="module")
def fleet(real_fleet: Fleet) -> Fleet:
    """What systemd says is the subject."""
    return real_fleet


def test_a_masked_unit_with_a_drop_in_has_no_pending_edits(world: World) -> None:
    host = world.hosts["web-01"]
    drop_in = "/run/systemd/system/worker.service.d/x.conf"
    host.run("sh", "-c", f"mkdir -p {drop_in.rpartition('/')[0]}; printf '[Unit]\\nDescription=x\\n' >{drop_in}")
    host.run("systemctl", "mask", "worker.service")
    host.run("systemctl", "daemon-reload")
    assert host.show("worker.service", "LoadState") == {"LoadState": "masked"}
    asked = world.mask("restless")
    assert asked.target.planned and asked.target.planned.around
    assert "worker.service" not in asked.target.planned.around.pending_reload
    assert "pending edits" not in world.card(asked)


NICE = "printf '[Service]\\nNice=3\\n' >"
# Each is an edit of its own, with a name that no other one leads to; what is named for all services goes without more.
FOR_ALL = {
    "drop-ins of all services": (f"mkdir {ETC}/service.d; {NICE}{ETC}/service.d/a.conf", "*.service"),
}
EDITS = {
    "a new directory of drop-ins": (f"mkdir {ETC}/cron.service.d; {NICE}{ETC}/cron.service.d/a.conf", "cron.service"),
    "drop-ins by a prefix": (f"mkdir {ETC}/work-.service.d; {NICE}{ETC}/work-.service.d/a.conf", "work-*.service"),
    "drop-ins of a template": (f"mkdir {ETC}/db@.service.d; {NICE}{ETC}/db@.service.d/a.conf", "db@.service"),
    "a file that overrides another": (f"cp {VENDOR}/stubborn.service {ETC}/", "stubborn.service"),
    "a mask": (f"ln -s /dev/null {ETC}/watchdog.service", "watchdog.service"),
    "who is started by a target": (
        f"mkdir {ETC}/multi-user.target.upholds; ln -s {VENDOR}/gate.service {ETC}/multi-user.target.upholds/",
        "multi-user.target",
    ),
    "the manager's own": (
        "mkdir -p /etc/systemd/system.conf.d; printf '[Manager]\\n' >/etc/systemd/system.conf.d/a.conf",
        "system.conf",
    ),
    "what a generator reads": ("echo '# new' >>/etc/fstab", "fstab"),
}


@pytest.mark.parametrize("edits", [EDITS, FOR_ALL], ids=["eight", "for all services"])
def test_each_edit_that_systemd_does_not_know_of_is_named(
    shared_world: World, edits: Mapping[str, tuple[str, str]]
) -> None:
    """systemd says NeedDaemonReload=no of some of these (measured)."""
    host = shared_world.hosts["web-01"]
    host.run("systemctl", "daemon-reload")
    made = host.run("sh", "-ec", "\n".join(edit for edit, _ in edits.values()))
    assert made.returncode == 0, made.stderr
    asked = shared_world.mask("restless")
    try:
        assert asked.target.planned and asked.target.planned.around, asked.because
        named = asked.target.planned.around.pending_reload
        assert [what for what, (_, name) in edits.items() if name not in named] == [], named
        assert f"also applies pending edits of {escape(named[0])}" in shared_world.card(asked)
    finally:
        shared_world.vote(asked, Verdict.DENY)
        host.run(
            "sh", "-c", f"cd {ETC}; rm -rf *.service.d/a.conf service.d multi-user.target.upholds; rm -f stubborn*"
        )
        host.run("sh", "-c", f"rm -f {ETC}/watchdog.service /etc/systemd/system.conf.d/a.conf; systemctl daemon-reload")


@pytest.mark.parametrize("gone", ["override", "drop-ins"])
def test_files_that_were_removed_are_edits_too(shared_world: World, gone: str) -> None:
    host = shared_world.hosts["web-01"]
    made = {"override": f"{ETC}/cron.service", "drop-ins": f"{ETC}/cron.service.d"}[gone]
    host.run("sh", "-c", f"cp {VENDOR}/cron.service {made} || true")
    if gone == "drop-ins":
        host.run("sh", "-c", f"rm -rf {made}; mkdir {made}; {NICE}{made}/a.conf")
    host.run("systemctl", "daemon-reload")
    host.run("rm", "-r", made)
    asked = shared_world.mask("restless")
    assert "also applies pending edits of cron.service" in shared_world.card(asked)
    shared_world.vote(asked, Verdict.DENY)


def test_an_undo_says_which_edits_of_others_its_reload_has_applied(shared_world: World) -> None:
    host = shared_world.hosts["web-01"]
    host.run("systemctl", "daemon-reload")
    done = shared_world.masked("restless")
    assert "pending edits" not in shared_world.card(done)
    host.run("sh", "-ec", f"mkdir {ETC}/cron.service.d; {NICE}{ETC}/cron.service.d/a.conf")
    back = shared_world.undo(done)
    assert host.show("cron.service", "Nice") == {"Nice": "3"}
    assert "also applied pending edits of cron.service" in shared_world.card(back)


def test_a_unit_that_ran_before_its_edit_was_loaded_is_not_as_before(shared_world: World) -> None:
    host = shared_world.hosts["web-01"]
    host.write(f"{VENDOR}/edited.service", "[Service]\nExecStart=/bin/sleep 9991\n")
    host.run("sh", "-c", "systemctl daemon-reload; systemctl start edited")
    host.write(f"{VENDOR}/edited.service", "[Service]\nExecStart=/bin/sleep 9992\n")
    asked = shared_world.mask("edited")
    assert "an undo starts it as edited" in shared_world.card(asked)
    back = shared_world.undo(shared_world.approve(asked))
    assert "sleep 9992" in host.run("systemctl", "show", "-p", "ExecStart", "edited").stdout
    assert back.target.outcome is Outcome.RESTORED_PARTLY
    assert back.target.note == "it runs as edited: systemd had not loaded its changed files before"
