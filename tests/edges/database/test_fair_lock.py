"""Writers of one process take turns: who came first goes first, and nobody waits for ever."""

import threading

import pytest

from bot.edges.database.fair_lock import FairLock
from bot.errors import StoreBusy


def test_turns_are_given_in_the_order_in_which_they_were_asked_for() -> None:
    turns, order = FairLock(patience=30), []

    def go(number: int) -> None:
        with turns.turn():
            order.append(number)

    threads = [threading.Thread(target=go, args=(number,)) for number in range(10)]
    with turns.turn():
        for number, thread in enumerate(threads):
            thread.start()
            while turns.waiting <= number:
                pass
        assert order == []
    for thread in threads:
        thread.join()
    assert order == list(range(10))


def test_one_at_a_time_has_a_turn() -> None:
    turns, inside, most = FairLock(patience=30), [], []

    def go() -> None:
        for _ in range(50):
            with turns.turn():
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=go) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(most) == {1}
    assert len(most) == 400


def test_who_waited_long_enough_leaves_the_queue_and_the_next_one_goes() -> None:
    turns = FairLock(patience=0.01)
    with turns.turn():
        with pytest.raises(StoreBusy, match="nothing was recorded"), turns.turn():
            pass
        assert turns.waiting == 0
    with turns.turn():
        pass


def test_a_turn_that_ends_in_an_error_ends() -> None:
    turns = FairLock(patience=1)
    with pytest.raises(ZeroDivisionError), turns.turn():
        raise ZeroDivisionError
    with turns.turn():
        pass
