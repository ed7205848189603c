"""Relays in front of sshd on a real host: whoever carries our login is refused, and nobody else."""

import shlex
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

import pytest

from bot.core.policy.decide import decide
from bot.core.policy.model import Refuse
from bot.core.systemd.relays_script import MOST
from bot.core.systemd.units import Snapshot
from tests.core.situations import POLICY, looked, request
from tests.edges.ssh.looking import answered, look_at, made, question, until, way_in
from tests.lab.hosts import LabHost

pytestmark = pytest.mark.ssh
ETC, PORT = "/etc/systemd/system", 2397
PROXYD = "/lib/systemd/systemd-socket-proxyd"
# Listens, and starts a process for each connection, as sshd and many relays do. It goes on when its unit is stopped.
FORKING = """\
use IO::Socket::INET;
$SIG{CHLD} = "IGNORE";
my $door = IO::Socket::INET->new(LocalAddr => "127.0.0.1:$ARGV[0]", Listen => 5, ReuseAddr => 1) or die $@;
while (my $near = $door->accept) {
    next if fork;
    close $door;
    my $far = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$ARGV[1]") or die $@;
    my ($from, $to) = fork ? ($near, $far) : ($far, $near);
    while (sysread $from, my $bytes, 65536) { syswrite $to, $bytes }
    shutdown $to, 1;
    exit;
}
"""


@contextmanager
def units(host: LabHost, texts: Mapping[str, str], start: str) -> Iterator[None]:
    """Units on the host, and some of them started."""
    write = "\n".join(f"printf %s {shlex.quote(text)} >{ETC}/{name}" for name, text in texts.items())
    names = " ".join(texts)
    with made(
        host,
        f"{write}\nsystemctl daemon-reload; systemctl start {start}",
        f"systemctl stop {names}; systemctl reset-failed {names}; cd {ETC} && rm {names}",
    ):
        yield


def proxy(name: str, listen: str, goal: str) -> dict[str, str]:
    """A socket unit at `listen` and the systemd-socket-proxyd behind it."""
    return {
        f"{name}.socket": f"[Socket]\nListenStream={listen}\n",
        f"{name}.service": f"[Service]\nExecStart={PROXYD} {goal}\n",
    }


def codes(seen: Iterable[Snapshot]) -> dict[str, str]:
    """Why the policy refuses each of these units; empty where it does not."""
    answers = {str(one.id): decide(looked(one, request(str(one.id))), POLICY) for one in seen}
    return {unit: answer.code if isinstance(answer, Refuse) else "" for unit, answer in answers.items()}


def through(host: LabHost, *names: str) -> dict[str, str]:
    """The same for looks that come through the relay."""
    return codes(look_at(host, name, at=PORT) for name in names)


def test_a_relay_in_front_of_sshd_is_refused_to_whom_it_carries_and_to_nobody_else(host: LabHost) -> None:
    relay = proxy("relay", f"{host.address}:{PORT}", f"{host.address}:{host.port}")
    with units(host, relay, "relay.socket"):
        assert through(host, *relay, "worker.service") == {**dict.fromkeys(relay, "own_login"), "worker.service": ""}
        assert codes([look_at(host, "relay.service")]) == {"relay.service": ""}


def chain(host: LabHost, length: int) -> dict[str, str]:
    """So many relays, one in front of the other, and sshd behind the last."""
    found: dict[str, str] = {}
    for number in range(1, length + 1):
        goal = host.port if number == length else PORT + number
        found |= proxy(f"relay{number}", f"{host.address}:{PORT + number - 1}", f"{host.address}:{goal}")
    return found


def sockets(texts: Iterable[str]) -> str:
    """The socket units among these."""
    return " ".join(name for name in texts if name.endswith(".socket"))


def test_a_chain_of_relays_is_followed_to_the_first_one(host: LabHost) -> None:
    """Also among further sockets of systemd, which are no part of it."""
    relays, aside = chain(host, 5), proxy("aside", f"{host.address}:{PORT + 20}", f"{host.address}:{PORT + 21}")
    asked = ["relay1.service", "relay1.socket", "relay3.service", "relay5.service"]
    with units(host, relays | aside, sockets(relays | aside)):
        found = through(host, *asked, *aside)
    assert found == {**dict.fromkeys(asked, "own_login"), **dict.fromkeys(aside, "")}


