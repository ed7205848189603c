"""A mask that somebody made by hand is adopted: it gets an owner, a reason and an end, and nothing is done there."""

from datetime import timedelta

import pytest

from bot.core.requests import Duration, Outcome, Stage
from bot.workflow.requests.mask_inventory import read_mask_inventory
from tests.workflow.expiry.test_expire import ended
from tests.workflow.fleet import Fleet
from tests.workflow.slack import ALICE, caller
from tests.workflow.world import World

pytestmark = pytest.mark.ssh
WEEK = timedelta(days=7)
SHOWN = ("LoadState", "ActiveState")


@pytest.fixture
def fleet(real_fleet: Fleet) -> Fleet:
    """Real hosts, with real links and a real guard."""
    return real_fleet


def link(world: World) -> str:
    return world.hosts["web-01"].run("stat", "--format=%i %Z", "/etc/systemd/system/handmade.service").stdout


def test_it_is_approved_and_proven_by_a_look_and_ends_as_approved(world: World) -> None:
    host, before = world.hosts["web-01"], link(world)
    asked = world.mask("handmade", adopt=True, duration=Duration(lasts=WEEK))
    assert asked.stage is Stage.WAITING, asked.because
    assert "nothing is done on the host: the mask that is there becomes maskbot's" in world.card(asked)
    done = world.approve(asked)
    assert (done.target.outcome, done.target.sent) == (Outcome.PROVEN, ()), done.target.note
    assert world.card(done).startswith("ADOPTED · handmade.service on web-01")
    assert "[Unmask] [Extend] [Keep] [Details]" in world.card(done)
    assert link(world) == before
    (entry,) = (one for one in read_mask_inventory(world.deps, "web-01").entries if one.unit == "handmade.service")
    assert (entry.request and entry.request.id) == done.id

    assert world.mask("handmade").because.startswith("handmade.service is already masked on web-01 (persistent), asked")
    again = world.mask("handmade", adopt=True, duration=Duration(lasts=WEEK))
    assert "is maskbot's already, asked by alice" in again.because
    assert world.undo(done, by=ALICE).stage is Stage.WAITING

    longer = world.until_final(world.desk.extensions.extend(done.id, Duration(lasts=WEEK), caller(ALICE, "longer")))
    assert longer.target.outcome is Outcome.EXTENDED, longer.because
    world.clock.ahead += 2 * WEEK
    back = ended(world, done)
    assert back.target.outcome is Outcome.UNMASKED, back.target.note
    assert "That mask was not made by maskbot. Nothing was started." in world.card(back)
    assert host.show("handmade.service", *SHOWN) == dict(zip(SHOWN, ("loaded", "inactive"), strict=True))


def test_what_no_undo_could_remove_exactly_is_not_adopted(world: World) -> None:
    host = world.hosts["web-01"]
    host.run("sh", "-c", "systemctl mask tuned.service; systemctl mask --runtime tuned.service")
    for unit in ("tuned", "worker", "vendormasked"):
        refused = world.mask(unit, adopt=True, duration=Duration(lasts=WEEK))
        assert refused.stage is Stage.REFUSED
        assert "has no mask that can be adopted" in refused.because
