"""Fixtures: a Slack for one test, started in a fraction of a second, with a client and a bot."""

from collections.abc import Iterator

import pytest
from slack_sdk import WebClient

from tests.lab.machine import NotHereError
from tests.lab.slack.bot import Heard, running
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


@pytest.fixture
def slack_client(slack: SlackLab) -> WebClient:
    """The bot's own client, with short timeouts and without retries."""
    return WebClient(slack.bot_token, base_url=slack.api_url, retry_handlers=[], timeout=2)


@pytest.fixture
def slack_bot(slack: SlackLab) -> Iterator[Heard]:
    """The test bot, connected."""
    with running(slack) as heard:
        yield heard
