"""`python -m tests.core.record`: what real hosts answer to a look, kept under recorded/ for tests that need no host.

With names of cases behind it, these alone are recorded anew.
"""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bot.core.systemd.guard import read_frame, request_line
from bot.core.systemd.host_rules import GUARD
from bot.core.systemd.look import look_argv
from bot.core.systemd.scan import scan_argv
from bot.core.systemd.systemctl import status_argv
from bot.core.systemd.unit_list import unit_list_argv
from bot.core.systemd.units import UnitName
from tests.lab.hosts import Lab, LabHost
from tests.lab.tree import LINGERING

RECORDED = Path(__file__).with_name("recorded")


@dataclass(frozen=True, slots=True)
class Case:
    """A unit in a situation that root makes first and undoes afterwards."""

    unit: str
    before: Sequence[str] = ()
    after: Sequence[str] = ()
    full: bool = False
    user: str = ""
    result: bool = False
    at: int = 0  # another port than sshd's, where something on the host listens for us

    @property
    def size(self) -> str:
        """How much is asked."""
        return "result" if self.result else "full" if self.full else "short"


_ETC, _RUN, _CONTROL = "/etc/systemd/system", "/run/systemd/system", "/etc/systemd/system.control"
_RELOAD = "systemctl daemon-reload"
_SSHD_PORT = "$(sed -n 's/^Port //p' /etc/ssh/sshd_config)"
_RELAY, _DOOR = 2398, 2399
_AS_USER = f"systemctl --user -M {LINGERING}@.host"

