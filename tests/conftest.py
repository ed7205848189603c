"""What tests of all folders share: real hosts, booted once and given back as they were found, and a PostgreSQL."""

import gc
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack

import pytest
import structlog

from tests.lab.hosts import Lab, LabHost
from tests.lab.machine import NotHereError
from tests.lab.migrated import Migrated
from tests.lab.postgres import Postgres, postgres
from tests.lab.pristine import Pristine

pytest_plugins = ("tests.lab.slack.fixtures",)
NAMES = ("web-01", "web-02", "db-01")


# Files that wait for hosts take longest: they begin first. Those that wait for nothing fill the end, so that no process
# is left alone with a long one.
LONGEST = (
    "tests/kills/",
    "tests/soak/",
    "tests/workflow/",
    "tests/stories/",
    "tests/edges/ssh/",
    "tests/cli/",
)
QUICK = ("tests/config/", "tests/doctor/", "tests/handlers/", "tests/test_")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """In one process the core comes first, as it stands; only where files are shared out does their order matter."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=lambda item: item.nodeid.startswith(QUICK) - item.nodeid.startswith(LONGEST))


def pytest_configure() -> None:
    """Log plainly: structlog's own choice draws a panel of each frame of a traceback, which cost more than the test."""
    plain = structlog.processors
    structlog.configure(processors=[plain.add_log_level, plain.format_exc_info, plain.JSONRenderer()])
    gc.disable()  # until all is collected: a third of that time went into looking for garbage


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Leave what was imported and collected out of each garbage collection: they were a sixth of all processor time."""
    gc.collect()
    gc.freeze()
    gc.enable()
    gc.set_threshold(10_000, 20, 20)


@pytest.fixture
def log_as_before() -> Iterator[None]:
    """For a test that sets logging up: what comes after it logs as plainly as what came before."""
    config, handlers, level = structlog.get_config(), logging.root.handlers[:], logging.root.level
    yield
    structlog.configure(**config)
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Postgres]:
    """One PostgreSQL for the whole run, with an empty database named `test`."""
    with ExitStack() as stack:
        try:
            running = stack.enter_context(postgres())
        except NotHereError as cannot:
            pytest.skip(str(cannot))
        running.make_database("test")
        yield running


@pytest.fixture(scope="session")
def migrated(cluster: Postgres) -> Migrated:
    """The database `test` as the first start of a bot left it. Whoever writes to it restores it."""
    return Migrated.of(cluster, "test")


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
