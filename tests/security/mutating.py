"""Try mutants: which tests run a line is measured once, then each mutant lives in a fork until one fails.

Functions are replaced where they are, so that no fork has to import or collect anything. What a module does while it is
imported cannot be replaced like that: those mutants, and all that survived, are tried again by processes that import
the module with the mistake in it.
"""

import gc
import os
import resource
import signal
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import _lru_cache_wrapper, partial
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, FunctionType

import coverage
import pytest

from tests.security.mutants import Mutant
from tests.security.suites import ROOT

FOUND, SURVIVED, NOT_FIT = "found", "survived", "not fit"
_SLOWER, _AT_LEAST = 10, 6  # a mutant with which a test takes so much more processor time than without is found
_PATIENCE = 3  # times as long may pass meanwhile: other work is done on this machine
_MEMORY = 2 * 1024**3
Verdict = Callable[[Mutant, str, str], None]
"""Told of each mutant: what became of it, and by which test."""


@dataclass(slots=True, eq=False)  # pytest keeps its plugins in sets
class Mutating:
    """A pytest plugin that runs the collected tests once, and then again for each mutant."""

    mutants: Sequence[Mutant]
    verdict: Verdict
    end: float  # by the monotonic clock
    found_by: Mapping[str, str] = field(default_factory=dict)  # before the tests changed: mutant -> test
    failed: str = ""
    took: dict[str, float] = field(default_factory=dict)  # test -> seconds
    finders: Counter[str] = field(default_factory=Counter)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """What a test costs is not asked here, and to count it takes as long as a short test."""
        session.config.pluginmanager.unregister(name="cost")

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """In place of pytest's own loop."""
        if session.testsfailed:
            raise session.Failed("tests cannot be collected")
        by_line = self._measure(session.items)
        if self.failed:
            raise session.Failed(f"{self.failed} fails without any mutant")
        gc.unfreeze()
        functions, caches = _functions(), _caches()
        gc.freeze()  # what a fork does not touch it need not copy
        gc.disable()
        of_each_file = {item.nodeid.partition("::")[0]: item for item in session.items}
        said, by = self._in_a_fork(lambda: True, [*of_each_file.values()][::-1])
        if said != SURVIVED:
            raise session.Failed(f"{by} fails without any mutant, after other tests")
        for mutant in self.mutants:
            if time.monotonic() > self.end:
                break
            running = self._tests(mutant, session.items, by_line)
            put_in = partial(_put_in, mutant, functions.get(str(ROOT / mutant.file), []), caches)
            code, by = self._in_a_fork(put_in, running) if mutant.lines else (NOT_FIT, "")
            self.finders[by] += 1
            self.verdict(mutant, code, by)
        return True

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """The first test that fails is enough."""
        if report.failed and not self.failed:
            self.failed = report.nodeid

    def _measure(self, items: Sequence[pytest.Item]) -> Mapping[tuple[str, int], set[int]]:
        """Which tests run which line."""
        files = sorted({str(ROOT / mutant.file) for mutant in self.mutants})
        measured = coverage.Coverage(data_file=None, config_file=False, include=files)
        measured.set_option("run:disable_warnings", ["no-data-collected"])  # the likeliest tests may run none
        measured.start()
        for nth, item in enumerate(items):
            measured.switch_context(str(nth))
            began = time.monotonic()
            _run(item, items[nth + 1] if nth + 1 < len(items) else items[0])  # what all share stays
            self.took[item.nodeid] = time.monotonic() - began
        measured.stop()
        by_line: dict[tuple[str, int], set[int]] = defaultdict(set)
        for file in files:
            for line, tests in measured.get_data().contexts_by_lineno(file).items():
                by_line[file, line] |= {int(test) for test in tests if test}
        return by_line

    def _tests(
        self, mutant: Mutant, items: Sequence[pytest.Item], by_line: Mapping[tuple[str, int], set[int]]
    ) -> list[pytest.Item]:
        """The tests that could notice, the likeliest first; what they do in a fork of theirs is not measured."""
        file, near = str(ROOT / mutant.file), Path(mutant.file).stem
        tests = set().union(*(by_line.get((file, line), set()) for line in mutant.lines))
        running, before = [items[nth] for nth in sorted(tests)], self.found_by.get(mutant.name)
        running.sort(key=lambda one: (near not in one.nodeid, round(self.took[one.nodeid], 3)))
        running.sort(key=lambda one: (one.nodeid != before, -self.finders[one.nodeid]))
        return running + [one for one in items if near in one.nodeid and one not in running]

    def _in_a_fork(self, put_in: Callable[[], bool], running: Sequence[pytest.Item]) -> tuple[str, str]:
        if not running:
            return SURVIVED, ""
        seconds = {item: _AT_LEAST + _SLOWER * self.took[item.nodeid] for item in running}

        def child(told: int) -> None:
            if not put_in():
                os.write(told, NOT_FIT.encode())
                return
            running[0].session._setupstate.teardown_exact(running[0])  # what the last test left for one like it
            for nth, item in enumerate(running):
                signal.setitimer(signal.ITIMER_PROF, seconds[item])
                signal.setitimer(signal.ITIMER_REAL, _PATIENCE * seconds[item])
                _run(item, running[nth + 1] if nth + 1 < len(running) else item)
                if self.failed:
                    os.write(told, f"{FOUND} {self.failed}".encode())
                    return
            os.write(told, SURVIVED.encode())

        return forked(child, sum(seconds.values()))


