"""What root brings back for the bot's login: its own masks, and what ran before, once."""

import signal
import time

import pytest

from bot.edges.guard.changes import Changes
from bot.edges.guard.journal import Note
from bot.edges.guard.memory import Record
from bot.edges.guard.process import FAILED, LATE, Refused
from bot.edges.guard.settings import Settings
from bot.edges.guard.units import Manager
from tests.edges.guard.host_stand_in import HostStandIn
from tests.edges.guard.test_changes_alone import (
    BOOT,
    CLIENT,
    CRON,
    MINE,
    changes,
    done,
    failed,
    identity,
    record,
    refused,
    running,
)

__all__ = ["running"]
NOT_SEEN = "is not the mask that was seen there"


def linked(here: HostStandIn, layer: str = "persistent", unit: str = CRON) -> str:
    done("link", layer, unit)
    here.journal()
    return identity(here.mask(layer, unit))


def tried(here: HostStandIn, unit: str = CRON) -> str:
    """On the search path of that host, where a later folder has the unit."""
    folders = [str(here.folder / one) for one in ("control", "persistent", "runtime", "vendor")]
    (here.folder / "vendor").mkdir(exist_ok=True)
    (here.folder / "vendor" / CRON).touch()
    with Changes(Manager("", folders), Settings(), (), Note({}), CLIENT) as one:
        return one.try_start(unit).out.decode()


def now() -> str:
    return str(int(time.time()))


class TestUnlink:
    """Its own mask, and somebody else's where root allows that."""

    def test_its_own_goes_and_what_stopped_may_be_started(self, here: HostStandIn) -> None:
        done("stop", CRON)
        made = linked(here)
        assert done("unlink", "persistent", CRON, made) == ""
        found = here.remembered(CRON)
        assert not here.mask("persistent", CRON).is_symlink()
        assert (found.links, found.up) == ({}, {CRON: BOOT, "atd.service": BOOT})
        assert time.time() - 60 < found.ended <= time.time()
        (entry,) = here.journal()
        assert entry["MESSAGE"].startswith(f"{CRON} is not masked any more (persistent), request R-7")
        assert entry["MASKBOT_DID"] == f"unlink persistent {CRON}"

    def test_what_runs_on_under_a_mask_did_not_go_down_with_it(self, here: HostStandIn) -> None:
        made = linked(here)
        here.systemd.has("atd.service", "deactivating")
        done("unlink", "persistent", CRON, made)
        assert here.remembered(CRON).up == {"atd.service": BOOT}

    def test_it_ends_with_the_last_of_its_masks(self, here: HostStandIn) -> None:
        first, second = linked(here), linked(here, "runtime")
        done("unlink", "persistent", CRON, first)
        found = here.remembered(CRON)
        assert (set(found.links), found.ended) == ({"runtime"}, 0)
        done("unlink", "runtime", CRON, second)
        assert here.remembered(CRON).is_empty

    def test_another_one_stays(self, here: HostStandIn) -> None:
        made = linked(here)
        says = f"the persistent mask of {CRON} was not made by the bot"
        assert refused("unlink", "persistent", CRON, "1:2.3") == says
        assert refused("unlink", "runtime", CRON, made) == f"the runtime mask of {CRON} was not made by the bot"
        here.mask("persistent", CRON).unlink()
        here.mask("persistent", CRON).symlink_to("/dev/zero")
        assert NOT_SEEN in refused("unlink", "persistent", CRON, made)
        assert set(here.remembered(CRON).links) == {"persistent"}
        assert here.journal() == []

    def test_of_a_user_s_own_manager_a_failure_is_told(self, here: HostStandIn) -> None:
        done("link", "persistent", MINE, user="deploy")
        here.journal()
        made = identity(here.user_mask(MINE))
        here.user_mask(MINE).rename(here.user_mask("kept"))
        assert NOT_SEEN in failed("unlink", "persistent", MINE, made, user="deploy")
        assert set(here.remembered(MINE, "deploy").links) == {"persistent"}
        assert here.journal() == []

    def test_somebody_else_s_goes_where_root_allows_that(self, here: HostStandIn) -> None:
        here.mask("persistent", CRON).symlink_to("/dev/null")
        made = identity(here.mask("persistent", CRON))
        says = "masks that the bot did not make are not removed on this host (foreign-masks)"
        assert refused("unlink_foreign", "persistent", CRON, made) == says
        why = refused("unlink_foreign", "persistent", CRON, made, foreign=True, critical=("crond.*",))
        assert why == f"{CRON} is crond.service, which is critical on this host (crond.*)"
        assert NOT_SEEN in refused("unlink_foreign", "persistent", CRON, "1:2.3", foreign=True)
        assert here.journal() == []
        done("unlink_foreign", "persistent", CRON, made, foreign=True)
        assert not here.mask("persistent", CRON).is_symlink()
        assert here.remembered(CRON).is_empty
        (entry,) = here.journal()
        assert entry["MASKBOT_DID"] == f"unlink-foreign persistent {CRON}"

    def test_one_of_its_own_that_the_bot_has_forgotten_goes_as_its_own(self, here: HostStandIn) -> None:
        made = linked(here)
        done("unlink_foreign", "persistent", CRON, made)
        assert (here.remembered(CRON).links, here.mask("persistent", CRON).is_symlink()) == ({}, False)
        assert here.journal()[0]["MASKBOT_DID"] == f"unlink persistent {CRON}"


