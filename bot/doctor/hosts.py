"""Examine a host: reachable, its key pinned, our login accepted, systemd answering, and what its guard lets us do."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence

from bot.core.hosts.inventory import Host
from bot.core.systemd.guard import complaint
from bot.core.systemd.login_shell import login_complaint
from bot.core.systemd.look import look_argv, parse_look
from bot.core.systemd.units import Snapshot, UnitName
from bot.doctor.check_result import CheckResult
from bot.doctor.guard import examine_guard, install_fix
from bot.errors import HostError, MaskbotError
from bot.ports import NOT_STRICT, Hosts

# Any host with systemd can look for it; nothing is done to it.
_UNIT = UnitName("dbus.service")
# The checks, in the order in which they can fail.
_ALGORITHMS = "algorithms"
_CHECKS = ("reachable", _ALGORITHMS, "host key", "login", "session", "systemctl", "D-Bus", "look")
_INSTALL_MENDS = {"host_not_ready": "session", "ssh_auth_refused": "login"}
_ELSEWHERE = (
    " If that says `nothing changed`, the host takes the key from other addresses only: add `--from` with the address "
    "of this machine that `journalctl -u ssh` shows there."
)
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
    "host_revocations": (
        "host key",
        "Put the list back that `revoked` names in hosts.yaml; `ssh-keygen -Q -l -f FILE` reads a KRL.",
    ),
    "cert_time": ("login", "Sign the key again, valid from a minute ago, and check the clocks of both machines."),
    "ssh_signer": (
        "login",
        "Run the command of MASKBOT_SSH_SIGNER as the bot's user, with a request on its standard input: "
        "docs/operations.md, *A certificate for each request*.",
    ),
    "ssh_cert_refused": (
        "login",
        "Check there: TrustedUserCAKeys (or `cert-authority` in authorized_keys), AuthorizedPrincipalsFile, and the "
        "clock. `journalctl -u ssh` says what sshd missed.",
    ),
    "ssh_auth_timeout": ("login", "Check what sshd and PAM log about the login (journalctl -u ssh)."),
    "ssh_channel_refused": ("session", "Allow the user a session: MaxSessions and ForceCommand in sshd_config(5)."),
    "ssh_channel_timeout": ("session", "Check what PAM and logind do at login (journalctl -u ssh)."),
    "no_shell": ("session", "Give the login a shell (usermod -s /bin/sh), and check which command sshd forces for it."),
    "no_systemd": ("systemctl", "The bot only works on hosts booted with systemd. Remove this one from hosts.yaml."),
    "no_systemctl": ("systemctl", "Install systemd, or remove the host from hosts.yaml."),
    "no_bus": ("D-Bus", "Check that dbus.socket is active on the host."),
}


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
        about = examine_guard(hosts, host, (reply, seen), critical, deadline=deadline)
    except MaskbotError as error:
        return list(_up_to_failure(host, error)), ""
    well = [CheckResult(host.name, check, is_ok=True) for check in _CHECKS if check != _ALGORITHMS]
    well.insert(_CHECKS.index(_ALGORITHMS), _algorithms(host, reply.ssh))
    return [*well, *about, *_machine(host, seen)], seen.machine_id


def examine_without_key(shown_key: Callable[[Host], tuple[str, str]], host: Host) -> list[CheckResult]:
    """What can be told of a host that nobody can log in to: whether it answers, and with the pinned key."""
    if host.via:
        return []
    if not host.trusted:
        return examine_unpinned(shown_key, host)
    if not host.pins:
        return []
    try:
        pin, _ = shown_key(host)
    except HostError as error:
        return list(_up_to_failure(host, error))
    if pin in host.pins:
        return [CheckResult(host.name, check, is_ok=True) for check in ("reachable", "host key")]
    why = HostError(f"{host.name}: its host key does not match the pin: it shows {pin}", code="host_key_mismatch")
    return list(_up_to_failure(host, why))


def examine_unpinned(shown_key: Callable[[Host], tuple[str, str]], host: Host) -> list[CheckResult]:
    """A host without a pinned key: whether it answers, and which key it shows."""
    try:
        pin, kind = shown_key(host)
        shown = f"{host.name}: no key of it is pinned, so the bot does not log in. It shows {pin} ({kind})"
        error = HostError(shown, code="ssh_no_pin")
    except HostError as why:
        error = why
    return list(_up_to_failure(host, error))


def _algorithms(host: Host, agreed: str) -> CheckResult:
    """What was agreed on. Without a strict exchange nothing that the bot offers is known to be broken."""
    if NOT_STRICT not in agreed:
        return CheckResult(host.name, _ALGORITHMS, is_ok=True, what=agreed)
    fix = "Update its OpenSSH to 9.6 or later (CVE-2023-48795); no cipher that the bot offers is known to be affected."
    return CheckResult(host.name, _ALGORITHMS, is_ok=True, what=agreed, fix=fix)


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


def _up_to_failure(host: Host, error: MaskbotError) -> Iterator[CheckResult]:
    """The checks that must have passed before the failing one, and the failing one."""
    name = host.name
    code = error.code if isinstance(error, HostError) else ""
    reachable = ("reachable", _ssh_fix(host)), ("look", "Try again. If it stays, it is a bug in maskbot.")
    failed, fix = _FAILS_AT.get(code, reachable[not code.startswith("ssh_")])
    if code in _INSTALL_MENDS:
        failed = _INSTALL_MENDS[code]
        fix = f"{install_fix(host)}{_ELSEWHERE}" if failed == "login" else install_fix(host)
    if isinstance(error, HostError) and error.hop:
        failed, fix = "reachable", f"`maskbot doctor {error.hop}` says more."
    yield from (CheckResult(name, check, is_ok=True) for check in _CHECKS[: _CHECKS.index(failed)])
    what = " ".join([str(error), *getattr(error, "__notes__", ())])
    yield CheckResult(name, failed, is_ok=False, what=what, fix=fix)


def _ssh_fix(host: Host) -> str:
    asks = f"ssh-keyscan -p {host.port} {host.address}"
    return f"Check that sshd listens at {host.address} port {host.port}, as hosts.yaml says; `{asks}` has to answer."


def _machine(host: Host, seen: Snapshot) -> Iterator[CheckResult]:
    if host.machine_id and host.machine_id != seen.machine_id:
        what = f"it says {seen.machine_id}, and hosts.yaml says {host.machine_id}"
        fix = "Check whether it was reinstalled. If so, write the new id into hosts.yaml."
        yield CheckResult(host.name, "machine-id", is_ok=False, what=what, fix=fix)
    else:
        yield CheckResult(host.name, "machine-id", is_ok=True)
