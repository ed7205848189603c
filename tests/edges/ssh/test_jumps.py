"""Hosts behind other hosts: real sshds in two network namespaces, of which only the first one can be reached."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from bot.core.hosts.inventory import Host
from bot.edges.ssh.hosts import SshHosts
from bot.edges.ssh.login import SshLimits
from bot.errors import OutcomeUnknown
from tests.edges.descriptors import open_here
from tests.edges.ssh_server import Sshd, eventually, fails, free_port, make_key, sshd

SHORT = SshLimits(connect=2.0, banner=2.0, key_exchange=4.0, auth=4.0, channel=2.0)
STRANGER = frozenset({"SHA256:another"})


@dataclass(frozen=True, slots=True)
class Chain:
    """The bot's machine, the bastion behind it, and two hosts behind the bastion; the second one through the first."""

    bastion: Sshd
    web: Sshd
    db: Sshd
    key_file: Path

    def host(self, **changed: frozenset[str]) -> Host:
        """The last host, and those on the way to it, with other pins where they are given."""
        via: Host | None = None
        for one in (self.bastion.host, self.web.host, self.db.host):
            via = replace(one, via=via, pins=changed.get(one.name.replace("-", "_"), one.pins))
        assert via is not None
        return via

    def logs(self) -> list[str]:
        return [one.log for one in (self.bastion, self.web, self.db)]


@contextmanager
def networks() -> Iterator[tuple[str, str, str, str]]:
    """Two network namespaces, and the addresses of the bastion in the first and of the hosts in the second."""
    number = os.getpid() % 16384  # of this process alone
    (bot, bastion), (middle, hosts) = (
        (f"{net}.{number // 64}.{number % 64 * 4 + 1}", f"{net}.{number // 64}.{number % 64 * 4 + 2}")
        for net in ("198.18", "198.19")
    )
    near, far = f"mbt-near-{number}", f"mbt-far-{number}"
    made = f"""ip netns add {near}; ip netns add {far}
ip link add mbtn{number} type veth peer name bot0 netns {near}
ip -n {near} link add far0 type veth peer name near0 netns {far}
ip addr add {bot}/30 dev mbtn{number}; ip link set mbtn{number} up
ip -n {near} addr add {bastion}/30 dev bot0; ip -n {near} link set bot0 up; ip -n {near} link set lo up
ip -n {near} addr add {middle}/30 dev far0; ip -n {near} link set far0 up
ip -n {far} addr add {hosts}/30 dev near0; ip -n {far} link set near0 up; ip -n {far} link set lo up"""
    try:
        subprocess.run(["sh", "-ec", made], check=True)
        yield near, far, bastion, hosts
    finally:
        for name in (near, far):
            subprocess.run(["ip", "netns", "del", name], check=False)


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    with networks() as (near, far, first, second), ExitStack() as stack:

        def start(name: str, network: str, address: str) -> Sshd:
            folder = tmp_path_factory.mktemp(name)
            inside = ("ip", "netns", "exec", network)
            return stack.enter_context(sshd(folder, name=name, address=address, inside=inside))

        bastion, web, db = start("bastion", near, first), start("web-01", far, second), start("db-01", far, second)
        for other in (web, db):
            shutil.copy(bastion.folder / "authorized_keys", other.folder)
        yield Chain(bastion, web, db, bastion.key_file)


@pytest.fixture
def hosts(chain: Chain) -> Iterator[SshHosts]:
    ours = SshHosts(chain.key_file, SHORT)
    yield ours
    ours.close()


def test_a_host_is_reached_through_two_others(hosts: SshHosts, chain: Chain) -> None:
    reply = hosts.run(chain.host(), ("sh", "-c", "echo $SSH_CONNECTION"), deadline=10)
    assert reply.exit_code == 0
    assert reply.stdout.split()[0] == chain.db.host.address, "the connection comes from the host before"
    db, web, bastion = chain.db.host.address, chain.web.host.address, chain.bastion.host.address
    assert reply.address == f"{db} via {web} via {bastion}"
    again = hosts.run(chain.host(), ("head", "-c", "3000000", "/dev/zero"), deadline=20)
    assert len(again.stdout) == 3_000_000
    assert chain.db.logins() == 1, "it is used again"