class TestStopAndKill:
    """What goes down."""

    def test_a_stop_is_remembered_before_it_is_asked_for(self, here: HostStandIn) -> None:
        here.remember(record(tried={"x.service": (BOOT, now())}, ended=7))
        assert done("stop", CRON) == ""
        assert here.asked() == [f"stop --no-block -- {CRON}"]
        assert here.remembered_then(CRON).splitlines()[1:6] == [
            f"names {CRON} crond.service", f"stopped {BOOT}", "ended 0", f"up {CRON} {BOOT}", f"up atd.service {BOOT}",
        ]  # fmt: skip
        (entry,) = here.journal()
        assert entry["MESSAGE"] == f"{CRON} is being stopped, request R-7: why"
        assert entry["MASKBOT_DID"] == f"stop {CRON}"

    def test_what_systemd_says_to_it_is_told(self, here: HostStandIn) -> None:
        here.systemctl.says("stop", "busy", 4)
        with changes() as one:
            ended = one.stop(CRON)
        assert (ended.code, ended.out) == (4, b"busy")

    def test_nothing_critical_is_stopped(self, here: HostStandIn) -> None:
        assert "atd.service depends on" in refused("stop", CRON, critical=("atd.*",))
        assert (here.asked(), here.journal(), here.remembered(CRON).is_empty) == ([], [], True)

    @pytest.mark.parametrize("boot", ["", "another-boot"])
    def test_what_it_did_not_stop_since_the_boot_is_not_killed(self, here: HostStandIn, boot: str) -> None:
        if boot:
            here.remember(record(stopped_in=boot, links={"persistent": ("1:2.3", boot, "-")}))
        assert refused("kill", CRON) == f"the bot has not stopped {CRON}"
        assert here.asked() == []

    def test_what_it_stopped_is_killed_unless_it_is_critical_by_now(self, here: HostStandIn) -> None:
        done("stop", CRON)
        here.journal()
        assert "is critical" in refused("kill", CRON, critical=("cron.*",))
        assert here.asked() == [f"stop --no-block -- {CRON}"]
        assert done("kill", CRON) == ""
        assert here.asked()[1:] == [f"kill --signal=SIGKILL -- {CRON}"]
        (entry,) = here.journal()
        assert entry["MESSAGE"].startswith(f"{CRON} is being killed, ")
        assert entry["MASKBOT_DID"] == f"kill {CRON}"


