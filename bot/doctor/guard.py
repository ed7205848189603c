"""Examine a host's guard, its way to root and the bot's login; say what is missing there, and what mends it."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from bot import __version__
from bot.core.hosts.inventory import Host
from bot.core.systemd.guard import REFUSED, RIGHTS
from bot.core.systemd.systemctl import rules_argv, start_argv
from bot.core.systemd.units import Snapshot, UnitName
from bot.core.text.sanitize import clean
from bot.doctor.check_result import CheckResult
from bot.ports import CommandResult, Hosts

_OPTIONAL = {
    "control": (
        "units whose own file is in /etc/systemd/system cannot be masked there",
        "To allow it: `install -d -m 755 /etc/systemd/system.control` on the host, as root.",
    ),
    "foreign-masks": (
        "masks that the bot did not make are not removed there",
        "To allow it, write `foreign-masks: yes` into /etc/maskbot/guard.conf on the host.",
    ),
}
_SOME, _WIDTH = 5, 120
_NO_UNIT = UnitName("maskbot-doctor-asks-for-what-is-refused.service")
_CLOCK_SECONDS = 30.0
"""A larger difference is worth an hour of somebody's night: certificates, expiries and journals disagree."""

_Said = Mapping[str, Sequence[str]]


def install_fix(host: Host) -> str:
    """The command that mends a host."""
    port = "" if host.port == 22 else f" -p {host.port}"  # noqa: PLR2004 - of SSH
    login = "" if host.login == "maskbot" else f" --login {host.login}"
    typo = " Or correct `login` in hosts.yaml." if login else ""
    return f"`maskbot host install-script{login} | ssh{port} root@{host.address} sh -s`, or the Ansible role.{typo}"


def examine_guard(
    hosts: Hosts,
    host: Host,
    found: tuple[CommandResult, Snapshot],
    critical: Sequence[str],
    *,
    deadline: float,
    now: Callable[[], float] = time.time,
) -> list[CheckResult]:
    """All that the guard says, after a look that it `found`. Raises `MaskbotError` if it does not answer."""
    reply, seen = found
    answer = hosts.run(host, rules_argv(), deadline=deadline)
    checks = [_version(host, reply)]
    if answer.exit_code != 0:
        why = clean(answer.stderr.removeprefix("maskbot-guard: "), lines=1, width=_WIDTH)
        what = f"the guard there cannot be called as root: {why}"
        return [*checks, CheckResult(host.name, "root", is_ok=False, what=what, fix=install_fix(host))]
    said = _words(answer.stdout)
    lists, refuses = _critical(host, said, critical), _refuses(hosts, host, deadline)
    rest = [*_rights(host, seen), lists, refuses, _login(host, said), *_clock(host, said, now())]
    return [*checks, _way(host, said), *rest]


def _refuses(hosts: Hosts, host: Host, deadline: float) -> CheckResult:
    """Whether it refuses to start what the bot did not stop: a unit that no host has, so nothing can come of it."""
    answer = hosts.run(host, start_argv(_NO_UNIT), deadline=deadline)
    what = "" if answer.exit_code == REFUSED else "it does not refuse what the bot may not do, so it protects nothing"
    return _compared(host, "guard: refuses", what, install_fix(host))


def _words(stdout: str) -> _Said:
    """What follows each first word."""
    said: dict[str, list[str]] = {}
    for line in stdout.splitlines():
        word, _, rest = line.partition(" ")
        said.setdefault(word, []).append(rest)
    return said


def _version(host: Host, reply: CommandResult) -> CheckResult:
    """Which guard answered; that it did is known by now."""
    protocol, _, version = reply.guard.partition(" ")
    check, is_ours = f"guard {version}, protocol {protocol}", version == __version__
    what = "" if is_ours else f"this bot is version {__version__}; it speaks with that guard, too"
    return CheckResult(host.name, check, is_ok=True, what=what, fix="" if is_ours else install_fix(host))


def _way(host: Host, said: _Said) -> CheckResult:
    way = clean(said.get("way", ["sudo or doas"])[0], lines=1, width=_WIDTH)
    return CheckResult(host.name, f"root through {way}", is_ok=True)


def _rights(host: Host, seen: Snapshot) -> Iterator[CheckResult]:
    granted: Iterable[str] = seen.around.rights if seen.around else ()
    for right in RIGHTS:
        if right in granted:
            yield CheckResult(host.name, f"guard: {right}", is_ok=True)
        elif right in _OPTIONAL and granted:
            what, fix = _OPTIONAL[right]
            yield CheckResult(host.name, f"guard: {right}", is_ok=True, what=f"not set up: {what}", fix=fix)
        else:
            what = "the guard there does not do that"
            yield CheckResult(host.name, f"guard: {right}", is_ok=False, what=what, fix=install_fix(host))


def _critical(host: Host, said: _Said, critical: Sequence[str]) -> CheckResult:
    """The critical list there, which may be longer than the bot's."""
    missing = sorted(set(critical) - set(said.get("critical", ())))
    what = f"{len(missing)} entries of the bot's list are not in its guard's: {', '.join(missing[:_SOME])}"
    return _compared(host, "guard: critical list", what if missing else "", install_fix(host))


def _login(host: Host, said: _Said) -> CheckResult:
    """Check that the login may do nothing beside calling the guard; say what else it may, or why that is not known."""
    check = "login: nothing but the guard"
    if more := _some(said.get("may", ())):
        what = f"the bot's login may do more as root than call the guard: {more}"
        return _compared(host, check, what, "Take that out of sudoers or doas.conf.")
    if groups := _some(said.get("group", ())):
        what = f"the bot's login is in groups that it does not need: {groups}"
        return _compared(host, check, what, f"`gpasswd -d {host.login} GROUP` on the host, as root.")
    if unknown := _some(said.get("unknown", ())):
        what = f"what else the bot's login may do as root is not known: {unknown}"
        return _compared(host, check, what, f"Look with `sudo -l -U {host.login}` on the host.")
    if shells := _some(said.get("shell", ())):
        what = f"warning: a shell opens, not the guard alone, with {shells}"
        return CheckResult(host.name, check, is_ok=True, what=what, fix=install_fix(host))
    return _compared(host, check, "", "")


def _some(said: Sequence[str]) -> str:
    return "; ".join(clean(one, lines=1, width=_WIDTH) for one in said[:_SOME])


def _clock(host: Host, said: _Said, now: float) -> Iterator[CheckResult]:
    """The difference of the clocks; an older guard does not tell the time."""
    for text in said.get("clock", ())[:1]:
        try:
            ahead = float(text) - now
        except ValueError:
            return
        what = f"{abs(ahead):.1f} s {'ahead of' if ahead > 0 else 'behind'} the bot's"
        is_ok = abs(ahead) <= _CLOCK_SECONDS
        fix = "" if is_ok else "`timedatectl set-ntp true` on the one that is wrong (compare both with `date -u`)."
        yield CheckResult(host.name, "clock", is_ok=is_ok, what=what, fix=fix)


def _compared(host: Host, check: str, what: str, fix: str) -> CheckResult:
    return CheckResult(host.name, check, is_ok=not what, what=what, fix=fix if what else "")
