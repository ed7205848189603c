r"""Names that systemd has escaped (`\x2d`), on a real host: masked, proven and undone like any other."""

import pytest

from bot.core.requests import Outcome
from bot.workflow.hosts.look import scan
from tests.edges.guard.talking import ask
from tests.lab.hosts import LabHost
from tests.workflow.fleet import AnyHost, Fleet
from tests.workflow.hosts.test_guard import guarded
from tests.workflow.world import World

pytestmark = pytest.mark.ssh
UNIT = r"odd\x2dname@a\x20b.service"
PREPARED = r"""
cat >'/usr/lib/systemd/system/odd\x2dname@.service' <<'EOT'
[Service]
ExecStart=/usr/bin/sleep infinity
EOT
mkdir -p '/etc/systemd/system/odd\x2dname@a\x20b.service.d'
printf '[Unit]\nDescription=odd\n' >'/etc/systemd/system/odd\x2dname@a\x20b.service.d/x.conf'
ln -sf '/usr/lib/systemd/system/odd\x2dname@.service' '/etc/systemd/system/other\x2dname@.service'
systemctl daemon-reload
systemctl start 'odd\x2dname@a\x20b.service'
"""


@pytest.fixture(scope="module")
def fleet(real_fleet: Fleet) -> Fleet:
    """Systemd itself is the subject, and the guard."""
    return real_fleet


def prepared(world: World) -> AnyHost:
    host = world.hosts["web-01"]
    host.run("sh", "-c", PREPARED)
    return host


def active(host: AnyHost) -> str:
    return host.show(UNIT, "ActiveState")["ActiveState"]


def test_an_escaped_name_is_masked_proven_and_undone(world: World) -> None:
    _there_and_back(world, prepared(world))


def _there_and_back(world: World, host: AnyHost) -> None:
    done = world.masked(UNIT)
    assert done.target.outcome is Outcome.PROVEN, (done.because, done.target.note)
    assert host.show(UNIT, "LoadState")["LoadState"] == "masked"
    assert active(host) == "inactive"
    masks = scan(world.deps, world.deps.in_force.inventory.host("web-01")).masks
    assert (UNIT, "masked") in [(mask.unit, mask.load) for mask in masks]
    undone = world.undo(done)
    assert undone.target.outcome is Outcome.RESTORED, (undone.because, undone.target.note)
    assert active(host) == "active"


def test_a_drop_in_of_an_escaped_name_is_known_by_its_content(world: World) -> None:
    prepared(world)
    done = world.mask(UNIT)
    assert done.target.planned and done.target.planned.around
    assert [bool(found) for _, found in done.target.planned.around.drop_ins] == [True]


def test_the_guard_of_a_host_spares_an_escaped_name_that_its_list_names(world: World) -> None:
    host = prepared(world)
    with guarded(host, own="odd*"):
        refused = world.mask(UNIT)
        assert "itself refuses this unit (host policy)" in refused.because
        assert isinstance(host, LabHost)
        assert "is critical on this host" in ask(host, "stop", UNIT).err
    assert active(host) == "active"
