"""The way back to the bot through a tunnel: the unit whose program holds it is never stopped over it."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.systemd.host_rules import GUARD
from tests.edges.guard.asking import asked_through
from tests.edges.guard.talking import ask
from tests.edges.guard.test_attacks import with_units
from tests.edges.ssh.looking import until
from tests.lab.hosts import LabHost

pytestmark = pytest.mark.ssh
NETWORK, PORT, SSHD_PORT = "mbt-tunnel", 4597, 2397
HERE, THERE, INNER_HERE, INNER_THERE = "198.51.100.5", "198.51.100.6", "10.211.7.1", "10.211.7.2"

# A mesh network of two: what comes in at the tunnel goes to the other end in UDP, and back. The devices are there.
MESH = f"""\
import fcntl, os, select, socket, struct, sys
own, peer = sys.argv[1:]
tunnel = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(tunnel, 0x400454CA, struct.pack("16sH22x", b"mbtmesh0", 0x1001))
wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
wire.bind((own, {PORT}))
while True:
    for one in select.select([tunnel, wire], [], [])[0]:
        if one is wire:
            os.write(tunnel, wire.recv(4096))
        else:
            wire.sendto(os.read(tunnel, 4096), (peer, {PORT}))
"""
NETWORKS = f"""ip netns add {NETWORK}; ip link add mbtt0 type veth peer name mbtt1 netns {NETWORK}
ip addr add {HERE}/24 dev mbtt0; ip link set mbtt0 up
ip -n {NETWORK} addr add {THERE}/24 dev mbtt1; ip -n {NETWORK} link set mbtt1 up
ip tuntap add mode tun name mbtmesh0; ip addr add {INNER_HERE}/24 dev mbtmesh0; ip link set mbtmesh0 up
ip -n {NETWORK} tuntap add mode tun name mbtmesh0; ip -n {NETWORK} addr add {INNER_THERE}/24 dev mbtmesh0
ip -n {NETWORK} link set mbtmesh0 up"""


@contextmanager
def networks() -> Iterator[None]:
    """The devices of the mesh, here and in a network that has no other way to here."""
    remove = ["sh", "-c", f"ip netns del {NETWORK}; ip link del mbtmesh0"]
    subprocess.run(remove, check=False, capture_output=True)  # what a run that was killed has left
    subprocess.run(["sh", "-ec", NETWORKS], check=True)
    try:
        yield
    finally:
        subprocess.run(remove, check=True)


@contextmanager
def mesh(host: LabHost, program: Path) -> Iterator[LabHost]:
    """The host by its address in the mesh."""
    program.write_text(MESH)
    host.write("/usr/local/lib/mesh.py", MESH)
    host.run("sh", "-c", "mkdir -p /dev/net; [ -e /dev/net/tun ] || mknod /dev/net/tun c 10 200")
    unit = f"[Service]\nExecStart=/usr/bin/python3 /usr/local/lib/mesh.py {HERE} {THERE}\n"
    sshd = f"[Service]\nExecStart=/usr/sbin/sshd -D -o ListenAddress={INNER_HERE} -p {SSHD_PORT}\n"
    with networks(), with_units(host, **{"mesh.service": unit, "mesh-sshd.service": sshd}):
        words = ["ip", "netns", "exec", NETWORK, "python3", str(program), THERE, HERE]
        other_end = subprocess.Popen(words)
        try:
            host.run("systemctl", "start", "mesh.service", "mesh-sshd.service")
            until(lambda: f"{INNER_HERE}:{SSHD_PORT}" in host.run("ss", "-Hltn").stdout)
            yield replace(host, address=INNER_HERE, port=SSHD_PORT, known_hosts=Path("/dev/null"))
        finally:
            other_end.kill()
            other_end.wait()
            host.run("systemctl", "stop", "mesh-sshd.service", "mesh.service")


def test_the_program_behind_the_tunnel_to_the_bot_is_not_stopped(host: LabHost, tmp_path: Path) -> None:
    with mesh(host, tmp_path / "mesh.py") as through:
        words = [*through.ssh(GUARD)]
        words[1:1] = ["-o", "StrictHostKeyChecking=no"]
        client = ["ip", "netns", "exec", NETWORK, *words]
        stop, other = (asked_through(client, "stop", unit) for unit in ("mesh.service", "worker.service"))
        assert stop.is_refused
        assert "mesh.service carries the bot's login" in stop.err
        assert (other.code, other.err) == (0, "")
        assert host.show("mesh.service", "ActiveState") == {"ActiveState": "active"}
        past = ask(host, "stop", "mesh.service")  # from outside of the mesh it carries nothing of ours
        assert (past.code, past.err) == (0, "")
