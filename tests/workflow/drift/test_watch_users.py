"""The watch over masks in users' own managers, on a real host: the model has none."""

import pytest

from bot.core.requests import Loss, Outcome
from bot.errors import HostError
from tests.workflow.drift.test_watch import changed_deps, turn, watched
from tests.workflow.fleet import Fleet
from tests.workflow.wire import LOOK, Call
from tests.workflow.world import World

__all__ = ["changed_deps", "watched"]
pytestmark = pytest.mark.ssh


@pytest.fixture(scope="module")
def fleet(real_fleet: Fleet) -> Fleet:
    """Systemd itself is the subject."""
    return real_fleet


def test_a_mask_of_ours_in_a_users_own_manager_is_missed_as_well_unless_that_does_not_answer(watched: World) -> None:
    ours = watched.masked("indexer", user="deploy")
    assert ours.target.outcome is Outcome.PROVEN

    def silent(call: Call) -> None:
        if LOOK in call.argv:
            raise HostError("The manager of deploy does not run.", code="no_bus", passing=True)

    watched.wire.before.append(silent)
    watched.hosts["web-01"].run("systemctl", "--user", "-M", "deploy@.host", "unmask", "indexer.service")
    assert turn(watched).unreachable is None
    assert watched.store.get(ours.id).drift.lost is None
    watched.wire.before.clear()

    turn(watched)

    lost = watched.when(ours, lambda now: now.drift.lost is not None, "a loss")
    assert lost.drift.lost is Loss.REMOVED
    assert watched.card(ours).startswith("OUR MASK IS GONE · indexer.service on web-01, of user deploy")


def test_a_mask_that_went_with_its_users_manager_is_said_to_have_gone_with_it(watched: World) -> None:
    ours, host = watched.masked("indexer", user="deploy", runtime=True), watched.hosts["web-01"]
    assert ours.target.outcome is Outcome.PROVEN
    # As logind does a while after the last logout. The folder in /run goes by itself, but perhaps after the start.
    host.run("systemctl", "stop", "user@2002.service", "user-runtime-dir@2002.service")
    host.run("systemctl", "start", "user@2002.service")

    turn(watched)

    lost = watched.when(ours, lambda now: now.drift.lost is not None, "an end")
    assert lost.drift.lost is Loss.ENDED
