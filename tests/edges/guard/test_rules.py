"""What root says that holds on a host, with scripts in place of sudo and sshd."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bot.core.systemd.host_rules import GUARD
from bot.edges.guard import logins, memory, rules, ways
from bot.edges.guard.memory import Memory, Record
from bot.edges.guard.process import Refused, begin_request
from bot.edges.guard.settings import Settings
from tests.edges.descriptors import open_around, open_here
from tests.edges.guard.host_stand_in import DEPLOY, HostStandIn, boot_id

OURS_CUT = f"(root) NOPASSWD: {GUARD}"
OURS = f'{OURS_CUT} ""'
HEAD = "Matching Defaults entries for deploy:\n    !requiretty\n\nUser deploy may run the following commands on web-01:"
SUDO = """\
#!/bin/sh
case "$*" in
-V) cat "$0.version"; cat "$0.complains" >&2 ;;
"-n -l -U deploy") (: </dev/tty) 2>/dev/null || exit 1; cat "$0.list" ;;
"-n -l -U deploy /usr/local/libexec/maskbot-guard x") exit $(cat "$0.arguments") ;;
*) echo "may run the following commands"; echo "what is $*" ;;
esac
"""


DOAS_CONF = rules._DOAS_CONF


class Sudo:
    """A program that lists what `deploy` may do, at a terminal only."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.write_text(SUDO)
        path.chmod(0o755)
        self.lists(f"    {OURS}")

    def lists(self, *lines: str, arguments: int = 1, version: str = "", complains: str = "") -> None:
        for name, text in (
            ("list", "\n".join([HEAD, *lines, ""]) if lines else "nothing\n"),
            ("arguments", str(arguments)),
            ("version", version),
            ("complains", complains),
        ):
            Path(f"{self.path}.{name}").write_text(text)


@pytest.fixture
def sudo(here: HostStandIn, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sudo]:
    """On a host where nothing else holds."""
    one = Sudo(here.folder / "sudo")
    (here.folder / "doas").touch(0o755)
    monkeypatch.setattr(ways, "WAYS_TO_ROOT", (str(one.path), str(here.folder / "doas")))
    monkeypatch.setattr(rules, "_DOAS_CONF", (str(here.folder / "none.conf"), str(here.folder / "doas.conf")))
    monkeypatch.setattr(rules, "_SSHD", str(here.folder / "sshd"))
    monkeypatch.setattr(os, "getgrouplist", lambda *given: {("deploy", DEPLOY): [DEPLOY]}[given])
    monkeypatch.setenv("SUDO_UID", "1")
    begin_request()
    yield one
    begin_request()


def said(*critical: str, connection: str = "") -> list[str]:
    settings = Settings()
    settings.login = "deploy"
    done = rules.rules(settings, critical, connection)
    assert (done.code, done.err) == (0, b"")
    lines = done.out.decode().splitlines()
    assert lines[-1].startswith("clock ")
    assert abs(float(lines[-1].removeprefix("clock ")) - time.time()) < 60
    assert len(lines[-1].partition(".")[2]) == 3
    return lines[:-1]


def terminals_here() -> list[str]:
    """Both ends of pseudoterminals (pts(4))."""
    return [one for one in open_here() if one.startswith(("/dev/ptmx", "/dev/pts/"))]


def test_where_all_is_as_it_should_be_little_is_said(sudo: Sudo) -> None:
    del sudo
    before = terminals_here()
    assert said() == ["way sudo", "masks 0"]
    assert terminals_here() == before
    assert said("ssh*", "pay.service")[:2] == ["critical ssh*", "critical pay.service"]


@pytest.mark.parametrize(
    ("lines", "further"),
    [
        ((f"    {OURS}", "", "    (root) NOPASSWD: ALL"), ["may (root) NOPASSWD: ALL"]),
        ((f'    {OURS_CUT} \\"\\"',), []),
        ((f"    {OURS}", "    (ALL) ALL", "    (ALL) ALL"), ["may (ALL) ALL"]),
        (("    (root) /bin/sh, /bin/ls",), ["may (root) /bin/sh, /bin/ls"]),
        ((f"    {OURS_CUT}", "    (root) ALL"), ["may (root) ALL"]),
        ((), ["unknown sudo does not list it"]),
    ],
)
def test_what_the_login_may_do_beside_it_is_told(sudo: Sudo, lines: tuple[str, ...], further: list[str]) -> None:
    sudo.lists(*lines)
    assert said() == [*further, "way sudo", "masks 0"]


def test_a_line_that_lets_it_have_arguments_is_another_one(sudo: Sudo) -> None:
    """sudo-rs 0.2.5 shows both alike."""
    sudo.lists(f"    {OURS_CUT}", arguments=0)
    assert said() == [f"may {OURS_CUT}", "way sudo", "masks 0"]


def test_by_doas_sudo_need_not_list_it(sudo: Sudo, monkeypatch: pytest.MonkeyPatch) -> None:
    sudo.lists()
    monkeypatch.delenv("SUDO_UID")
    assert said() == ["way doas", "masks 0"]


