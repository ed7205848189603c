"""What is done as a user: the user is `nobody`, and a script stands in place of systemctl."""

import os
import pwd
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.edges.guard import logins
from bot.edges.guard.logins import NoManager, as_user, check_manager, check_user, systemctl
from bot.edges.guard.process import FAILED, LATE, Ended, Gone, Limit, Refused, begin_request
from tests.edges.descriptors import pipes_here
from tests.edges.guard.streams import streams

NOBODY = pwd.getpwnam("nobody")
WHO = 'echo "$*"; grep -E "^(Uid|Gid|Groups)" /proc/self/status; echo "$XDG_RUNTIME_DIR"'
SAYS = Callable[[str], None]


@pytest.fixture
def says(roots_folder: Path, monkeypatch: pytest.MonkeyPatch) -> SAYS:
    """Sets up what systemctl does; everybody may run it."""
    begin_request()
    program = roots_folder / "systemctl"
    monkeypatch.setattr(logins, "_SYSTEMCTL", [str(program), *logins._SYSTEMCTL[1:]])

    def set_up(script: str) -> None:
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)

    return set_up


def test_it_is_systemctl_that_is_run() -> None:
    assert logins._SYSTEMCTL == ["/usr/bin/systemctl", "--no-ask-password"]


UID, GID = str(NOBODY.pw_uid), str(NOBODY.pw_gid)
ITS_IDS = [["Uid:", *[UID] * 4], ["Gid:", *[GID] * 4], ["Groups:", GID]]  # real, effective, saved, of file systems


def test_the_system_s_manager_is_asked_as_root(says: SAYS) -> None:
    says(WHO)
    first, *_, folder = systemctl("", ["stop", "--", "cron.service"]).lines
    assert (first, folder) == ("--no-ask-password stop -- cron.service", "")


def test_a_user_s_own_manager_is_asked_as_that_user(says: SAYS) -> None:
    says(WHO)
    first, *ids, folder = systemctl("nobody", ["stop", "--", "mine.service"]).lines
    assert (first, folder) == ("--no-ask-password --user stop -- mine.service", f"/run/user/{UID}")
    assert [line.split() for line in ids] == ITS_IDS


def ids() -> Ended:
    lines = Path("/proc/self/status").read_text().splitlines()
    return Ended(0, "".join(f"{line}\n" for line in lines if line.startswith(("Uid", "Gid", "Groups"))).encode(), b"")


def test_what_is_done_as_a_user_is_done_without_any_right_of_root() -> None:
    assert all("0" in line.split() for line in ids().lines[:2])
    assert [line.split() for line in as_user(NOBODY, ids).lines] == ITS_IDS


def raises(why: Exception) -> Callable[[], Ended]:
    def do() -> Ended:
        raise why

    return do


@pytest.mark.parametrize(
    ("do", "code", "out", "err"),
    [
        (lambda: Ended(0, b"one\n", b""), 0, b"one\n", b""),
        (lambda: Ended(0, b"", b"odd"), 0, b"odd", b""),
        (lambda: Ended(3, b"", b"no\n"), 3, b"", b"no\n"),
        (lambda: Ended(0, b"", b""), 0, b"", b""),
        (lambda: Ended(0, b"x" * 2000, b""), 0, b"x" * 1000, b""),
        (lambda: Ended(0, "\u00e4".encode() * 600, b""), 0, "\u00e4".encode() * 500, b""),
        (lambda: Ended(0, b"\xff", b""), FAILED, b"", b"it failed"),
        (raises(Refused("that is not it")), FAILED, b"", b"that is not it\n"),
        (raises(PermissionError(13, "denied")), FAILED, b"", b"[Errno 13] denied\n"),
        (raises(ValueError("secret")), FAILED, b"", b"it failed"),
    ],
)
def test_its_code_and_one_text_come_back(do: Callable[[], Ended], code: int, out: bytes, err: bytes) -> None:
    before = pipes_here()
    done = as_user(NOBODY, do)
    assert (done.code, done.out, done.err) == (code, out, err)
    assert pipes_here() == before


@pytest.mark.parametrize("sign", [signal.SIGSTOP, signal.SIGKILL])
def test_whom_it_belongs_to_holds_nobody_up_and_does_not_say_what_was_done(
    sign: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A user may stop and kill what runs as that user."""
    monkeypatch.setattr(logins, "_USERS_SECONDS", 0.2)
    before, known = pipes_here(), os.open(tmp_path / "pid", os.O_RDWR | os.O_CREAT)

    def do() -> Ended:
        os.write(known, str(os.getpid()).encode())
        os.kill(os.getpid(), sign)
        return Ended(0, b"done", b"")

    done = as_user(NOBODY, do)
    assert (done.code, done.out, done.err) == (LATE, b"", b"it was held up, or killed\n")
    assert pipes_here() == before
    os.close(known)
    with pytest.raises(ChildProcessError):
        os.waitpid(int((tmp_path / "pid").read_text()), os.WNOHANG)


def test_it_ends_with_those_who_wait_for_the_answer_to_a_look() -> None:
    def do() -> Ended:
        os.kill(os.getpid(), signal.SIGSTOP)
        return Ended(0, b"done", b"")

    begin_request()
    with streams(b"", is_heard=False):
        Limit.is_look = True
        with pytest.raises(Gone):
            as_user(NOBODY, do)
    begin_request()


def test_only_users_whom_root_names_are_served() -> None:
    check_user("deploy", ["idle", "deploy"])
    why = f"^root has not opened the manager of '{'x' * 40}' to the bot on this host: /etc/maskbot/guard.conf there has"
    with pytest.raises(Refused, match=why):
        check_user("x" * 50, ["idle"])


def test_a_user_with_a_manager_that_runs_has_a_home_and_a_number(says: SAYS) -> None:
    says(f'[ "$*" = "--no-ask-password show -p ActiveState --value -- user@{NOBODY.pw_uid}.service" ] && echo active')
    assert check_manager("nobody") == [NOBODY.pw_dir, str(NOBODY.pw_uid)]


@pytest.mark.parametrize("state", ["inactive", "", "active; echo more"])
def test_no_manager_is_started(says: SAYS, state: str) -> None:
    says(f"echo {state}")
    with pytest.raises(NoManager, match="^nobody has no running manager, and the bot starts none$") as why:
        check_manager("nobody")
    assert why.value.code == "no_user_manager"


def test_a_user_who_is_none_has_no_manager(says: SAYS) -> None:
    says("echo active")
    with pytest.raises(NoManager, match="^there is no user no-such-user$") as why:
        check_manager("no-such-user")
    assert why.value.code == "no_user"
