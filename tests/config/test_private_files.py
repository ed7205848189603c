"""Files that others can read or change are told the same way by `check`, by the start and by `doctor`."""

import os
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.doctor.start import examine_start
from bot.edges.database.engine import describe, parse_url
from bot.edges.private_files import Use, faults
from bot.errors import ConfigError
from config.loading import load
from config.start import check
from tests.config.folder import Folder

BOT, SOMEBODY, THEIR_GROUP = 998, 65534, 65534  # the last is the group of `nobody`, which the bot is not in
SECRET, CONFIGURATION, RECORDS = Use.SECRET, Use.CONFIGURATION, Use.RECORDS
File = tuple[int, int, int, Use]  # its mode, owner and group, and what it is for
FINE: list[File] = [
    (0o600, BOT, BOT, SECRET),
    (0o400, 0, 0, SECRET),
    (0o640, 0, BOT, SECRET),  # as platforms for containers mount them
    (0o660, 0, BOT, RECORDS),
    (0o644, 0, 0, CONFIGURATION),
    (0o640, 0, BOT, CONFIGURATION),
]
WRONG: list[tuple[File, str, bool]] = [
    ((0o602, BOT, BOT, SECRET), "everybody on this machine can write to it", True),
    ((0o620, 0, THEIR_GROUP, SECRET), "its group can write it; whoever changes it can act as the bot", True),
    ((0o640, 0, THEIR_GROUP, SECRET), "others in its group can read it", False),
    ((0o644, 0, 0, SECRET), "everybody on this machine can read it", False),
    ((0o600, SOMEBODY, BOT, SECRET), "it belongs to nobody; whoever changes it can act as the bot", True),
    ((0o646, 0, 0, CONFIGURATION), "everybody on this machine can write to it", True),
    ((0o664, 0, THEIR_GROUP, CONFIGURATION), "its group can write it; whoever changes it can approve anything", False),
    ((0o660, 0, BOT, CONFIGURATION), "its group can write it; whoever changes it can approve anything", False),
    ((0o644, SOMEBODY, 0, CONFIGURATION), "it belongs to nobody; whoever changes it can approve anything", True),
    ((0o644, BOT, BOT, CONFIGURATION), "the bot's own user owns it; a compromised bot can", False),
    ((0o660, BOT, THEIR_GROUP, RECORDS), "its group can write it; whoever changes it can change what", True),
    ((0o600, SOMEBODY, 0, RECORDS), "it belongs to nobody", True),
]


def made(path: Path, mode: int, owner: int, group: int) -> Path:
    path.write_text("x")
    os.chown(path, owner, group)
    path.chmod(mode)
    return path


@pytest.mark.parametrize("file", FINE)
def test_what_only_root_and_the_bot_can_touch_is_fine(tmp_path: Path, file: File) -> None:
    mode, owner, group, use = file
    assert faults(made(tmp_path / "file", mode, owner, group), use, bot=BOT) == []


@pytest.mark.parametrize(("file", "text", "is_serious"), WRONG)
def test_what_others_can_do_is_said(tmp_path: Path, file: File, text: str, *, is_serious: bool) -> None:
    mode, owner, group, use = file
    found = faults(made(tmp_path / "file", mode, owner, group), use, bot=BOT)
    assert [(fault.text.startswith(text), fault.is_serious) for fault in found] == [(True, is_serious)], found


def let_in(path: Path, tag: int, who: int, may: int) -> None:
    """What `setfacl` does: an entry for one user (2) or group (8), and the mask that is shown as the group's mode."""
    nobody = 0xFFFFFFFF
    entries = [(0x01, 6, nobody), (tag, may, who), (0x04, 0, nobody), (0x10, may, nobody), (0x20, 0, nobody)]
    packed = b"".join(struct.pack("<HHI", *entry) for entry in sorted(entries))
    os.setxattr(path, "system.posix_acl_access", struct.pack("<I", 2) + packed)


