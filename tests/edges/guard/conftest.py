"""The conversations with the guard, which tests share, and what stands in for a host where none is needed."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.edges.guard import bus, logins, own_login, own_route, ways
from bot.edges.guard.own_login import OwnLogin
from bot.edges.guard.process import begin_request
from tests.edges.guard.host_stand_in import HostStandIn
from tests.edges.guard.manager_stand_in import Systemctl, Systemd
from tests.edges.guard.processes_stand_in import Processes
from tests.edges.guard.roots_half import StandIn
from tests.edges.guard.talking import end_kept


@pytest.fixture(autouse=True, scope="session")
def conversations() -> Iterator[None]:
    """End what is kept for the next test."""
    yield
    end_kept()


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Systemd]:
    """At the private socket."""
    monkeypatch.setattr(bus, "PRIVATE_BUS", str(tmp_path / "private"))
    begin_request()
    one = Systemd(tmp_path / "private")
    yield one
    one.end()


@pytest.fixture
def systemctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Systemctl:
    """In its place."""
    begin_request()
    monkeypatch.setattr(logins, "_SYSTEMCTL", [str(tmp_path / "systemctl"), "--no-ask-password"])
    return Systemctl(tmp_path / "systemctl")


@pytest.fixture
def processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Processes:
    """In place of /proc; nothing is known of any connection yet."""
    for module in (own_login, own_route):
        monkeypatch.setattr(module, "PROCESSES", str(tmp_path / "proc"))
    monkeypatch.setattr(OwnLogin, "relays_of", {})
    return Processes(tmp_path / "proc")


@pytest.fixture(scope="session")
def ground() -> Iterator[Path]:
    """Below /run, which nobody but root can write; tests of the guard run as root."""
    made = Path(tempfile.mkdtemp(dir="/run", prefix="maskbot-test-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def roots_folder(ground: Path) -> Path:
    """A new folder there."""
    made = Path(tempfile.mkdtemp(dir=ground))
    made.chmod(0o755)
    return made


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """For root's half, by the only way to root there is."""
    monkeypatch.setattr(ways, "WAYS_TO_ROOT", (str(tmp_path / "sudo"),))
    return StandIn(tmp_path)


@pytest.fixture
def here(roots_folder: Path, systemd: Systemd, monkeypatch: pytest.MonkeyPatch) -> Iterator[HostStandIn]:
    """A host of a few files, with its systemd."""
    one = HostStandIn(roots_folder, systemd, monkeypatch)
    yield one
    one.end()
