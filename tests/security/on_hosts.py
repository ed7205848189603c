"""Try mutants of the guard: the mistake is put into the guard of a host, which is booted once for all of them.

Which tests run a line is measured once, by a guard that writes down its lines. Then each mutant meets the tests of its
line, until one fails. A host that is not as it was after that ends the process, and the next one boots another.
"""

import ast
import difflib
import json
import signal
import time
from collections import Counter, defaultdict
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import pytest

from bot.edges.guard import text
from tests.lab.hosts import CRITICAL, LabHost
from tests.lab.machine import LabError
from tests.lab.pristine import Pristine
from tests.lab.tree import GUARD
from tests.security.mutants import Mutant
from tests.security.mutating import FOUND, SURVIVED, Verdict
from tests.security.suites import ROOT

_LINES = "/run/maskbot-lines"
_FIRST_MODULE = "bot/edges/guard/process.py"  # of the guard: what it defines is there for all others
_NOTE = f"""
_SEEN = set()

def _at(line):
    if line not in _SEEN:
        _SEEN.add(line)
        try:
            end = os.open(f'{_LINES}/{{os.getpid()}}-{{os.geteuid()}}', os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
            os.write(end, f'{{line}}\\n'.encode())
            os.close(end)
        except OSError:
            pass
"""
# What tests put aside and bring back; one that failed may not have.
_FINGERPRINT = """
stat -c '%n %u %g %a' / /etc /etc/maskbot /etc/maskbot/guard.conf /usr/local /usr/local/libexec /etc/systemd/system \
  /etc/systemd/system.control /run/systemd/system /etc/sudoers /etc/sudoers.d /etc/passwd /etc/group /etc/shadow
cat /etc/maskbot/guard.conf; ls -A /etc/maskbot /usr/local/libexec /etc/sudoers.d /var/lib
find /etc/sudoers /etc/sudoers.d /etc/passwd /etc/group /run/systemd/system -type f -exec md5sum {} +
systemctl is-active ssh.service cron.service dbus.service
"""
_EXTRA_SECONDS, _SLOWER = 15.0, 4.0  # for a test with a mistake, beside what it took without
_MOST_SECONDS = 600.0  # of tests for one mutant, the likeliest first: what they do not find counts as not found


