"""Fixtures of workflow tests: an empty database, three hosts, and a check of every invariant at the end."""

import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.edges.ssh.guarded import GuardedHosts
from bot.edges.ssh.hosts import SshHosts
from tests.lab.hosts import LabHost
from tests.lab.migrated import Migrated
from tests.lab.pristine import Pristine
from tests.lab.sqlite import new_sqlite
from tests.workflow.fleet import Fleet, of_models
from tests.workflow.forger import Forger
from tests.workflow.invariants import violations
from tests.workflow.world import World


@pytest.fixture(scope="session")
def ways(lab_hosts: Mapping[str, LabHost]) -> Iterator[GuardedHosts]:
    """The bot's SSH connections, kept open between tests."""
    hosts = GuardedHosts(SshHosts(lab_hosts["web-01"].key_file))
    yield hosts
    hosts.close()


@pytest.fixture(scope="module")
def fleet() -> Fleet:
    """Three hosts of the model. A test file about systemd overrides this by `real_fleet`."""
    return of_models()


@pytest.fixture(scope="module")
def real_fleet(lab_hosts: Mapping[str, LabHost], found: Mapping[str, Pristine], ways: GuardedHosts) -> Fleet:
    """Three real hosts of the lab."""

    def restore() -> None:
        for pristine in found.values():
            pristine.restore()

    return Fleet(lab_hosts, ways, restore)


@pytest.fixture
def changed_deps() -> Mapping[str, Any]:
    """What is different about a bot; a test may parametrize it."""
    return {}


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty SQLite file; a test may ask for `postgresql` instead."""
    if getattr(request, "param", "sqlite") == "sqlite":
        yield new_sqlite(tmp_path / "var/maskbot.db")
        return
    migrated: Migrated = request.getfixturevalue("migrated")
    yield migrated.url
    migrated.restore()


@pytest.fixture
def forger(database: str) -> Forger:
    """Somebody who writes that database, where it is a file."""
    return Forger(database)


@pytest.fixture
def idle_world(fleet: Fleet, database: str, changed_deps: Mapping[str, Any]) -> Iterator[World]:
    """A bot that works only while a test lets it. At the end all invariants are checked."""
    one = World(fleet.hosts, database, ways=fleet.ways, **changed_deps)
    with one.store.exclusive():
        yield one
        one.answers.close()
        broken = violations(one)
    fleet.restore()
    assert broken == []


@pytest.fixture
def world(idle_world: World) -> Iterator[World]:
    """A running bot."""
    with idle_world.running():
        yield idle_world


Opening = Callable[..., AbstractContextManager[World]]


@pytest.fixture(scope="module")
def open_world(fleet: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Opening:
    """Opens a running bot with changed parts, for tests that must not affect each other."""

    @contextmanager
    def opened(**changed: Any) -> Iterator[World]:
        folder = tmp_path_factory.mktemp("shared")
        one = World(fleet.hosts, new_sqlite(folder / "var/maskbot.db"), ways=fleet.ways, **changed)
        with one.store.exclusive():
            with one.running():
                yield one
            one.answers.close()
            broken = violations(one)
        fleet.restore()
        assert broken == []

    return opened


@pytest.fixture(scope="module")
def shared_world(open_world: Opening) -> Iterator[World]:
    """One running bot for all tests of a file."""
    with open_world() as one:
        yield one


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A small file system that can be filled."""
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], check=True)
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)
