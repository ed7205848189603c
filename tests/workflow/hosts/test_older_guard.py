"""A bot whose protocol is newer than that of the guards: it is served, in theirs."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest

from bot.core.requests import Outcome
from bot.core.systemd.guard import PROTOCOL
from bot.core.systemd.host_rules import GUARD
from bot.core.systemd.look import look_argv
from bot.core.systemd.units import UnitName
from bot.edges.ssh.guarded import GuardedHosts
from bot.edges.ssh.hosts import SshHosts
from tests.lab.hosts import LabHost
from tests.workflow.fleet import Fleet
from tests.workflow.world import World, inventory

pytestmark = pytest.mark.ssh
NEWER = PROTOCOL + 1
ASKED = "/home/maskbot/asked"
OTHER = f"#!/bin/sh\nread -r _\necho x >>{ASKED}\necho maskbot-guard 9 7.0.0 - 64 0 0 0\n"
LOOK = look_argv(UnitName("cron.service"), size="full")


@pytest.fixture(scope="module")
def newer(lab_hosts: Mapping[str, LabHost]) -> Iterator[GuardedHosts]:
    """The bot of tomorrow: it knows one protocol more."""
    ways = GuardedHosts(SshHosts(lab_hosts["web-01"].key_file), protocols=(PROTOCOL, NEWER))
    yield ways
    ways.close()


@pytest.fixture(scope="module")
def fleet(real_fleet: Fleet, newer: GuardedHosts) -> Fleet:
    return replace(real_fleet, ways=newer)


def test_a_guard_of_the_protocol_before_is_served_and_one_that_was_upgraded_meanwhile(
    shared_world: World, newer: GuardedHosts
) -> None:
    done = shared_world.masked("restless")
    assert done.target.outcome is Outcome.PROVEN, (done.because, done.target.note)
    assert shared_world.undo(done).target.outcome is Outcome.RESTORED

    host = shared_world.hosts["web-01"]
    known, program = inventory({"web-01": host}).hosts[0], host.run("cat", GUARD).stdout
    host.write(GUARD, program.replace(f"\nPROTOCOL = {PROTOCOL}\n", f"\nPROTOCOL = {NEWER}\n"), 0o755)
    try:
        seen = newer.run(known, LOOK, deadline=10)
    finally:
        host.write(GUARD, program, 0o755)
    assert (seen.exit_code, seen.guard.split()[0], "\n@rights\nmask\n" in seen.stdout) == (0, str(NEWER), True)


def test_a_guard_that_speaks_neither_is_not_asked_twice(shared_world: World, newer: GuardedHosts) -> None:
    host = shared_world.hosts["web-02"]
    known, program = inventory({"web-02": host}).hosts[0], host.run("cat", GUARD).stdout
    host.write(GUARD, OTHER, 0o755)
    try:
        seen = newer.run(known, LOOK, deadline=10)
        assert (seen.exit_code, seen.guard, host.run("cat", ASKED).stdout) == (64, "9 7.0.0", "x\n")
    finally:
        host.write(GUARD, program, 0o755)
        host.run("rm", "-f", ASKED)
