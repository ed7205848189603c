"""What is refused before anybody is asked: what would exit 0 and protect nothing, and what nobody may mask."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from bot.core.requests import Request, Stage, Verb
from tests.workflow.fleet import Fleet
from tests.workflow.slack import ALICE
from tests.workflow.world import World


@pytest.fixture(scope="module")
def fleet(real_fleet: Fleet) -> Fleet:
    """Systemd itself is the subject."""
    return real_fleet


pytestmark = pytest.mark.ssh

SLEEPER = "[Service]\\nExecStart=/usr/bin/sleep infinity\\n"
# What root does on both hosts before anybody asks. web-02 is not set up for the control layer.
PREPARED = f"""
systemctl mask --quiet cron.service && systemctl mask --quiet --runtime cron.service
: >/etc/systemd/system/hollow.service
printf '{SLEEPER}' >/run/systemd/system/fleeting.service
printf '{SLEEPER}' >/run/systemd/system/orphan.service
mkdir -p /etc/systemd/system.control
printf '{SLEEPER}' >/etc/systemd/system.control/higher.service
systemctl daemon-reload
systemctl start orphan.service higher.service fleeting.service
rm /run/systemd/system/orphan.service
systemctl daemon-reload
"""

FAULTS = (
    ("where systemctl cannot put a mask", "F24", "unit files in /etc/systemd/system and in a user's own folder"),
    ("would have no effect", "F24", "a mask until the next reboot of a unit file in /etc/systemd/system"),
    ("which no mask overrides", "F24", "unit files above the folders of all masks"),
    ("already", "F28", "units that are masked by hand, by a package or by an empty file"),
    ("is not masked", "F28", "an unmask of a unit that is not masked"),
    ("is not found", "F29", "units that are not there"),
)


@dataclass(frozen=True)
class Row:
    """A change, and the words that refuse it."""

    unit: str
    words: str
    verb: Verb = Verb.MASK
    host: str = "web-01"
    options: Mapping[str, Any] = field(default_factory=dict)
    runs: bool = True

    @property
    def provokes(self) -> list[pytest.MarkDecorator]:
        """The row of the table of faults, if there is one about it."""
        return [pytest.mark.fault(number, how=how) for words, number, how in FAULTS if words in self.words]

    def __str__(self) -> str:
        return " ".join([self.verb, self.unit, *(f"{key}={value}" for key, value in self.options.items()), self.host])


def row(unit: str, words: str, verb: Verb = Verb.MASK, *, host: str = "web-01", runs: bool = True, **given: Any) -> Row:
    return Row(unit, words, verb, host, given, runs)


ROWS = [
    # Its own file is in /etc/systemd/system, and the host is not set up for the layer above.
    row("local", "where systemctl cannot put a mask", host="web-02"),
    row("linked", "where systemctl cannot put a mask", host="web-02"),
    row("local", "would have no effect", runtime=True),
    row("linked", "would have no effect", runtime=True),
    row("fleeting", "Ask without --runtime", runtime=True),
    row("higher", "which no mask overrides"),
    row("early", "early generator, which no mask overrides"),
    row("early", "early generator, which no mask overrides", host="web-02", keep_running=True, runtime=True),
    row("transient-one", "is transient and has no unit file"),
    row("transient-one", "is transient and has no unit file", host="web-02", keep_running=True),
    row("init.scope", "critical"),
    row("system.slice", "critical"),
    row("template@", "is a template", runs=False),
    row("wroker", "wroker.service is not found on web-01. Did you mean worker.service", runs=False),
    row("zzzzzzz", "zzzzzzz.service is not found on web-01", runs=False),
    row("orphan", "its unit file is gone"),
    row("handmade", "handmade.service is already masked on web-01 (persistent)", runs=False),
    row("cron", "is already masked on web-01 (persistent and runtime)"),
    row("vendormasked", "is already masked on web-01 (by its package)", runs=False),
    row("hollow", "is already masked on web-01", runs=False),
    row("hollow", "an unmask would delete that file", Verb.UNMASK, host="web-02", runs=False),
    row("vendormasked", "which no unmask removes", Verb.UNMASK, host="web-02", runs=False),
    row("worker", "worker.service is not masked on web-01", Verb.UNMASK),
    row("refusestop", "is configured not to be stopped by hand"),
    row("norestart", "could not be started again after a stop"),
    row("watchdog", "systemd would kill it within 90 s", keep_running=True),
    row("ssh", "Masking it would lock everybody out of web-01. Nobody can approve this."),
    row("sshd", "critical list"),
    row("ssh.socket", "critical list", runs=False),
    row("dbus", "critical list"),
    row("dbus.socket", "critical list"),
    row("systemd-journald", "critical list"),
    row("dbus-org.freedesktop.login1", "critical list"),
    row("auditd", "critical list"),
    row("gate", "auditd.service depends on gate.service and is on the critical list"),
    row("mirror", "where systemctl cannot put a mask", user="deploy"),
    row("mirror", "would have no effect", host="web-02", user="deploy", runtime=True),
    row("nosuch", "is not found on web-01 for user deploy", user="deploy", runs=False),
    row("indexer", "has no running manager", user="idle", runs=False),
    row("indexer", "no such user", host="web-02", user="stranger", runs=False),
]


@pytest.fixture(scope="module")
def refused(shared_world: World) -> Iterator[Mapping[str, Request]]:
    """All of them asked at once, each answered."""
    world = shared_world
    hosts = [world.hosts["web-01"], world.hosts["web-02"]]
    for host in hosts:
        host.run("sh", "-ec", PREPARED)
    world.hosts["web-02"].run("sh", "-c", "systemctl stop higher; rm -r /etc/systemd/system.control")
    asked = {str(each): world.ask(each.verb, each.unit, host=each.host, **each.options) for each in ROWS}
    yield {name: world.until_answered(request) for name, request in asked.items()}
    for host in hosts:
        host.run("sh", "-c", "systemctl stop fleeting orphan higher; mkdir -p /etc/systemd/system.control")


@pytest.mark.parametrize("each", [pytest.param(each, marks=each.provokes) for each in ROWS], ids=str)
def test_it_is_refused_with_the_reason_and_nobody_is_asked(
    each: Row, refused: Mapping[str, Request], shared_world: World
) -> None:
    request = refused[str(each)]

    assert (request.stage, each.words in request.because) == (Stage.REFUSED, True), request.because
    assert each.words in shared_world.ephemeral(ALICE, each.words)
    assert not shared_world.slack.marked(f"{request.id}:card")
    if not each.options.get("user"):
        answer = shared_world.hosts[each.host].run("systemctl", "is-active", "--", each.unit)
        assert (answer.stdout == "active\n") is each.runs, answer


def test_nothing_was_sent_that_could_change_a_host(refused: Mapping[str, Request], shared_world: World) -> None:
    assert refused
    assert shared_world.wire.verbs() == []
