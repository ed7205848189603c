"""Read what sudo allows the bot on a host: from sudo's own list, if that contains only our rules."""

import re
from collections.abc import Sequence

from bot.core.systemd.sudo_rights_script import FOLDER, NEVER
from bot.core.systemd.systemctl import RIGHTS, USER_RIGHTS, Argv, admitted, is_admitted_name, with_sudo
from bot.errors import HostileOutput

_COMMANDS_FOLLOW = " may run the following commands on "
_RULE = re.compile(r"\((?P<as>[^)]*)\) (?P<what>.*)", re.ASCII)
_OUR_RULE = "NOPASSWD: "
_AS_ROOT = ("root", "ALL", "ALL : ALL")
_OF_A_USER = re.compile(r"/usr/bin/systemctl \^--no-ask-password --user -M \S+@\\\.host ", re.ASCII)


def listed_rights(said: Sequence[str], listed: Sequence[str], unit: str, user: str) -> frozenset[str] | None:
    """Keys of `systemctl.RIGHTS`, and NEVER; None if other rules are there too, so that each right has to be asked for.

    The unit's name varies in our rules; it is compared here as sudo would.
    """
    if not set(said) <= {NEVER, FOLDER} or len(set(said)) < len(said):
        raise HostileOutput("The host's answer has a right that was not asked for.")
    commands = _admitted_commands(listed)
    if commands is None:
        return None
    wanted = USER_RIGHTS if user else RIGHTS
    forms = {right: {_as_listed(form, user) for form in wanted[right]} for right in wanted}
    if ("root", "ALL") in commands:
        granted = {right for right in wanted if all(login == "root" for login, _ in forms[right])}
    else:
        granted = {right for right in wanted if forms[right] <= commands}
        known = {_as_listed(form, "") for forms_of in RIGHTS.values() for form in forms_of}
        others = {command for login, command in commands - known if login == "root" and not _OF_A_USER.match(command)}
        if granted < set(wanted) and others:
            return None
        granted = granted if is_admitted_name(unit) else granted & {"reload"}
    granted -= set() if FOLDER in said else {"control"}
    return frozenset(granted | ({NEVER} & set(said)))


def read_granted(lines: Sequence[str]) -> frozenset[str]:
    """Read the rights that were asked for one by one."""
    if not set(lines) <= set(RIGHTS) or len(set(lines)) < len(lines):
        raise HostileOutput("The host's answer has a right that was not asked for.")
    return frozenset(lines)


def _as_listed(form: Argv, user: str) -> tuple[str, str]:
    """The target user of a command, and the command in the syntax of sudoers(5)."""
    words = with_sudo(form, user)[2:]
    return (words[1], admitted(words[2:])) if words[0] == "-u" else ("root", admitted(words))


def _admitted_commands(listed: Sequence[str]) -> set[tuple[str, str]] | None:
    """The commands that sudo allows without a password, with their target user; None if there may be other rules.

    sudo breaks its lines at blanks: a rule begins with four of them, and its continuation with eight.
    """
    if not listed:
        return None
    start = next((at for at, line in enumerate(listed, 1) if _COMMANDS_FOLLOW in line), len(listed))
    rules: list[str] = []
    for line in listed[start:]:
        if line.startswith("    ("):
            rules.append(line.strip())
        elif rules:
            rules[-1] += f" {line.strip()}"
    commands: set[tuple[str, str]] = set()
    for text in rules:
        rule = _RULE.fullmatch(text)
        found = rule["what"].removeprefix(_OUR_RULE) if rule and rule["what"].startswith(_OUR_RULE) else "!"
        parts = re.split(r", (?=[/!A-Z])", found)
        if not all(part.startswith("/") or part == "ALL" for part in parts):
            return None
        login = "root" if rule and rule["as"] in _AS_ROOT else rule["as"] if rule else ""
        commands |= {(login, part) for part in parts}
    return commands
