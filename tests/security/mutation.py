"""Make every mistake of a suite, keep what became of it, and ask why one that nothing found does no harm."""

import hashlib
import json
import os
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import yaml

from tests.security.mutants import Mutant, mutants
from tests.security.mutating import FOUND, SURVIVED, Mutating, afresh, at_once
from tests.security.suites import BY_NIGHT, ROOT, SUITES, Suite

SURVIVORS = Path(__file__).with_name("survivors.yaml")
_STATE = ROOT / "var" / "mutants"
_SECONDS = 120  # of processor time, for all tests of a suite in a process of its own
_ALL_TRIED, _SPOILT = 0, 2  # how a process with a host ended
Explained = Mapping[str, str]


@dataclass(slots=True)
class Results:
    """What became of the mutants of a suite, in a file that only grows, so that a run goes on where one was ended.

    A mutant that was found stays so until its module or the file of the test that found it changes; one that was not is
    tried again once any of the tests has changed.
    """

    name: str
    suite: Suite
    found_by: dict[str, str] = field(default_factory=dict)  # also what has to be tried again: mutant -> test
    _known: dict[str, tuple[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self._path.exists():
            for line in self._path.read_text().splitlines():
                name, verdict, by, state = json.loads(line)
                self.found_by |= {name: by} if verdict == FOUND else {}
                if state == self._state(name.partition("::")[0], verdict, by):
                    self._known[name] = (verdict, by)

    def of(self, mutant: Mutant) -> str:
        """What is known of a mutant."""
        return self._known.get(mutant.name, ("", ""))[0]

    def note(self, mutant: Mutant, verdict: str, by: str) -> None:
        """Keep it."""
        self._known[mutant.name] = (verdict, by)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a") as file:
            state = self._state(mutant.file, verdict, by)
            file.write(json.dumps([mutant.name, verdict, by, state]) + "\n")

    @property
    def _path(self) -> Path:
        return _STATE / f"{self.name}.jsonl"

    def _state(self, file: str, verdict: str, by: str) -> str:
        """What a verdict rests on."""
        test = by.partition("::")[0]
        rests_on = [test] if verdict == FOUND and (ROOT / test).is_file() else [*self.suite.tests, *self.suite.on_hosts]
        return digest(file, *rests_on)


@cache
def digest(*names: str) -> str:
    """Of files, and of all Python below folders."""
    whole = hashlib.sha256()
    for name in names:
        path = ROOT / name
        for one in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            whole.update(one.read_bytes() if one.exists() else b"")
    return whole.hexdigest()[:16]


def explained() -> Explained:
    """The mutants that do no harm, by their names, each with its reason."""
    found = yaml.safe_load(SURVIVORS.read_text()) or {}
    return {
        f"{file}::{place}: {change}": " ".join(str(why).split())
        for file, places in found.items()
        for place, changes in places.items()
        for change, why in changes.items()
    }


def mutants_of(
    suite: Suite, only: str = "", *, files: Collection[str] | None = None, named_only: bool = False
) -> Iterator[Mutant]:
    """All mutants of a suite, or of these files, or of those whose path has that in it."""
    for name in suite.names():
        if only in name and (files is None or name in files):
            yield from mutants(name, (ROOT / name).read_text(), named_only=named_only)


@dataclass(slots=True)
class Verdict:
    """Where a suite stands: how many were found, and which were not."""

    suite: str
    found: int = 0
    explained: int = 0
    survived: list[str] = field(default_factory=list)
    not_tried: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)  # explanations of mutants that are found, or no longer exist

    @property
    def holds(self) -> bool:
        """Whether each mutant that was tried is found or explained, and nothing else is explained."""
        return not self.survived and not self.stale

    def __str__(self) -> str:
        """For whoever started it."""
        head = f"{self.suite}: {self.found} found, {self.explained} explained, {len(self.survived)} not explained"
        parts = [f"{head}, {len(self.not_tried)} not tried"]
        parts += [f"  not explained: {name}" for name in self.survived]
        parts += [f"  explained, and not among the survivors: {name}" for name in self.stale]
        return "\n".join(parts)


def not_mutated() -> Iterator[str]:
    """What is mutated only if somebody asks for it, and how far that has come."""
    for name, suite in BY_NIGHT.items():
        every = list(mutants_of(suite, named_only=True))
        verdict = judged(name, every, Results(name, suite))
        yield f"NOT MUTATED unless `--suite {name}` says so: {', '.join(suite.names())}"
        yield str(verdict).replace("\n", "\n  ")


def tried(name: str, only: str = "", seconds: float = float("inf")) -> Verdict:
    """Try what is not known yet, as long as there is time, and say where the suite stands."""
    suite, end = (SUITES | BY_NIGHT)[name], time.monotonic() + seconds
    every = list(mutants_of(suite, only))
    for tests in dict.fromkeys((suite.tests[:1], suite.tests) if suite.tests else ()):
        _try_at_once(Results(name, suite), tests, every, end)
    if suite.tests:
        _try_alone(Results(name, suite), every, end)
    if suite.on_hosts:
        _try_on_hosts(name, suite, every, end)
    return judged(name, every, Results(name, suite), only)


def _likely(mutant: Mutant, results: Results) -> list[str]:
    """The files of tests that found this mutant before, or most others of its module."""
    files = Counter(
        by.partition("::")[0] for name, by in results.found_by.items() if name.startswith(f"{mutant.file}::")
    )
    files[results.found_by.get(mutant.name, "").partition("::")[0]] += len(results.found_by)
    known = [file for file, _ in files.most_common() if (ROOT / file).is_file() and file not in results.suite.on_hosts]
    return known[:3]


def _try_alone(results: Results, every: Sequence[Mutant], end: float) -> None:
    """All on the likeliest tests first, and only then what they did not find on the others, which take longer.

    What is computed while tests are collected is right there, and the tests beside the module compute most of it. All
    tests of a line have run in a fork before.
    """
    suite = results.suite
    left = [mutant for mutant in every if not results.of(mutant) and not (suite.on_hosts and mutant.lines)]
    for is_last in (False, True):
        for mutant in left:
            if results.of(mutant) or time.monotonic() >= end:
                continue
            first, *others = sorted(suite.tests, key=lambda tests: Path(mutant.file).stem not in tests)
            near, far = [_likely(mutant, results), [first]], [] if mutant.lines else [others]
            verdict, by = _afresh(mutant, far if is_last else near)
            if verdict == FOUND or (is_last and not suite.on_hosts):
                results.note(mutant, verdict, by)


def _afresh(mutant: Mutant, groups: Sequence[Sequence[str]]) -> tuple[str, str]:
    """By one group of tests after the other, each in a process of its own, until one finds it."""
    verdict, by = SURVIVED, ""
    for tests in filter(None, groups):
        verdict, by = afresh(mutant, *tests, seconds=_SECONDS)
        if verdict == FOUND:
            break
    return verdict, by


def _try_on_hosts(name: str, suite: Suite, every: Sequence[Mutant], end: float) -> None:
    """In the guard of a host, in processes of their own: another host is booted where a mutant spoilt one."""
    while time.monotonic() < end and (left := [mutant for mutant in every if not Results(name, suite).of(mutant)]):
        ended = _in_a_process(f"{name}.hosts", lambda: _tried_on_a_host(name, suite, left, end))
        if ended == _ALL_TRIED:
            return
        if ended != _SPOILT:
            log = _STATE / f"{name}.hosts.log"
            raise SystemExit(f"{name}: its tests on hosts do not pass without any mutant; see {log}")


def _tried_on_a_host(name: str, suite: Suite, left: Sequence[Mutant], end: float) -> int:
    from tests.security.on_hosts import OnHosts  # which imports what `afresh` must find new

    results = Results(name, suite)
    kept, state = _STATE / f"{name}.lines", digest(*suite.names(), *suite.on_hosts)
    plugin = OnHosts(left, [*suite.names()], results.note, end, results.found_by, kept, state)
    at_once(plugin, suite.on_hosts)
    return _SPOILT if plugin.is_spoilt else _ALL_TRIED if plugin.is_measured else 1


def _try_at_once(results: Results, tests: Sequence[str], every: Sequence[Mutant], end: float) -> None:
    """In a process of its own, which writes down what is found; the others are tried again by themselves.

    The likeliest tests come first and alone: to collect and measure few takes little time, and so does each fork.
    """
    mutants_left = [mutant for mutant in every if mutant.lines and not results.of(mutant)]
    if not mutants_left or time.monotonic() >= end:
        return

    def verdict(mutant: Mutant, said: str, by: str) -> None:
        if said == FOUND:
            results.note(mutant, said, by)

    plugin = Mutating(mutants_left, verdict, end, results.found_by)
    if _in_a_process(results.name, lambda: bool(at_once(plugin, tests))):
        raise SystemExit(f"{results.name}: its tests do not pass without any mutant; see {_STATE / results.name}.log")


def _in_a_process(name: str, do: Callable[[], int]) -> int:
    """Its exit code; what it prints is kept in a file."""
    pid = os.fork()
    if not pid:
        os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = str(_STATE / "hypothesis")
        _STATE.mkdir(parents=True, exist_ok=True)
        log = os.open(_STATE / f"{name}.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os._exit(do())
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def judged(name: str, every: Sequence[Mutant], results: Results, only: str = "") -> Verdict:
    """What became of each, beside what is explained."""
    reasons, verdict = explained(), Verdict(name)
    for mutant in every:
        match results.of(mutant):
            case "found":
                verdict.found += 1
                verdict.stale += [mutant.name] * (mutant.name in reasons)
            case "":
                verdict.not_tried.append(mutant.name)
            case _ if mutant.name in reasons:
                verdict.explained += 1
            case _:
                verdict.survived.append(mutant.name)
    files = {file for file in (SUITES | BY_NIGHT)[name].names() if only in file}
    gone = {one for one in reasons if one.partition("::")[0] in files} - {mutant.name for mutant in every}
    verdict.stale += sorted(gone)
    return verdict
