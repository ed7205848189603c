"""Say what holds on this host for the bot's login; `maskbot doctor` compares it with what should hold."""

import grp
import os
import pwd
import time

from bot.core.systemd.host_rules import GUARD
from bot.edges.guard.logins import as_user
from bot.edges.guard.process import Ended, run
from bot.edges.guard.settings import Settings

_SUDO, _DOAS_CONF = ("/usr/bin/sudo", "/usr/local/bin/sudo"), ("/etc/doas.conf", "/usr/local/etc/doas.conf")
_LIST_BEGINS = "may run the following commands"
_OURS = f'(root) NOPASSWD: {GUARD} ""'


def rules(settings: Settings, critical: "tuple[str, ...]") -> Ended:
    """One on each line: every pattern of the critical list; the way to root; every further line of sudo or doas for
    the login, and every group; each of its keys that opens a shell; and the clock.
    """
    lines = [f"critical {pattern}" for pattern in critical]
    by_sudo = _sudo_lines(settings.login)
    if not by_sudo and "SUDO_UID" in os.environ:  # for it has just admitted the guard
        lines.append("unknown sudo does not list it")
    lines += [f"may {line}" for line in by_sudo + _doas_lines(settings.login) if line != _OURS]
    lines.append(f"way {_way()}")
    login = pwd.getpwnam(settings.login)
    lines += [f"group {group}" for group in _groups(settings.login) if group != _name_of_group(login.pw_gid)]
    lines += as_user(login, lambda: Ended(0, _shells(login.pw_dir).encode(), b"")).lines
    lines.append(f"clock {time.time():.3f}")
    return Ended(0, "".join(f"{line}\n" for line in lines).encode(), b"")


def _way() -> str:
    """What called this half, as it names itself; doas has no option that tells its version."""
    if "SUDO_UID" not in os.environ:
        return "doas"
    program = next((path for path in _SUDO if os.access(path, os.X_OK)), None)
    said = run([program, "-V"]).lines if program else []
    return said[0].replace("Sudo version ", "sudo ") if said else "sudo"


def _shells(home: str) -> str:
    """The keys in the login's own file that open more than the guard, by their lines."""
    try:
        with open(f"{home}/.ssh/authorized_keys", errors="replace") as file:
            lines = [(number, line.strip()) for number, line in enumerate(file, 1)]
    except OSError:
        return ""
    shells = [number for number, line in lines if line and line[0] != "#" and f'command="{GUARD}"' not in line]
    return "".join(f"shell the key in line {number} of {home}/.ssh/authorized_keys\n" for number in shells[:5])


def _sudo_lines(login: str) -> "list[str]":
    program = next((path for path in _SUDO if os.access(path, os.X_OK)), None)
    listed = run([program, "-n", "-l", "-U", login]).lines if program else []
    begin = next((number for number, line in enumerate(listed, 1) if _LIST_BEGINS in line), len(listed))
    return [line.strip() for line in listed[begin:] if line.strip()]


def _doas_lines(login: str) -> "list[str]":
    """The lines for the login, or for one of its groups (`:wheel`)."""
    whom = {login, *(f":{group}" for group in _groups(login))}
    found: list[str] = []
    for path in _DOAS_CONF:
        try:
            with open(path, errors="replace") as file:
                lines = [line.strip() for line in file]
        except OSError:
            continue
        found += [line for line in lines if line.startswith("permit") and whom.intersection(line.split())]
    return [line for line in found if GUARD not in line.split()]


def _groups(login: str) -> "list[str]":
    """The names of the groups that the login is in."""
    return [_name_of_group(number) for number in os.getgrouplist(login, pwd.getpwnam(login).pw_gid)]


def _name_of_group(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)