def test_every_kind_of_sudo_is_asked_and_each_once(
    sudo: Sudo, here: HostStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, again = Sudo(here.folder / "sudo-rs"), here.folder / "sudo-again"
    again.symlink_to(sudo.path)
    paths = (str(sudo.path), str(again), str(other.path), str(here.folder / "doas"))
    monkeypatch.setattr(ways, "WAYS_TO_ROOT", paths)
    assert rules._kinds_of_sudo() == [str(other.path), str(sudo.path)]
    sudo.lists("    (root) ALL", "    (a) b")
    other.lists("    (root) ALL", "    (c) d")
    assert said() == ["may (root) ALL", "may (c) d", "may (a) b", "way sudo", "masks 0"]


@pytest.mark.parametrize(
    ("version", "complains", "way"),
    [
        ("Sudo version 1.9.13p3\nSudoers policy\n", "no\n", "sudo 1.9.13p3"),
        ("", "sudo-rs 0.2.5\n", "sudo-rs 0.2.5"),
        ("", "", "sudo"),
    ],
)
def test_the_way_to_root_is_told_as_it_names_itself(sudo: Sudo, version: str, complains: str, way: str) -> None:
    sudo.lists(f"    {OURS}", version=version, complains=complains)
    assert said() == [f"way {way}", "masks 0"]


def test_what_doas_permits_is_told(sudo: Sudo, here: HostStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    del sudo
    monkeypatch.setattr(os, "getgrouplist", lambda *_: [DEPLOY, 0])
    (here.folder / "doas.conf").write_bytes(
        f"permit nopass deploy as root cmd {GUARD} args\n  permit deploy as root\npermit other\npermit :root cmd ls\n"
        "deny deploy\n# permit deploy\npermit :4711\npermit :other\npermit deployer\n".encode()
        + b"permit \xff deploy\n"
    )
    may = ["permit deploy as root", "permit :root cmd ls", "permit :4711", "permit \ufffd deploy"]
    assert said() == [*(f"may {line}" for line in may), "way sudo", "group root", "masks 0"]


def test_doas_has_two_places() -> None:
    assert set(DOAS_CONF) == {"/etc/doas.conf", "/usr/local/etc/doas.conf"}


def test_groups_are_told_but_its_own(sudo: Sudo, monkeypatch: pytest.MonkeyPatch) -> None:
    del sudo
    monkeypatch.setattr(os, "getgrouplist", lambda *_: [DEPLOY, 0, 4_000_000_711])
    assert said() == ["way sudo", "group root", "group 4000000711", "masks 0"]


@pytest.fixture
def keys(sudo: Sudo, here: HostStandIn) -> Callable[[str, str], Path]:
    """Writes a file below the login's home."""
    del sudo

    def write(name: str, text: str) -> Path:
        path = here.folder / "home" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text.encode("latin-1"))
        return path

    return write


def test_keys_that_open_more_than_the_guard_are_told(keys: Callable[[str, str], Path], here: HostStandIn) -> None:
    text = f'# a key\n\nrestrict,command="{GUARD}" ssh-rsa A\n  ssh-rsa \xff\n  # no\ncommand="/bin/sh" ssh-rsa C\n'
    path = keys(".ssh/authorized_keys", text)
    assert said() == [
        "way sudo", f"shell the key in line 4 of {path}", f"shell the key in line 6 of {path}", "masks 0",
    ]  # fmt: skip
    keys(".ssh/authorized_keys", "key\n" * 7)
    assert [line for line in said() if line.startswith("shell")] == [
        f"shell the key in line {number} of {path}" for number in range(1, 6)
    ]
    path.chmod(0o600)
    os.chown(path, 0, 0)
    assert said() == ["way sudo", "masks 0"], "sshd, as the login, cannot read it either"
    assert here.journal() == []


def test_where_the_files_of_the_login_are_not_read_in_time_nothing_is_told(
    keys: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = keys(".ssh/authorized_keys", "")
    path.unlink()
    os.mkfifo(path)
    os.chown(path, DEPLOY, -1)
    monkeypatch.setattr(logins, "_USERS_SECONDS", 0.1)
    with pytest.raises(Refused, match="it cannot be told which keys open a shell"):
        said()


@pytest.mark.parametrize(
    ("names", "connection", "addr"),
    [
        ("%h/none %h/a b", "192.0.2.1 22 ::2 9", "192.0.2.1"),
        ("%u-%U-%%h b", "", "127.0.0.1"),
    ],
)
def test_keys_are_where_sshd_looks_for_them(
    keys: Callable[[str, str], Path], here: HostStandIn, names: str, connection: str, addr: str
) -> None:
    paths = [keys(name, "one\n") for name in ("a", f"deploy-{DEPLOY}-%h", "b")]
    keys(".ssh/authorized_keys", "one\n")
    script = f'[ "$*" = "-T -C user=deploy,host=localhost,addr={addr}" ] || exit\n'
    said_by_sshd = f"port 22\n\nAuthorizedKeysFile {names}"
    (here.folder / "sshd").write_text(f"#!/bin/sh\n{script}echo '{said_by_sshd}'\n")
    (here.folder / "sshd").chmod(0o755)
    first = paths[0] if names.startswith("%h") else paths[1]
    shells = [line for line in said(connection=connection) if line.startswith("shell")]
    assert shells == [f"shell the key in line 1 of {path}" for path in (first, paths[2])]


def test_its_masks_are_told(sudo: Sudo, here: HostStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    del sudo
    for manager, unit in (("", "a.service"), ("deploy", "b.service")):
        record = Record(manager, unit)
        record.names, record.links = [unit], {"persistent": ("1:2.3", boot_id(), "R-7")}
        here.remember(record)
    masks = [
        "mask a.service - persistent 1:2.3 R-7 did-not-run",
        "mask b.service deploy persistent 1:2.3 R-7 did-not-run",
    ]
    monkeypatch.setattr(memory, "_LOCK_SECONDS", 0.1)
    with closing(Memory()):  # whoever only reads does not wait
        assert said() == ["way sudo", "masks 2", *masks]
    before = open_around(here.folder)
    (here.folder / "remembered" / ":c.service").write_text("what is this")
    assert said() == ["way sudo", "unread what it remembers of c.service cannot be read"]
    assert open_around(here.folder) == before
