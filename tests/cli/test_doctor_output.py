"""What doctor prints: a warning is shown as one, whatever it is about, and a hint only on demand."""

import pytest

from bot.cli.doctor_output import show
from bot.doctor.check_result import CheckResult

WELL = CheckResult("web-01", "guard: control", is_ok=True, what="not set up", fix="install -d")
GUEST = CheckResult("Slack", "UEVE in group may-ask", is_ok=True, what="can neither ask nor approve", is_warning=True)


def test_a_warning_is_shown_and_is_no_hint(capsys: pytest.CaptureFixture[str]) -> None:
    show([GUEST, WELL], verbose=False)
    assert capsys.readouterr().out.splitlines() == [
        "??  Slack: UEVE in group may-ask: can neither ask nor approve",
        "ok  web-01: 1 checked, 1 with a hint (--verbose)",
        "ready",
    ]
