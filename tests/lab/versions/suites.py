"""What is run on each release, and by which way to root; each suite is a process of pytest with hosts of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
TOP = HERE.parents[2]
Records = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Suite:
    """Some files of tests, and how the bot's login becomes root on their hosts."""

    name: str
    files: tuple[str, ...]
    rights: str = "sudo"
    left_out: str = ""


_MEASURED = tuple(f"tests/lab/versions/measured_{what}.py" for what in ("kinds", "signs", "cycles"))
_GUARD = tuple(f"tests/edges/guard/test_{what}.py" for what in ("attacks", "bus", "changes", "judge", "own_login"))
_TO_ROOT = tuple(f"tests/edges/guard/test_{what}.py" for what in ("conversation", "own_login"))

WAYS = ("sudo", "sudo-rs", "doas")

# What is left out is decided by the guard's own Python alone, or by its own clock, and takes longest.
_OWN_RULES = "critical_list or bot_never_does or pattern_of_the_host or has_a_bound or does_not_end"
_OWN_CLOCK = "how_long_it_goes_on or stops_in_the_middle"

SUITES = (
    Suite("measured", _MEASURED),
    Suite("contract", ("tests/model/test_contract.py",), left_out="model-"),
    Suite("guard", (*_GUARD, "tests/edges/guard/test_conversation.py"), left_out=f"{_OWN_RULES} or {_OWN_CLOCK}"),
    *(
        Suite(
            f"guard by {rights}",
            (*_TO_ROOT, "tests/edges/guard/test_attacks.py", "tests/edges/guard/test_changes.py"),
            rights,
            f"{_OWN_RULES} or {_OWN_CLOCK} or user or reboot or boot",
        )
        for rights in WAYS[1:]
    ),
    Suite("install", tuple(f"tests/deploy/test_{what}.py" for what in ("install", "odd_settings"))),
    *(Suite(f"story by {rights}", ("tests/deploy/measured_stories.py",), rights) for rights in WAYS),
)


def run(suite: Suite, root: Path, folder: Path, more: Sequence[str]) -> Records:
    """Run a suite over a root; `more` goes to pytest."""
    written = folder / f"{suite.name}.json"
    written.unlink(missing_ok=True)
    out = ["-m", "pytest", "--quiet", "--tb=short", "-p", "tests.lab.versions.outcomes", f"--outcomes={written}"]
    chosen = ["-k", f"not ({suite.left_out})"] if suite.left_out and "-k" not in more else []
    environment = {**os.environ, "LAB_ROOT": str(root), "LAB_RIGHTS": suite.rights}
    subprocess.run([sys.executable, *out, *suite.files, *chosen, *more], cwd=TOP, env=environment, check=False)
    found: Records = json.loads(written.read_text()) if written.exists() else {}
    return found
