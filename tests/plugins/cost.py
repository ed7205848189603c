"""What a run costs: processor seconds (user and system) of each test file and of each shared fixture, at the end.

As root each process of the run works in a cgroup of its own, and so do all that it starts (bots, databases, browsers,
the hosts of its labs): one number counts them all, also those that were killed. Elsewhere there are no hosts, and what
a process and its ended children used is counted.
"""

import contextlib
import os
import resource
from collections import defaultdict
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

import pytest

from tests.lab.machine import LabError, doubles, own_cgroup

SHOWN = 10


@dataclass(slots=True, eq=False)  # pytest keeps its plugins in sets
class Cost:
    """Counts in each process; the process that tells adds up what the others counted."""

    cgroup: Path | None
    files: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    fixtures: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    _shared: float = 0.0  # of the test that runs now: what fixtures cost that others use as well
    _began: float = field(default_factory=monotonic)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """One test, with all that was made for it alone."""
        before, self._shared = self.spent(), 0.0
        result = yield
        self.files[item.nodeid.partition("::")[0]] += self.spent() - before - self._shared
        return result

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[object]) -> Generator[None, object, object]:
        """One fixture, where it outlives the test; what it needs itself was set up before."""
        before = self.spent()
        result = yield
        if fixturedef.scope != "function":
            cost = self.spent() - before
            self._shared += cost
            self.fixtures[fixturedef.argname] += cost
        return result

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Hand over what was counted to the process that tells."""
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput["cost"] = {"files": dict(self.files), "fixtures": dict(self.fixtures)}

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: object) -> None:
        """Add what another process counted (pytest-xdist)."""
        counted: Mapping[str, Mapping[str, float]] = getattr(node, "workeroutput", {}).get("cost", {})
        for known, more in ((self.files, counted.get("files", {})), (self.fixtures, counted.get("fixtures", {}))):
            for name, cost in more.items():
                known[name] += cost

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """What costs most."""
        whole, wall = sum(self.files.values()) + sum(self.fixtures.values()), monotonic() - self._began
        terminalreporter.section(f"tests took {whole:.0f} s of CPU in {wall:.0f} s")
        for name, cost in _most(self.files, SHOWN):
            terminalreporter.line(f"{cost:7.1f} s  {name}")
        for name, cost in _most(self.fixtures, SHOWN // 2):
            terminalreporter.line(f"{cost:7.1f} s  to set up `{name}`")

    def spent(self) -> float:
        """Processor seconds so far."""
        if self.cgroup:
            usage = (self.cgroup / "cpu.stat").read_text().split()[1]  # usage_usec comes first (cgroups(7))
            return int(usage) / 1e6
        own, ended = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        return own.ru_utime + own.ru_stime + ended.ru_utime + ended.ru_stime

    def pytest_unconfigure(self) -> None:
        """Leave the cgroup as it was found; one whose hosts still end is left to whoever started the run."""
        if self.cgroup:
            (self.cgroup.parent / "cgroup.procs").write_text(str(os.getpid()))
            for place in (self.cgroup, *doubles(self.cgroup)):
                with contextlib.suppress(OSError):
                    place.rmdir()


def _most(costs: Mapping[str, float], shown: int) -> list[tuple[str, float]]:
    return sorted(costs.items(), key=lambda each: -each[1])[:shown]


def _enter() -> Path | None:
    """A new cgroup with this process in it, where this machine lets us; those of processes that are gone go as well."""
    try:
        for left in own_cgroup().glob("maskbot-tests-*"):
            if not Path("/proc", left.name.rpartition("-")[2]).exists():
                with contextlib.suppress(OSError):  # something that it started still ends
                    left.rmdir()
        cgroup = own_cgroup() / f"maskbot-tests-{os.getpid()}"
        cgroup.mkdir()
        (cgroup / "cgroup.procs").write_text(str(os.getpid()))
    except (LabError, OSError):
        return None
    return cgroup


def pytest_configure(config: pytest.Config) -> None:
    """Called by pytest once, because pyproject.toml names this module."""
    config.pluginmanager.register(Cost(_enter()), "cost")
