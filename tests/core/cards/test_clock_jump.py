"""A clock that was set, in words: which way, and what it means."""

from datetime import timedelta

from bot.core.cards.clock_jump import clock_jump_notice


def test_set_back_nothing_lasts_longer() -> None:
    assert clock_jump_notice(-timedelta(days=1)).startswith("THE CLOCK OF THE BOT'S MACHINE WAS SET BACK by 1 day.")
    assert "nothing expires late" in clock_jump_notice(-timedelta(days=1))


def test_set_forward_what_came_due_is_due() -> None:
    assert "SET FORWARD by 1 hour, or the machine slept." in clock_jump_notice(timedelta(hours=1))
