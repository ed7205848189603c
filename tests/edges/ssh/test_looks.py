"""Looks at a real host: what they leave behind there, what a login's settings do to them, and who carries us."""

import shlex
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.policy.decide import decide
from bot.core.policy.model import Refuse
from bot.core.systemd.guard import request_line
from bot.core.systemd.host_rules import GUARD, LOOK_SECONDS
from bot.core.systemd.look import SIZES, look_argv
from bot.core.systemd.scan import scan_argv
from bot.core.systemd.units import LoadState, Snapshot, UnitName
from tests.core.situations import POLICY, looked, request
from tests.edges.ssh.looking import LOOK, answered, look_at, made, question, until
from tests.lab.hosts import LabHost

pytestmark = pytest.mark.ssh
ETC = "/etc/systemd/system"


def leftovers(host: LabHost) -> list[str]:
    """What runs as the bot's login, and is neither sshd nor a guard that waits, which other tests may keep."""
    found = host.run("ps", "-u", host.login, "-o", "args=").stdout.splitlines()
    known = ("sshd", "[sshd]", "/lib/systemd/systemd", "(sd-pam)")
    return [line for line in found if not line.startswith(known) and not line.endswith(f" {GUARD}")]


@pytest.mark.parametrize("goal", ["/dev/zero", "/dev/urandom"])
def test_looks_at_whatever_a_unit_leads_to_end_and_leave_nothing_behind(host: LabHost, goal: str) -> None:
    """Not tried with a pipe, nor with such a drop-in: systemd itself hangs in them (measured)."""
    with made(host, f"ln -s {goal} {ETC}/hollow.service", f"rm {ETC}/hollow.service"):
        began = time.monotonic()
        seen = [look_at(host, "hollow.service", size=size) for size in SIZES for _ in range(2)]
        assert time.monotonic() - began < len(seen) * LOOK_SECONDS / 2
        assert {one.id.text for one in seen} == {"hollow.service"}
        assert leftovers(host) == []


@pytest.mark.parametrize("ending", ["its connection is closed", "its guard is killed"])
def test_a_look_that_nobody_waits_for_any_more_ends(host: LabHost, ending: str) -> None:
    """It happens while systemd cannot be asked, for its bus does not answer; a login needs the bus, too.

    Without a connection the guard ends what it started at once. What outlives the guard has a limit of its own, which
    is three seconds here.
    """
    looks = (look_argv(UnitName("cron.service"), size="full"), scan_argv())
    seconds = LOOK_SECONDS if ending == "its connection is closed" else 3
    wait = "echo in; while [ ! -e /run/stopped ]; do sleep 0.05; done; printf %s {} | " + GUARD
    lines = [wait.format(shlex.quote(request_line(argv, LOOK, deadline=seconds + 5))) for argv in looks]
    clients = [subprocess.Popen(host.ssh(line), stdout=subprocess.PIPE) for line in lines]
    try:
        assert [client.stdout.read(2) for client in clients if client.stdout] == [b"in", b"in"]
        with made(
            host, "pkill -STOP -x dbus-daemon; touch /run/stopped", "pkill -CONT -x dbus-daemon; rm /run/stopped"
        ):
            until(
                lambda: sum("systemctl" in line and "maskbot-" not in line for line in leftovers(host)) >= len(looks),
            )
            if seconds == LOOK_SECONDS:
                for client in clients:
                    client.kill()
            else:
                host.run("pkill", "-KILL", "-u", host.login, "-f", f"{GUARD}$")
                assert leftovers(host) != []
            until(lambda: leftovers(host) == [], but=lambda: leftovers(host))
    finally:
        for client in clients:
            client.kill()
            client.communicate()


def essence(seen: Snapshot) -> Snapshot:
    """Without the session of each login, the time, and which units happen to start or stop just then."""
    assert seen.around
    return replace(seen, around=replace(seen.around, login_units=frozenset(), uptime=0, moving=()))


