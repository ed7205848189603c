"""What a real sudo admits to the bot's login, with the fragment that is made from the vocabulary, on a real host."""

import shlex
import subprocess
from collections.abc import Iterable, Mapping

import pytest

from bot.core.systemd import systemctl
from bot.core.systemd.look import look_argv, parse_look
from bot.core.systemd.systemctl import Argv
from bot.core.systemd.units import FileKind, Layer, LayerFile, UnitName
from tests.lab.hosts import LabHost
from tests.lab.tree import LINGERING

pytestmark = pytest.mark.ssh

START = "/usr/bin/systemctl --no-ask-password start -- "
LINK = "/usr/bin/ln -s -T -- /dev/null /etc/systemd/system/"
FIND, DELETE = "/usr/bin/find /etc/systemd/system/", " -maxdepth 0 -type l -xtype c -delete"
HOME = "/home/deploy/.config/systemd/user"
DENIED = (
    # two units, and what is no unit of ours
    START + "cron.service ssh.service",
    START + "'cron.service ssh.service'",
    START + "system.slice",
    START + "multi-user.target",
    START + "home.mount",
    START + "init.scope",
    START + "template@.service",
    START + "cron",
    START + "--now.service",
    START + "-H.service",
    START + "../cron.service",
    START + "/etc/systemd/system/cron.service",
    START + "'cr*.service'",
    START + "'c?on.service'",
    START + "'[c]ron.service'",
    START + "'cron.service\n'",
    START + "'cron\nx.service'",
    START + "'cron .service'",
    START + r"'a\x2fb.service'",
    START + r"'a\x41b.service'",
    START + r"'a\xzzb.service'",
    START + r"'a\b.service'",
    START + r"'a\\x2db.service'",
    START + r"'\x2db.service'",
    START + "''",
    # what would make or remove other links, or more than links
    LINK + "multi-user.target.wants/cron.service",
    LINK + "../cron.service",
    LINK + "cron.service /etc/systemd/system/ssh.service",
    LINK + "cron.target",
    FIND + DELETE,
    FIND + "cron.service /etc" + DELETE,
    FIND + "../../sudoers.d/cron.service" + DELETE,
    FIND + "cron.service -maxdepth 0 -delete",
    FIND + "cron.service -maxdepth 0 -type l -delete",
    FIND + "cron.service -maxdepth 0 -type l -xtype c -delete -o -delete",
    FIND + "cron.service -maxdepth 0 -type l -xtype c -exec /bin/sh ';'",
    f"-u {LINGERING} {FIND}cron.service{DELETE}",
    f"-u root /usr/bin/find {HOME}/cron.service{DELETE}",
    f"-u idle /usr/bin/find {HOME}/cron.service{DELETE}",
    "/usr/bin/systemctl --no-ask-password mask --no-reload -- cron.service",
    "/usr/bin/systemctl --no-ask-password unmask --no-reload -- cron.service",
    f"/usr/bin/systemctl --no-ask-password --user -M {LINGERING}@.host unmask --no-reload -- cron.service",
    # other options, or none
    "/usr/bin/systemctl mask cron.service",
    "/usr/bin/systemctl --no-ask-password mask --now -- cron.service",
    "/usr/bin/systemctl --no-ask-password mask --no-reload --now -- cron.service",
    "/usr/bin/systemctl --no-ask-password mask --no-reload --force -- cron.service",
    "/usr/bin/systemctl --no-ask-password mask --no-reload cron.service",
    "/usr/bin/systemctl --no-ask-password --root=/tmp/x mask --no-reload -- cron.service",
    "/usr/bin/systemctl --no-ask-password --image=/tmp/x mask --no-reload -- cron.service",
    "/usr/bin/systemctl --no-ask-password -H attacker@evil mask --no-reload -- cron.service",
    "/usr/bin/systemctl --no-ask-password --global mask --no-reload -- cron.service",
    "/usr/bin/systemctl --no-ask-password stop -- cron.service",
    "/usr/bin/systemctl --no-ask-password start -- cron.service",
    # other verbs
    "/usr/bin/systemctl --no-ask-password link /tmp/evil.service",
    "/usr/bin/systemctl --no-ask-password edit -- cron.service",
    "/usr/bin/systemctl --no-ask-password enable -- cron.service",
    "/usr/bin/systemctl --no-ask-password disable -- cron.service",
    "/usr/bin/systemctl --no-ask-password revert -- cron.service",
    "/usr/bin/systemctl --no-ask-password isolate -- multi-user.target",
    "/usr/bin/systemctl --no-ask-password daemon-reload cron.service",
    "/usr/bin/systemctl --no-ask-password daemon-reexec",
    "/usr/bin/systemctl --no-ask-password poweroff",
    "/usr/bin/systemctl --no-ask-password add-wants --no-reload -- multi-user.target cron.service",
    "/usr/bin/systemctl",
    # the control layer
    "/usr/bin/ln -s -- /dev/null /etc/systemd/system.control/cron.service",
    "/usr/bin/ln -s -T -- /dev/null /etc/systemd/system.control/../../sudoers.d/cron.service",
    "/usr/bin/ln -s -T -- /dev/null /etc/systemd/system.control/cron.service.d",
    "/usr/bin/ln -s -T -- /tmp/evil /etc/systemd/system.control/cron.service",
    "/usr/bin/ln -s -f -T -- /dev/null /etc/systemd/system.control/cron.service",
    "/usr/bin/rm -- /etc/systemd/system/cron.service",
    "/usr/bin/rm -- /etc/systemd/system.control/cron.service",
    f"/usr/bin/find '/etc/systemd/system.control/*.service'{DELETE}",
    # other users' managers
    "/usr/bin/systemctl --no-ask-password --user -M root@.host mask --no-reload -- cron.service",
    "/usr/bin/systemctl --no-ask-password --user -M idle@.host mask --no-reload -- cron.service",
    f"/usr/bin/systemctl --no-ask-password --user -M {LINGERING}@other mask --no-reload -- cron.service",
    f"/usr/bin/systemctl --no-ask-password -M {LINGERING}@.host mask --no-reload -- cron.service",
    f"/usr/bin/systemctl --no-ask-password --user -M {LINGERING}@.host link /tmp/evil.service",
    f"/usr/bin/systemctl --no-ask-password --user -M {LINGERING}@.host show -p Environment -- cron.service",
    # anything else
    "/bin/sh",
    "/usr/bin/stat -- /etc/shadow",
    f"-u {LINGERING} /usr/bin/stat -- /etc/shadow",
    f"-u {LINGERING} /bin/sh",
)


