"""The notice for operators says which channel became shared, and what ended there."""

import pytest

from bot.core.cards.shared_channel import shared_notice


@pytest.mark.parametrize(
    ("cancelled", "told"), [(0, "Nothing waited there."), (1, "Cancelled there: 1 waiting."), (3, "3 waiting.")]
)
def test_the_operators_read_what_was_cancelled(cancelled: int, told: str) -> None:
    notice = shared_notice("C1", cancelled)
    assert notice.startswith("The channel C1 is shared with another organisation now.")
    assert told in notice
