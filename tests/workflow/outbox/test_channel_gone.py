"""Where nobody reads any more: a card that was deleted is posted anew, once; without a channel nothing begins."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.requests import Outcome, Request, Stage
from tests.workflow.conftest import Opening
from tests.workflow.lifecycle.test_outcome_unknown import interfering, is_masked
from tests.workflow.slack import ALICE, INCIDENT
from tests.workflow.waiting import waits, without_hosts
from tests.workflow.world import POLICY, World

OPERATIONS = "COPS"
WITH_OPERATIONS = replace(POLICY, operations_channel=OPERATIONS)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with without_hosts(tmp_path, policy=WITH_OPERATIONS) as one, one.running():
        yield one


def render_card(world: World, request: Request) -> str:
    """Where its card is."""
    return world.store.card(request.id)[1]


def posted_card(world: World, request: Request) -> str:
    world.until(lambda: bool(render_card(world, request)), "a card")
    return render_card(world, request)


def operators_read(world: World, part: str) -> str:
    """What the operators read, which stands there once."""

    def found() -> list[str]:
        said = [one.text.text for one in list(world.slack.messages.values()) if one.channel == OPERATIONS]
        return [text for text in said if part in text]

    world.until(lambda: bool(found()), f"`{part}` for the operators")
    (text,) = found()
    return text


@pytest.mark.fault("F41", how="the card deleted while it waits, and the one after it as well")
def test_a_card_that_was_deleted_is_posted_anew_once_for_each_time(world: World) -> None:
    request = waits(world)
    first = posted_card(world, request)
    del world.slack.messages[first]
    world.store.save(world.store.get(request.id))
    world.until(lambda: render_card(world, request) != first, "a second card")
    second = render_card(world, request)
    assert "[Approve]" in world.card(request)

    del world.slack.messages[second]
    world.desk.withdraw(request.id, by=ALICE.id)
    world.until(lambda: render_card(world, request) != second, "a third card")
    assert world.card(request).startswith("WITHDRAWN")
    third = render_card(world, request)
    posts = world.slack.tries
    world.store.wake()
    assert (len({first, second, third}), list(world.slack.messages).count(third)) == (3, 1)
    assert world.store.claim_message("bot-1") is None
    assert world.slack.tries == posts


@pytest.mark.parametrize("has_card", [True, False])
@pytest.mark.fault("F42", how="the channel gone while a request waits, before and after its card was posted")
def test_what_nobody_could_see_does_not_begin_and_whose_it_is_hears_of_it(
    world: World, *, has_card: bool, saw: Callable[[str], str]
) -> None:
    if not has_card:
        world.slack.gone.add(INCIDENT.channel)
    request = waits(world)
    if has_card:
        posted_card(world, request)
        world.slack.gone.add(INCIDENT.channel)
        world.store.save(world.store.get(request.id))  # something has to be shown
    ended = world.until_final(request)
    assert (ended.stage, "nobody could see the card" in ended.because) == (Stage.CANCELLED, True)
    assert "CANCELLED" in saw(world.direct(ALICE, "so this is posted here"))
    assert "CANCELLED" in operators_read(world, "so this is posted here")


@pytest.mark.ssh
@pytest.mark.fault("F42", how="the channel gone in the middle of a change, after the link was made")
def test_what_runs_is_finished_and_its_end_is_said_where_somebody_reads(
    open_world: Opening, saw: Callable[[str], str]
) -> None:
    with open_world(policy=WITH_OPERATIONS) as world:
        asked = world.mask("tuned")
        with interfering(world.wire.before, verb="stop", happens=lambda: world.slack.gone.add(INCIDENT.channel)):
            done = world.approve(asked)
        assert done.target.outcome is Outcome.PROVEN
        assert is_masked(world.hosts["web-01"], "tuned.service")
        assert "MASKED AND PROVEN" in saw(world.direct(ALICE, "so this is posted here"))
        assert "MASKED AND PROVEN" in operators_read(world, "so this is posted here")
        assert "message.no_audience" in {record["type"] for record in world.store.records()}
