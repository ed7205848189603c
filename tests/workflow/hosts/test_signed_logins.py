"""A bot with a signer: a host that trusts its CA alone logs the request's id with the login of each change."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest

from bot.core.requests import Outcome
from bot.edges.ssh.guarded import GuardedHosts
from bot.edges.ssh.hosts import SshHosts
from bot.edges.ssh.signer import Signer
from tests.edges.ssh.signing import make_signer
from tests.lab.hosts import LabHost
from tests.workflow.fleet import Fleet
from tests.workflow.world import World

pytestmark = pytest.mark.ssh
AUTHORIZED = "/home/maskbot/.ssh/authorized_keys"


@pytest.fixture(scope="module")
def fleet(
    real_fleet: Fleet, lab_hosts: Mapping[str, LabHost], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Fleet]:
    """The host's line for the bot's key is replaced by one for the CA, as operations.md says."""
    host, folder = lab_hosts["web-01"], tmp_path_factory.mktemp("signer")
    line = f'cert-authority,restrict,principals="maskbot@web-01" {make_signer(folder)}'
    plain = host.run("cat", AUTHORIZED).stdout
    ways = GuardedHosts(SshHosts(host.key_file, signer=Signer((str(folder / "sign"),))))
    host.write(AUTHORIZED, line)
    yield replace(real_fleet, ways=ways)
    host.write(AUTHORIZED, plain)
    ways.close()


def test_the_login_of_a_change_has_its_request_s_id_in_the_log_of_the_host(world: World) -> None:
    done = world.masked("restless")
    assert done.target.outcome is Outcome.PROVEN, (done.because, done.target.note)
    undone = world.undo(done)
    assert undone.target.outcome is Outcome.RESTORED

    host = world.hosts["web-01"]
    host.run("journalctl", "--sync")
    logged = host.run("journalctl", "--no-pager", "-o", "cat", "-t", "sshd").stdout
    ids = re.findall(r"Accepted publickey for maskbot .* ID (\S+) \(serial 7\)", logged)
    assert set(ids) == {"maskbot/look", f"maskbot/{done.id}", f"maskbot/{undone.id}"}
    results = [record["data"] for record in world.store.records() if record["type"] == "exec.result"]
    assert results
    assert all(one["ssh"].endswith(", certificate 7") for one in results)
