"""What root does for the bot's login, and what it remembers of it, on a host of a few files."""

import os
import signal
import time
from pathlib import Path

import pytest

from bot.edges.guard import logins, memory
from bot.edges.guard.changes import Changes
from bot.edges.guard.journal import Note
from bot.edges.guard.memory import Memory, Record
from bot.edges.guard.process import FAILED, Refused
from bot.edges.guard.root_client import Unanswered
from bot.edges.guard.settings import Settings
from bot.edges.guard.units import Manager
from tests.edges.descriptors import open_around
from tests.edges.guard.host_stand_in import DEPLOY, HostStandIn, boot_id
from tests.edges.guard.processes_stand_in import Processes

CLIENT, CRON, MINE = "192.0.2.1 5022 192.0.2.2 22", "cron.service", "mine.service"
RIGHTS = ["mask", "unmask", "stop", "start", "reset-failed", "reload", "kill"]
BOOT = boot_id()
SHOWN = f"Id={MINE}\nNames={MINE}\nLoadState=loaded\nActiveState=active\n"


@pytest.fixture(autouse=True)
def running(here: HostStandIn, processes: Processes) -> None:
    """A unit that runs, with one that stops with it, and the bot's login by way of another."""
    processes.are("0::/system.slice/entry.service/session\n")
    here.systemd.has(CRON, "active", "crond.service", RequiredBy=["atd.service", "down.service"])
    here.systemd.has("atd.service", "active")
    here.systemd.has("down.service", "inactive")
    for verb in ("stop", "start", "kill", "reset-failed", "daemon-reload"):
        here.systemctl.says(verb, "")
    here.systemctl.says("show", SHOWN)


def changes(user: str = "", *critical: str, foreign: bool = False) -> Changes:
    settings = Settings()
    settings.foreign_masks = foreign
    return Changes(Manager(user, []), settings, critical, Note({"request": "R-7", "reason": "why"}), CLIENT)


def done(verb: str, *words: str, user: str = "", critical: tuple[str, ...] = (), foreign: bool = False) -> str:
    """What it prints, where it succeeds."""
    with changes(user, *critical, foreign=foreign) as one:
        ended = getattr(one, verb)(*words)
    assert (ended.code, ended.err) == (0, b"")
    return ended.out.decode()  # type: ignore[no-any-return]


def refused(verb: str, *words: str, user: str = "", critical: tuple[str, ...] = (), foreign: bool = False) -> str:
    with changes(user, *critical, foreign=foreign) as one, pytest.raises(Refused) as why:
        getattr(one, verb)(*words)
    return str(why.value)


def failed(verb: str, *words: str, user: str = "") -> str:
    with changes(user) as one:
        ended = getattr(one, verb)(*words)
    assert (ended.code, ended.out) == (FAILED, b"")
    return ended.err.decode()  # type: ignore[no-any-return]


def identity(path: Path) -> str:
    found = path.lstat()
    return f"{found.st_ino}:{found.st_ctime_ns // 10**9}.{found.st_ctime_ns % 10**9:09d}"


def record(unit: str = CRON, **parts: object) -> Record:
    one = Record("", unit)
    one.names = [unit]
    for name, value in parts.items():
        setattr(one, name, value)
    return one


