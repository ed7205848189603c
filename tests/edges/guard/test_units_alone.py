"""How the guard asks systemd of units, and which names it finds on the disk: without a host."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from bot.core.systemd.host_rules import STARTS_TOO, STOPS_TOO
from bot.edges.guard import units as guard_units
from bot.edges.guard.process import Limit, Refused, begin_request
from bot.edges.guard.units import Manager, is_up, names_in, runs_on
from tests.edges.guard.manager_stand_in import Property, Systemctl, Systemd

CRON, MANY = "cron.service", [f"u{number}.service" for number in range(21)]
SHOW = (
    "--no-ask-password show -p Id,Names,LoadState,ActiveState,FragmentPath,StopWhenUnneeded,"
    "RequiredBy,RequisiteOf,BoundBy,ConsistsOf,PropagatesStopTo,TriggeredBy,Triggers,"
    "Requires,Requisite,BindsTo,Wants,Upholds,Conflicts,ConflictedBy,WantedBy,UpheldBy,"
    "SuccessAction,FailureAction,JobTimeoutAction,StartLimitAction,OnSuccess,OnFailure --"
)
LOADED = "--no-ask-password list-units --all --full --plain --no-legend"
UNASKED = {"LoadState": "loaded", "ActiveState": "inactive"}


def shown(units: Sequence[str], state: str = "active") -> str:
    """As systemctl prints them."""
    return "\n".join(f"Id={unit}\nNames={unit} x={unit}=\nActiveState={state}\n" for unit in units)


def read(unit: str, state: str = "active") -> dict[str, str]:
    return {"Id": unit, "Names": f"{unit} x={unit}=", "ActiveState": state}


def test_few_units_are_asked_about_on_the_socket_once_each(systemd: Systemd, systemctl: Systemctl) -> None:
    systemd.has(CRON, "active", r"c\x2dron.service", Wants=["a.service", "b.service"], SuccessAction="none")
    manager = Manager("", [])
    for _ in range(2):
        cron, atd = manager.show([CRON, "atd.service", CRON])
        assert cron == {
            "Id": CRON,
            "Names": rf"{CRON} c\\x2dron.service",
            "LoadState": "loaded",
            "ActiveState": "active",
            "Wants": "a.service b.service",
            "SuccessAction": "none",
        }
        assert atd["LoadState"] == "not-found"
    assert manager.one("b.service")["Id"] == "b.service"
    assert manager.show([]) == []
    assert systemd.asked == [CRON, "atd.service", "b.service"]
    assert len(manager.show(iter(MANY[:20]))) == 20
    assert systemctl.asked == []


def test_of_many_units_systemctl_is_asked(systemd: Systemd, systemctl: Systemctl) -> None:
    systemctl.says("show", shown(MANY))
    assert Manager("", []).show(MANY) == [read(unit) for unit in MANY]
    assert (systemd.asked, systemctl.asked) == ([], [f"{SHOW} {' '.join(MANY)}"])


def test_of_a_user_s_units_the_user_s_manager_is_asked(systemd: Systemd, systemctl: Systemctl) -> None:
    systemctl.says("show", shown([CRON]))
    manager = Manager("root", [])
    assert manager.show([]) == []
    assert manager.one(CRON) == read(CRON)
    assert manager.user == "root"
    assert (systemd.asked, systemctl.asked) == ([], [f"{SHOW.replace(' show', ' --user show')} {CRON}"])


@pytest.mark.parametrize("wrong", ["nobody there", "another type", "cut off"])
def test_where_the_socket_does_not_answer_systemctl_is_asked(
    systemd: Systemd, systemctl: Systemctl, wrong: str
) -> None:
    systemd.has(CRON, "active", Wants=7 if wrong == "another type" else ["a.service"])
    systemd.left_out = 9 if wrong == "cut off" else 0
    if wrong == "nobody there":
        systemd.end()
    systemctl.says("show", "\n" + shown([CRON]) + "\n")
    assert Manager("", []).one(CRON) == read(CRON)


@pytest.mark.parametrize(
    ("units", "said", "code"), [([CRON], "", 0), (MANY[:2], shown([CRON]), 0), (MANY[:2], shown(MANY[:2]), 1)]
)
def test_what_systemctl_does_not_say_is_refused(systemctl: Systemctl, units: list[str], said: str, code: int) -> None:
    systemctl.says("show", said, code)
    with pytest.raises(Refused) as why:
        Manager("root", []).show(units)
    assert str(why.value) == f"systemd does not say what {units[0]} is"


def test_of_many_neighbours_only_those_that_are_loaded_are_asked_about(systemd: Systemd, systemctl: Systemctl) -> None:
    systemctl.says("list-units", f"* {MANY[3]} not-found inactive dead x\n  {MANY[5]} loaded\n{CRON} loaded active\n")
    systemd.has(MANY[3], "failed")
    found = Manager("", []).show(MANY, only_loaded=True)
    assert [one["Id"] for one in found] == MANY
    assert found[3]["ActiveState"] == "failed"
    assert found[4] == {"Id": MANY[4], "Names": MANY[4], **UNASKED}
    assert (systemd.asked, systemctl.asked) == ([MANY[3], MANY[5]], [LOADED])
    assert len(Manager("", []).show(MANY[:20], only_loaded=True)) == 20
    assert systemctl.asked == [LOADED]


def test_without_that_list_none_of_them_is_known(systemctl: Systemctl) -> None:
    manager = Manager("root", [])
    systemctl.says("list-units", f"{MANY[0]} loaded\n", 1)
    with pytest.raises(Refused, match="systemd does not say which units are loaded"):
        manager.show(MANY, only_loaded=True)
    systemctl.says("list-units", f"{MANY[0]} loaded\n")
    systemctl.says("show", "", 1)
    for _ in range(2):
        with pytest.raises(Refused, match=f"systemd does not say what {MANY[0]} is"):
            manager.show(MANY, only_loaded=True)


def test_a_unit_with_too_many_around_it_is_not_judged(systemd: Systemd, systemctl: Systemctl) -> None:
    systemctl.says("list-units", "")
    manager, most = Manager("", []), [f"u{number}.service" for number in range(3000)]
    assert len(manager.show(most, only_loaded=True)) == 3000
    assert len(manager.show(most)) == 3000
    with pytest.raises(Refused, match="too many units depend on it to tell what would stop"):
        manager.one(CRON)
    assert systemd.asked == []


def test_how_the_last_run_ended_is_what_systemctl_says(systemctl: Systemctl) -> None:
    systemctl.says("show", "start-limit-hit\n")
    assert Manager("", []).result_of(CRON) == "start-limit-hit"
    assert systemctl.asked == [f"--no-ask-password show -p Result --value -- {CRON}"]


def test_everything_that_these_relations_lead_to_is_around_it(systemd: Systemd) -> None:
    systemd.has(CRON, "active", RequiredBy=["a.service"], BoundBy=["b.service"], Wants=["w.service"])
    systemd.has("a.service", "active", BoundBy=["b.service", r"c\x2dc.service", CRON])
    systemd.has("b.service", "inactive", RequiredBy=["a.service", "d.service"])
    units = Manager("", []).closure(CRON, STOPS_TOO)
    assert units == ["a.service", "b.service", r"c\x2dc.service", "d.service"]
    assert systemd.asked == [CRON, *units]


def test_a_start_leads_no_further_than_to_what_runs(systemd: Systemd) -> None:
    systemd.has(CRON, "active", Wants=["up.service", "down.service"])
    systemd.has("up.service", "activating", Wants=["none.service"])
    systemd.has("down.service", "failed", Requires=["far.service"])
    manager = Manager("", [])
    assert manager.closure(CRON, STARTS_TOO, only_down=True) == ["up.service", "down.service", "far.service"]
    assert "none.service" in manager.closure(CRON, STARTS_TOO)


def test_what_stops_with_it_is_loaded_and_what_starts_need_not_be(systemd: Systemd, systemctl: Systemctl) -> None:
    systemctl.says("list-units", f"{MANY[7]} loaded active\n")
    systemctl.says("show", shown(MANY))
    systemd.has(CRON, "active", RequiredBy=MANY, Wants=MANY)
    assert Manager("", []).closure(CRON, STOPS_TOO) == MANY
    assert (systemd.asked, systemctl.asked) == ([CRON, MANY[7]], [LOADED])
    assert Manager("", []).closure(CRON, STARTS_TOO, only_down=True) == MANY
    assert systemctl.asked[1:] == [f"{SHOW} {' '.join(MANY)}"]


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Root's folder and the vendor's, with a unit in that."""
    begin_request()
    etc, usr = tmp_path / "etc", tmp_path / "usr"
    for folder in (etc, usr):
        folder.mkdir()
    (usr / CRON).write_text("[Service]\n")
    (usr / "other.service").write_text("[Service]\n")
    return etc, usr