@pytest.mark.parametrize(
    ("swapped", "said", "reached"),
    [
        ("bastion", "db-01: cannot be reached through web-01: cannot be reached through bastion: its host key does", 0),
        ("web_01", "db-01: cannot be reached through web-01: its host key does not match the pin", 1),
        ("db_01", "db-01: its host key does not match the pin, so the bot did not log in", 2),
    ],
)
@pytest.mark.fault("F08", how="another key than the pinned one at each of the hosts on the way, and at the last one")
def test_a_swapped_key_at_each_hop_is_found_before_anything_is_sent_there(
    chain: Chain, swapped: str, said: str, reached: int
) -> None:
    hosts = SshHosts(chain.key_file, SHORT)
    before = chain.logs()
    error = fails(hosts, chain.host(**{swapped: STRANGER}))
    assert str(error).startswith(said)
    assert (error.code, error.passing) == ("host_key_mismatch", False)
    assert error.hop == ("" if swapped == "db_01" else swapped.replace("_", "-"))
    assert "shown: SHA256:" in " ".join(error.__notes__)
    for position, (old, new) in enumerate(zip(before, chain.logs(), strict=True)):
        assert ("Accepted publickey" in new[len(old) :]) == (position < reached)
        assert ("userauth-request" in new[len(old) :]) == (position < reached)
    hosts.close()


def test_what_fails_on_the_way_is_named(hosts: SshHosts, chain: Chain, tmp_path: Path) -> None:
    last, web = chain.host(), chain.web.host
    assert last.via is not None
    behind_nothing = replace(last, via=replace(chain.bastion.host, port=free_port()))
    error = fails(hosts, behind_nothing)
    assert str(error) == "db-01: cannot be reached through bastion: connection refused. Nothing was sent."
    assert (error.code, error.passing, error.hop) == ("ssh_refused", True, "bastion")

    error = fails(hosts, replace(last, port=free_port()))
    assert str(error) == "db-01: web-01 cannot connect to it. Nothing was sent."
    assert (error.code, error.passing, error.hop) == ("ssh_unreachable", True, "")

    make_key(tmp_path / "stranger")
    stranger = SshHosts(tmp_path / "stranger", SHORT)
    error = fails(stranger, replace(web, via=chain.bastion.host))
    assert str(error).startswith("web-01: cannot be reached through bastion: it refused the bot's key for ")
    assert error.code == "ssh_auth_refused"
    stranger.close()


def test_a_bastion_that_forwards_nothing_is_told_from_one_that_is_down(tmp_path: Path) -> None:
    with sshd(tmp_path, "AllowTcpForwarding no", name="bastion") as bastion:
        hosts = SshHosts(bastion.key_file, SHORT)
        error = fails(hosts, replace(bastion.host, name="web-01", via=bastion.host))
        assert str(error) == "web-01: bastion does not let the bot connect to other hosts. Nothing was sent."
        assert (error.code, error.passing) == ("ssh_jump_refused", False)
        hosts.close()
        eventually(lambda: "Connection closed by" in bastion.log or "Disconnected from" in bastion.log)


def test_a_command_behind_others_ends_at_its_deadline(chain: Chain) -> None:
    hosts = SshHosts(chain.key_file, SHORT)
    with pytest.raises(OutcomeUnknown) as unknown:
        hosts.run(chain.host(), ("sleep", "5"), deadline=0.3)
    assert str(unknown.value) == "db-01: the command was sent and the host did not answer in 0.3 s."
    assert unknown.value.address.endswith(f"via {chain.bastion.host.address}")
    hosts.close()


def test_nothing_is_left_open_on_the_way(chain: Chain) -> None:
    hosts = SshHosts(chain.key_file, SHORT)
    hosts.run(chain.host(), ("true",), deadline=10)
    _closes(chain, hosts.close)
    hosts = SshHosts(chain.key_file, SHORT)
    _closes(chain, lambda: fails(hosts, chain.host(db_01=STRANGER)))


def _closes(chain: Chain, ends: Callable[[], object]) -> None:
    before = open_here()
    ends()
    eventually(lambda: not _sessions(chain))
    assert {*open_here()} <= {*before}


def _sessions(chain: Chain) -> str:
    """The established connections of the bastion."""
    port = chain.bastion.host.port
    listed = subprocess.run(
        ["ss", "-Htn", "state", "established", f"dport = :{port}"], capture_output=True, text=True, check=True
    )
    return listed.stdout
