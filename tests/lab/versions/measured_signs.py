"""Measure by what a host shows its version: answers, words and exit codes. Not a test of the bot."""

import subprocess
from collections.abc import Callable

import pytest

from bot.core.systemd.properties import RELATIONS, SHOWN, SHOWN_OF_MANAGER, SHOWN_OF_RELATED
from tests.lab.hosts import LabHost
from tests.lab.tree import LINGERING

pytestmark = pytest.mark.ssh

_SEEN = "systemctl show -p FragmentPath --value --"
SIGNS = {
    "`FragmentPath` of a masked unit": (
        "systemctl mask --quiet worker.service",
        f"{_SEEN} worker.service",
        "systemctl unmask --quiet worker.service",
    ),
    "`FragmentPath` of a linked unit": ("", f"{_SEEN} linked.service", ""),
    "`FragmentPath` of a package's unit": ("", f"{_SEEN} worker.service", ""),
    "start of a masked unit": (
        "systemctl mask --quiet worker.service",
        "systemctl start worker.service 2>&1; echo rc $?",
        "systemctl unmask --quiet worker.service",
    ),
    "start of a unit that is not there": ("", "systemctl start nosuch.service 2>&1; echo rc $?", ""),
    "kill of a failed unit": (
        "systemd-run --quiet --unit=row-failed false; sleep 0.3",
        "systemctl kill row-failed.service 2>&1; echo rc $?",
        "systemctl reset-failed row-failed.service",
    ),
    "stop of a frozen unit": (
        "systemctl freeze worker.service",
        "timeout 5 systemctl stop worker.service 2>&1; echo rc $?",
        "systemctl thaw worker.service; systemctl start worker.service metrics.service partof.service",
    ),
    "`show --timestamp=us+utc`": ("", f"systemctl {' '.join(SHOWN_OF_MANAGER)} 2>&1 >/dev/null; echo rc $?", ""),
    "`--user -M USER@.host`": (
        "",
        f"systemctl --user -M {LINGERING}@.host is-active indexer.service 2>&1; echo rc $?",
        "",
    ),
    "`ss --cgroup`": ("", "ss -H -t -n --cgroup >/dev/null 2>&1; echo rc $?", ""),
    "the bot's line, in `sudo -l`": ("", "sudo -n -l -U maskbot | tail -n 1", ""),
    "`AuthorizedKeysFile`, in `sshd -T`": ("", "sshd -T | grep -io '^authorizedkeysfile'", ""),
    "`mask --dry-run`": (
        "",
        "systemctl mask --dry-run tuned.service >/dev/null 2>&1; systemctl show -p LoadState --value tuned.service",
        "systemctl unmask --quiet tuned.service",
    ),
}
_TYPES = ("cron.service", "echo.socket", "beat.timer", "watched.path")


def _words(said: str) -> str:
    return " ".join(said.split()) or "nothing"


@pytest.mark.parametrize("sign", SIGNS)
def test_what_a_host_says(host: LabHost, sign: str, record_property: Callable[[str, object], None]) -> None:
    before, asked, after = SIGNS[sign]
    host.run("sh", "-c", before)
    said = host.run("sh", "-c", asked).stdout
    host.run("sh", "-c", after)
    record_property("row", sign)
    record_property("cells", {"": _words(said)})


def test_properties_that_the_bot_asks_for_and_that_are_not_there(
    host: LabHost, record_property: Callable[[str, object], None]
) -> None:
    shown = "\n".join(host.run("systemctl", "show", "--all", "--", unit).stdout for unit in _TYPES)
    there = {line.partition("=")[0] for line in shown.splitlines()}
    record_property("row", "properties that the bot asks for and that are missing")
    record_property("cells", {"": _words(" ".join(sorted({*SHOWN, *RELATIONS, *SHOWN_OF_RELATED} - there - {"Job"})))})


def test_the_process_of_a_login(host: LabHost, record_property: Callable[[str, object], None]) -> None:
    said = subprocess.run(host.ssh("cat /proc/$PPID/comm"), capture_output=True, text=True, check=True).stdout
    record_property("row", "process of a login")
    record_property("cells", {"": _words(said)})