def names(folders: Sequence[Path], **found: str) -> list[str]:
    manager = Manager("", [*map(str, folders), str(folders[0] / "none"), str(folders[0] / CRON)])
    first, *others = manager.names_of(found)
    return [first, *sorted(others)]


def test_what_systemd_says_and_every_link_to_it_are_its_names(folders: tuple[Path, Path]) -> None:
    etc, usr = folders
    (etc / "second.service").symlink_to("first.service")
    (etc / "first.service").symlink_to("/nowhere/cron.service")
    (etc / "far.service").symlink_to("/nowhere/crond.service")
    (etc / "gone.service").symlink_to("nothing.service")
    (etc / "note.txt").symlink_to(CRON)
    (etc / "other-link.service").symlink_to(usr / "other.service")
    (etc / f"{CRON}.d").mkdir()
    said = {"Id": CRON, "Names": "crond.service", "FragmentPath": ""}
    assert names(folders, **said) == [CRON, "crond.service", "far.service", "first.service", "second.service"]
    assert names(folders, Names=CRON) == [CRON, "first.service", "second.service"]
    assert names([usr], Id=CRON) == [CRON]
    assert names(folders, Id="nothing.service") == ["nothing.service", "gone.service"]


def test_links_that_lead_to_each_other_are_names_of_one_unit(folders: tuple[Path, Path]) -> None:
    for name, goal in (("a", "b"), ("b", "c"), ("c", "a")):
        (folders[0] / f"{name}.service").symlink_to(f"{goal}.service")
    assert names(folders, Id="a.service") == ["a.service", "b.service", "c.service"]


