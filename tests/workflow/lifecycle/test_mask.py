"""The main path on a real host: asked, approved, carried out, proven, undone; judged as root, behind the bot's back."""

import pytest

from bot.core.requests import Outcome, Stage
from tests.workflow.fleet import Fleet
from tests.workflow.slack import words
from tests.workflow.world import World


@pytest.fixture(scope="module")
def fleet(real_fleet: Fleet) -> Fleet:
    """Systemd itself is the subject."""
    return real_fleet


pytestmark = pytest.mark.ssh


@pytest.mark.parametrize(
    "database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True
)
def test_an_approved_mask_is_asked_carried_out_proven_and_undone(world: World) -> None:
    host = world.hosts["web-01"]
    asked = world.mask("worker")
    assert asked.stage is Stage.WAITING
    assert host.show("worker.service", "LoadState", "ActiveState") == {"LoadState": "loaded", "ActiveState": "active"}

    done = world.approve(asked)
    assert done.target.outcome is Outcome.PROVEN
    assert host.show("worker.service", "LoadState", "ActiveState") == {"LoadState": "masked", "ActiveState": "inactive"}
    assert "is masked" in host.run("systemctl", "start", "worker.service").stderr
    assert "MASKED AND PROVEN · worker.service on web-01" in world.card(done)

    evidence = "\n".join(words(said.text) for said in world.evidence(done))
    assert "maskbot-guard link persistent worker.service" in evidence
    assert "is masked" in evidence

    back = world.undo(done)
    assert back.target.outcome is Outcome.RESTORED
    assert host.show("worker.service", "LoadState", "ActiveState", "UnitFileState") == {
        "LoadState": "loaded",
        "ActiveState": "active",
        "UnitFileState": "enabled",
    }