CASES: Mapping[str, Case] = {
    "running": Case("worker.service"),
    "second_file": Case(
        "worker.service",
        [f"ln /usr/lib/systemd/system/worker.service /usr/lib/systemd/system/twin.service; {_RELOAD}"],
        [f"rm /usr/lib/systemd/system/twin.service; {_RELOAD}"],
        full=True,
    ),
    "second_file_of_masked": Case(
        "linked.service",
        [
            f"ln -s /opt/lab/linked.service {_ETC}/twin.service; systemctl stop linked",
            f"ln -s /dev/null {_CONTROL}/linked.service; {_RELOAD}",
        ],
        [f"rm {_ETC}/twin.service {_CONTROL}/linked.service; {_RELOAD}; systemctl start linked"],
    ),
    "second_name_of_template": Case(
        "template@1.service",
        [f"ln -s template@.service /usr/lib/systemd/system/other@.service; {_RELOAD}"],
        [f"rm /usr/lib/systemd/system/other@.service; {_RELOAD}"],
    ),
    "started_by_second_name": Case(
        "template@7.service",
        [
            f"ln -s template@.service /usr/lib/systemd/system/other@.service; {_RELOAD}",
            f"systemctl mask template@7.service; {_RELOAD}; systemctl start other@7.service",
        ],
        [
            f"systemctl stop other@7.service; rm /usr/lib/systemd/system/other@.service {_ETC}/template@7.service",
            _RELOAD,
        ],
    ),
    "alias_not_read": Case(
        "fresh.service",
        [f"ln -s /usr/lib/systemd/system/worker.service {_ETC}/fresh.service"],
        [f"rm {_ETC}/fresh.service; {_RELOAD}"],
    ),
    "frozen": Case("worker.service", ["systemctl freeze worker.service"], ["systemctl thaw worker.service"]),
    "calendar_timer": Case(
        "made.timer",
        [
            f"printf '[Timer]\\nOnCalendar=daily\\nPersistent=true\\n' >{_ETC}/made.timer",
            f"printf '[Unit]\\nOnFailure=tuned.service\\nConflicts=cron.service\\n' >{_ETC}/made.service",
            f"printf '[Service]\\nExecStart=true\\n' >>{_ETC}/made.service",
            f"{_RELOAD}; systemctl start made.timer",
        ],
    ),
    "conflicting": Case(
        "made.service", [], [f"systemctl stop made.timer; rm {_ETC}/made.timer {_ETC}/made.service; {_RELOAD}"]
    ),
    "elapsed_timer": Case(
        "made.timer",
        [
            f"printf '[Timer]\\nOnBootSec=1s\\nUnit=tuned.service\\n' >{_ETC}/made.timer; {_RELOAD}",
            "systemctl start made.timer",
        ],
        [f"systemctl stop made.timer; rm {_ETC}/made.timer; {_RELOAD}"],
    ),
    "linked_not_loaded": Case(
        "worker.service", ["systemctl mask --no-reload worker.service"], ["systemctl unmask worker.service"]
    ),
    "masked": Case(
        "worker.service",
        ["systemctl stop worker.service", "systemctl mask worker.service"],
        ["systemctl unmask worker.service", "systemctl start worker.service metrics.service partof.service"],
    ),
    "masked_running": Case("worker.service", ["systemctl mask worker.service"], ["systemctl unmask worker.service"]),
    "masked_twice": Case(
        "cron.service",
        ["systemctl mask --runtime cron.service", "systemctl mask cron.service"],
        ["systemctl unmask cron.service", "systemctl unmask --runtime cron.service"],
    ),
    "masked_alias_in_etc": Case(
        "primary.service", ["systemctl mask primary.service"], ["systemctl unmask primary.service"]
    ),
    "alias_masked_alone": Case(
        "worker.service", ["systemctl mask oldname.service"], ["systemctl unmask oldname.service"]
    ),
    "vendor_alias": Case("oldname.service"),
    "many_names": Case("multi-user.target"),
    "local": Case("local.service"),
    "local_masked_in_control": Case(
        "local.service",
        [f"ln -s -- /dev/null {_CONTROL}/local.service", _RELOAD],
        [f"rm -- {_CONTROL}/local.service", _RELOAD],
    ),
    "local_runtime_mask_without_effect": Case(
        "local.service", ["systemctl mask --runtime local.service"], ["systemctl unmask --runtime local.service"]
    ),
    "linked": Case("linked.service"),
    "empty_file": Case(
        "hollow.service", [f"touch {_ETC}/hollow.service", _RELOAD], [f"rm {_ETC}/hollow.service", _RELOAD]
    ),
    "other_device": Case(
        "hollow.service", [f"ln -s /dev/zero {_ETC}/hollow.service", _RELOAD], [f"rm {_ETC}/hollow.service", _RELOAD]
    ),
    "relative_mask": Case(
        "cron.service",
        [f"ln -s ../../../dev/null {_ETC}/cron.service", _RELOAD],
        [f"rm {_ETC}/cron.service", _RELOAD],
    ),
    "in_run": Case(
        "passing.service",
        [f"cp /usr/lib/systemd/system/gate.service {_RUN}/passing.service", _RELOAD],
        [f"rm {_RUN}/passing.service", _RELOAD],
    ),
    "masked_by_hand": Case("handmade.service"),
    "masked_by_vendor": Case("vendormasked.service"),
    "generated": Case("generated.service"),
    "generated_early": Case("early.service"),
    "transient": Case("transient-one.service"),
    "not_found": Case("corn.service", full=True),
    "instance": Case("template@1.service"),
    "template": Case("template@.service"),
    "socket": Case("echo.socket", full=True),
    "triggered": Case("echo.service", full=True),
    "timer": Case("beat.timer"),
    "path": Case("watched.path"),
    "slice": Case("system.slice"),
    "scope": Case("init.scope"),
    "wrapper": Case("db.service", full=True),
    "result": Case(
        "worker.service",
        ["systemctl stop worker.service", "systemctl mask worker.service"],
        ["systemctl unmask worker.service", "systemctl start worker.service metrics.service partof.service"],
        result=True,
    ),
    "to_zero": Case(
        "hollow.service",
        [f"ln -s /dev/zero {_ETC}/hollow.service", _RELOAD],
        [f"rm {_ETC}/hollow.service", _RELOAD],
        full=True,
    ),
    "files_of_all_kinds": Case(
        "tuned.service",
        [
            f"cd {_ETC}/tuned.service.d; printf '[Service]\nNice=1\n' >'two words.conf'; chmod 600 'two words.conf'",
            f"cd {_ETC}/tuned.service.d; ln -s /dev/null off.conf; truncate -s 2M big.conf; {_RELOAD}",
            f"mkdir {_RUN}/tuned.service.d {_RUN}/service.d; chmod 700 {_RUN}/service.d",
            f"printf '[Service]\nNice=2\n' >{_RUN}/tuned.service.d/not-loaded.conf",
            "chmod 600 /usr/lib/systemd/system/tuned.service",
        ],
        [
            f"cd {_ETC}/tuned.service.d; rm 'two words.conf' off.conf big.conf; rm -r {_RUN}/tuned.service.d",
            f"rmdir {_RUN}/service.d; chmod 644 /usr/lib/systemd/system/tuned.service; {_RELOAD}",
        ],
        full=True,
    ),
    "masked_by_the_kernel": Case(
        "cron.service",
        [
            "mkdir -p /etc/systemd/system-generators; cd /etc/systemd/system-generators;"
            " printf '#!/bin/sh\nln -s /dev/null $2/cron.service\n' >mask; chmod 755 mask",
            _RELOAD,
        ],
        [f"rm /etc/systemd/system-generators/mask; {_RELOAD}"],
    ),
    "masked_in_run_control": Case(
        "cron.service",
        [f"mkdir {_RUN}.control; ln -s /dev/null {_RUN}.control/cron.service; {_RELOAD}"],
        [f"rm -r {_RUN}.control; {_RELOAD}"],
    ),
    "attached": Case(
        "portable.service",
        [f"mkdir {_ETC}.attached; cp /usr/lib/systemd/system/gate.service {_ETC}.attached/portable.service; {_RELOAD}"],
        [f"rm -r {_ETC}.attached; {_RELOAD}"],
    ),
    "edited_and_gone": Case(
        "cron.service",
        [
            f"cp /usr/lib/systemd/system/gate.service {_ETC}/leaving.service; {_RELOAD}; systemctl start leaving",
            f"sleep 1.1; rm {_ETC}/leaving.service; touch /usr/lib/systemd/system/template@.service",
        ],
        [f"systemctl stop leaving.service; {_RELOAD}"],
        full=True,
    ),
    "relayed": Case(
        "relay.service",
        [
            f"cd {_RUN}; printf '[Socket]\nListenStream=127.0.0.1:{_RELAY}\n' >relay.socket",
            f"cd {_RUN}; printf '[Service]\nExecStart=/lib/systemd/systemd-socket-proxyd 127.0.0.1:%s\n' {_SSHD_PORT}"
            " >relay.service",
            f"{_RELOAD}; systemctl start relay.socket",
        ],
        [f"systemctl stop relay.socket relay.service; rm {_RUN}/relay.s*; {_RELOAD}"],
        full=True,
        at=_RELAY,
    ),
    "sshd_for_each_login": Case(
        "door.socket",
        [
            f"cd {_RUN}; printf '[Socket]\nListenStream=127.0.0.1:{_DOOR}\nAccept=yes\n' >door.socket",
            f"cd {_RUN}; printf '[Service]\nExecStart=-/usr/sbin/sshd -i\nStandardInput=socket\n' >'door@.service'",
            f"{_RELOAD}; systemctl start door.socket",
        ],
        [f"systemctl stop door.socket; rm {_RUN}/door*; {_RELOAD}"],
        full=True,
        at=_DOOR,
    ),
    "surroundings": Case("worker.service", full=True),
    "takes_critical_along": Case("gate.service", full=True),
    "drop_in": Case("tuned.service", full=True),
    "carries_our_login": Case("ssh.service", full=True),
    "pending_reload": Case(
        "cron.service",
        ["sed -i s/Lab.gate/Gate/ /usr/lib/systemd/system/gate.service"],
        ["sed -i s/Gate/Lab.gate/ /usr/lib/systemd/system/gate.service", _RELOAD],
        full=True,
    ),
    "stopping": Case(
        "slowstop.service", ["systemctl stop --no-block slowstop.service"], ["systemctl start slowstop.service"]
    ),
    "stopped_by_force": Case(
        "stubborn.service", ["systemctl stop stubborn.service"], ["systemctl start stubborn.service"]
    ),
    "outlived_by_a_process": Case(
        "unkillable.service",
        ["systemctl start unkillable.service", "systemctl stop unkillable.service || true"],
        ["systemctl kill -s KILL unkillable.service", "systemctl reset-failed unkillable.service"],
    ),
    "no_limit_for_stopping": Case(
        "endless.service", ["systemctl start endless.service"], ["systemctl kill -s KILL endless.service"]
    ),
    "crash_loop": Case("crashloop.service"),
    "watchdog": Case("watchdog.service"),
    "refuses_manual_start": Case("norestart.service"),
    "refuses_manual_stop": Case("refusestop.service"),
    "user_running": Case("indexer.service", full=True, user=LINGERING),
    "user_masked": Case(
        "indexer.service",
        [f"{_AS_USER} stop indexer.service", f"{_AS_USER} mask indexer.service"],
        [f"{_AS_USER} unmask indexer.service", f"{_AS_USER} start indexer.service"],
        user=LINGERING,
    ),
    "user_own_file": Case("mirror.service", user=LINGERING),
    "user_without_manager": Case("indexer.service", user="idle"),
    "user_unknown": Case("indexer.service", user="nobody-at-all"),
    "no_bus": Case(
        "cron.service",
        ["mv /run/dbus/system_bus_socket /run/dbus/away"],
        ["mv /run/dbus/away /run/dbus/system_bus_socket"],
    ),
}
# A scan asks for no unit; what makes the situation is listed alone.
SCANS: Mapping[str, Case] = {
    "scan_as_booted": Case(""),
    "scan_of_ours": Case(
        "",
        ["systemctl stop worker.service", "systemctl mask worker.service"],
        ["systemctl unmask worker.service", "systemctl start worker.service metrics.service partof.service"],
    ),
    "scan_of_every_kind": Case(
        "",
        [
            f"ln -s /dev/null {_CONTROL}/local.service",
            f"mkdir {_RUN}.control; ln -s /dev/null {_RUN}.control/cron.service",
            f"ln -s /dev/null {_RUN}/tuned.service",
            f"ln -s /dev/zero {_RUN}/zero.service",
            f"ln -s ../../../dev/null {_ETC}/relative.service",
            f"ln -s {_ETC}/relative.service {_ETC}/chained.service",
            f"ln -s /dev/null '{_ETC}/template@.service'",
            f"ln -s /dev/null '{_ETC}/var-lib-a\\x2db.mount'",
            f"touch {_ETC}/hollow.service",
            # None of these is a unit, whatever systemd makes of the rest.
            f"""cd {_ETC}; ln -s /dev/null 'two words.service'; ln -s /dev/null "it's.service" """,
            f"ln -s /dev/null {_ETC}/a.conf",
            f"mkdir {_ETC}/empty.service.d",
            _RELOAD,
            "systemd-run --quiet --unit=fails --property=Type=oneshot --wait false || true",
        ],
        [
            f"rm {_CONTROL}/local.service {_RUN}/tuned.service {_RUN}/zero.service; rm -r {_RUN}.control",
            f"cd {_ETC}; rm relative.service chained.service 'template@.service' hollow.service a.conf",
            f"""cd {_ETC}; rm 'var-lib-a\\x2db.mount' 'two words.service' "it's.service"; rmdir empty.service.d""",
            f"{_RELOAD}; systemctl reset-failed",
        ],
    ),
    "scan_in_every_folder": Case(
        "",
        [
            f"mkdir /opt/control; rmdir {_CONTROL}; ln -s /opt/control {_CONTROL}",
            "ln -s /dev/null /opt/control/a.service",
            f"mkdir {_ETC}.attached {_RUN}.attached {_RUN}.control /usr/local/lib/systemd/system -p",
            f"for folder in {_ETC}.attached {_RUN}.attached {_RUN}.control /usr/local/lib/systemd/system; do"
            " ln -s /dev/null $folder/b.service; done",
            f"ln -s self.service {_ETC}/self.service; touch /opt/empty; ln -s /opt/empty {_ETC}/c.service; {_RELOAD}",
        ],
        [
            f"rm -r /opt/control /opt/empty {_CONTROL} {_ETC}.attached {_RUN}.attached {_RUN}.control",
            f"rm -r {_ETC}/self.service {_ETC}/c.service /usr/local/lib/systemd/system; mkdir {_CONTROL}; {_RELOAD}",
        ],
    ),
    "scan_with_agents": Case(
        "",
        [
            f"printf '[Service]\\nExecStart=sleep infinity\\n' >{_ETC}/puppet.service",
            f"printf '[Timer]\\nOnCalendar=daily\\n[Install]\\nWantedBy=timers.target\\n' >{_ETC}/ansible-pull.timer",
            f"cp {_ETC}/puppet.service {_ETC}/ansible-pull.service",
            f"ln -s /dev/null {_ETC}/salt-minion.service",
            "systemctl start puppet.service; systemctl enable ansible-pull.timer",
        ],
        [
            "systemctl stop puppet.service; systemctl disable ansible-pull.timer",
            f"cd {_ETC}; rm puppet.service ansible-pull.timer ansible-pull.service salt-minion.service; {_RELOAD}",
        ],
    ),
    "scan_without_bus": CASES["no_bus"],
}
STATUS: Mapping[str, Case] = {
    name: CASES[name] for name in ("running", "masked", "triggered", "socket", "stopping", "drop_in")
}


