"""Edits that a reload would apply, on a real host: a masked unit with a drop-in has none, though systemd says so."""

import pytest

from tests.workflow.fleet import Fleet
from tests.workflow.world import World

pytestmark = pytest.mark.ssh


@pytest.fixture(scope="module")
def fleet(real_fleet: Fleet) -> Fleet:
    """What systemd says is the subject."""
    return real_fleet


def test_a_masked_unit_with_a_drop_in_has_no_pending_edits(world: World) -> None:
    host = world.hosts["web-01"]
    drop_in = "/run/systemd/system/worker.service.d/x.conf"
    host.run("sh", "-c", f"mkdir -p {drop_in.rpartition('/')[0]}; printf '[Unit]\\nDescription=x\\n' >{drop_in}")
    host.run("systemctl", "mask", "worker.service")
    host.run("systemctl", "daemon-reload")
    assert host.show("worker.service", "NeedDaemonReload", "LoadState") == {
        "NeedDaemonReload": "yes",
        "LoadState": "masked",
    }
    asked = world.mask("restless")
    assert asked.target.planned and asked.target.planned.around
    assert "worker.service" not in asked.target.planned.around.pending_reload
    assert "pending edits" not in world.card(asked)
