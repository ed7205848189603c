"""Fixtures for tests with several bots: a fleet for each test file, and every host restored as it was found."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack

import pytest

from tests.lab.demo import Demo
from tests.lab.machine import NotHereError
from tests.lab.postgres import Postgres, postgres
from tests.lab.pristine import Pristine
from tests.lab.slack.lab import SlackLab
from tests.soak.fleet import Fleet, two_replicas
from tests.stories.scene import Story, mark


@pytest.fixture(scope="module")
def slack_and_cluster() -> Iterator[tuple[SlackLab, Postgres]]:
    """Slack, and an empty PostgreSQL cluster."""
    with ExitStack() as stack:
        try:
            yield stack.enter_context(SlackLab()), stack.enter_context(postgres())
        except NotHereError as cannot:
            pytest.skip(str(cannot))


fleet = pytest.fixture(two_replicas, scope="module", name="fleet")


@pytest.fixture
def story(fleet: Fleet, found: Mapping[str, Pristine]) -> Iterator[Story]:
    """One story; at its end each message stands there once."""
    one = Story(Demo(dict(fleet.hosts), fleet.slack, fleet.bots[0]))
    yield one
    for pristine in found.values():
        pristine.restore()
    marks = [mark(message) for message in one.messages()]
    assert [twin for twin in {*marks} if marks.count(twin) > 1] == []
