"""Examine a host: reachable, its key pinned, our login accepted, systemd answering, and what its guard lets us do."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from bot.core.hosts.inventory import Host
from bot.core.systemd.guard import RIGHTS, complaint
from bot.core.systemd.host_rules import GUARD
from bot.core.systemd.login_shell import login_complaint
from bot.core.systemd.look import look_argv, parse_look
from bot.core.systemd.systemctl import rules_argv
from bot.core.systemd.units import Snapshot, UnitName
from bot.core.text.sanitize import clean
from bot.doctor.check_result import CheckResult
from bot.errors import HostError, MaskbotError
from bot.ports import CommandResult, Hosts

# Any host with systemd can look for it; nothing is done to it.
_UNIT = UnitName("dbus.service")
_OPTIONAL = {
    "control": (
        "units whose own file is in /etc/systemd/system cannot be masked there",
        "To allow it, create /etc/systemd/system.control; docs/operations.md has its permissions.",
    ),
    "foreign-masks": (
        "masks that the bot did not make are not removed there",
        "To allow it, write `foreign-masks: yes` into /etc/maskbot/guard.conf on the host.",
    ),
}
# The checks, in the order in which they can fail.
_CHECKS = ("reachable", "algorithms", "host key", "login", "session", "systemctl", "D-Bus", "look")
_SSH = "Check that sshd runs there, and that address and port in hosts.yaml are right and reachable from the bot."
_FAILS_AT: Mapping[str, tuple[str, str]] = {
    "ssh_no_pin": ("host key", "`maskbot hosts scan` shows its key; compare it with the host's console, then pin it."),
    "ssh_unresolved": (
        "reachable",
        "Correct the address in hosts.yaml, or the DNS (`getent hosts NAME` on this machine).",
    ),
    "ssh_jump_refused": (
        "reachable",
        "Allow it on the host on the way: AllowTcpForwarding in sshd_config(5), and port-forwarding with permitopen in "
        "authorized_keys.",
    ),
    "ssh_weak_crypto": ("algorithms", "Update its OpenSSH: it offers only broken algorithms."),
    "host_key_mismatch": (
        "host key",
        "Compare with `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` on the host itself. If it is the same, "
        "write it into hosts.yaml. If not, somebody may be intercepting the connection.",
    ),
    "host_cert_time": (
        "host key",
        "Sign the host's key again (ssh-keygen -s CA -h) and reload its sshd, and check the clocks of both machines.",
    ),
    "ssh_auth_refused": ("login", "Put the bot's public key into the authorized_keys of that user on the host."),
    "cert_time": ("login", "Sign the key again, valid from a minute ago, and check the clocks of both machines."),
    "ssh_auth_timeout": ("login", "Check what sshd and PAM log about the login (journalctl -u ssh)."),
    "ssh_channel_refused": ("session", "Allow the user a session: MaxSessions and ForceCommand in sshd_config(5)."),
    "ssh_channel_timeout": ("session", "Check what PAM and logind do at login (journalctl -u ssh)."),
    "no_shell": ("session", "Give the login a shell (usermod -s /bin/sh), and check which command sshd forces for it."),
    "host_not_ready": (
        "session",
        f"Print the guard of this version with `maskbot guard`, and install it as {GUARD} there.",
    ),
    "no_systemd": ("systemctl", "The bot only works on hosts booted with systemd. Remove this one from hosts.yaml."),
    "no_systemctl": ("systemctl", "Install systemd, or remove the host from hosts.yaml."),
    "no_bus": ("D-Bus", "Check that dbus.socket is active on the host."),
}
_SOME, _WIDTH = 5, 120
_RIGHTS_FIX = "Put the one line of docs/operations.md into /etc/sudoers.d/maskbot on the host, or into doas.conf."


def examine_host(
    hosts: Hosts, host: Host, critical: Sequence[str], *, deadline: float
) -> tuple[list[CheckResult], str]:
    """All checks of one host up to the first failure, and its machine-id if it is known.

    `critical` are the patterns of the bot's critical list.
    """
    try:
        reply = hosts.run(host, look_argv(_UNIT, size="full"), deadline=deadline)
        no = complaint(host.name, reply.exit_code, reply.stderr, reply.guard)
        if no := no or login_complaint(host.name, reply.exit_code, reply.stdout):
            raise no
        seen = parse_look(reply.stdout, _UNIT)
        said = hosts.run(host, rules_argv(), deadline=deadline)
    except MaskbotError as error:
        return list(_up_to_failure(host.name, error)), ""
    well = [CheckResult(host.name, check, is_ok=True) for check in _CHECKS]
    about = [_guard(host.name, reply), *_rights(host.name, seen), *_rules(host.name, said, critical)]
    return [*well, *about, *_machine(host, seen)], seen.machine_id


def twins(machine_ids: Mapping[str, str]) -> Iterator[CheckResult]:
    """Two names for one machine would let two changes run there at once."""
    names: defaultdict[str, list[str]] = defaultdict(list)
    for name, machine_id in sorted(machine_ids.items()):
        names[machine_id].append(name)
    for same in names.values():
        if len(same) > 1:
            what = f"{' and '.join(same)} have the same machine-id: the same machine, or one is a copy of the other"
            fix = (
                "Keep one of the names in hosts.yaml, or give the copy an id of its own (systemd-machine-id-setup(1))."
            )
            yield from (CheckResult(name, "machine-id", is_ok=False, what=what, fix=fix) for name in same)


def _up_to_failure(name: str, error: MaskbotError) -> Iterator[CheckResult]:
    """The checks that must have passed before the failing one, and the failing one."""
    code = error.code if isinstance(error, HostError) else ""
    reachable = (
        ("reachable", _SSH) if code.startswith("ssh_") else ("look", "Try again. If it stays, it is a bug in maskbot.")
    )
    failed, fix = _FAILS_AT.get(code, reachable)
    if isinstance(error, HostError) and error.hop:
        failed, fix = "reachable", f"`maskbot doctor {error.hop}` says more."
    yield from (CheckResult(name, check, is_ok=True) for check in _CHECKS[: _CHECKS.index(failed)])
    what = " ".join([str(error), *getattr(error, "__notes__", ())])
    yield CheckResult(name, failed, is_ok=False, what=what, fix=fix)


def _rights(name: str, seen: Snapshot) -> Iterator[CheckResult]:
    granted: Iterable[str] = seen.around.rights if seen.around else ()
    for right in RIGHTS:
        if right in granted:
            yield CheckResult(name, f"guard: {right}", is_ok=True)
        elif right in _OPTIONAL and granted:
            what, fix = _OPTIONAL[right]
            yield CheckResult(name, f"guard: {right}", is_ok=True, what=f"not set up: {what}", fix=fix)
        else:
            what = "neither sudo nor doas lets the bot's login call the guard as root"
            yield CheckResult(name, f"guard: {right}", is_ok=False, what=what, fix=_RIGHTS_FIX)


def _rules(name: str, said: CommandResult, critical: Sequence[str]) -> Iterator[CheckResult]:
    """The critical list there, which may be longer than the bot's, and what else the login may do as root."""
    if said.exit_code != 0:
        return  # the rights say why
    words = [line.partition(" ") for line in said.stdout.splitlines()]
    missing = sorted(set(critical) - {rest for word, _, rest in words if word == "critical"})
    what = f"{len(missing)} entries of the bot's list are not in its guard's: {', '.join(missing[:_SOME])}"
    fix = f"Print the guard anew with `maskbot guard`, and install it as {GUARD} there."
    yield _compared(name, "guard: critical list", what if missing else "", fix)
    what, fix = _what_more({kind: [rest for word, _, rest in words if word == kind] for kind in ("may", "unknown")})
    yield _compared(name, "login: nothing but the guard", what, fix)


