"""The moves of a request: a legal one is made, and any other is a mistake of ours that is not made quietly."""

import itertools
from dataclasses import replace

import pytest

from bot.core.requests import Stage
from tests.core.cards.situations import waiting

FINAL = {Stage.DONE, Stage.REFUSED, Stage.DENIED, Stage.WITHDRAWN, Stage.TIMED_OUT, Stage.CANCELLED}


@pytest.mark.parametrize(("final", "other"), list(itertools.product(sorted(FINAL), Stage)), ids=str)
def test_nothing_moves_a_request_that_is_over(final: Stage, other: Stage) -> None:
    over = replace(waiting(), stage=final)

    assert over.stage.is_final
    with pytest.raises(ValueError, match=f"no move from {final} to {other}"):
        over.move(other)


def test_a_running_request_can_only_be_brought_to_its_end() -> None:
    running = replace(waiting(), stage=Stage.RUNNING)

    assert running.move(Stage.DONE).stage is Stage.DONE
    for stage in set(Stage) - {Stage.DONE}:
        with pytest.raises(ValueError, match="no move from running"):
            running.move(stage)


def test_a_move_writes_what_it_is_given_and_leaves_the_original_alone() -> None:
    first = waiting()
    moved = first.move(Stage.WITHDRAWN, because="alice withdrew it.")

    assert (moved.stage, moved.because) == (Stage.WITHDRAWN, "alice withdrew it.")
    assert first.stage is Stage.WAITING
