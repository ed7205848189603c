"""The stage of several bots: a fleet for each file of tests, and every host given back as it was found."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack

import pytest

from tests.lab.demo import Demo
from tests.lab.hosts import LabHost
from tests.lab.machine import NotHereError
from tests.lab.postgres import Postgres, postgres
from tests.lab.pristine import Pristine
from tests.lab.slack.lab import SlackLab
from tests.soak.fleet import Fleet, sailing
from tests.stories.scene import Story, mark


@pytest.fixture(scope="module")
def harbour() -> Iterator[tuple[SlackLab, Postgres]]:
    """Slack, and a PostgreSQL without a database."""
    with ExitStack() as stack:
        try:
            yield stack.enter_context(SlackLab()), stack.enter_context(postgres())
        except NotHereError as cannot:
            pytest.skip(str(cannot))


@pytest.fixture(scope="module")
def fleet(
    harbour: tuple[SlackLab, Postgres], lab_hosts: Mapping[str, LabHost], found: Mapping[str, Pristine]
) -> Iterator[Fleet]:
    """Two replicas, on hosts as they were found."""
    assert found
    slack, cluster = harbour
    with sailing(slack, lab_hosts, cluster) as one:
        yield one


@pytest.fixture
def story(fleet: Fleet, found: Mapping[str, Pristine]) -> Iterator[Story]:
    """One story; at its end each message stands there once."""
    one = Story(Demo(dict(fleet.hosts), fleet.slack, fleet.bots[0]))
    yield one
    for pristine in found.values():
        pristine.restore()
    marks = [mark(message) for message in one.said()]
    assert [twin for twin in {*marks} if marks.count(twin) > 1] == []
