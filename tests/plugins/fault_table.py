"""The table of faults, made by the run: what was provoked, how, what people saw, and how often it went well.

A test names the rows that it provokes (`@pytest.mark.fault("F01", how="sshd stopped")`). What people saw it notes
with the fixture `saw`; else it is what the test itself read last, of cards and of what somebody was told (`was_read`);
and where people see nothing, the mark says what there is to see (`saw="nothing: ..."`).
`--fault-table FILE` writes the table; it is never written by hand.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import gettempdir

import pytest
import yaml

CATALOGUE = Path(__file__).parents[1] / "faults" / "catalogue.yaml"
HEAD = """\
# What happens when things break

A test run writes this table (`script/faults`, or any run with `--fault-table FILE`); nobody edits its results by hand.
Each row was provoked with real parts: the real databases, the real bot, and a Slack stand-in behind a proxy that breaks
it. Where SSH or systemd breaks, it is a real sshd and systemd; elsewhere a model that is checked against them
(tests/model). *Passed* says how many tests of a row passed, of those that ran. Where a bot took part, common checks
followed each case. A look at the host showed the need for each command. The audit chain verifies, and has an intent for
each command. Each request has one card. No card says masked where nothing is, and no secret is anywhere.

| case | fault | how it was provoked | what people saw | passed |
|---|---|---|---|---|
"""
_MOST_WORDS = 400
_LAST_READ = 2  # of what one test read, where it notes nothing itself
_read: list[str] = []  # in the test that runs now


@dataclass(slots=True)
class Row:
    """One row while the run goes on."""

    how: list[str] = field(default_factory=list)
    saw: list[str] = field(default_factory=list)
    ran: int = 0
    passed: int = 0


def catalogue() -> Mapping[str, Mapping[str, str]]:
    """Every row there is: its fault, and where it cannot be provoked (`not_provoked`) why."""
    found: Mapping[str, Mapping[str, str]] = yaml.safe_load(CATALOGUE.read_text())
    return found


class FaultTable:
    """Listens to the reports of all tests, in whichever process they ran."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._rows: dict[str, Row] = defaultdict(Row)
        self._failed: set[str] = set()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Note what a test provokes where every process can read it: in the properties of its report."""
        _read.clear()
        for mark in item.iter_markers("fault"):
            how = str(mark.kwargs.get("how") or _sentence(item))
            item.user_properties.extend(("fault", (number, how)) for number in mark.args)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> None:
        """What was read counts where nothing was noted; where nobody reads anything, what the mark says of that."""
        if any(name == "saw" for name, _ in item.user_properties):
            return
        said = [str(mark.kwargs["saw"]) for mark in item.iter_markers("fault") if "saw" in mark.kwargs]
        seen = _read[-_LAST_READ:] if item.get_closest_marker("fault") else []
        item.user_properties.extend(("saw", words) for words in seen or said)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count a test once it is over with all that came after it: the common checks run at the end."""
        if report.failed:
            self._failed.add(report.nodeid)
        if report.when != "teardown":
            return
        seen = [str(words) for name, words in report.user_properties if name == "saw"]
        for number, how in _provoked(report):
            row = self._rows[number]
            row.ran += 1
            row.passed += report.nodeid not in self._failed
            row.how += [how] if how not in row.how else []
            row.saw += [words for words in seen if words not in row.saw]

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the table; a row of which nothing is known is a failure of the run."""
        if self._path is None or hasattr(session.config, "workerinput"):
            return
        self._path.write_text(HEAD + "".join(_lines(self._rows)))
        if any(row.passed < row.ran for row in self._rows.values()) or _missing(self._rows):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _provoked(report: pytest.TestReport) -> Iterator[tuple[str, str]]:
    """The rows that a test named, and how it provoked them; a list instead of a pair once it came from elsewhere."""
    for name, value in report.user_properties:
        if name == "fault" and isinstance(value, tuple | list):
            number, how = value
            yield str(number), str(how)


def _lines(rows: Mapping[str, Row]) -> Iterator[str]:
    for number, known in catalogue().items():
        row = rows.get(number)
        if row is None:
            yield f"| {number} | {known['fault']} | not provoked: {known.get('not_provoked', 'no test')} | | |\n"
            continue
        how, saw = (_cell(words) for words in (row.how, row.saw))
        yield f"| {number} | {known['fault']} | {how} | {saw} | {row.passed} of {row.ran} |\n"


def _missing(rows: Mapping[str, Row]) -> list[str]:
    return [number for number, known in catalogue().items() if number not in rows and "not_provoked" not in known]


def _cell(parts: Iterable[str]) -> str:
    """Several sentences in one cell of a Markdown table."""
    words = "; ".join(" ".join(part.split()) for part in parts).replace("|", "\\|")
    words = words.replace(gettempdir(), "/tmp")  # noqa: S108 - only words
    return words if len(words) <= _MOST_WORDS else f"{words[:_MOST_WORDS]} …"


def _sentence(item: pytest.Item) -> str:
    """The names of tests are sentences."""
    return item.name.partition("[")[0].removeprefix("test_").replace("_", " ")


def was_read(words: str) -> str:
    """People read this just now: a card, of which its head is noted, or a sentence. The words are given back."""
    head = words.partition("\n")[0].strip()
    if head and head not in _read[-1:]:
        _read.append(head)
    return words


@pytest.fixture
def saw(request: pytest.FixtureRequest) -> Callable[[str], str]:
    """Note what people saw, for the table; the words are given back."""

    def noted(words: str) -> str:
        request.node.user_properties.append(("saw", words))
        return words

    return noted


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--fault-table FILE`."""
    parser.addoption("--fault-table", type=Path, default=None, metavar="FILE", help="write the table of faults there")


def pytest_configure(config: pytest.Config) -> None:
    """Called by pytest once, because pyproject.toml names this module."""
    config.pluginmanager.register(FaultTable(config.getoption("--fault-table")), "fault-table")
