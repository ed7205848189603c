"""What nobody expected is told as a reference, and the rest stays in our own log."""

import pytest
from structlog.testing import capture_logs

from bot.errors import MaybeRecorded, StoreBusy
from handlers.attempt import attempt


def test_a_mistake_of_ours_is_a_reference_and_never_a_traceback() -> None:
    def fail() -> str:
        raise RuntimeError("xoxb-secret")

    with capture_logs() as logged:
        said = attempt(fail)
    assert "xoxb-secret" not in said
    assert "RuntimeError" not in said
    (entry,) = logged
    assert entry["reference"] in said
    assert entry["exc_info"]


@pytest.mark.parametrize(
    ("error", "answer"), [(StoreBusy, "Nothing has happened"), (MaybeRecorded, "may or may not be on record")]
)
def test_that_nothing_was_recorded_is_said_only_where_it_is_known(error: type[StoreBusy], answer: str) -> None:
    def fail() -> str:
        raise error("the words of the database")

    assert answer in attempt(fail)
