"""The rows of docs/attacks.md: each loss of SECURITY.md is attacked, by tests that there are."""

import ast
from functools import cache

import pytest

from tests.security.attacks import Attack, AttackPage, catalogue, losses
from tests.security.suites import ROOT


@cache
def functions_in(file: str) -> set[str]:
    return {node.name for node in ast.walk(ast.parse((ROOT / file).read_text())) if isinstance(node, ast.FunctionDef)}


def test_every_loss_that_the_page_names_is_attacked() -> None:
    assert losses()
    assert set(losses()) - {attack.has for attack in catalogue().values()} == set()


def test_every_test_that_a_row_names_is_there() -> None:
    named = [test.split("::") for attack in catalogue().values() for test in attack.tests]
    assert [f"{file}::{name}" for file, name in named if name not in functions_in(file)] == []
    assert all(attack.tests for attack in catalogue().values())


def test_the_page_is_of_these_rows() -> None:
    page = (ROOT / "docs" / "attacks.md").read_text()
    assert [
        number for number, attack in catalogue().items() if f"| {number} | {attack.has} | {attack.tries} |" not in page
    ] == []


def test_a_row_whose_test_failed_or_did_not_run_is_told() -> None:
    page = AttackPage({"A01": Attack("x", "y", "z", ("a.py::test_one", "a.py::test_two"))})
    for nodeid, outcome in (("a.py::TestIt::test_one[1]", "passed"), ("a.py::test_one[2]", "failed")):
        page.pytest_runtest_logreport(report(nodeid, outcome))

    assert [*page.faults()] == ["A01: a.py::test_one failed", "A01: a.py::test_two did not run"]
    assert page.page().splitlines()[-1] == "| A01 | x | y | z | `a.py`: one, two | 1 of 2 |"


def report(nodeid: str, outcome: str) -> pytest.TestReport:
    return pytest.TestReport(nodeid, ("", 0, ""), {}, outcome, None, "call")  # type: ignore[arg-type]