def main(names: Sequence[str]) -> int:
    """Record cases anew, on a host of the lab."""
    RECORDED.mkdir(exist_ok=True)
    with Lab() as lab:
        host = lab.boot(["web-01"])["web-01"]
        for name, case in {**CASES, **SCANS}.items():
            if not names or name in names:
                _root(host, case.before)
                _record(host, name, case)
                _root(host, case.after)
        if not names or "units" in names:
            (RECORDED / "units.list").write_text(_as_bot(host, unit_list_argv()))
    return 0


def _record(host: LabHost, name: str, case: Case) -> None:
    if name in SCANS:
        (RECORDED / f"{name}.txt").write_text(_as_bot(host, scan_argv()))
        return
    words = look_argv(UnitName(case.unit), size=case.size, user=case.user)
    (RECORDED / f"{name}.txt").write_text(_as_bot(host, words, at=case.at))
    if name in STATUS:
        (RECORDED / f"{name}.status").write_text(_as_bot(host, status_argv(UnitName(case.unit))))


def _as_bot(host: LabHost, words: Sequence[str], *, at: int = 0) -> str:
    elsewhere = replace(host, port=at, known_hosts=Path("/dev/null")) if at else host
    client = list(elsewhere.ssh(GUARD))
    client[1:1] = ["-o", "StrictHostKeyChecking=no"] if at else []
    given = request_line(tuple(words), "a1")
    answer = subprocess.run(client, input=given, capture_output=True, text=True, check=False).stdout
    framed = read_frame(answer, "a1")
    return framed.stdout if framed else answer


def _root(host: LabHost, commands: Sequence[str]) -> None:
    for command in commands:
        done = host.run("sh", "-c", command)
        if done.returncode != 0:
            raise SystemExit(f"{command}: {done.stderr}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
