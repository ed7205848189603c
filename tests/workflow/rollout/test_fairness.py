"""However slow the hosts of a rollout are, others go on with what they ask for."""

import threading

from bot.core.requests import Stage
from tests.workflow.rollout.rolled import ask_rollout
from tests.workflow.slack import BOB
from tests.workflow.wire import Call
from tests.workflow.world import World

ROLLOUTS = 5  # each with four targets that are checked at a time: more than there are workers
SOON = 10.0


def test_rollouts_on_a_slow_host_leave_workers_to_others(world: World) -> None:
    answers, asked = threading.Event(), list[Call]()

    def slow(call: Call) -> None:
        if call.host == "db-01":
            asked.append(call)
            answers.wait(3 * SOON)

    world.wire.before.append(slow)
    try:
        for number in range(ROLLOUTS):
            ask_rollout(world, "db-01", units=tuple(f"unit{number}{letter}" for letter in "abcd"))
        world.until(lambda: len(asked) >= 8, "workers that wait for the host", seconds=SOON)
        other = world.ask_mask("worker", host="web-01", by=BOB)
        world.until(lambda: world.store.get(other.id).stage is Stage.WAITING, "an answer meanwhile", seconds=SOON)
        assert len(asked) == 8, "half of the workers"
    finally:
        answers.set()
        world.wire.before.clear()
