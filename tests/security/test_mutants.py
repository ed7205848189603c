"""The mistakes that are made on purpose, and what is kept of them."""

import os
import signal
from pathlib import Path
from types import FunctionType

import pytest

from tests.security import mutation
from tests.security.mutants import Mutant, mutants
from tests.security.mutating import FOUND, SURVIVED, _put_in, forked
from tests.security.mutation import (
    Results,
    _afresh,
    _try_alone,
    _try_on_hosts,
    explained,
    judged,
    mutants_of,
    not_mutated,
)
from tests.security.suites import BY_NIGHT, ROOT, SUITES, Suite

SOURCE = '''\
"""A module."""
LIMIT = 3
ROOTS = {"a", "b"}

def may(one: int, two: bool = False) -> str | None:
    """Whether."""
    if one < LIMIT and two:
        return "yes"
    raise ValueError("no")
'''


def changes(source: str) -> list[str]:
    return [mutant.name for mutant in mutants("x.py", source)]


def test_each_kind_of_mistake_is_made_and_no_docstring_is_one() -> None:
    condition, head = "if one < LIMIT and two:", "def may(one: int, two: bool={}) -> str | None:"
    assert changes(SOURCE) == [
        "x.py::LIMIT: LIMIT = 3 => LIMIT = 4",
        "x.py::ROOTS: ROOTS = {'a', 'b'} => ROOTS = {'b'}",
        "x.py::ROOTS: ROOTS = {'a', 'b'} => ROOTS = {'a'}",
        f"x.py::may: {head.format('False')} => {head.format('True')}",
        f"x.py::may: {condition} => if True:",
        f"x.py::may: {condition} => if False:",
        f"x.py::may: {condition} => if two:",
        f"x.py::may: {condition} => if one < LIMIT:",
        f"x.py::may: {condition} => if one <= LIMIT and two:",
        "x.py::may: return 'yes' => return None",
        "x.py::may: raise ValueError('no') => pass",
    ]


def test_a_mutant_keeps_its_name_when_lines_move_and_equal_ones_are_counted() -> None:
    source = "def one() -> None:\n    go(1)\n    go(1)\n"
    assert changes(source) == changes(f"import os\n\n\n{source}")
    assert changes(source)[-1].endswith("(#2)")


def test_a_mutant_is_the_module_with_that_mistake_and_no_other() -> None:
    [mutant] = [one for one in mutants("x.py", SOURCE) if one.change == "LIMIT = 3 => LIMIT = 4"]
    assert "LIMIT = 4" in mutant.source
    assert mutant.source.replace("LIMIT = 4", "LIMIT = 3") == mutants("x.py", SOURCE)[-1].source.replace(
        "pass", "raise ValueError('no')"
    )


def test_each_explanation_is_of_a_mutant_that_there_is() -> None:
    suites = (SUITES | BY_NIGHT).values()
    there = {one.name for suite in suites for one in mutants_of(suite, named_only=True, files=files())}
    assert [name for name in explained() if name not in there] == []
    assert [name for name, why in explained().items() if len(why) < 20] == []


def files() -> set[str]:
    return {name.partition("::")[0] for name in explained()}


def test_every_file_of_the_guard_is_mutated_or_said_not_to_be() -> None:
    guard = {str(path.relative_to(ROOT)) for path in (ROOT / "bot/edges/guard").glob("[!_]*.py")}
    mutated = {name for suite in SUITES.values() for name in suite.names()}
    said = {name for suite in BY_NIGHT.values() for name in suite.names()}
    assert guard == (mutated & guard) | said
    assert mutated & said == set()
    told = "\n".join(not_mutated())
    assert [name for name in said if name not in told] == []