def _what_more(said: Mapping[str, Sequence[str]]) -> tuple[str, str]:
    """What the login may do as root beside calling the guard, or why that is not known, and what to do about it."""
    more, unknown = (
        "; ".join(clean(one, lines=1, width=_WIDTH) for one in said[kind][:_SOME]) for kind in ("may", "unknown")
    )
    if more:
        what = f"the bot's login may do more as root than call the guard: {more}"
        return what, "Take that out of sudoers or doas.conf."
    what = f"what else the bot's login may do as root is not known: {unknown}"
    return (what, "Look with `sudo -l -U LOGIN` on the host.") if unknown else ("", "")


def _compared(name: str, check: str, what: str, fix: str) -> CheckResult:
    return CheckResult(name, check, is_ok=not what, what=what, fix=fix if what else "")


def _guard(name: str, reply: CommandResult) -> CheckResult:
    """Which guard answered; that it did is known by now."""
    protocol, _, version = reply.guard.partition(" ")
    return CheckResult(name, f"guard {version}, protocol {protocol}", is_ok=True)


def _machine(host: Host, seen: Snapshot) -> Iterator[CheckResult]:
    if host.machine_id and host.machine_id != seen.machine_id:
        what = f"it says {seen.machine_id}, and hosts.yaml says {host.machine_id}"
        fix = "Check whether it was reinstalled. If so, write the new id into hosts.yaml."
        yield CheckResult(host.name, "machine-id", is_ok=False, what=what, fix=fix)
    else:
        yield CheckResult(host.name, "machine-id", is_ok=True)