class TestCheck:
    """What the bot may do, in words."""

    def test_it_says_what_it_can_do(self, here: HostStandIn) -> None:
        before = open_around(here.folder)
        assert done("check", CRON).splitlines() == [*RIGHTS, "control"]
        assert done("check", CRON, foreign=True).splitlines() == [*RIGHTS, "foreign-masks", "control"]
        assert done("check", MINE, user="deploy").splitlines() == RIGHTS
        here.mask("control", "x").parent.rmdir()
        assert done("check", CRON).splitlines() == RIGHTS
        assert open_around(here.folder) == before

    def test_it_says_why_not(self) -> None:
        for name in ("x", "../x.service"):
            last = done("check", name).splitlines()[-1]
            assert last == f"never {name!r} is not the name of a unit that the bot handles"
        last = done("check", CRON, critical=("crond.*",)).splitlines()[-1]
        assert last == f"never {CRON} is crond.service, which is critical on this host (crond.*)"

    def test_it_says_what_it_masked(self, here: HostStandIn) -> None:
        here.systemd.has("beat.timer", "inactive", LoadState="masked")
        assert done("check", "beat.timer").splitlines()[-1].startswith("never beat.timer is masked by somebody else")
        here.remember(record("beat.timer", links={"persistent": ("1:2.3", BOOT, "R-7")}, names=["old.timer"]))
        mask = "mask beat.timer - persistent 1:2.3 R-7 did-not-run"
        assert done("check", "beat.timer").splitlines() == [*RIGHTS, "control", "foreign-masks", mask]
        assert "never beat.timer is old.timer" in done("check", "beat.timer", critical=("old.*",))

    def test_it_does_not_wait_for_a_change(self, here: HostStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(memory, "_LOCK_SECONDS", 0.1)
        other = Memory()
        assert "never" not in done("check", CRON)
        assert "(foreign-masks)" in refused("unlink_foreign", "persistent", CRON, "1:2.3")
        assert refused("stop", CRON) == "another change is being made"
        other.close()
        assert here.asked() == []


@pytest.mark.parametrize(
    ("verb", "words"),
    [
        *((verb, ()) for verb in ("stop", "kill", "start", "try_start", "reset_failed")),
        ("link", ("persistent",)),
        ("unlink", ("persistent",)),
        ("unlink_foreign", ("persistent",)),
    ],
)
def test_what_is_no_name_is_refused_as_such(here: HostStandIn, verb: str, words: tuple[str, ...]) -> None:
    last = ("1:2.3",) if verb.startswith("unlink") else ()
    for name in ("x@.service", "../x.service"):
        assert refused(verb, *words, name, *last, foreign=True).startswith(f"{name!r} is not the name of a unit")
    assert (here.asked(), here.journal()) == ([], [])


class TestLink:
    """A mask."""

    def test_it_is_remembered_before_it_is_made_and_as_it_was_made(
        self, here: HostStandIn, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before: list[tuple[str, str, str]] = []
        symlink = os.symlink

        def seen(goal: str, name: str, *, dir_fd: int) -> None:
            before.append(here.remembered(CRON).links["persistent"])
            symlink(goal, name, dir_fd=dir_fd)

        monkeypatch.setattr(os, "symlink", seen)
        assert done("link", "persistent", CRON) == ""
        made = identity(here.mask("persistent", CRON))
        found = here.remembered(CRON)
        assert [(one[0][:1], one[1:]) for one in before] == [(">", (BOOT, "R-7"))]
        assert found.links == {"persistent": (made, BOOT, "R-7")}
        assert (found.names, found.up) == ([CRON, "crond.service"], {CRON: BOOT, "atd.service": BOOT})
        assert (found.stopped_in, found.ended) == ("", 0)
        (entry,) = here.journal()
        assert entry["MESSAGE"] == f"{CRON} is masked (persistent), request R-7: why"
        assert (entry["MASKBOT_DID"], entry["OBJECT_SYSTEMD_UNIT"]) == (f"link persistent {CRON}", CRON)
        assert here.asked() == []

    def test_what_is_masked_already_stays_and_what_is_gone_is_made_again(self, here: HostStandIn) -> None:
        done("link", "runtime", CRON)
        made = identity(here.mask("runtime", CRON))
        here.journal()
        assert failed("link", "runtime", CRON) == f"{CRON} is masked already (runtime)\n"
        assert (identity(here.mask("runtime", CRON)), here.journal()) == (made, [])
        here.mask("runtime", CRON).unlink()
        done("link", "runtime", CRON)
        assert here.remembered(CRON).links["runtime"][0] == identity(here.mask("runtime", CRON))
        here.remember(record(links=here.remembered(CRON).links, ended=int(time.time())))
        done("link", "persistent", CRON)
        found = here.remembered(CRON)
        assert (set(found.links), found.ended) == ({"runtime", "persistent"}, 0)

    def test_where_it_cannot_be_made_nothing_goes_down_with_it(self, here: HostStandIn) -> None:
        ended = int(time.time()) - 60
        here.remember(record(up={"earlier.service": BOOT}, names=["older.service"], ended=ended))
        here.mask("persistent", CRON).write_text("a file of theirs")
        assert failed("link", "persistent", CRON) == f"{here.folder}/persistent: File exists\n"
        found = here.remembered(CRON)
        assert (found.links, found.up, found.ended) == ({}, {"earlier.service": BOOT}, ended)
        assert found.names == [CRON, "crond.service", "older.service"]
        assert here.journal() == []

    @pytest.mark.parametrize("layer", ["nowhere", "control"])
    def test_where_there_is_no_such_layer_nothing_is_remembered(self, here: HostStandIn, layer: str) -> None:
        here.mask("control", "x").parent.rmdir()
        assert refused("link", layer, CRON) in {
            "there is no such layer",
            f"{here.folder}/control: No such file or directory",
        }
        assert refused("probe", layer)
        assert here.remembered(CRON).is_empty

    def test_nothing_critical_is_masked_also_under_a_name_of_before(self, here: HostStandIn) -> None:
        assert "is critical on this host" in refused("link", "persistent", CRON, critical=("atd.*",))
        here.remember(record(names=["old.service"], links={"runtime": ("1:2.3", BOOT, "-")}))
        assert "is old.service, which is critical" in refused("link", "persistent", CRON, critical=("old.*",))
        here.remember(record(names=["old.service"], up={CRON: BOOT}))
        assert "is old.service, which is critical" in refused("stop", CRON, critical=("old.*",))
        here.remember(record(names=["old.service"], tried={CRON: (BOOT, str(int(time.time())))}))
        assert done("stop", CRON, critical=("old.*",)) == "", "what is over does not count"
        assert "old.service" in here.remembered(CRON).names
        assert not here.mask("persistent", CRON).is_symlink()

    def test_of_a_user_s_own_manager_it_is_that_user_s(self, here: HostStandIn) -> None:
        done("link", "persistent", MINE, user="deploy")
        made = here.user_mask(MINE)
        assert (made.lstat().st_uid, os.readlink(made)) == (DEPLOY, "/dev/null")
        found = here.remembered(MINE, "deploy")
        assert (found.links, found.up) == ({"persistent": (identity(made), BOOT, "R-7")}, {MINE: BOOT})
        entries = here.journal()
        assert [one["MASKBOT_DID"] for one in entries] == [f"--user deploy link persistent {MINE}"] * 2
        assert [one["OBJECT_SYSTEMD_USER_UNIT"] for one in entries] == [MINE] * 2

    @pytest.mark.parametrize("sign", [signal.SIGSTOP, signal.SIGKILL])
    def test_whose_unit_it_is_does_not_keep_others_waiting(
        self, here: HostStandIn, monkeypatch: pytest.MonkeyPatch, sign: signal.Signals
    ) -> None:
        """What became of the link is not known then, so it is remembered as one that may be there."""
        monkeypatch.setattr(logins, "_USERS_SECONDS", 0.2)
        with monkeypatch.context() as held_up, changes("deploy") as one, pytest.raises(Unanswered):
            held_up.setattr(os, "symlink", lambda *_, **__: os.kill(os.getpid(), sign))
            one.link("persistent", MINE)
        assert here.remembered(MINE, "deploy").links["persistent"][0].startswith(">")
        assert done("stop", CRON) == ""

    def test_what_cannot_be_kept_of_a_mask_that_was_made_or_removed_is_not_known(
        self, here: HostStandIn, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As on a full disk. Before anything is done, that is an error like any other."""
        symlink, new = os.symlink, here.folder / "remembered" / "new"

        def made(goal: str, name: str, *, dir_fd: int) -> None:
            symlink(goal, name, dir_fd=dir_fd)
            new.mkdir()

        with monkeypatch.context() as full, changes() as one, pytest.raises(Unanswered):
            full.setattr(os, "symlink", made)
            one.link("persistent", CRON)
        assert here.remembered(CRON).links["persistent"][0].startswith(">")
        with changes() as one, pytest.raises(IsADirectoryError):
            one.link("runtime", CRON)
        assert not here.mask("runtime", CRON).is_symlink()
        new.rmdir()
        done("link", "runtime", CRON)
        new.mkdir()
        with changes() as one, pytest.raises(Unanswered):
            one.unlink("persistent", CRON, identity(here.mask("persistent", CRON)))
        assert not here.mask("persistent", CRON).is_symlink()
        new.rmdir()

    def test_a_probe_leaves_nothing(self, here: HostStandIn) -> None:
        done("probe", "persistent")
        done("probe", "persistent", user="deploy")
        assert [*here.mask("persistent", "x").parent.iterdir()] == []
        assert [*here.user_mask("x").parent.iterdir()] == []
        assert "is not used for the units of a user's own manager" in refused("probe", "control", user="deploy")
