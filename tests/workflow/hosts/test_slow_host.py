"""A real host on which systemctl takes its time: waited for by the measure of its last looks, and told apart."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from bot.core.requests import Stage
from tests.workflow.fleet import AnyHost, Fleet
from tests.workflow.world import QUICK, World

pytestmark = pytest.mark.ssh
SLOW = """#!/bin/sh
sleep 0.7
exec /usr/bin/systemctl.real "$@"
"""


@pytest.fixture(scope="module")
def fleet(real_fleet: Fleet) -> Fleet:
    """How long things take on a host is the subject."""
    return real_fleet


@pytest.fixture
def changed_deps() -> Mapping[str, Any]:
    """A bot whose looks may take a second on their host."""
    return {"timings": replace(QUICK, look_deadline=6.0, retries=())}


@pytest.fixture
def host(world: World) -> Iterator[AnyHost]:
    """A host on which each call of systemctl takes 0.7 s longer."""
    one = world.hosts["web-02"]
    one.run("mv", "/usr/bin/systemctl", "/usr/bin/systemctl.real")
    one.write("/usr/bin/systemctl", SLOW, 0o755)
    yield one
    one.run("mv", "-f", "/usr/bin/systemctl.real", "/usr/bin/systemctl")


def test_a_check_that_takes_too_long_is_told_apart_and_one_by_the_measure_of_the_last_is_waited_for(
    world: World, host: AnyHost
) -> None:
    refused = world.mask("tuned", host="web-02")
    assert refused.stage is Stage.REFUSED
    assert (
        "web-02: the check took longer than 1 s there and was ended. The host is overloaded, or its systemd hangs."
        in refused.because
    )
    world.deps.look_limits.took("web-02", 5.0)
    assert world.mask("tuned", host="web-02").stage is Stage.WAITING
