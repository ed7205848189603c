"""Mistakes in the guard of a host: which lines a test runs there, and that the host gets that mistake alone."""

import ast
import subprocess
import sys

from bot.edges.guard.text import guard
from tests.lab.hosts import CRITICAL
from tests.security.on_hosts import _joined, _noting
from tests.security.suites import ROOT

LINKS = "bot/edges/guard/links.py"
PROGRAM = guard(unit.pattern for unit in CRITICAL)


def test_each_line_of_a_function_is_noted_before_it_runs() -> None:
    source = (ROOT / LINKS).read_text()
    lines = {
        one.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef)
        for one in ast.walk(node)
        if isinstance(one, ast.stmt) and one is not node and not _is_docstring(one)
    }
    noted = ast.parse(_noting(LINKS))
    calls = {
        ast.literal_eval(node.args[0])
        for node in ast.walk(noted)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "_at"
    }
    assert calls == {f"{LINKS}:{line}" for line in lines}


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def test_the_host_gets_the_one_module_with_the_mistake() -> None:
    source = (ROOT / LINKS).read_text()
    assert _joined({}) == PROGRAM
    assert _joined({LINKS: source.replace("os.unlink(unit,", "os.rmdir(unit,")}) == PROGRAM.replace(
        "os.unlink(unit,", "os.rmdir(unit,"
    )
    assert guard(unit.pattern for unit in CRITICAL) == PROGRAM, "and the next one gets none"


def test_who_starts_mutation_has_imported_nothing_that_is_mutated() -> None:
    """Else a process that is to import a module with a mistake in it has it already, without."""
    text = (
        "import sys, tests.security.mutation; print({one.split('.')[0] for one in sys.modules} & {'bot', 'handlers'})"
    )
    done = subprocess.run([sys.executable, "-c", text], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
