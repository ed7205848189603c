"""Whoever answers at a host's address cannot fill the bot's memory, neither before the login nor after it."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot.edges.ssh.hosts import fingerprint
from tests.edges.ssh import attacker
from tests.edges.ssh_server import Sshd, make_key, sshd

MOST = 20_000_000  # bytes
ROOT = Path(__file__).parents[3]
BEFORE_LOGIN = "web-01: it sent more than a login needs, so the bot closed the connection. Nothing was sent."
AT_HOP = "web-01: bastion sent more than it may, so the bot closed the connection. Nothing was sent."
AFTER_LOGIN = "web-01: the command was sent and the host answered with more than 4096 KiB."


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with sshd(tmp_path_factory.mktemp("sshd")) as running:
        yield running


@pytest.mark.parametrize(
    ("attack", "answer"),
    [
        (attacker.huge_packet, BEFORE_LOGIN),
        (attacker.endless_banner, BEFORE_LOGIN),
        (attacker.endless_lines, BEFORE_LOGIN),
        (attacker.junk_key_exchange, BEFORE_LOGIN),
        (attacker.endless_ignored, BEFORE_LOGIN),
        ("stdout", AFTER_LOGIN),
        ("stderr", AFTER_LOGIN),
        ("bastion", BEFORE_LOGIN),
    ],
)
@pytest.mark.fault(
    "F90", how="a host that sends a packet of 2 GiB, or bytes without an end, before and after the login"
)
def test_a_host_cannot_fill_the_bots_memory(
    server: Sshd, tmp_path: Path, saw: Callable[[str], str], attack: attacker.Attack | str, answer: str
) -> None:
    pins = [*server.host.pins, fingerprint(make_key(tmp_path / "host_key"))]
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
    # Of a hop, it is a matter of time which of the two connections has had enough first.
    assert set(found["said"]) <= ({answer, AT_HOP} if role == "bastion" else {answer})
    saw(found["said"][0])
