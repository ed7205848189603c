"""A Slack for one test: started in a fraction of a second, so none is shared."""

from collections.abc import Iterator

import pytest

from tests.lab.machine import NotHereError
from tests.lab.slack.lab import SlackLab


@pytest.fixture
def slack() -> Iterator[SlackLab]:
    """The demo workspace, empty."""
    try:
        lab = SlackLab().__enter__()
    except NotHereError as cannot:
        pytest.skip(str(cannot))
    try:
        yield lab
    finally:
        lab.__exit__(None, None, None)
