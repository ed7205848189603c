"""What holds on this host for the bot's login, so that `maskbot doctor` can compare it with what should hold."""

import os

from bot.core.systemd.host_rules import GUARD
from bot.edges.guard.process import Ended, run
from bot.edges.guard.settings import Settings

_SUDO, _DOAS_CONF = ("/usr/bin/sudo", "/usr/local/bin/sudo"), ("/etc/doas.conf", "/usr/local/etc/doas.conf")
_LIST_BEGINS = "may run the following commands"
_OURS = f'(root) NOPASSWD: {GUARD} ""'


def rules(settings: Settings, critical: "tuple[str, ...]") -> Ended:
    """Every pattern of the critical list, and every further line of sudo or doas for the login; one on each line."""
    lines = [f"critical {pattern}" for pattern in critical]
    lines += [f"may {line}" for line in _sudo_lines(settings.login) + _doas_lines(settings.login)]
    return Ended(0, "".join(f"{line}\n" for line in lines).encode(), b"")


def _sudo_lines(login: str) -> "list[str]":
    program = next((path for path in _SUDO if os.access(path, os.X_OK)), None)
    listed = run([program, "-n", "-l", "-U", login]).lines if program else []
    begin = next((number for number, line in enumerate(listed, 1) if _LIST_BEGINS in line), len(listed))
    return [line.strip() for line in listed[begin:] if line.strip() not in ("", _OURS)]


def _doas_lines(login: str) -> "list[str]":
    found: list[str] = []
    for path in _DOAS_CONF:
        try:
            with open(path, errors="replace") as file:
                found += [line.strip() for line in file if login in line.split() and GUARD not in line.split()]
        except OSError:
            pass
    return [line for line in found if line.startswith("permit")]
