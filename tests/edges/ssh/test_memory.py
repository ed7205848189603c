"""Whoever answers at a host's address cannot fill the bot's memory, neither before the login nor after it."""

import gc
import json
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import paramiko
import pytest

from bot.core.hosts.inventory import Host
from bot.edges.ssh.bounds import LARGEST_PACKET, BoundedPackets, TooMuch, Wire
from bot.edges.ssh.hosts import SshHosts
from bot.errors import HostError, OutcomeUnknown
from config.host_keys import read_public_key
from tests.edges.ssh import attacker
from tests.edges.ssh_server import Sshd, make_key, sshd

MOST = 20_000_000  # bytes
ROOT = Path(__file__).parents[3]
BEFORE_LOGIN = "web-01: it sent more than a login needs, so the bot closed the connection. Nothing was sent."
NO_ALGORITHM = "web-01: it offers no strong algorithm that the bot supports. Nothing was sent."
AT_HOP = "web-01: bastion sent more than it may, so the bot closed the connection. Nothing was sent."
# It is a matter of time which limit is met first: that of an answer, or that of what may wait to be read.
AFTER_LOGIN = (
    "web-01: the command was sent and the host answered with more than 4096 KiB.",
    "web-01: the command was sent, then the host sent more than SSH lets it, so the bot closed the connection.",
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with sshd(tmp_path_factory.mktemp("sshd")) as running:
        yield running


@pytest.mark.parametrize(
    ("attack", "answers"),
    [
        (attacker.huge_packet, (BEFORE_LOGIN,)),
        (attacker.endless_banner, (BEFORE_LOGIN,)),
        (attacker.endless_lines, (BEFORE_LOGIN,)),
        (attacker.junk_key_exchange, (NO_ALGORITHM,)),
        (attacker.endless_ignored, (BEFORE_LOGIN,)),
        ("stdout", AFTER_LOGIN),
        ("stderr", AFTER_LOGIN),
        ("bastion", (BEFORE_LOGIN, AT_HOP)),  # which of the two connections has had enough first
    ],
)
@pytest.mark.fault(
    "F90", how="a host that sends a packet of 2 GiB, or bytes without an end, before and after the login"
)
def test_a_host_cannot_fill_the_bots_memory(
    server: Sshd, tmp_path: Path, saw: Callable[[str], str], attack: attacker.Attack | str, answers: tuple[str, ...]
) -> None:
    pins = [*server.host.pins, read_public_key(make_key(tmp_path / "host_key"))]
    role = "host"
    if isinstance(attack, str):
        key = attacker.server_key(tmp_path / "host_key")
        role = attack
        attack = attacker.endless_output(key, on_stderr=attack == "stderr")
    with attacker.attacking(attack) as port:
        words = (server.key_file, server.host.port, port, role, server.host.login, *pins)
        command = [sys.executable, "-m", "tests.edges.ssh.attacked", *map(str, words)]
        ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=300)
    found = json.loads(ran.stdout)
    assert found["grown"] < MOST, found
    assert set(found["said"]) <= {*answers}
    saw(found["said"][0])


def test_no_memory_is_taken_for_a_packet_that_is_larger_than_any_real_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()) as near:
        far, _ = listener.accept()
        packets = BoundedPackets(Wire(near))
        with far:
            far.sendall(bytes(8))
            assert packets.read_all(8) == bytes(8)
        with pytest.raises(TooMuch):  # and not the end of the connection, which a read would find
            packets.read_all(LARGEST_PACKET + 1)


@pytest.fixture
def uncollected() -> Iterator[None]:
    """Python's collector would break circles of references, sooner or later."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def keeps_nothing(hosts: SshHosts, host: Host, *command: str, deadline: float = 10) -> None:
    """It fails, and while somebody keeps the error nothing is left of the connection."""
    with pytest.raises((HostError, OutcomeUnknown)) as failed:
        hosts.run(host, command or ("true",), deadline=deadline)
    kept = failed.value
    assert _transports() == 0, kept


@pytest.mark.usefixtures("uncollected")
def test_an_error_that_somebody_keeps_keeps_no_connection(server: Sshd, tmp_path: Path) -> None:
    make_key(tmp_path / "stranger")
    ours = SshHosts(server.key_file)
    keeps_nothing(ours, replace(server.host, pins=frozenset({"SHA256:other"})))
    keeps_nothing(SshHosts(tmp_path / "stranger"), server.host)
    keeps_nothing(ours, server.host, "sleep", "5", deadline=0.2)
    keeps_nothing(ours, server.host, "cat", "/dev/zero")
    (tmp_path / "full").mkdir()
    with sshd(tmp_path / "full", "MaxSessions 0") as full:
        keeps_nothing(SshHosts(full.key_file), full.host)


@pytest.mark.usefixtures("uncollected")
@pytest.mark.parametrize("attack", [attacker.huge_packet, attacker.endless_banner, attacker.endless_lines])
def test_an_error_about_an_attacker_keeps_no_connection(server: Sshd, attack: attacker.Attack) -> None:
    with attacker.attacking(attack) as port:
        keeps_nothing(SshHosts(server.key_file), replace(server.host, port=port))


def _transports() -> int:
    """Those of the bot; the attackers of other tests may have some, too."""
    return sum(isinstance(one, paramiko.Transport) and not one.server_mode for one in gc.get_objects())
