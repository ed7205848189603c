"""The guard's configuration and the folders of masks, in a folder of this process that is root's alone."""

import os
import shutil
import time
from pathlib import Path

import pytest

from bot.core.systemd.host_rules import PROBE
from bot.edges.guard import settings
from bot.edges.guard.links import NULL, Layer, check_layer, done_in, system_layer, user_layer
from bot.edges.guard.process import FAILED, Refused
from bot.edges.guard.settings import open_folder, open_owned, read_settings, state_of
from tests.edges.descriptors import open_around


@pytest.fixture
def folder(roots_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(settings, "CONFIGURATION", str(roots_folder / "guard.conf"))
    return roots_folder


@pytest.fixture
def conf(folder: Path) -> Path:
    path = folder / "guard.conf"
    path.write_text("login: maskbot\n")
    path.chmod(0o644)
    return path


def test_everything_that_root_can_set_is_read(conf: Path) -> None:
    conf.write_text(
        "# a comment\n\n  \nlogin: maskbot\ncritical: pay* db-?.service\nusers: deploy  idle\n"
        "critical: x.service\nusers:\nforeign-masks: yes\nbecome : doas \n"
    )
    found = read_settings()
    assert vars(found) == {
        "login": "maskbot",
        "critical": ["pay*", "db-?.service", "x.service"],
        "users": ["deploy", "idle"],
        "foreign_masks": True,
        "by_doas": True,
    }
    conf.write_text("login: maskbot\nforeign-masks: no\nbecome: sudo\n")
    found = read_settings()
    assert (found.foreign_masks, found.by_doas, found.critical, found.users) == (False, False, [], [])


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "names no login"),
        ("login:\n", "is not understood: login"),
        ("users: deploy\n", "names no login"),
        ("login: a\nlogin: b\n", "is not understood: login"),
        ("login: a\ncritical:\n", "is not understood: critical"),
        ("login: a\nforeign-masks: Yes\n", "is not understood: foreign-masks"),
        ("login: a\nbecome: su\n", "is not understood: become"),
        ("login: a\nmasks: yes\n", "is not understood: masks"),
        ("login: a\nway: doas\n", "is not understood: way"),
        ("login: a\ncritcal: x\n", "is not understood: critcal"),
        ("login: a\nwhat is this\n", "is not understood: what is this"),
        (f"login: a\n{'x' * 50}\n", f"is not understood: {'x' * 40}$"),
        (f"{'x' * 50}: a\n", f"understood: {'x' * 40}$"),
        (" # no comment\nlogin: a\n", "is not understood:  # no comment"),
        ("login: a\n#" + "x" * 262_144, "is too long"),
    ],
)
def test_what_is_not_understood_is_not_left_out(conf: Path, text: str, why: str) -> None:
    conf.write_text(text)
    with pytest.raises(Refused, match=why):
        read_settings()


def test_a_file_may_be_as_long_as_its_bound(conf: Path) -> None:
    conf.write_text("login: a\n#" + "x" * (262_144 - 10))
    before = open_around(conf)
    found = read_settings()
    assert (found.login, found.foreign_masks, found.by_doas) == ("a", False, False)
    assert open_around(conf) == before


@pytest.mark.parametrize("mode", [0o664, 0o646, 0o666])
def test_a_file_that_others_can_write_is_none(conf: Path, mode: int) -> None:
    conf.chmod(mode)
    with pytest.raises(Refused, match="guard.conf is not root's alone"):
        read_settings()
    conf.chmod(0o644)
    os.chown(conf, 4711, -1)
    with pytest.raises(Refused, match="guard.conf is not root's alone"):
        open_owned(str(conf))


@pytest.mark.parametrize(("mode", "owner"), [(0o775, 0), (0o757, 0), (0o755, 4711)])
def test_a_folder_that_others_can_write_holds_nothing_of_root_s(conf: Path, mode: int, owner: int) -> None:
    before = open_around(conf)
    conf.parent.chmod(mode)
    os.chown(conf.parent, owner, -1)
    with pytest.raises(Refused, match=f"^{conf.parent} is not root's alone"):
        read_settings()
    assert open_around(conf) == before


def test_nothing_is_reached_through_a_link(conf: Path) -> None:
    theirs = conf.with_name("theirs")
    conf.rename(theirs)
    with pytest.raises(Refused, match="No such file"):
        read_settings()
    conf.symlink_to(theirs)
    with pytest.raises(Refused, match="guard.conf: Too many levels of symbolic links"):
        read_settings()
    (conf.parent / "real").mkdir()
    (conf.parent / "moved").symlink_to("real")
    with pytest.raises(Refused, match="moved: Not a directory"):
        open_folder(str(conf.parent / "moved"))
    with pytest.raises(Refused, match="none: No such file"):
        open_folder(str(conf.parent / "none" / "below"))


