"""A plugin of pytest that writes what became of each test, and what it measured: `--outcomes FILE`."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import pytest


@dataclass(slots=True, eq=False)  # pytest keeps its plugins in sets
class Outcomes:
    """One record for each test: its id, whether all of it passed, why not, and what it noted."""

    path: Path
    records: dict[str, dict[str, object]] = field(default_factory=dict)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A test has passed if its set-up and all that comes after it have, too."""
        one = self.records.setdefault(report.nodeid, {"passed": True, "why": "", "measured": {}})
        if not report.passed:
            one["passed"], one["why"] = False, one["why"] or _why(report)
        if report.when == "teardown":
            one["measured"] = {str(key): value for key, value in report.user_properties if key in ("row", "cells")}

    def pytest_sessionfinish(self) -> None:
        """Write the file."""
        self.path.write_text(json.dumps(self.records, indent=1))


def _why(report: pytest.TestReport) -> str:
    """The first line of what a test said."""
    lines = str(report.longrepr).splitlines()
    said = [line.removeprefix("E ").strip() for line in lines if line.startswith("E ")]
    return next(iter(said or lines[-1:]), "")[:300]


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--outcomes FILE`."""
    parser.addoption(
        "--outcomes", type=Path, required=True, metavar="FILE", help="write what became of each test there"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Called by pytest once."""
    config.pluginmanager.register(Outcomes(config.getoption("--outcomes")), "outcomes")
