"""The handlers as they run, put together once for each test."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from bot.core.hosts.inventory import Inventory
from bot.core.policy.configuration import ConfigSnapshot
from bot.edges.clock import SystemClock
from bot.edges.database import Database
from bot.edges.slack.channel import SlackChannel, account, web_client
from bot.edges.slack.directory import SlackDirectory
from bot.edges.slack.socket_mode import application
from bot.workflow import Deps, Desk, InForce
from bot.workflow.queries.answer_pool import AnswerPool
from handlers import OwnApp, register
from tests.handlers.payloads import APP, TEAM
from tests.handlers.web_api import WebApi, web_api
from tests.handlers.world import HOSTS, POLICY, Listed, NoHost, World
from tests.lab.keys import KEYS
from tests.lab.sqlite import new_sqlite


@pytest.fixture
def slack() -> Iterator[WebApi]:
    with web_api() as running:
        yield running


@pytest.fixture
def listed(world: World) -> Listed:
    """An app that tells what is registered with it."""
    app = Listed(client=world.app.client)
    with ThreadPoolExecutor(1) as aside:
        register(app, world.desk, home=OwnApp(TEAM, app=APP), aside=aside, keys=KEYS)
    return app


@pytest.fixture
def world(slack: WebApi, tmp_path: Path) -> Iterator[World]:
    clock = SystemClock()
    store = Database(new_sqlite(tmp_path / "maskbot.db"), clock=clock, instance="bot-1", keys=KEYS)
    client = web_client("xoxb-test", base=slack.base)
    directory = SlackDirectory(client, account(client), ttl=0)
    in_force = InForce(ConfigSnapshot(Inventory(HOSTS), POLICY))
    hosts = NoHost()
    deps = Deps(store, hosts, directory, SlackChannel(client, keys=KEYS), clock, in_force, keys=KEYS)
    answers = AnswerPool(deps)
    with store.exclusive(), closing(answers), ThreadPoolExecutor(1) as aside:
        desk, app = Desk(deps, answers), application(client)
        register(app, desk, home=OwnApp(TEAM, app=APP), aside=aside, keys=KEYS)
        yield World(app, store, desk, slack, hosts, in_force)
