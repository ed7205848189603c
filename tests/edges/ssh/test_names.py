"""Hosts by DNS name: the system's resolver is asked, within a limit, and the address goes on record."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.edges.ssh.hosts import SshHosts
from bot.edges.ssh.login import SshLimits
from bot.edges.ssh.names import Found, Names, Unresolved
from bot.errors import HostError, OutcomeUnknown
from tests.edges.ssh_server import Sshd, free_port, sshd
from tests.plugins.fault_table import was_read

SHORT = SshLimits(resolve=0.5, connect=2.0)
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with sshd(tmp_path_factory.mktemp("sshd")) as running:
        yield running


@pytest.fixture
def hosts(server: Sshd) -> Iterator[SshHosts]:
    ours = SshHosts(server.key_file, SHORT)
    yield ours
    ours.close()


def test_a_name_is_resolved_and_its_address_goes_on_record(hosts: SshHosts, server: Sshd) -> None:
    reply = hosts.run(replace(server.host, address="localhost"), ("true",), deadline=10)
    assert (reply.exit_code, reply.address) == (0, "127.0.0.1")
    with pytest.raises(OutcomeUnknown) as unknown:
        hosts.run(replace(server.host, address="localhost"), ("sleep", "9"), deadline=0.2)
    assert unknown.value.address == "127.0.0.1"


def test_a_name_is_not_trusted_and_the_pin_is(hosts: SshHosts, server: Sshd) -> None:
    with pytest.raises(HostError) as refused:
        hosts.run(replace(server.host, address="localhost", pins=frozenset({"SHA256:other"})), ("true",), deadline=10)
    assert refused.value.code == "host_key_mismatch"


@pytest.mark.fault("F02", how="a name that nothing resolves")
def test_a_name_without_an_address_says_which(hosts: SshHosts, server: Sshd) -> None:
    with pytest.raises(HostError) as failed:
        hosts.run(replace(server.host, address="no-such-name.invalid"), ("true",), deadline=10)
    said = was_read(str(failed.value))
    assert said.startswith("web-01: its address no-such-name.invalid did not resolve (")
    assert said.endswith("). Nothing was sent.")
    assert (failed.value.code, failed.value.passing) == ("ssh_unresolved", True)


@pytest.fixture
def silent_resolver(tmp_path: Path) -> Iterator[Path]:
    """A resolv.conf(5) that names a server which takes every question and answers none."""
    address = f"127.77.{os.getpid() // 250 % 250}.{os.getpid() % 250 + 1}"  # of this process alone
    with socket.socket(type=socket.SOCK_DGRAM) as silent:
        silent.bind((address, 53))
        (tmp_path / "resolv.conf").write_text(f"nameserver {address}\n")
        (tmp_path / "nsswitch.conf").write_text("hosts: dns\n")
        yield tmp_path


@pytest.mark.fault("F02", how="a DNS server that answers nothing")
def test_a_resolver_that_does_not_answer_costs_no_more_than_its_limit(silent_resolver: Path) -> None:
    ask = """
import json, time
from bot.edges.ssh.names import Names, Unresolved
names, said, began = Names(), [], time.monotonic()
for _ in range(3):
    try:
        names.addresses("web-01.example", seconds=0.5)
    except Unresolved as error:
        said.append(str(error))
print(json.dumps([said, time.monotonic() - began]), flush=True)
import os; os._exit(0)
"""
    mounts = "".join(f"mount --bind {silent_resolver}/{name} /etc/{name};" for name in ("resolv.conf", "nsswitch.conf"))
    command = ["unshare", "--mount", "sh", "-c", f'{mounts} exec "$@"', "sh", sys.executable, "-c", ask]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    said, took = json.loads(ran.stdout)
    assert said == ["no answer in 0.5 s"] * 3
    assert 1.5 <= took < 15


def test_who_waits_for_a_slow_resolver_waits_for_one_question() -> None:
    asked: list[str] = []
    answered = threading.Event()

    def slow(name: str) -> Found:
        asked.append(name)
        answered.wait(10)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 0))] * 2

    names = Names(slow)
    for _ in range(5):
        with pytest.raises(Unresolved, match=r"no answer in 0.05 s"):
            names.addresses("web-01", seconds=0.05)
    threading.Timer(0.1, answered.set).start()
    assert names.addresses("web-01", seconds=5) == ("192.0.2.1",)
    assert asked == ["web-01"]
    assert names.addresses("web-01", seconds=5) == ("192.0.2.1",)
    assert asked == ["web-01", "web-01"], "an answer is not kept: the next connection asks again"


def test_the_next_address_is_tried_where_one_does_not_accept(server: Sshd) -> None:
    def both(name: str) -> Found:
        return [(0, 0, 0, "", ("127.0.0.99", 0)), (0, 0, 0, "", ("127.0.0.1", 0))]

    hosts = SshHosts(server.key_file, SHORT, lookup=both)
    assert hosts.run(replace(server.host, address="web-01"), ("true",), deadline=10).address == "127.0.0.1"
    with pytest.raises(HostError) as failed:
        hosts.run(replace(server.host, address="web-01", port=free_port()), ("true",), deadline=10)
    assert failed.value.code == "ssh_refused"
    hosts.close()


def test_all_addresses_together_have_the_time_of_one(server: Sshd) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        address = full.getsockname()
        with socket.create_connection(address):
            silent: Found = [(0, 0, 0, "", (address[0], 0))] * 1 + [(0, 0, 0, "", ("127.0.0.1", 0))] * 19
            hosts = SshHosts(server.key_file, replace(SHORT, connect=1.0), lookup=lambda name: silent)
            began = time.monotonic()
            with pytest.raises(HostError) as failed:
                hosts.run(replace(server.host, address="web-01", port=address[1]), ("true",), deadline=10)
            assert failed.value.code == "ssh_connect_timeout"
            assert time.monotonic() - began < 10
