"""The guard as sh(1) runs it, without a host: what it keeps from running, however it is written."""

import os
import shlex
import subprocess
from collections.abc import Callable
from itertools import cycle
from pathlib import Path

import pytest

from bot.core.systemd.guard import REFUSED, guard, token
from bot.core.systemd.look import look_argv
from bot.core.systemd.scan import scan_argv
from bot.core.systemd.systemctl import link_argv, stop_argv
from bot.core.systemd.unit_list import unit_list_argv
from bot.core.systemd.units import Layer, UnitName

CRON = UnitName("cron.service")
STOP = shlex.join(stop_argv(CRON)).removesuffix("cron.service")
MASK = shlex.join(link_argv(CRON, Layer.PERSISTENT)).removesuffix("cron.service")
LINK = shlex.join(link_argv(CRON, Layer.CONTROL)).removesuffix("cron.service")
LOOK = shlex.join(look_argv(CRON, size="full")).removesuffix("cron.service full ''")
# Names that are none; SECURITY, "Attack corpus".
NAMES = (
    "--now.service", "-H.service", "-.mount", "--root=/.service", "../x.service", "/etc/x.service", "a/b.service",
    "*.service", "?.service", "[a].service", "a b.service", "a\tb.service", "a\nid.service", "a.service\n",
    "a\r.service", "a;id.service", "a|id.service", "a&&b.service", "$(id).service", "`id`.service", "${IFS}.service",
    "%i.service", "@.service", "@x.service", ".service", "x.Service", "x.service.", "ａ.service", "а.service",
    "a\u202eb.service", "~root.service", "{a,b}.service", "!x.service", "#x.service", '"a".service', "'a'.service",
    r"a\x2f.service", "tmpl@../x.service", "init.scope", "-.slice", "dev-sda.device",
    "cron.service cron.service", "cron.service; id", "cron.service\nid", "cron.service && id", "cron.service>/tmp/x",
)  # fmt: skip
OTHERS = (
    "", "id", "sh", "sh -c id", "/bin/sh -c id maskbot-look cron.service full ''", "sudo -n id", "sudo -i",
    "sudo -n /usr/bin/systemctl reboot", "sudo -n /usr/bin/systemctl --no-ask-password daemon-reexec",
    "sudo -n /usr/bin/systemctl --no-ask-password mask --now -- cron.service", "scp -t /tmp", "internal-sftp",
    "sudo -n /usr/bin/systemctl --no-ask-password --user -M root@.host stop --no-block -- cron.service",
    "sudo -n /usr/bin/ln -s -T -- /etc/shadow /etc/systemd/system.control/x.service",
    "sudo -n /usr/bin/find /etc/systemd/system/../x.service -maxdepth 0 -type l -xtype c -delete",
    "sudo -n /usr/bin/find /etc/systemd/system/x.service -delete", "sudo  -n /usr/bin/systemctl stop",
    "x" * 100_000,
)  # fmt: skip


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], subprocess.CompletedProcess[str]]:
    """Ask the guard for a line, as sshd would; systemd is not asked, for nothing gets as far."""
    script = tmp_path_factory.mktemp("guard") / "guard"
    script.write_text(guard(["ssh*", "dbus.service"], users=["deploy"]))

    def ask(line: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"SSH_ORIGINAL_COMMAND": line, "ENV": str(script), "IFS": "/"}
        return subprocess.run(
            ["sh", script], env=environment, capture_output=True, text=True, errors="replace", check=False
        )

    return ask


def test_no_name_that_is_none_gets_past_it(asked: Callable[[str], subprocess.CompletedProcess[str]]) -> None:
    verbs = cycle(((STOP, ""), (MASK, ""), (LINK, ""), (LOOK, " full ''")))  # each is asked for a dozen names
    lines = [f"{verb}{name}{rest}" for name, (verb, rest) in zip(NAMES, verbs, strict=False)]
    admitted = [line[-60:] for line in lines if asked(line).returncode != REFUSED]
    assert admitted == []


@pytest.mark.parametrize(
    "line", [*OTHERS, f"{LOOK}cron.service full root;id", f"{LOOK}cron.service all ''", f"{LOOK} "]
)
def test_what_is_no_command_of_the_bot_is_refused_with_its_version(
    asked: Callable[[str], subprocess.CompletedProcess[str]], line: str
) -> None:
    answer = asked(line)
    assert (answer.returncode, answer.stdout) == (REFUSED, "")
    assert answer.stderr.startswith(f"maskbot-guard {token()}: not a ")


def test_a_script_with_one_more_letter_is_another_script(
    asked: Callable[[str], subprocess.CompletedProcess[str]],
) -> None:
    for argv in (scan_argv(), unit_list_argv(), look_argv(CRON, size="short")):
        changed = (*argv[:2], f"{argv[2]}#", *argv[3:])
        assert asked(shlex.join(changed)).returncode == REFUSED
        assert asked(shlex.join(argv) + " x").returncode == REFUSED


def test_a_critical_unit_is_neither_stopped_nor_masked(
    asked: Callable[[str], subprocess.CompletedProcess[str]],
) -> None:
    for argv in (stop_argv(UnitName("sshd.service")), link_argv(UnitName("ssh.socket"), Layer.CONTROL)):
        answer = asked(shlex.join(argv))
        assert (answer.returncode, "is critical on this host" in answer.stderr) == (REFUSED, True)


def test_it_is_fit_for_sh(tmp_path: Path) -> None:
    (tmp_path / "guard").write_text(guard(["ssh*"]))
    assert subprocess.run(["sh", "-n", tmp_path / "guard"], check=False).returncode == 0