def commands(unit: UnitName, user: str = "") -> Iterable[Argv]:
    """All that the bot sends about a unit."""
    for layer in (Layer.PERSISTENT, Layer.RUNTIME) if user else Layer:
        yield systemctl.link_argv(unit, layer, user=user)
        link = LayerFile(layer, f"{HOME}/{unit}", FileKind.MASK, "/dev/null", "205:1795886482.540087439")
        yield systemctl.unlink_argv(unit, link, user=user)
        yield systemctl.unprobe_argv(link, user=user)
    yield systemctl.stop_argv(unit, user=user)
    yield systemctl.start_argv(unit, user=user)
    yield systemctl.reset_failed_argv(unit, user=user)
    yield systemctl.reload_argv(user=user)
    if user:
        yield systemctl.status_argv(unit, user=user)


def ask_sudo(host: LabHost, lines: Iterable[str]) -> dict[str, bool]:
    """Ask the host's sudo about each command, without running any."""
    lines = list(lines)
    script = "".join(f"sudo -n -l {line} >/dev/null 2>&1; echo $?\n" for line in lines)
    done = subprocess.run(host.ssh("sh -s"), input=script, capture_output=True, text=True, check=True)
    answers = done.stdout.split()
    assert set(answers) <= {"0", "1"}
    return dict(zip(lines, (answer == "0" for answer in answers), strict=True))


@pytest.mark.parametrize(
    "unit",
    ["cron.service", "echo.socket", "beat.timer", "watched.path", "a_b:c.d@x-y@z.service", r"a\x2db@c\x20d.service"],
)
@pytest.mark.parametrize("user", ["", LINGERING])
def test_everything_the_bot_sends_is_admitted(lab_hosts: Mapping[str, LabHost], unit: str, user: str) -> None:
    lines = [shlex.join(words[2:]) for words in commands(UnitName(unit), user)]
    assert [line for line, admitted in ask_sudo(lab_hosts["web-01"], lines).items() if not admitted] == []


def test_nothing_else_is_admitted(lab_hosts: Mapping[str, LabHost]) -> None:
    assert [line for line, admitted in ask_sudo(lab_hosts["web-01"], DENIED).items() if admitted] == []


def look(host: LabHost, unit: str, *, full: bool = True, user: str = "") -> str:
    words = shlex.join(look_argv(UnitName(unit), size="full" if full else "short", user=user))
    return subprocess.run(host.ssh(words), capture_output=True, text=True, check=True).stdout


def rights(host: LabHost, unit: str = "cron.service") -> frozenset[str]:
    around = parse_look(look(host, unit), UnitName(unit)).around
    assert around is not None
    return around.rights


def test_a_look_reports_the_rights_that_are_there(host: LabHost) -> None:
    everything = frozenset(systemctl.RIGHTS)
    assert rights(host) == everything

    host.run("mv", "/etc/systemd/system.control", "/etc/systemd/away")
    assert rights(host) == everything - {"control"}, "without its folder no link can be made there"
    host.run("mv", "/etc/systemd/away", "/etc/systemd/system.control")

    fragment = host.run("cat", "/etc/sudoers.d/maskbot").stdout
    lines = [
        line
        for line in fragment.splitlines()
        if "/run/systemd" not in line and "find ^/etc/systemd/system\\.control" not in line
    ]
    host.write("/etc/sudoers.d/maskbot", "\n".join(lines).replace("$, \\\nDefaults", "$\nDefaults") + "\n", 0o440)
    try:
        assert rights(host) == everything - {"control", "mask", "unmask"}, "half a right is none"
        host.write("/etc/sudoers.d/maskbot", "", 0o440)
        assert rights(host) == frozenset()
    finally:
        host.write("/etc/sudoers.d/maskbot", fragment, 0o440)


def test_a_unit_that_systemd_has_escaped_has_the_same_rights(lab_hosts: Mapping[str, LabHost]) -> None:
    assert rights(lab_hosts["web-01"], r"odd\x2dname.service") == frozenset(systemctl.RIGHTS)


def test_a_unit_that_the_fragment_leaves_out_has_no_rights_at_all(lab_hosts: Mapping[str, LabHost]) -> None:
    assert rights(lab_hosts["web-01"], "multi-user.target") == {"reload"}


@pytest.mark.parametrize("full", [False, True])
def test_a_look_changes_nothing_and_starts_nobodys_manager(lab_hosts: Mapping[str, LabHost], full: bool) -> None:  # noqa: FBT001 - a table
    host = lab_hosts["web-01"]
    before = host.run("systemctl", "list-units", "--all", "--plain", "--no-legend", "user@*").stdout
    for unit, user in (("cron.service", ""), ("nosuch.service", ""), ("indexer.service", "idle")):
        look(host, unit, full=full, user=user)
    assert host.run("systemctl", "list-units", "--all", "--plain", "--no-legend", "user@*").stdout == before
    assert host.run("systemctl", "is-system-running").stdout == "running\n"