def test_a_chain_that_is_too_long_is_not_told_to_its_end(host: LabHost) -> None:
    relays = chain(host, MOST + 2)
    with units(host, relays, sockets(relays)):
        found = through(host, "relay1.service", "relay1.socket", f"relay{MOST + 2}.service", "worker.service")
    assert [*found.values()] == ["own_login_unknown", "own_login_unknown", "own_login", ""]


def test_what_comes_over_a_unix_socket_is_not_told_and_whatever_listens_is_refused(host: LabHost) -> None:
    inner = proxy("inner", "/run/inner.sock", f"{host.address}:{host.port}")
    outer = proxy("outer", f"{host.address}:{PORT}", "/run/inner.sock")
    with units(host, inner | outer, "inner.socket outer.socket"):
        found = through(host, *inner, *outer, "worker.service")
    assert found == {
        **dict.fromkeys(inner, "own_login"),
        **dict.fromkeys(outer, "own_login_unknown"),
        "worker.service": "",
    }


def test_sshd_behind_a_unix_socket_does_not_tell_where_anybody_comes_from(host: LabHost) -> None:
    each = {
        "each.socket": "[Socket]\nListenStream=/run/each.sock\nAccept=yes\n",
        "each@.service": "[Service]\nExecStart=-/usr/sbin/sshd -i\nStandardInput=socket\n",
    }
    outer = proxy("outer", f"{host.address}:{PORT}", "/run/each.sock")
    with units(host, each | outer, "each.socket outer.socket"):
        found = through(host, "each.socket", *outer)
    assert set(found.values()) == {"own_login_unknown"}


def test_who_listens_now_carries_the_next_login_also_if_another_unit_carries_this_one(host: LabHost) -> None:
    file, go_on = "/run/forking.pl", "/run/swapped"
    text = f"[Service]\nKillMode=process\nExecStart=/usr/bin/perl {file} {PORT} {host.port}\n"
    relays = {"older.service": text, "newer.service": text}
    put = f"printf %s {shlex.quote(FORKING)} >{file}"
    with made(host, put, f"rm -f {file} {go_on}"), units(host, relays, "older.service"):
        until(lambda: listens(host))
        first = f"echo in; while [ ! -e {go_on} ]; do sleep 0.05; done; "
        clients = [
            subprocess.Popen(
                way_in(host, at=PORT, before=first), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
            for _ in relays
        ]
        assert [client.stdout.readline() for client in clients if client.stdout] == ["in\n", "in\n"]
        host.run("systemctl", "stop", "older.service")
        host.run("systemctl", "start", "newer.service")
        until(lambda: listens(host))
        host.run("touch", go_on)
        pairs = [*zip(clients, relays, strict=True)]
        seen = [answered(client.communicate(question(name), timeout=30)[0], name) for client, name in pairs]
    found = codes(seen)
    assert found == dict.fromkeys(relays, "own_login")


def listens(host: LabHost) -> bool:
    """Whether anything listens at the relay's port."""
    return host.run("sh", "-c", f"ss -Hltn sport = :{PORT} | grep -q .").returncode == 0


def test_a_relay_in_a_scope_ends_with_the_manager_that_made_it(host: LabHost) -> None:
    """As in a container with the host's network; its manager may also be known by Delegate= alone."""
    relay = f"{PROXYD} {host.address}:{host.port}"
    run = f"/usr/bin/systemd-socket-activate -l {host.address}:{PORT} {relay}"
    texts = {
        "manager.service": f"[Service]\nExecStart=/bin/sh -c 'systemd-run --scope --unit=contained {run} & wait'\n",
        "delegate.service": "[Service]\nDelegate=yes\nExecStart=/bin/sleep infinity\n",
    }
    with units(host, texts, " ".join(texts)):
        until(lambda: listens(host))
        found = through(host, *texts, "worker.service")
        host.run("systemctl", "stop", "contained.scope")
    assert found == {
        "manager.service": "own_login",
        "delegate.service": "own_login_unknown",
        "worker.service": "",
    }
