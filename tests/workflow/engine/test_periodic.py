"""A task that is made due because something has changed comes round, also where a turn of it ends at that moment."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.errors import Stale
from bot.ports import Periodic
from bot.workflow.process.update import run_periodic_now
from tests.workflow.waiting import without_hosts
from tests.workflow.world import World

NAME = "trust:web-01"


def turn_ends(world: World, times: int, **changed: Any) -> None:
    """So often a turn of the task ends right after the task was read: on record is what the old files asked for."""
    left = iter(range(times))

    def meanwhile(task: Periodic) -> bool:
        if next(left, None) is not None:
            world.store.save_periodic(replace(task, document={"by": "a turn that goes by the old files"}, **changed))
        return task.due_at is not None

    run_periodic_now(world.deps, "trust", where=meanwhile)


def test_a_turn_that_ends_between_the_reading_and_the_writing_does_not_swallow_it(tmp_path: Path) -> None:
    with without_hosts(tmp_path) as world:
        later = world.clock.now() + timedelta(minutes=5)
        world.store.save_periodic(Periodic(NAME, {}, later))

        turn_ends(world, 2)

        now = world.store.get_periodic(NAME)
        assert now
        assert now.due_at
        assert now.due_at < later
        assert now.document == {"by": "a turn that goes by the old files"}


def test_what_is_over_meanwhile_stays_so(tmp_path: Path) -> None:
    with without_hosts(tmp_path) as world:
        world.store.save_periodic(Periodic(NAME, {}, world.clock.now() + timedelta(minutes=5)))

        turn_ends(world, 1, due_at=None)

        now = world.store.get_periodic(NAME)
        assert now
        assert now.due_at is None


def test_what_never_stays_as_it_was_read_is_said(tmp_path: Path) -> None:
    with without_hosts(tmp_path) as world:
        world.store.save_periodic(Periodic(NAME, {}, world.clock.now() + timedelta(minutes=5)))

        with pytest.raises(Stale, match="trust:web-01"):
            turn_ends(world, 100)
