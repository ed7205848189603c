"""A host on the way to others that shows another key is in quarantine itself, and with it the way through it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.hosts.inventory import Host
from bot.core.hosts.quarantine import SET_ASIDE
from bot.core.systemd.guard import Note
from bot.edges.clock import SystemClock
from bot.edges.database.store import Database
from bot.errors import HostError
from bot.ports import CommandResult
from bot.workflow.hosts.quarantine import QuarantinedHosts
from tests.lab.keys import KEYS

BASTION = Host("bastion", "192.0.2.1", 22, "maskbot", "edge", pins=frozenset({"SHA256:bastion"}))
WEB = Host("web-01", "192.0.2.11", 22, "maskbot", "prod", pins=frozenset({"SHA256:web"}), via=BASTION)
DB = replace(WEB, name="db-01", address="192.0.2.21")


class Wire:
    """Hosts that answer, but for those that are set to fail; it notes who was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.fails: HostError | None = None

    def run(
        self,
        host: Host,
        argv: tuple[str, ...],
        *,
        deadline: float,
        note: Note | None = None,
        then: tuple[str, ...] = (),
    ) -> CommandResult:
        self.asked.append(host.name)
        if self.fails:
            raise self.fails
        return CommandResult(argv, 0, "", "", 1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Database]:
    kept = Database(f"sqlite:///{tmp_path}/bot.db", clock=SystemClock(), instance="one", keys=KEYS)
    with kept.exclusive():
        yield kept


def fails(hosts: QuarantinedHosts, host: Host) -> HostError:
    with pytest.raises(HostError) as failed:
        hosts.run(host, ("true",), deadline=1)
    return failed.value


def test_a_hop_with_another_key_is_set_aside_and_nothing_is_sent_through_it(store: Database) -> None:
    wire = Wire()
    hosts = QuarantinedHosts(wire, store, SystemClock())
    wire.fails = HostError("web-01: cannot be reached through bastion: no", code="host_key_mismatch", hop="bastion")
    assert fails(hosts, WEB).hop == "bastion"
    wire.fails = None
    for behind in (WEB, DB):
        error = fails(hosts, behind)
        assert (error.code, error.hop) == (SET_ASIDE, "bastion")
        assert str(error).startswith("bastion has been in quarantine since")
    assert fails(hosts, BASTION).hop == ""
    assert wire.asked == ["web-01"]
    pinned_anew = replace(BASTION, pins=frozenset({"SHA256:new"}))
    assert hosts.run(replace(WEB, via=pinned_anew), ("true",), deadline=1).exit_code == 0


def test_a_hop_that_refuses_the_key_is_trusted_again_by_whatever_passes_it(store: Database) -> None:
    wire = Wire()
    hosts = QuarantinedHosts(wire, store, SystemClock())
    wire.fails = HostError("web-01: cannot be reached through bastion: no", code="ssh_auth_refused", hop="bastion")
    fails(hosts, WEB)
    wire.fails = None
    assert store.get_periodic("trust:web-01") is None
    hosts.run(DB, ("true",), deadline=1)
    task = store.get_periodic("trust:bastion")
    assert task is not None
    assert task.document["is_over"]


def test_a_host_behind_a_hop_is_set_aside_alone(store: Database) -> None:
    wire = Wire()
    hosts = QuarantinedHosts(wire, store, SystemClock())
    wire.fails = HostError("web-01: no", code="host_key_mismatch")
    fails(hosts, WEB)
    wire.fails = None
    assert fails(hosts, WEB).code == SET_ASIDE
    assert hosts.run(DB, ("true",), deadline=1).exit_code == 0
    assert hosts.run(BASTION, ("true",), deadline=1).exit_code == 0
