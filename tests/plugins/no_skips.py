"""A test that did not run is named at the end; with CI=true it is a failure."""

import os
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field

import pytest

EVERYTHING_MUST_RUN = os.environ.get("CI") == "true"
REFUSED = "did not run, and with CI=true everything must: "


@dataclass(slots=True, eq=False)  # pytest keeps its plugins in sets
class NotRun:
    """The tests that were collected or skipped without having said yes or no."""

    lines: list[str] = field(default_factory=list)

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(self) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """A whole file or folder may skip itself while it is read."""
        report = yield
        _judge(report)
        return report

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """One test may skip itself, or be expected to fail."""
        report = yield
        _judge(report)
        return report

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Where tests run in several processes, this and the next are called in the one that tells."""
        self._note(report)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """What became of one test, in whichever process."""
        self._note(report)

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        """-k and -m leave tests out; whoever typed them knows which."""
        self.lines.append(f"{len(items)} left out by -k or -m")

    def _note(self, report: pytest.CollectReport | pytest.TestReport) -> None:
        """Several processes read the same file; it is named once."""
        refused = str(report.longrepr).removeprefix(REFUSED) if str(report.longrepr).startswith(REFUSED) else ""
        line = refused or (_line(report) if report.skipped else "")
        if line and line not in self.lines:
            self.lines.append(line)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Deselection leaves no report that could fail, so the run as a whole does."""
        if EVERYTHING_MUST_RUN and self.lines and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Loud: this is the last thing before the final line."""
        if not self.lines:
            return
        verdict = ", and with CI=true everything must" if EVERYTHING_MUST_RUN else ""
        terminalreporter.section(f"DID NOT RUN{verdict}", red=True, bold=True)
        for line in self.lines:
            terminalreporter.line(line)


def _judge(report: pytest.CollectReport | pytest.TestReport) -> None:
    """Where everything must run, what did not has failed."""
    if report.skipped and EVERYTHING_MUST_RUN:
        report.outcome, report.longrepr = "failed", f"{REFUSED}{_line(report)}"
        vars(report).pop("wasxfail", None)  # else the terminal still counts it as expected


def _line(report: pytest.CollectReport | pytest.TestReport) -> str:
    return f"{report.nodeid or 'the whole run'}: {_reason(report)}"


def _reason(report: pytest.CollectReport | pytest.TestReport) -> str:
    """The words of skip() or of the xfail mark; a skip keeps them as the last part of (file, line, words)."""
    if hasattr(report, "wasxfail"):
        return f"expected to fail: {report.wasxfail}"
    return str(report.longrepr[-1] if isinstance(report.longrepr, tuple) else report.longrepr)


def pytest_configure(config: pytest.Config) -> None:
    """Called by pytest once, because pyproject.toml names this module."""
    config.pluginmanager.register(NotRun(), "not-run")