def _run(item: pytest.Item, following: pytest.Item | None) -> None:
    item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)


def forked(child: Callable[[int], None], seconds: float) -> tuple[str, str]:
    """What a fork writes, and what follows the first word; one that dies or needs more seconds has found its mutant."""
    told, tells = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            os.setpgid(0, 0)
            for sign in (signal.SIGPROF, signal.SIGALRM):
                signal.signal(sign, signal.SIG_DFL)
            signal.setitimer(signal.ITIMER_PROF, seconds)
            signal.setitimer(signal.ITIMER_REAL, _PATIENCE * seconds)
            resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, resource.RLIM_INFINITY))  # a test lifts it
            silence = os.open(os.devnull, os.O_RDWR)
            for stream in (0, 1, 2):
                os.dup2(silence, stream)
            child(tells)
        except BaseException:
            os._exit(1)
        os._exit(0)
    os.close(tells)
    os.waitpid(pid, 0)
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)  # what it began itself, which may be stopped, holds the pipe open
    with os.fdopen(told, "rb") as answer:
        said = answer.read().decode()
    for known in (NOT_FIT, SURVIVED, FOUND):
        if said.startswith(known):
            return known, said.removeprefix(known).strip()
    return FOUND, "it died or did not end"


def _functions() -> dict[str, list[FunctionType]]:
    """All functions there are, by file."""
    found: dict[str, list[FunctionType]] = defaultdict(list)
    for one in gc.get_objects():
        if isinstance(one, FunctionType):
            found[one.__code__.co_filename].append(one)
    return found


def _caches() -> list[object]:
    return [one for one in gc.get_objects() if isinstance(one, _lru_cache_wrapper)]


def _put_in(mutant: Mutant, functions: Sequence[FunctionType], caches: Sequence[object]) -> bool:
    """Replace the function around the mistake; whether that is possible."""
    codes = list(_codes(compile(mutant.source, str(ROOT / mutant.file), "exec")))
    names = Counter(code.co_qualname for code in codes)
    new = {code.co_qualname: code for code in codes}
    qualified = [one.__code__.co_qualname for one in functions]
    parts = mutant.place.split(".")
    around = (".".join(parts[:nth]) for nth in range(1, len(parts) + 1))  # of functions in a function the outer one
    wanted = next((name for name in around if name in qualified), "")
    targets = [one for one, name in zip(functions, qualified, strict=True) if name == wanted]
    if names[wanted] != 1 or not targets:
        return False
    for one in targets:
        bound, code = one.__code__.co_freevars, new[wanted]
        if (code.co_freevars or bound) != bound:
            return False
        one.__code__ = code.replace(co_freevars=bound)  # a mistake may leave out `super()`
    for cache in caches:
        cache.cache_clear()  # type: ignore[attr-defined]
    return True


def _codes(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes(constant)


def afresh(mutant: Mutant, *tests: str, seconds: float) -> tuple[str, str]:
    """Try a mutant in a process that has imported nothing of ours yet."""

    def child(told: int) -> None:
        file, read = str(ROOT / mutant.file), SourceFileLoader.get_code

        def get_code(self: SourceFileLoader, fullname: str) -> CodeType | None:
            return compile(mutant.source, file, "exec") if self.path == file else read(self, fullname)

        SourceFileLoader.get_code = get_code  # type: ignore[assignment, method-assign]
        _put_on_hosts(mutant)
        first = _First()
        code = pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *tests], plugins=[first])
        os.write(told, (f"{FOUND} {first.failed}" if code else SURVIVED).encode())

    return forked(child, seconds)


def _put_on_hosts(mutant: Mutant) -> None:
    """Hosts get the guard as one text, which is joined from files."""
    from bot.edges.guard import text

    read = text._source
    text._source = lambda package, module: (
        mutant.source if f"{package.replace('.', '/')}/{module}.py" == mutant.file else read(package, module)
    )


class _First:
    failed = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and not self.failed:
            self.failed = report.nodeid


def at_once(plugin: object, tests: Sequence[str]) -> str:
    """Try mutants in forks of one process; why that was impossible, or nothing."""
    code = pytest.main(["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--no-header", *tests], plugins=[plugin])
    return "" if code in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED) else f"pytest ended with {code}"
