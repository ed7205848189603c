"""Which hosts did not answer when they were last tried."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.core.hosts.inventory import Host
from bot.core.policy.home import UnreachableHost
from bot.core.systemd.guard import Note
from bot.errors import HostError, OutcomeUnknown
from bot.ports import CommandResult
from bot.workflow.process.reachability import Reachability, TrackedHosts

FIRST = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)


class Hands:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.at = FIRST

    def now(self) -> datetime:
        return self.at

    def wait(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


class Flaky:
    """Hosts that answer, or not."""

    def __init__(self) -> None:
        self.trouble: HostError | OutcomeUnknown | None = None

    def run(
        self,
        host: Host,
        argv: tuple[str, ...],
        *,
        deadline: float,
        note: Note | None = None,
        then: tuple[str, ...] = (),
    ) -> CommandResult:
        if self.trouble:
            raise self.trouble
        return CommandResult(argv, 0, "", "", int(deadline))


def host(name: str) -> Host:
    return Host(name, "192.0.2.1", 22, "maskbot", "prod")


def test_a_host_is_named_from_the_first_try_in_vain_until_it_answers() -> None:
    hosts, reach, clock = Flaky(), Reachability(), Hands()
    noted = TrackedHosts(hosts, reach, clock)
    for trouble in (HostError("refused.", code="ssh_refused"), OutcomeUnknown("no answer.")):
        hosts.trouble = trouble
        with pytest.raises(type(trouble)):
            noted.run(host("web-01"), ("true",), deadline=3)
        clock.wait(60)
    assert reach.unreachable(["db-01", "web-01"]) == (UnreachableHost("web-01", FIRST, "no answer."),)
    assert reach.unreachable(["db-01"]) == ()

    hosts.trouble = None
    assert noted.run(host("web-01"), ("true",), deadline=3).millis == 3
    assert reach.unreachable(["web-01"]) == ()
