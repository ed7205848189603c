"""Do something as a user, and see whether a user's own manager may be used and runs."""

import os
import pwd
import time
from collections.abc import Callable, Sequence

from bot.edges.guard.process import FAILED, LATE, Ended, Refused, drain, run

_SYSTEMCTL = ["/usr/bin/systemctl", "--no-ask-password"]
_SIGKILL, _LONGEST_SAID = 9, 1000
_USERS_SECONDS = 5.0
"""How long root waits for what is done as a user, who can hold it up: by a signal, or by a file system of their own."""


def systemctl(user: str, words: "Sequence[str]") -> Ended:
    """Run systemctl, for a user's manager as that user: `-M USER@.host` came with systemd 248 (measured)."""
    if not user:
        return run([*_SYSTEMCTL, *words])
    entry = pwd.getpwnam(user)
    return run(
        [*_SYSTEMCTL, "--user", *words],
        become=lambda: become(entry),
        more={"XDG_RUNTIME_DIR": f"/run/user/{entry.pw_uid}"},
    )


def become(entry: pwd.struct_passwd) -> None:
    """Give up root's rights for those of a user."""
    os.initgroups(entry.pw_name, entry.pw_gid)
    os.setresgid(entry.pw_gid, entry.pw_gid, entry.pw_gid)
    os.setresuid(entry.pw_uid, entry.pw_uid, entry.pw_uid)


def as_user(entry: pwd.struct_passwd, do: "Callable[[], Ended]") -> Ended:
    """Do something in a process of that user's, which returns its code and one line.

    The code is `LATE` if it was held up or killed, and then nobody can tell what it did.
    """
    ours, theirs = os.pipe()
    process = os.fork()
    if process == 0:
        _do_as(entry, do, theirs)
    os.close(theirs)
    taken = {ours: b""}
    is_over = False
    try:
        is_over = drain(taken, time.monotonic() + _USERS_SECONDS, _LONGEST_SAID)
    finally:
        if not is_over:
            os.kill(process, _SIGKILL)
        os.close(ours)
        status = os.waitpid(process, 0)[1]
    if not os.WIFEXITED(status):
        return Ended(LATE, b"", b"it was held up, or killed\n")
    code, said = os.WEXITSTATUS(status), taken[ours].decode("utf-8", "replace").encode()
    return Ended(code, said if code == 0 else b"", b"" if code == 0 else said)


def _do_as(entry: pwd.struct_passwd, do: "Callable[[], Ended]", to: int) -> None:
    """Do it in this process, which ends with it."""
    code, said = FAILED, "it failed"
    try:
        become(entry)
        done = do()
        code, said = done.code, (done.out or done.err).decode()
    except (Refused, OSError) as why:
        said = f"{why}\n"
    finally:
        os.write(to, said.encode()[:_LONGEST_SAID])
        os._exit(code)


def check_user(user: str, users: "Sequence[str]") -> None:
    """Raises `Refused` unless root lets the bot use that user's manager on this host."""
    if user not in users:
        why = f"root has not opened the manager of {user[:40]!r} to the bot on this host"
        raise Refused(f"{why}: /etc/maskbot/guard.conf there has to name it in `users:`")


class NoManager(Refused):
    """A user's manager cannot be asked; `code` is how the script of a look says why."""

    def __init__(self, code: str, why: str) -> None:
        super().__init__(why)
        self.code = code


def check_manager(user: str) -> "list[str]":
    """Where the user is at home, and the uid. Raises `NoManager` unless the user's manager runs."""
    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        raise NoManager("no_user", f"there is no user {user}") from None
    running = systemctl("", ["show", "-p", "ActiveState", "--value", "--", f"user@{entry.pw_uid}.service"])
    if running.lines != ["active"]:
        raise NoManager("no_user_manager", f"{user} has no running manager, and the bot starts none")
    return [entry.pw_dir, str(entry.pw_uid)]
