"""A guard that remembers nothing of the test before."""

from collections.abc import Iterator

import pytest

from tests.edges.guard.talking import end_kept
from tests.lab.hosts import LabHost


@pytest.fixture(autouse=True, scope="session")
def conversations() -> Iterator[None]:
    """End what is kept for the next test."""
    yield
    end_kept()


@pytest.fixture(autouse=True)
def forgetful(request: pytest.FixtureRequest) -> Iterator[None]:
    """Forget what was done on the host, where the test has one."""
    if "host" in request.fixturenames:
        host: LabHost = request.getfixturevalue("host")
        host.run("rm", "-rf", "/var/lib/maskbot-guard")
    yield