class TestStart:
    """What ran before comes back."""

    def test_once(self, here: HostStandIn) -> None:
        done("stop", CRON)
        here.remember(record("b.service", up={"atd.service": BOOT}))
        here.remember(record("c.service", up={"other.service": BOOT}))
        here.journal()
        assert done("start", "atd.service") == ""
        assert here.asked()[1:] == ["start --no-block -- atd.service"]
        assert f"tried atd.service {BOOT}" in here.remembered_then(CRON)
        assert "up atd.service" not in here.remembered_then(CRON)
        for unit in (CRON, "b.service"):
            found = here.remembered(unit)
            assert "atd.service" not in found.up
            assert (found.tried["atd.service"][0], int(found.tried["atd.service"][1]) > time.time() - 60) == (
                BOOT,
                True,
            )
        assert here.remembered("c.service").tried == {}
        (entry,) = here.journal()
        assert entry["MESSAGE"].startswith("atd.service is being started again, ")
        assert entry["MASKBOT_DID"] == "start atd.service"
        says = "atd.service was not stopped by the bot, or it was started again already"
        assert refused("start", "atd.service") == says
        assert len(here.asked()) == 2

    def test_if_it_fails_it_may_be_tried_again(self, here: HostStandIn) -> None:
        done("stop", CRON)
        here.remember(record("b.service", up={CRON: BOOT}))
        here.journal()
        here.systemctl.says("start", "", FAILED)
        assert failed("start", CRON) == ""
        for unit in (CRON, "b.service"):
            assert (here.remembered(unit).tried, here.remembered(unit).up[CRON]) == ({}, BOOT)
        assert here.journal() == []

    @pytest.mark.parametrize("code", [LATE, 128 + signal.SIGKILL])
    def test_if_nobody_can_tell_whether_it_was_started_it_is_not_tried_again(
        self, here: HostStandIn, code: int
    ) -> None:
        """systemd has the call, and may only be busy: with reloads, which the bot's key can ask for."""
        done("stop", CRON)
        here.systemctl.says("start", "", code)
        with changes() as one:
            assert one.start(CRON).code == code
        assert (CRON in here.remembered(CRON).up, CRON in here.remembered(CRON).tried) == (False, True)
        assert refused("start", CRON).endswith("or it was started again already")

    def test_what_would_end_the_host_is_not_started(self, here: HostStandIn) -> None:
        here.systemd.has(CRON, "inactive", Wants=["reboot.target"])
        here.systemd.has("reboot.target", "inactive")
        here.remember(record(up={CRON: BOOT}))
        assert refused("start", CRON) == f"a start of {CRON} would bring up reboot.target"
        assert (here.remembered(CRON).up, here.asked()) == ({CRON: BOOT}, [])

    def test_of_a_user_s_own_manager_it_is_asked_as_that_user(self, here: HostStandIn) -> None:
        here.remember(record(MINE, manager="deploy", up={MINE: BOOT}))
        assert refused("start", MINE).startswith(f"{MINE} was not stopped by the bot")
        done("start", MINE, user="deploy")
        assert here.asked()[-1] == f"--user start --no-block -- {MINE}"