def test_what_a_mutant_left_running_is_ended_and_not_waited_for() -> None:
    held, holds = os.pipe()

    def child(told: int) -> None:
        begun, begins = os.pipe()
        if os.fork():
            os.read(begun, 1)
            os.write(told, FOUND.encode())
            return
        os.write(begins, b"x")
        os.kill(os.getpid(), signal.SIGSTOP)

    assert forked(child, 60) == (FOUND, "")
    os.close(holds)
    assert os.read(held, 1) == b""  # nobody holds the other end any more
    os.close(held)


class Named(ValueError):
    def __init__(self, code: int) -> None:
        super().__init__("why")
        self.code = code


def test_a_mistake_that_leaves_out_super_is_put_in_where_the_function_is(monkeypatch: pytest.MonkeyPatch) -> None:
    begins = Named.__init__
    assert isinstance(begins, FunctionType)
    monkeypatch.setattr(begins, "__code__", begins.__code__)  # as it was, at the end
    without = "class Named(ValueError):\n    def __init__(self, code):\n        self.code = code\n"
    assert str(Named(1)) == "why"
    assert _put_in(Mutant("named.py", "Named.__init__", "", range(3, 4), without), [begins], [])
    assert (str(Named(1)), Named(1).code) == ("1", 1)


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Results:
    monkeypatch.setattr(mutation, "_STATE", tmp_path)
    return Results("proof", SUITES["proof"])


def mutant(place: str) -> Mutant:
    return Mutant("bot/core/requests/proof.py", place, "1 => 2", range(0), "")


def test_a_survivor_without_a_reason_and_a_reason_without_a_survivor_fail(
    results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, new, known, left = every = [mutant(place) for place in ("found", "new", "known", "left")]
    for one, said in ((found, FOUND), (new, SURVIVED), (known, SURVIVED)):
        results.note(one, said, "")
    monkeypatch.setattr(mutation, "explained", lambda: dict.fromkeys((found.name, known.name), "why"))

    verdict = judged("proof", every, results)

    assert (verdict.found, verdict.explained) == (1, 1)
    assert (verdict.survived, verdict.stale, verdict.not_tried) == ([new.name], [found.name], [left.name])
    assert not verdict.holds


def test_what_is_known_is_not_tried_again_until_what_it_rests_on_changes(
    results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    results.note(mutant("one"), FOUND, "tests/core/requests/test_proof.py::test_x")
    assert Results("proof", SUITES["proof"]).of(mutant("one")) == FOUND
    monkeypatch.setattr(mutation, "digest", lambda *_: "another")
    assert Results("proof", Suite((), ())).of(mutant("one")) == ""


@pytest.mark.parametrize(("answer", "verdict"), [(True, SURVIVED), (False, FOUND)])
def test_alone_in_its_process_a_mutant_is_found_by_a_test_that_fails(
    tmp_path: Path, *, answer: bool, verdict: str
) -> None:
    tests = tmp_path / "test_it.py"
    tests.write_text(f"def test_it():\n    assert {answer}\n")
    said, by = _afresh(mutant("one"), [[str(tests)]])
    assert (said, by.rpartition("::")[2]) == (verdict, "" if answer else "test_it")


def test_a_mutant_that_is_alone_meets_the_tests_of_its_own_module_first_and_then_the_others(
    results: Results, tmp_path: Path
) -> None:
    other, own = tmp_path / "test_other.py", tmp_path / "test_proof.py"
    results.suite = Suite((), (str(other), str(own)))
    for file in (other, own):
        file.write_text("def test_it():\n    assert False\n")
    for finder in (own, other, None):
        one = mutant(str(finder))
        _try_alone(results, [one], float("inf"))
        verdict, by = results._known[one.name]
        assert (verdict, by.rpartition("/")[2]) == ((FOUND, f"{finder.name}::test_it") if finder else (SURVIVED, ""))
        if finder:
            finder.write_text("def test_it():\n    pass\n")


def test_no_host_is_booted_once_the_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mutation, "_in_a_process", lambda *_: pytest.fail("a process was started"))
    _try_on_hosts("guard", SUITES["guard"], [mutant("one")], end=0.0)