@pytest.mark.parametrize(
    ("use", "may", "text"),
    [
        (SECRET, 4, "others in its group can read it"),
        (SECRET, 6, "its group can write it; whoever changes it can act as the bot"),
        (RECORDS, 6, "its group can write it; whoever changes it can change what"),
        (CONFIGURATION, 6, "its group can write it; whoever changes it can approve anything"),
    ],
)
@pytest.mark.parametrize(("tag", "who"), [(2, SOMEBODY), (8, THEIR_GROUP)], ids=["a user", "a group"])
def test_nobody_is_let_in_by_an_access_control_list(
    tmp_path: Path, use: Use, may: int, text: str, tag: int, who: int
) -> None:
    """The file belongs to the bot's own group, and its mode says nothing of anybody else."""
    file = made(tmp_path / "file", 0o600, 0, BOT)
    let_in(file, tag, who, may)
    assert [fault.text.startswith(text) for fault in faults(file, use, bot=BOT)][0]


def test_a_list_that_names_the_bot_is_fine(tmp_path: Path) -> None:
    """As systemd gives a service its credentials."""
    file = made(tmp_path / "file", 0o400, 0, 0)
    let_in(file, 2, BOT, 4)
    assert faults(file, SECRET, bot=BOT) == []


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Folder]:
    """An installation whose database belongs to the bot's own user; each of its files is as it should be."""
    (tmp_path / "etc").mkdir()
    folder, state = Folder(tmp_path / "etc"), tmp_path / "state"
    state.mkdir(mode=0o700)
    for path in (state, made(state / "maskbot.sqlite", 0o600, BOT, BOT)):
        os.chown(path, BOT, BOT)
    secret = made(tmp_path / "token", 0o600, BOT, BOT)
    key = made(tmp_path / "key", 0o600, BOT, BOT)
    key.write_bytes((folder.path / "key").read_bytes())
    monkeypatch.setenv("SLACK_BOT_TOKEN_FILE", str(secret))
    folder.settings = folder.with_settings(
        database_url=f"sqlite:///{state / 'maskbot.sqlite'}",
        socket=state / "sock",
        ssh_key_file=key,
        ssh_signer=f"{made(tmp_path / 'sign', 0o755, 0, 0)} --role maskbot",
    )
    folder.write()
    yield folder


SERIOUS = {
    "a secret": ("token", 0o602, BOT, BOT),
    "the key": ("key", 0o602, BOT, BOT),
    "the database": ("state/maskbot.sqlite", 0o606, BOT, BOT),
    "a backup beside it": ("state/maskbot.sqlite.old", 0o606, BOT, BOT),
    "the signer": ("sign", 0o757, 0, 0),
    "the policy": ("etc/policy.yaml", 0o646, 0, 0),
    "the hosts of somebody else": ("etc/hosts.yaml", 0o644, SOMEBODY, 0),
}


@pytest.mark.parametrize("what", SERIOUS)
def test_the_bot_does_not_start_where_others_can_change_a_file(installed: Folder, tmp_path: Path, what: str) -> None:
    assert check(installed.settings) == []
    name, mode, owner, group = SERIOUS[what]
    path = tmp_path / name
    path.write_text(path.read_text() if path.exists() else "x")
    os.chown(path, owner, group)
    path.chmod(mode)
    with pytest.raises(ConfigError) as error:
        load(installed.settings)
    (told,) = str(error.value).splitlines()
    assert told.startswith(f"{path}: ")
    assert any(told in one.text for one in check(installed.settings))


