"""Whoever answers at a host's address holds no thread of the bot for longer than its limits, whatever they send."""

import threading
from collections.abc import Iterator
from pathlib import Path

import paramiko
import pytest

from bot.core.hosts.inventory import Host
from bot.edges.ssh.hosts import SshHosts, SshLimits
from bot.errors import HostError, OutcomeUnknown
from config.host_keys import read_public_key
from tests.edges.ssh import attacker
from tests.edges.ssh.test_memory import BEFORE_LOGIN
from tests.edges.ssh_server import eventually, make_key

Tried = list[HostError | OutcomeUnknown]


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    make_key(tmp_path / "bot")
    make_key(tmp_path / "host")
    return tmp_path


@pytest.fixture
def hosts(keys: Path) -> Iterator[SshHosts]:
    ours = SshHosts(keys / "bot", SshLimits(channel=1.0))
    yield ours
    ours.close()


def tried(hosts: SshHosts, keys: Path, attack: attacker.Attack) -> HostError | OutcomeUnknown:
    """What a command to the attacker, whose key is pinned, says in time."""
    said: Tried = []
    pins = frozenset({read_public_key((keys / "host.pub").read_text())})

    def ask(port: int) -> None:
        try:
            hosts.run(Host("web-01", "127.0.0.1", port, "root", "test", pins=pins), ("true",), deadline=5)
        except (HostError, OutcomeUnknown) as error:
            said.append(error)

    with attacker.attacking(attack) as port:
        threading.Thread(target=ask, args=(port,), daemon=True).start()
        eventually(lambda: bool(said))
    return said[0]


def is_at_work() -> bool:
    """Whether a connection of the bot is worked on; the attacker has some, too."""
    return any(isinstance(one, paramiko.Transport) and not one.server_mode for one in threading.enumerate())


def test_a_message_that_says_it_has_no_end_is_not_read(hosts: SshHosts, keys: Path) -> None:
    key = attacker.server_key(keys / "host")
    assert str(tried(hosts, keys, attacker.endless_extensions(key))) == BEFORE_LOGIN
    eventually(lambda: not is_at_work())


def test_a_key_that_is_longer_than_any_real_one_is_not_read(hosts: SshHosts, keys: Path) -> None:
    assert str(tried(hosts, keys, attacker.huge_key(keys / "host"))) == BEFORE_LOGIN


def test_a_host_that_asks_for_replies_and_reads_none_holds_nobody(hosts: SshHosts, keys: Path) -> None:
    tried(hosts, keys, attacker.asks_and_reads_nothing(attacker.server_key(keys / "host")))
    eventually(lambda: not is_at_work())