def test_whatever_changes_is_seen(conf: Path) -> None:
    paths = [str(conf.parent), str(conf.with_name("none"))]
    seen = state_of(paths)
    assert state_of(paths) == seen
    time.sleep(0.02)  # longer than a tick of the clock of file systems
    conf.write_text(conf.read_text())
    assert state_of(paths) != seen, "the same bytes, but written again"
    seen = state_of(paths)
    conf.with_name("none").touch()
    assert state_of(paths[1:]) != seen[-1:]
    assert len(state_of([str(conf.parent)])) == 3, "the folder, and what is in it"


def layer(folder: Path) -> Layer:
    return Layer(str(folder), open_folder(str(folder)))


def test_a_mask_is_a_link_to_nothing_and_goes_by_its_identity(folder: Path) -> None:
    masks = layer(folder)
    assert masks.identity("a.service") == ""
    made = masks.link("a.service")
    found = (folder / "a.service").lstat()
    assert made == f"{found.st_ino}:{found.st_ctime_ns // 10**9}.{found.st_ctime_ns % 10**9:09d}"
    assert os.readlink(folder / "a.service") == NULL
    for wrong in ("", "1:2.3", made + "0"):
        with pytest.raises(Refused, match=f"{folder}/a.service is not the mask that was seen there"):
            masks.unlink("a.service", wrong)
    with pytest.raises(FileExistsError):
        masks.link("a.service")
    masks.unlink("a.service", made)
    assert not (folder / "a.service").is_symlink()
    (folder / "b.service").symlink_to("/dev/zero")
    (folder / "c.service").touch()
    assert [masks.identity(name) for name in ("b.service", "c.service")] == ["", ""]
    with pytest.raises(Refused):
        masks.unlink("c.service", "")
    os.close(masks.descriptor)


def test_a_probe_leaves_nothing_also_where_one_was_left(folder: Path) -> None:
    masks = layer(folder)
    masks.probe()
    (folder / PROBE).symlink_to(NULL)
    masks.probe()
    assert [*folder.iterdir()] == []
    (folder / PROBE).touch()
    with pytest.raises(FileExistsError):
        masks.probe()
    os.close(masks.descriptor)


def test_what_became_of_it_is_said_and_the_folder_is_let_go(folder: Path) -> None:
    before = open_around(folder)
    done = done_in(layer(folder), lambda one: one.link("a.service"))
    assert (done.code, done.out.decode(), done.err) == (0, layer_identity(folder), b"")
    failed = done_in(layer(folder), lambda one: one.link("a.service"))
    assert (failed.code, failed.out, failed.err.decode()) == (FAILED, b"", f"{folder}: File exists\n")
    assert done_in(layer(folder), lambda one: one.probe()).out == b""
    with pytest.raises(Refused):
        done_in(layer(folder), lambda one: one.unlink("a.service", "1:2.3"))
    assert open_around(folder) == before


def layer_identity(folder: Path) -> str:
    masks = layer(folder)
    seen = masks.identity("a.service")
    os.close(masks.descriptor)
    return seen


@pytest.mark.parametrize(
    ("name", "user", "is_layer"),
    [
        ("control", "", True),
        ("persistent", "", True),
        ("runtime", "", True),
        ("nowhere", "", False),
        ("", "", False),
        ("control", "deploy", False),
        ("persistent", "deploy", True),
        ("runtime", "deploy", True),
        ("x", "deploy", False),
    ],
)
def test_there_are_these_layers_and_no_others(name: str, user: str, *, is_layer: bool) -> None:
    try:
        check_layer(name, user)
    except Refused as why:
        assert not is_layer
        assert ("of a user's own manager" in str(why)) is (name == "control")
    else:
        assert is_layer


def test_the_folder_of_a_user_s_layer_is_made(folder: Path) -> None:
    masks = user_layer("persistent", 4711, str(folder))
    assert masks.path == f"{folder}/.config/systemd/user"
    os.close(masks.descriptor)
    os.close(user_layer("persistent", 4711, str(folder)).descriptor)
    runtime = user_layer("runtime", 4_000_000_711, str(folder))
    assert runtime.path == "/run/user/4000000711/systemd/user"
    os.close(runtime.descriptor)
    shutil.rmtree("/run/user/4000000711")


def test_the_folder_of_a_layer_of_the_system_is_its_own() -> None:
    try:
        masks = system_layer("persistent")
    except Refused as why:  # on a machine where it is not root's alone
        assert "/etc" in str(why)
    else:
        assert masks.path == "/etc/systemd/system"
        os.close(masks.descriptor)
