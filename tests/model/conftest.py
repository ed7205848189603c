"""The two sides of the contract: a real host and the model."""

import time
from collections.abc import Iterator, Mapping

import pytest

from bot.core.hosts.inventory import Host
from bot.edges.ssh.guarded import GuardedHosts
from bot.edges.ssh.hosts import SshHosts
from config.host_keys import read_public_key
from tests.lab.hosts import LabHost
from tests.lab.pristine import Pristine
from tests.model.files import Files
from tests.model.hosts import ModelHost, ModelHosts
from tests.model.manager import Manager
from tests.model.sides import Side


def known(host: LabHost | ModelHost) -> Host:
    """The host as the inventory has it."""
    pins = frozenset({read_public_key(host.host_key)})
    return Host("web-01", host.address, host.port, host.login, "prod", pins=pins)


@pytest.fixture(scope="module")
def real(lab_hosts: Mapping[str, LabHost], found: Mapping[str, Pristine]) -> Iterator[Side]:
    """A host with a real systemd, in its state at boot before and after these tests."""
    host = lab_hosts["web-01"]
    hosts = GuardedHosts(SshHosts(host.key_file))
    yield Side(hosts, known(host), host, time.sleep)
    hosts.close()
    found["web-01"].restore()


@pytest.fixture
def model() -> Side:
    """A host of the model, whose time passes at once."""
    passed = [0.0]
    host = ModelHost("web-01", Manager(Files.of_the_lab(), lambda: sum(passed)))
    return Side(ModelHosts({"web-01": host}), known(host), host, passed.append)


@pytest.fixture(params=["real", "model"])
def side(request: pytest.FixtureRequest) -> Side:
    """The model, then the real host."""
    chosen: Side = request.getfixturevalue(request.param)
    return chosen
