"""Whom the guard finds below the bot's own login: a relay on the host that stands in front of sshd."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.systemd.host_rules import GUARD
from tests.edges.guard.talking import Talk, talking
from tests.edges.ssh.looking import made
from tests.lab.hosts import LabHost
from tests.lab.rights import RIGHTS

pytestmark = pytest.mark.ssh
RUN, ONE, OTHER = "/run/systemd/system", 2391, 2392
NAMES = {ONE: "one", OTHER: "other"}
CARRIED = "carries the bot's login"


@pytest.fixture
def relays(host: LabHost) -> Iterator[None]:
    """Two relays to sshd, each with a socket that starts it."""
    proxy = f"/lib/systemd/systemd-socket-proxyd {host.address}:{host.port}"
    units = "".join(
        f"printf '[Socket]\\nListenStream={address(host)}:{port}\\n' >{RUN}/{name}.socket\n"
        f"printf '[Service]\\nExecStart={proxy}\\n' >{RUN}/{name}.service\n"
        for port, name in NAMES.items()
    )
    start = "systemctl daemon-reload; systemctl start one.socket other.socket"
    end = f"systemctl stop one.socket one.service other.socket other.service; rm {RUN}/one.* {RUN}/other.*"
    with made(host, units + start, end):
        yield


def address(host: LabHost) -> str:
    """A loopback address that no other host has: all of them, also those of tests beside this one, share 127.0.0.1."""
    return f"127.1.{host.port >> 8}.{host.port & 255}"


def through(host: LabHost, port: int, command: str) -> list[str]:
    words = [*replace(host, address=address(host), port=port, known_hosts=Path("/dev/null")).ssh(command)]
    words[1:1] = ["-o", "StrictHostKeyChecking=no"]
    return words


def is_spared(talk: Talk, unit: str, connection: str = "") -> bool:
    said = talk.ask("check", unit, **({"connection": connection} if connection else {}))
    assert said.code == 0
    return CARRIED in said.out


@pytest.mark.usefixtures("relays")
def test_who_carries_a_connection_is_asked_once_and_holds_as_long_as_it(host: LabHost) -> None:
    """ss(8) is gone meanwhile: what was told before it went is still known, and a new connection is refused."""
    with talking(host, client=through(host, ONE, GUARD)) as talk:
        assert [is_spared(talk, f"{unit}.service") for unit in ("one", "other", "cron")] == [True, False, False]
        host.run("mv", "/usr/bin/ss", "/usr/bin/ss.away")
        try:
            for unit in ("one.service", "one.socket"):
                assert is_spared(talk, unit)
                refused = talk.ask("stop", unit)
                assert (refused.is_refused, CARRIED in refused.err) == (True, True), refused
            assert not is_spared(talk, "other.service")
            with talking(host, client=through(host, OTHER, GUARD)) as new:
                assert "never it cannot be told which unit" in new.ask("check", "cron.service").out
        finally:
            host.run("mv", "/usr/bin/ss.away", "/usr/bin/ss")
        elsewhere = talk.ask("check", "one.service", connection="192.0.2.1 1 192.0.2.2 22")
        assert CARRIED in elsewhere.out, "the login's half names its own connection, whatever the request says"
    assert host.show("one.service", "ActiveState") == {"ActiveState": "active"}


@pytest.mark.usefixtures("relays")
def test_what_is_known_of_one_connection_is_no_answer_for_another(host: LabHost) -> None:
    """Root's half on its own, which is told of two connections in turn."""
    with ExitStack() as stack:
        say = "echo $SSH_CONNECTION; exec sleep 60"
        held = {
            name: stack.enter_context(talking(host, client=through(host, port, say))) for port, name in NAMES.items()
        }
        connections = {name: talk.line() for name, talk in held.items()}
        roots = stack.enter_context(talking(host, f"{RIGHTS.program} -n {GUARD}"))
        assert roots.line().endswith(" is ready")
        for _ in range(2):
            for name, connection in connections.items():
                spared = [unit for unit in NAMES.values() if is_spared(roots, f"{unit}.service", connection)]
                assert spared == [name]
        assert not is_spared(roots, "one.service", "192.0.2.1 1 192.0.2.2 22"), "it comes from another host"
