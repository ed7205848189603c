"""What nobody expected is told as a reference, and the rest stays in our own log."""

from structlog.testing import capture_logs

from handlers.surface import attempt


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
