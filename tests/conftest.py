"""What tests of all folders share: real hosts, booted once and given back as they were found."""

from collections.abc import Iterator, Mapping

import pytest

from tests.lab.hosts import Lab, LabHost
from tests.lab.machine import NotHereError
from tests.lab.pristine import Pristine

pytest_plugins = ("tests.lab.slack.fixtures",)
NAMES = ("web-01", "web-02", "db-01")


@pytest.fixture(scope="session")
def lab_hosts() -> Iterator[Mapping[str, LabHost]]:
    """The three hosts of the demo, for tests that change nothing."""
    try:
        lab = Lab()
        with lab:
            yield lab.boot(NAMES)
    except NotHereError as cannot:
        pytest.skip(str(cannot))


@pytest.fixture(scope="session")
def found(lab_hosts: Mapping[str, LabHost]) -> Mapping[str, Pristine]:
    """How the hosts were before the first test."""
    return {name: Pristine.of(host) for name, host in lab_hosts.items()}


@pytest.fixture
def hosts(lab_hosts: Mapping[str, LabHost], found: Mapping[str, Pristine]) -> Iterator[Mapping[str, LabHost]]:
    """The three hosts, with all their units as they were at boot before and after the test."""
    yield lab_hosts
    for pristine in found.values():
        pristine.restore()


@pytest.fixture
def host(lab_hosts: Mapping[str, LabHost], found: Mapping[str, Pristine]) -> Iterator[LabHost]:
    """web-01 alone, with all its units as they were at boot before and after the test."""
    yield lab_hosts["web-01"]
    found["web-01"].restore()