@pytest.mark.parametrize(
    ("mode", "owner", "text"),
    [(0o777, 0, "everybody on this machine can write to it"), (0o755, SOMEBODY, "it belongs to nobody")],
)
def test_a_folder_in_which_others_can_put_another_configuration_is_said(
    installed: Folder, tmp_path: Path, mode: int, owner: int, text: str
) -> None:
    above = tmp_path / "srv"
    (above / "maskbot").mkdir(parents=True)
    (tmp_path / "link").symlink_to(above / "maskbot")
    settings = installed.settings.model_copy(update={"config_dir": tmp_path / "link" / "etc"})
    installed.path.rename(above / "maskbot" / "etc")
    assert load(settings).warnings == ()
    os.chown(above, owner, 0)
    above.chmod(mode)
    (warning,) = load(settings).warnings
    assert warning.text.startswith(f"{above}: {text}")
    above.chmod(0o1777)  # in which nobody else can rename what is there
    os.chown(above, 0, 0)
    assert load(settings).warnings == ()


PROGRAMS = {"who is on call": ("policy", "on_call"), "which hosts there are": ("hosts", "inventory")}


@pytest.mark.parametrize(("file", "key"), PROGRAMS.values(), ids=PROGRAMS)
@pytest.mark.parametrize(("mode", "owner"), [(0o757, 0), (0o755, SOMEBODY)])
def test_nor_where_others_can_change_the_program_that_says(
    installed: Folder, tmp_path: Path, file: str, key: str, mode: int, owner: int
) -> None:
    program = made(tmp_path / "says", 0o755, 0, 0)
    more = f", keep: {tmp_path}/kept" if key == "inventory" else ""
    setattr(installed, file, getattr(installed, file) + f"{key}: {{command: [{program}]{more}}}\n")
    installed.write()
    load(installed.settings)
    os.chown(program, owner, 0)
    program.chmod(mode)
    with pytest.raises(ConfigError, match=f"{program}: (everybody on this machine|it belongs to nobody)"):
        load(installed.settings)


def test_a_socket_in_a_folder_of_somebody_else_is_refused(installed: Folder, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir(mode=0o755)
    os.chown(tmp_path / "run", SOMEBODY, SOMEBODY)
    settings = installed.settings.model_copy(update={"socket": tmp_path / "run" / "maskbot.sock"})
    with pytest.raises(ConfigError, match="run: it belongs to nobody"):
        load(settings)


def test_the_socket_of_a_bot_that_runs_or_was_killed_beside_its_database_is_fine(installed: Folder) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        path = Path(installed.settings.database_url.get_secret_value().removeprefix("sqlite:///")).parent
        left.bind(str(path / "maskbot.sock"))
    (path / "maskbot.sock").chmod(0o666)
    assert check(installed.settings) == []


def test_nobody_is_told_to_change_the_mode_of_a_device() -> None:
    assert [one.text for one in faults(Path("/dev/null"), SECRET)][0] == "everybody on this machine can write to it"


def test_configuration_of_the_bots_own_user_is_said_by_all_three(installed: Folder) -> None:
    path = installed.path / "policy.yaml"
    os.chown(path, BOT, BOT)
    told = f"{path}: the bot's own user owns it; a compromised bot can approve anything (chown root {path})"
    configuration = load(installed.settings)
    assert [one.text for one in configuration.warnings] == [told]
    assert [one.text for one in check(installed.settings)] == [told]
    *_, told_by_doctor = examine_start(configuration, configuration.warnings)
    assert (told_by_doctor.check, told_by_doctor.is_ok) == (str(path), True)  # it does not keep it from working
    assert f"{told_by_doctor.check}: {told_by_doctor.what}" == told


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://bot:canary@db:5432/maskbot", "postgresql://bot:***@db:5432/maskbot"),
        ("postgresql://bot@db/maskbot?password=canary&sslmode=require", "postgresql://bot@db/maskbot"),
        ("postgresql:///maskbot?host=/run/pg&user=bot&passfile=/canary", "postgresql:///maskbot"),
        ("sqlite:////var/lib/maskbot/maskbot.db?key=canary", "sqlite:////var/lib/maskbot/maskbot.db"),
    ],
)
def test_the_start_shows_where_the_database_is_and_no_secret(url: str, shown: str) -> None:
    assert describe(parse_url(url)) == shown