@dataclass(slots=True, eq=False)  # pytest keeps its plugins in sets
class OnHosts:
    """A pytest plugin that runs the collected tests once, and then again for each mutant."""

    mutants: Sequence[Mutant]
    files: Collection[str]  # in which mistakes are made
    verdict: Verdict
    end: float  # by the monotonic clock
    found_by: Mapping[str, str]
    kept: Path  # what was measured, for the next process
    state: str  # what that rests on
    failed: str = ""
    is_measured: bool = False
    is_spoilt: bool = False  # the host is not as it was
    pristine: Pristine | None = None
    finders: Counter[str] = field(default_factory=Counter)
    finders_at: dict[tuple[str, str], Counter[str]] = field(default_factory=lambda: defaultdict(Counter))  # by function

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """What a test costs is not asked here."""
        session.config.pluginmanager.unregister(name="cost")

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[object]) -> Generator[None, object, object]:
        """See the host that all share, before the first test has it."""
        value = yield
        if fixturedef.argname == "found":
            assert isinstance(value, dict)
            self.pristine = value["web-01"]
        return value

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """The first test that fails is enough."""
        if report.failed and not self.failed:
            self.failed = report.nodeid

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """In place of pytest's own loop."""
        items = {item.nodeid: item for item in session.items}
        self._run(session.items[0], 60)  # which boots the host
        took, by_line = self._measured(session.items)
        fingerprint = self._fingerprint()
        self.is_measured = True
        for mutant in sorted(self.mutants, key=lambda one: not one.lines):  # those take all tests
            if time.monotonic() > self.end:
                break
            running = self._tests(mutant, took, by_line)
            self._put(mutant.file, mutant.source)
            by = self._first_that_fails([items[one] for one in running if one in items], took)
            self.finders[by] += 1
            self.finders_at[mutant.file, mutant.place][by] += 1
            self.verdict(mutant, FOUND if by else SURVIVED, by)
            now = self._fingerprint() if by else fingerprint
            if now != fingerprint:
                why = difflib.unified_diff(fingerprint.splitlines(), now.splitlines(), lineterm="", n=0)
                with self.kept.with_suffix(".spoilt").open("a") as file:
                    print(mutant.name, by, *why, sep="\n", file=file)
                self.is_spoilt = True
                break
        return True

    def _host(self) -> LabHost:
        assert self.pristine, "no test has a host"
        return self.pristine.host

    def _fingerprint(self) -> str:
        """What must be the same after each mutant; the host's units are put back as between any two tests."""
        assert self.pristine
        with suppress(LabError, OSError):
            _end_conversations()
            self.pristine.restore()
            return self._host().run("sh", "-c", _FINGERPRINT).stdout
        return ""

    def _put(self, file: str = "", source: str = "") -> None:
        """The host's guard has this module from now on."""
        _install(self._host(), text.guard(unit.pattern for unit in CRITICAL) if not file else _joined({file: source}))

    def _measured(self, items: Sequence[pytest.Item]) -> tuple[Mapping[str, float], Mapping[str, list[str]]]:
        """How long each test takes, and which tests run a line (`file:number`)."""
        with suppress(OSError, ValueError):
            state, took, by_line = json.loads(self.kept.read_text())
            if state == self.state:
                return took, by_line
        took, by_line = dict[str, float](), defaultdict[str, list[str]](list)
        self._install_noting()
        for item in items:
            _end_conversations()
            self._host().run("sh", "-c", f"rm -rf {_LINES}; mkdir {_LINES}; chmod 777 {_LINES}")
            began = time.monotonic()
            self._run(item, 120)
            took[item.nodeid] = time.monotonic() - began
            lines = set(self._host().run("sh", "-c", f"cat {_LINES}/*").stdout.split())
            if self.failed:  # it may look for words of the guard's text
                self._check_without_notes(item)
                del took[item.nodeid]
                continue
            for line in lines:
                by_line[line].append(item.nodeid)
        self._host().run("rm", "-rf", _LINES)
        self.kept.write_text(json.dumps([self.state, took, by_line]))
        return took, by_line

    def _install_noting(self) -> None:
        files = {_FIRST_MODULE, *self.files}
        _install(self._host(), _joined({file: _noting(file) for file in files}))

    def _check_without_notes(self, item: pytest.Item) -> None:
        """Such a test cannot be measured, and is not tried. Raises `Failed` if it fails in any case."""
        self.failed = ""
        _end_conversations()
        self._put()
        self._run(item, 120)
        if self.failed:
            raise pytest.Session.Failed(f"{self.failed} fails without any mutant")
        self._install_noting()

    def _tests(self, mutant: Mutant, took: Mapping[str, float], by_line: Mapping[str, list[str]]) -> list[str]:
        """The tests that could notice, the likeliest first; all of them for what is computed at the start."""
        tests = set().union(*(by_line.get(f"{mutant.file}:{line}", ()) for line in mutant.lines))
        before, near = self.found_by.get(mutant.name), Path(mutant.file).stem
        here = self.finders_at[mutant.file, mutant.place]
        order = sorted(
            tests if mutant.lines else took,
            key=lambda one: (
                one != before,
                -here[one],
                f"test_{near}.py" not in one,
                -self.finders[one] // 5,
                took[one],
            ),
        )
        seconds, chosen = 0.0, []
        for one in order:
            seconds += took[one]
            if seconds < _MOST_SECONDS or one == before:
                chosen.append(one)
        return chosen

    def _first_that_fails(self, running: Sequence[pytest.Item], took: Mapping[str, float]) -> str:
        self.failed = ""
        _end_conversations()
        for item in running:
            self._run(item, _EXTRA_SECONDS + _SLOWER * took[item.nodeid])
            if self.failed:
                return self.failed
        return ""

    def _run(self, item: pytest.Item, seconds: float) -> None:
        """What all share stays for the next test, whichever that is."""
        with _ended_after(seconds):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=item.session)


@contextmanager
def _ended_after(seconds: float) -> Iterator[None]:
    """A test that takes longer fails."""

    def fail(_signal: int, _frame: FrameType | None) -> None:
        raise TimeoutError("it takes too long")

    before = signal.signal(signal.SIGALRM, fail)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _end_conversations() -> None:
    from tests.edges.guard.talking import end_kept

    end_kept()


def _install(host: LabHost, program: str) -> None:
    path = host.root / GUARD
    new = path.with_name("new")
    new.write_text(program)
    new.chmod(0o755)
    new.replace(path)


def _joined(sources: Mapping[str, str]) -> str:
    """The guard with other sources of some of its modules."""
    read = text._source
    text._source = lambda package, module: (
        sources.get(f"{package.replace('.', '/')}/{module}.py") or read(package, module)
    )
    try:
        return text.guard(unit.pattern for unit in CRITICAL)
    finally:
        text._source = read


def _noting(file: str) -> str:
    """A module of the guard that writes down which of its lines run."""
    tree = ast.parse((ROOT / file).read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            _note_in(node, file)
    if file == _FIRST_MODULE:
        tree.body += ast.parse(_NOTE).body
    return ast.unparse(ast.fix_missing_locations(tree))


def _note_in(node: ast.AST, file: str) -> None:
    """Before each statement of a block."""
    for name in ("body", "orelse", "finalbody"):
        block = getattr(node, name, None)
        if not isinstance(block, list) or not all(isinstance(one, ast.stmt) for one in block):
            continue
        noted: list[ast.stmt] = []
        for one in block:
            if not (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant)):
                noted += ast.parse(f"_at({f'{file}:{one.lineno}'!r})").body
            noted.append(one)
            if not isinstance(one, ast.FunctionDef | ast.ClassDef):
                _note_in(one, file)
        setattr(node, name, noted)
    for handler in getattr(node, "handlers", []):
        _note_in(handler, file)
