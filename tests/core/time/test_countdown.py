"""The countdown on a card: in words that people use, and drawn anew only when they would be wrong by much."""

from datetime import timedelta

import pytest

from bot.core.time.countdown import countdown_marks, time_left
from tests.core.situations import NOW

MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("whole", "minutes_left"),
    [
        (1, []),
        (6, [5, 1]),
        (15, [10, 5, 1]),
        (30, [15, 10, 5, 1]),
        (120, [60, 10, 5, 1]),
        (7 * 24 * 60, [3.5 * 24 * 60, 24 * 60, 60, 10, 5, 1]),
    ],
)
def test_the_card_is_drawn_anew_halfway_and_ever_more_often_towards_the_end(
    whole: float, minutes_left: list[float]
) -> None:
    end = NOW + whole * MINUTE

    assert list(countdown_marks(NOW, end)) == [end - minutes * MINUTE for minutes in minutes_left]


def test_it_says_how_long_is_left_and_when_nothing_is() -> None:
    assert time_left(NOW + 12 * MINUTE, NOW) == "12 minutes left"
    assert time_left(NOW + timedelta(seconds=1), NOW) == "1 second left"
    assert time_left(NOW, NOW) == time_left(NOW - MINUTE, NOW) == "time is up"