class TestTheProof:
    """A start that systemd has to refuse."""

    @pytest.mark.parametrize("load", ["masked", "error"])
    def test_it_is_tried_where_its_own_mask_is_in_place(self, here: HostStandIn, load: str) -> None:
        linked(here)
        linked(here, "runtime")
        here.mask("runtime", CRON).unlink()
        here.systemd.has(CRON, "inactive", "crond.service", LoadState=load)
        for name in (CRON, "crond.service"):
            assert done("try_start", name) == ""
            assert here.asked()[-1] == f"start --no-block -- {name}"

    def test_it_is_not_tried_where_another_file_counts(self, here: HostStandIn) -> None:
        """It may go at any moment, or systemd has not read yet that it is gone."""
        linked(here, "runtime")
        here.systemd.has(CRON, "inactive", LoadState="masked")
        for file in (here.mask("persistent", CRON), here.mask("control", CRON)):
            assert tried(here) == ""
            file.symlink_to("/dev/null")
            with pytest.raises(Refused, match="is not masked by the bot"):
                tried(here)
            file.unlink()
        here.mask("persistent", "other.service").touch()
        assert tried(here) == ""

    @pytest.mark.parametrize(
        ("name", "file", "goal", "is_tried"),
        [
            ("crond.service", "", "", True),
            ("crond.service", "crond.service", "/lib/systemd/system/cron.service", True),
            ("crond.service", "crond.service", "/dev/null", False),
            ("crond.service", "crond.service", "", False),
            ("b@1.service", "b@.service", "a@.service", True),
            ("b@1.service", "b@.service", "", False),
            ("b@1.service", "b@1.service", "", False),
        ],
    )
    def test_by_another_name_it_is_tried_where_that_is_no_unit_of_its_own(
        self, here: HostStandIn, name: str, file: str, goal: str, *, is_tried: bool
    ) -> None:
        """The mask of an alias keeps nobody from starting the unit itself."""
        unit = "a@1.service" if "@" in name else CRON
        here.systemd.has(unit, "inactive", name)
        linked(here, unit=unit)
        here.systemd.has(unit, "inactive", name, LoadState="masked")
        if goal:
            here.mask("runtime", file).symlink_to(goal)
        elif file:
            here.mask("runtime", file).touch()
        if is_tried:
            assert tried(here, name) == ""
        else:
            with pytest.raises(Refused, match="is not masked by the bot"):
                tried(here, name)

    def test_it_is_not_tried_where_systemd_would_start_the_unit(self, here: HostStandIn) -> None:
        says = f"{CRON} is not masked by the bot, so no start was tried"
        here.systemd.has(CRON, "inactive", LoadState="masked")
        assert refused("try_start", CRON) == says
        linked(here)
        here.mask("persistent", CRON).unlink()
        assert refused("try_start", CRON) == says
        here.systemd.has(CRON, "inactive")
        done("link", "persistent", CRON)
        assert refused("try_start", CRON) == says
        assert here.asked() == []


class TestResetFailed:
    """systemd refuses a start for earlier ones; then it counts as not made."""

    def test_of_what_it_may_start(self, here: HostStandIn) -> None:
        here.remember(record(up={CRON: BOOT}))
        assert done("reset_failed", CRON) == ""
        assert here.asked() == [f"reset-failed -- {CRON}"]
        (entry,) = here.journal()
        assert entry["MESSAGE"].startswith(f"the failed state of {CRON} is reset, ")
        assert entry["MASKBOT_DID"] == f"reset-failed {CRON}"

    def test_of_what_it_started_in_vain(self, here: HostStandIn) -> None:
        here.systemctl.says("show", "start-limit-hit\n")
        for unit in ("a.service", "b.service"):
            here.remember(record(unit, tried={CRON: (BOOT, now())}))
        here.remember(record("c.service", tried={"x.service": (BOOT, now())}))
        assert done("reset_failed", CRON) == ""
        for unit in ("a.service", "b.service"):
            assert (here.remembered(unit).tried, here.remembered(unit).up) == ({}, {CRON: BOOT})
        assert here.remembered("c.service").up == {}
        assert here.asked() == [f"show -p Result --value -- {CRON}", f"reset-failed -- {CRON}"]

    @pytest.mark.parametrize("result", ["success", "exit-code", ""])
    def test_of_nothing_else(self, here: HostStandIn, result: str) -> None:
        here.systemctl.says("show", f"{result}\n")
        says = f"{CRON} was not stopped by the bot"
        assert refused("reset_failed", CRON) == says
        assert here.asked() == []
        here.remember(Record("", "a.service"))
        here.remember(record("a.service", tried={CRON: (BOOT, now())}))
        assert refused("reset_failed", CRON) == says
        assert here.asked() == [f"show -p Result --value -- {CRON}"]
        assert here.journal() == []


def test_a_reload_is_told(here: HostStandIn) -> None:
    assert done("reload") == ""
    assert here.asked() == ["daemon-reload"]
    (entry,) = here.journal()
    assert entry["MESSAGE"] == "systemd reads all unit files again, request R-7: why"
    assert (entry["MASKBOT_DID"], "OBJECT_SYSTEMD_UNIT" in entry) == ("reload", False)
    done("reload", user="deploy")
    assert here.asked()[-1] == "--user daemon-reload"
    assert [one["MASKBOT_DID"] for one in here.journal()] == ["--user deploy reload"] * 2
