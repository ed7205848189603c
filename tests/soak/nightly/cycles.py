"""Forty cycles of mask and undo on a real host: nothing differs afterwards but what a card announced."""

import subprocess
import sys

import pytest

from tests.lab.installation import ROOT


@pytest.mark.ssh
def test_forty_cycles_leave_nothing_different_that_was_not_said() -> None:
    """Takes some five minutes; the printed table says what differs."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.lab.cycles"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=1800
    )
    assert (done.returncode, done.stdout.splitlines()[-1][-8:]) == (0, "0 faults"), done.stdout + done.stderr
