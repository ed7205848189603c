"""What is kept for a while: nobody waits for it, and it is asked for once however many want it."""

from collections.abc import Callable
from datetime import timedelta

from structlog.testing import capture_logs

from bot.workflow.queries.cache import Cache, Cached
from tests.workflow.process.test_reachability import Hands


class Desk:
    """Jobs that wait until somebody does them."""

    def __init__(self) -> None:
        self.jobs: list[Callable[[], None]] = []
        self.clock = Hands()
        self.asked: list[str] = []

    def remembered(self, *, at_once: int = 2) -> Cache[str, str]:
        return Cache(self.take, later=self.jobs.append, clock=self.clock, at_once=at_once)

    def take(self, key: str) -> Cached[str]:
        self.asked.append(key)
        if key == "trouble":
            raise RuntimeError(key)
        return Cached(f"{key} {len(self.asked)}", timedelta(seconds=60))

    def work(self) -> None:
        while self.jobs:
            self.jobs.pop(0)()


def test_nothing_is_known_at_first_and_nobody_waits() -> None:
    desk = Desk()
    kept = desk.remembered()
    assert kept.of("a") is None
    assert kept.of("a") is None
    assert len(desk.jobs) == 1
    desk.work()
    assert kept.of("a") == "a 1"
    assert desk.jobs == []


def test_what_is_old_is_told_while_it_is_asked_for_anew() -> None:
    desk = Desk()
    kept = desk.remembered()
    kept.of("a")
    desk.work()
    desk.clock.wait(60)
    assert kept.of("a") == "a 1"
    desk.work()
    assert kept.of("a") == "a 2"


def test_only_so_many_are_asked_for_at_one_time() -> None:
    desk = Desk()
    kept = desk.remembered(at_once=2)
    for key in ("a", "b", "c"):
        assert kept.of(key) is None
    assert len(desk.jobs) == 2
    desk.work()
    assert kept.of("c") is None
    assert len(desk.jobs) == 1


def test_a_mistake_is_logged_and_tried_again() -> None:
    desk = Desk()
    kept = desk.remembered()
    kept.of("trouble")
    with capture_logs() as logged:
        desk.work()
    assert logged[0]["about"] == "trouble"
    assert kept.of("trouble") is None
    assert len(desk.jobs) == 1
