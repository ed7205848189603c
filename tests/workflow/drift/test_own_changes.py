"""What later looks find is told once, and not where another request of ours explains it; no host is asked here."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.core.requests import Aftercare, Outcome, Request, Stage
from bot.core.systemd.units import UnitName
from bot.ports import MessageKind
from bot.workflow.drift.report import report_failed_scan
from bot.workflow.outbox.deliver import deliver
from bot.workflow.requests.own_changes import own_changes
from tests.edges.asked import a_request
from tests.workflow.waiting import without_hosts
from tests.workflow.world import World

MINUTE = timedelta(minutes=1)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with without_hosts(tmp_path) as one:
        yield one


def finished_mask(world: World, number: int, unit: str, *, user: str = "") -> Request:
    """A mask of ours that is done now."""
    asked = a_request(number, unit=UnitName(unit))
    asked = replace(asked, ask=replace(asked.ask, change=replace(asked.ask.change, user=user)))
    recorded, _ = world.store.add(asked, events=[])
    now = world.clock.now()
    running = world.store.save(world.store.save(recorded.move(Stage.APPROVED)).move(Stage.RUNNING, begun_at=now))
    world.clock.ahead += timedelta(seconds=1)
    done = running.move(Stage.DONE, finished_at=world.clock.now()).on_target(outcome=Outcome.PROVEN)
    return world.store.save(done)


def test_only_what_was_done_later_in_the_same_manager_counts(world: World) -> None:
    first, second = finished_mask(world, 1, "a.service"), finished_mask(world, 2, "b.service")
    finished_mask(world, 3, "c.service", user="deploy")
    assert own_changes(world.deps, first).units == {"b.service"}
    assert own_changes(world.deps, second).units == frozenset()


def test_what_a_thread_has_said_lately_no_other_one_says(world: World) -> None:
    first = finished_mask(world, 1, "a.service")
    world.store.save(replace(first, aftercare=Aftercare(found=("x.service has failed.",))))
    assert own_changes(world.deps, finished_mask(world, 2, "b.service")).told == {"x.service has failed."}
    world.clock.ahead += 60 * MINUTE
    assert own_changes(world.deps, finished_mask(world, 3, "c.service")).told == frozenset()


def test_a_failure_that_two_masks_may_have_brought_about_is_told_in_one_thread(world: World) -> None:
    first, second = finished_mask(world, 1, "a.service"), finished_mask(world, 2, "b.service")
    report_failed_scan(world.deps, second, ["x.service"], set())
    report_failed_scan(world.deps, first, ["x.service"], {"x.service"})
    report_failed_scan(world.deps, first, [], set())
    assert world.store.get(first.id).drift.failed == world.store.get(second.id).drift.failed == ("x.service",)
    kinds = []
    while due := world.store.claim_message("speaker"):
        kinds.append((due.request_id, due.message.kind))
        deliver(world.deps, due)
    assert [request for request, kind in kinds if kind is MessageKind.NOTE] == [second.id]
