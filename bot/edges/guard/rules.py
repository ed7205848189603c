"""Say what holds on this host for the bot's login; `maskbot doctor` compares it with what should hold."""

import grp
import os
import pwd
import time

from bot.core.systemd.host_rules import GUARD
from bot.edges.guard.logins import as_user
from bot.edges.guard.memory import Memory
from bot.edges.guard.process import Ended, Refused, run
from bot.edges.guard.settings import Settings
from bot.edges.guard.ways import way_to_root, ways_there

_SSHD = "/usr/sbin/sshd"
_DOAS_CONF = ("/etc/doas.conf", "/usr/local/etc/doas.conf")
_LIST_BEGINS = "may run the following commands"
_OURS_CUT = f"(root) NOPASSWD: {GUARD}"
_OURS = f'{_OURS_CUT} ""'


def rules(settings: Settings, critical: "tuple[str, ...]", connection: str) -> Ended:
    """One on each line: every pattern of the critical list; the way to root; every further line of sudo or doas for
    the login, and every group; each of its keys that opens a shell; each mask that it made; and the clock.
    """
    lines = [f"critical {pattern}" for pattern in critical]
    listed = [line for program in _kinds_of_sudo() for line in _listed_by(program, settings.login)]
    if not listed and "SUDO_UID" in os.environ:  # for it has just admitted the guard
        lines.append("unknown sudo does not list it")
    further = [line for line in listed if line != _OURS] + _doas_lines(settings.login)
    lines += [f"may {line}" for line in dict.fromkeys(further)]
    lines.append(f"way {_way(by_doas=settings.by_doas)}")
    login = pwd.getpwnam(settings.login)
    lines += [f"group {group}" for group in _groups(settings.login) if group != _name_of_group(login.pw_gid)]
    files = _files_of_keys(login, connection)
    read = as_user(login, lambda: Ended(0, _shells(files).encode(), b""))
    if read.code != 0:
        raise Refused("it cannot be told which keys open a shell: the files of the login were not read in time")
    lines += read.lines
    lines += _remembered()
    lines.append(f"clock {time.time():.3f}")
    return Ended(0, "".join(f"{line}\n" for line in lines).encode(), b"")


def _way(*, by_doas: bool) -> str:
    """What called this half, as it names itself; doas has no option that tells its version."""
    if "SUDO_UID" not in os.environ:
        return "doas"
    said = run([way_to_root(by_doas=by_doas), "-V"])
    first = (said.out or said.err).decode("utf-8", "replace").partition("\n")[0]  # sudo-rs 0.2.5 says it as an error
    return first.replace("Sudo version ", "sudo ") or "sudo"


def _files_of_keys(login: pwd.struct_passwd, connection: str) -> "list[str]":
    """Where sshd looks for the login's keys (AuthorizedKeysFile), as it says itself."""
    whom = f"user={login.pw_name},host=localhost,addr={(connection.split() or ['127.0.0.1'])[0]}"
    said = [line.split() for line in run([_SSHD, "-T", "-C", whom]).lines]
    names = next(
        (words[1:] for words in said if words and words[0].lower() == "authorizedkeysfile"), [".ssh/authorized_keys"]
    )
    return [os.path.join(login.pw_dir, _expanded(name, login)) for name in names]


def _expanded(name: str, login: pwd.struct_passwd) -> str:
    """With its tokens replaced (sshd_config(5), TOKENS)."""
    parts = name.split("%%")
    for sign, value in (("%h", login.pw_dir), ("%u", login.pw_name), ("%U", str(login.pw_uid))):
        parts = [part.replace(sign, value) for part in parts]
    return "%".join(parts)


def _shells(files: "list[str]") -> str:
    """The keys in the login's files that open more than the guard, by their lines."""
    found: list[str] = []
    for path in files:
        try:
            with open(path, errors="replace") as file:
                lines = [(number, line.strip()) for number, line in enumerate(file, 1)]
        except OSError:
            continue
        keys = [number for number, line in lines if line and line[0] != "#" and f'command="{GUARD}"' not in line]
        found += [f"shell the key in line {number} of {path}\n" for number in keys]
    return "".join(found[:5])


def _remembered() -> "list[str]":
    """How many masks it made, and each of them."""
    lines: list[str] = []
    memory = Memory(locked=False)
    try:
        for record in memory.everything():
            lines += record.masks
    except Refused as why:
        return [f"unread {why}"]
    finally:
        memory.close()
    return [f"masks {len(lines)}", *lines]


def _kinds_of_sudo() -> "list[str]":
    """Each program of that kind; sudo and sudo-rs may stand side by side, and read different files."""
    there = [program for program in ways_there(by_doas=False) if not program.endswith("doas")]
    return [*{os.path.realpath(program): program for program in reversed(there)}.values()]


def _listed_by(program: str, login: str) -> "list[str]":
    """What the login may do by it, with our line always in the same words."""
    listed = _at_a_terminal([program, "-n", "-l", "-U", login])
    begin = next((number for number, line in enumerate(listed, 1) if _LIST_BEGINS in line), len(listed))
    lines = [line.strip().replace('\\"', '"') for line in listed[begin:]]  # 1.9.5 escapes the quotes
    if _OURS_CUT in lines and run([program, "-n", "-l", "-U", login, GUARD, "x"]).code != 0:
        lines[lines.index(_OURS_CUT)] = _OURS  # sudo-rs 0.2.5 does not show that there may be no arguments
    return [line for line in lines if line]


def _at_a_terminal(argv: "list[str]") -> "list[str]":
    """What a program says at a terminal of its own, which sudo asks for where `requiretty` is set."""
    ours, theirs = os.openpty()

    def begin() -> None:
        os.open(os.ttyname(theirs), os.O_RDWR)  # the first one that a session opens is its terminal

    try:
        return run(argv, become=begin).lines
    finally:
        os.close(ours)
        os.close(theirs)


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