def test_what_a_login_sets_for_its_tools_changes_nothing(host: LabHost) -> None:
    settings = {
        **{"POSIXLY_CORRECT": "1", "TZ": "Asia/Tokyo", "LANG": "de_DE.UTF-8", "SYSTEMD_COLORS": "1", "IFS": "/"},
        **{"DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/nowhere", "SYSTEMD_LOG_LEVEL": "debug", "QUOTING_STYLE": "c"},
        **{"SYSTEMD_PAGER": "false", "PATH": "/opt/none", "FIND_BLOCK_SIZE": "1", "COLUMNS": "10"},
    }
    plain = essence(look_at(host, "tuned.service"))
    text = "\n".join(f"{key}={value}" for key, value in settings.items())
    with made(host, f"printf '%s\\n' {shlex.quote(text)} >/etc/environment", ": >/etc/environment"):
        told = subprocess.run(
            host.ssh("/usr/bin/printenv POSIXLY_CORRECT TZ"), capture_output=True, text=True, check=False
        )
        assert told.stdout.split() == ["1", "Asia/Tokyo"]
        assert essence(look_at(host, "tuned.service")) == plain


def test_masks_wherever_systemd_searches_are_seen_by_a_look(host: LabHost) -> None:
    folders = [f"{ETC}.attached", "/run/systemd/system.control", "/run/systemd/system.attached"]
    for folder in folders:
        there = f"{folder}/hollow.service"
        with made(host, f"mkdir {folder}; ln -s /dev/null {there}; systemctl daemon-reload", f"rm -r {folder}"):
            seen = look_at(host, "hollow.service", size="short")
        assert (seen.load, seen.fragment, [file.path for file in seen.elsewhere]) == (LoadState.MASKED, there, [there])


def test_links_to_a_unit_are_seen_also_once_its_own_file_is_gone(host: LabHost) -> None:
    file, link = "/run/systemd/system/leaving.service", f"{ETC}/left.service"
    runs = f"printf '[Service]\\nExecStart=/bin/sleep 99\\n' >{file}; systemctl daemon-reload; systemctl start leaving"
    with made(host, f"{runs}; rm {file}; ln -s leaving.service {link}", f"rm {link}; systemctl stop leaving"):
        assert "left.service" in look_at(host, "leaving.service", size="short").names


@contextmanager
def another_network(host: LabHost, port: int) -> Iterator[LabHost]:
    """A network namespace at the other end of a veth, and a second sshd of the host that listens there."""
    name, here, there = "mbt-look", "198.51.100.1", "198.51.100.2"
    made_so = f"""ip netns add {name}; ip link add mbt0 type veth peer name mbt1 netns {name}
ip addr add {here}/24 dev mbt0; ip link set mbt0 up
ip -n {name} addr add {there}/24 dev mbt1; ip -n {name} link set mbt1 up"""
    subprocess.run(["sh", "-ec", made_so], check=True)
    try:
        listens = f"/usr/sbin/sshd -D -o ListenAddress={here} -p {port}"
        with made(host, f"systemd-run --quiet --unit=second-sshd {listens}", "systemctl stop second-sshd"):
            until(lambda: host.run("sh", "-c", f"ss -Hltn sport = :{port} | grep -q {here}").returncode == 0)
            yield replace(host, address=here, port=port, known_hosts=Path("/dev/null"))
    finally:
        subprocess.run(["ip", "netns", "del", name], check=True)


def test_a_login_from_another_network_namespace_refuses_what_may_carry_it(host: LabHost) -> None:
    """As from a relay in a container: ss(8) does not show the sockets there."""

    def through(client: LabHost, unit: str) -> Snapshot:
        words = [*client.ssh(GUARD)]
        words[1:1] = ["-o", "StrictHostKeyChecking=no"]
        inside, asked = ["ip", "netns", "exec", "mbt-look", *words], question(unit)
        return answered(subprocess.run(inside, input=asked, capture_output=True, text=True, check=False).stdout, unit)

    relay = "printf '[Service]\\nPrivateNetwork=yes\\nExecStart=/usr/bin/sleep infinity\\n'"
    with made(host, f"{relay} >{ETC}/relay.service; systemctl daemon-reload", f"rm {ETC}/relay.service"):
        with another_network(host, 2396) as client:
            seen = [through(client, unit) for unit in ("relay.service", "worker.service")]
        direct = look_at(host, "relay.service")
    assert [[*one.around.may_carry_us] for one in seen if one.around] == [["relay.service"], []]
    assert direct.around
    assert direct.around.may_carry_us == set()
    answer = decide(looked(seen[0], request("relay.service")), POLICY)
    assert isinstance(answer, Refuse)
    assert (answer.code, "another network namespace" in answer.hint) == ("own_login_unknown", True)
