"""Run the attacks that attacks.yaml lists, and write what became of each into docs/attacks.md."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from tests.security.suites import ROOT

CATALOGUE = Path(__file__).with_name("attacks.yaml")
PAGE = ROOT / "docs" / "attacks.md"
_HEAD = """\
# Attacks

`script/security attacks` writes this page; nobody edits its results by hand. Each row was attacked by the tests that it
names, with real parts where the row is about them: sshd, systemd, the guard with the bot's own key, both databases, and
a Slack stand-in. *Held* says in how many of the cases. [SECURITY.md](../SECURITY.md) says what each loss costs.

| row | somebody has | and tries | what happens | tests | held |
|---|---|---|---|---|---|
"""


@dataclass(frozen=True, slots=True)
class Attack:
    """A row of the page."""

    has: str
    tries: str
    happens: str
    tests: tuple[str, ...]


def catalogue() -> Mapping[str, Attack]:
    """The rows, by their numbers."""
    found = yaml.safe_load(CATALOGUE.read_text())
    return {number: Attack(**{**row, "tests": tuple(row["tests"])}) for number, row in found.items()}


@dataclass(slots=True, eq=False)  # pytest keeps its plugins in sets
class AttackPage:
    """A pytest plugin: runs the named tests alone, and counts."""

    attacks: Mapping[str, Attack]
    failed: set[str] = field(default_factory=set)
    ran: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave the others out, whichever class they are in."""
        wanted = {test for attack in self.attacks.values() for test in attack.tests}
        items[:] = [item for item in items if _name(item.nodeid) in wanted]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """One that was skipped has not run."""
        if report.failed:
            self.failed.add(report.nodeid)
        if report.when == "call" and not report.skipped:
            self.ran[_name(report.nodeid)].add(report.nodeid)

    def page(self) -> str:
        """The whole page."""
        return _HEAD + "".join(self._line(number, attack) for number, attack in self.attacks.items())

    def faults(self) -> Iterator[str]:
        """The rows that did not hold, and those of which a test did not run."""
        for number, attack in self.attacks.items():
            for test in attack.tests:
                if not self.ran[test] or self.ran[test] & self.failed:
                    yield f"{number}: {test} {'failed' if self.ran[test] else 'did not run'}"

    def _line(self, number: str, attack: Attack) -> str:
        ran = {one for test in attack.tests for one in self.ran[test]}
        tests = "; ".join(_words(attack.tests))
        cells = (number, attack.has, attack.tries, attack.happens, tests, f"{len(ran - self.failed)} of {len(ran)}")
        return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |\n"


def _name(nodeid: str) -> str:
    """File and function, without the class and the case."""
    file, _, rest = nodeid.partition("::")
    return f"{file}::{rest.partition('[')[0].rpartition('::')[2]}"


def _words(tests: Sequence[str]) -> Iterator[str]:
    """The names of tests are sentences; each file is named once."""
    for file in dict.fromkeys(test.partition("::")[0] for test in tests):
        names = [test.partition("::test_")[2].replace("_", " ") for test in tests if test.startswith(f"{file}::")]
        yield f"`{file}`: {', '.join(names)}"


def attacked(*, page: Path = PAGE) -> list[str]:
    """Run them all, and write the page. What did not hold."""
    plugin = AttackPage(catalogue())
    files = dict.fromkeys(test.partition("::")[0] for one in plugin.attacks.values() for test in one.tests)
    pytest.main(["-q", "-p", "no:cacheprovider", *files], plugins=[plugin])
    page.write_text(plugin.page())
    return [*plugin.faults()]


def losses() -> tuple[str, ...]:
    """What somebody may have, as the table in SECURITY.md names it."""
    table = (ROOT / "SECURITY.md").read_text().partition("\n|---|---|---|\n")[2].partition("\n\n")[0]
    return tuple(re.findall(r"^\| ([^|]+?) \|", table, re.MULTILINE))
