"""Look at the state of a unit, or scan all masks of a host: the only source of what is true there."""

from collections.abc import Collection

from bot.core.hosts.inventory import Host
from bot.core.requests import Request
from bot.core.systemd.guard import LATE, Argv, complaint, look_seconds
from bot.core.systemd.login_shell import login_complaint
from bot.core.systemd.look import look_argv, parse_look
from bot.core.systemd.scan import Scan, parse_scan, scan_argv
from bot.core.systemd.status import parse_status, read_status
from bot.core.systemd.systemctl import status_argv
from bot.core.systemd.units import Snapshot, UnitName
from bot.errors import HostError, OutcomeUnknown
from bot.workflow.process.deps import Deps

# A host under load gives these errors for a moment (measured), though they may also be permanent.
_MAY_PASS = ("no_bus", "show_failed")


def look(deps: Deps, host: Host, unit: UnitName, *, full: bool = False, user: str = "") -> Snapshot:
    """Look at a unit; a full look sees all that a decision needs.

    Raises `HostError` if the host cannot be asked, gives an invalid answer, or is another machine.
    """
    return look_and_status(deps, host, unit, size="full" if full else "short", user=user)[0]


def look_and_status(
    deps: Deps, host: Host, unit: UnitName, *, size: str, user: str = "", also: Collection[str] = ()
) -> tuple[Snapshot, str]:
    """Look at a unit, and at the units in `also`; with the head of the unit's status for people, if the size has it.

    The sizes: `short`; `full`, for a decision; `acting`, a full look right before the change, with the status; and
    `result`, with the status, for the effect of a change: a full look without what only a decision needs (our rights,
    our login, other people's edits). Raises `HostError`, as `look` does.
    """
    stdout = _run(deps, host, look_argv(unit, size=size, user=user))
    return read_look(host, stdout, unit, also=also)


def read_look(host: Host, said: str, unit: UnitName, *, also: Collection[str] = ()) -> tuple[Snapshot, str]:
    """Read a look that has been taken already, right after a change. Raises `HostError` in the same cases."""
    snapshot = parse_look(said, unit, also=also)
    if not host.is_machine(snapshot.machine_id):
        raise _another_machine(host)
    return snapshot, parse_status(said)


def scan(deps: Deps, host: Host) -> Scan:
    """List every mask on a host. Raises `HostError` in the same cases as `look`."""
    found = parse_scan(_run(deps, host, scan_argv()))
    if not host.is_machine(found.machine_id):
        raise _another_machine(host)
    return found


def _run(deps: Deps, host: Host, argv: Argv) -> str:
    limit = deps.look_limits.of(host.name, usual=deps.timings.look_deadline)
    try:
        reply = deps.hosts.run(host, argv, deadline=limit)
    except OutcomeUnknown as error:  # a look changes nothing, so it can be repeated
        raise HostError(str(error), code="no_answer", passing=True) from error
    if reply.exit_code == LATE:
        why = f"{host.name}: the check took longer than {look_seconds(limit)} s there and was ended."
        raise HostError(f"{why} The host is overloaded, or its systemd hangs.", code="look_too_slow", passing=True)
    deps.look_limits.took(host.name, reply.millis / 1000)
    no = complaint(host.name, reply.exit_code, reply.stderr, reply.guard)
    if no := no or login_complaint(host.name, reply.exit_code, reply.stdout):
        raise no
    return reply.stdout


def _another_machine(host: Host) -> HostError:
    return HostError(f"{host.name} is no longer the same machine: its machine-id has changed.", code="wrong_machine")


def patient_look(deps: Deps, host: Host, unit: UnitName, *, user: str = "") -> tuple[Snapshot, str]:
    """A full look with the head of the unit's status, for people only.

    It is retried after each of `Timings.retries` if that can help; a look changes nothing.
    """
    pauses = iter(deps.timings.retries)
    while True:
        try:
            return look_and_status(deps, host, unit, size="acting", user=user)
        except HostError as error:
            pause = next(pauses, None)
            if pause is None or (not error.passing and error.code not in _MAY_PASS):
                raise
            deps.clock.wait(pause)


def look_to_decide(deps: Deps, request: Request, unit: UnitName) -> tuple[Snapshot, str]:
    """The state that a decision about the request is based on, with the head of the status for people.

    That is the unit's state now; for an extension its state before the mask, as a look would show the mask alone.
    Raises `HostError`, and `UsageError` if the host is unknown.
    """
    change = request.ask.change
    if request.ask.extends and (before := deps.store.get(request.ask.extends).target.before):
        return before, ""
    return patient_look(deps, deps.in_force.inventory.host(change.host), unit, user=change.user)


def status_head(deps: Deps, host: Host, unit: UnitName, *, user: str = "") -> str:
    """The head of `systemctl status`, for people only; empty when it cannot be had."""
    try:
        return read_status(
            deps.hosts.run(host, status_argv(unit, user=user), deadline=deps.timings.look_deadline).stdout
        )
    except (HostError, OutcomeUnknown):
        return ""