def test_a_link_by_way_of_another_file_and_the_file_itself_are_known_by_what_they_are(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    etc, usr = folders
    (tmp_path / "moved").symlink_to(usr / CRON)
    (etc / "linked.service").symlink_to(tmp_path / "moved")
    os.link(usr / CRON, etc / "hard.service")
    (etc / "broken.service").symlink_to("nothing")
    assert names(folders, Id=CRON, FragmentPath=str(usr / CRON)) == [CRON, "hard.service", "linked.service"]
    assert names(folders, Id=CRON) == [CRON, "hard.service", "linked.service"]
    assert names(folders, Id="x.service", FragmentPath=str(usr / CRON))[1:] == [CRON, "hard.service", "linked.service"]


def test_whoever_owns_a_folder_does_not_keep_root_busy_there(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A user's own units are in folders of theirs, and others wait for the answer."""
    etc, usr = folders
    for number in range(3):
        (etc / f"{number}.service").symlink_to(usr / CRON)
    monkeypatch.setattr(guard_units, "_MOST_FILES", 5)
    assert names(folders, Id=CRON)[1:] == ["0.service", "1.service", "2.service"]
    (usr / "more").touch()
    with pytest.raises(Refused, match="^there are more than 5 files in the folders of its units$"):
        names(folders, Id=CRON)
    (usr / "more").unlink()
    monkeypatch.setattr(Limit, "end", 0.0)
    with pytest.raises(Refused, match="^it takes too long to tell by which names it is called$"):
        names(folders, Id=CRON)


@pytest.mark.parametrize("mask", ["link", "file", "folder"])
def test_behind_a_mask_its_file_is_the_one_of_the_vendor(folders: tuple[Path, Path], mask: str) -> None:
    etc, usr = folders
    match mask:
        case "link":
            (etc / CRON).symlink_to("/dev/null")
        case "file":
            (etc / CRON).touch()
        case _:
            (etc / CRON).mkdir()
    (etc / "masked-too.service").symlink_to("/dev/null")
    os.link(usr / CRON, usr / "hard.service")
    assert names(folders, Id=CRON, FragmentPath="/dev/null") == [CRON, "hard.service"]


@pytest.mark.parametrize(
    ("state", "up", "on"),
    [
        ("active", True, True),
        ("reloading", True, True),
        ("activating", True, True),
        ("maintenance", True, True),
        ("deactivating", True, False),
        ("inactive", False, False),
        ("failed", False, False),
    ],
)
def test_a_unit_is_up_unless_nothing_of_it_runs(state: str, *, up: bool, on: bool) -> None:
    assert (is_up({"ActiveState": state}), runs_on({"ActiveState": state})) == (up, on)


def test_what_does_not_say_its_state_may_run() -> None:
    assert (is_up({}), runs_on({})) == (True, True)


@pytest.mark.parametrize(
    ("value", "units"),
    [
        ("", []),
        ("a.service b.socket", ["a.service", "b.socket"]),
        (r'"a\\x2db.service" c.timer', [r"a\x2db.service", "c.timer"]),
        (r"a\\x2db.service", [r"a\x2db.service"]),
    ],
)
def test_names_are_read_as_systemd_prints_them(value: str, units: list[Property]) -> None:
    assert names_in(value) == units
