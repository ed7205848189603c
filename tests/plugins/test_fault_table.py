"""The table of faults judged from outside: real runs of pytest on tests that provoke rows, hold and break."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.plugins.fault_table import catalogue

ROOT = Path(__file__).resolve().parents[2]
HOLDS = """
@pytest.mark.fault("F01", how="sshd stopped")
def test_holds(saw):
    saw("refused | nothing was changed in " + tempfile.gettempdir())
"""
BREAKS = """
@pytest.mark.fault("F01", "F02")
def test_a_cut_cable_is_said():
    assert False
"""
BREAKS_AFTERWARDS = """
@pytest.fixture
def checked():
    yield
    assert not "the promises held"

@pytest.mark.fault("F03")
def test_is_found_out_by_the_common_checks(checked):
    pass
"""


def run(folder: Path, source: str, *options: str) -> tuple[int, dict[str, str]]:
    """The exit code, and the rows of the table that was written."""
    (folder / "test_faults.py").write_text(f"import pytest\nimport tempfile\n{source}")
    table = folder / "faults.md"
    command = [sys.executable, "-m", "pytest", "-c", str(ROOT / "pyproject.toml"), "--rootdir", str(folder)]
    done = subprocess.run(
        [*command, "-p", "no:cacheprovider", f"--fault-table={table}", *options, str(folder)],
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
    )
    rows = (line for line in table.read_text().splitlines() if line.startswith(("| F", "| K")))
    return done.returncode, {row.split()[1]: row for row in rows}


@pytest.mark.parametrize("processes", [(), ("-p", "xdist", "-n", "2")], ids=["one process", "several"])
def test_a_row_tells_how_it_was_provoked_and_what_people_saw(tmp_path: Path, processes: tuple[str, ...]) -> None:
    _, rows = run(tmp_path, HOLDS, *processes)

    assert "| sshd stopped | refused \\| nothing was changed in /tmp | 1 of 1 |" in rows["F01"]


def test_a_row_that_broke_says_so_and_fails_the_run(tmp_path: Path) -> None:
    code, rows = run(tmp_path, HOLDS + BREAKS)

    assert code == pytest.ExitCode.TESTS_FAILED
    assert "1 of 2" in rows["F01"]
    assert "a cut cable is said" in rows["F02"]
    assert "0 of 1" in rows["F02"]


def test_what_only_the_checks_after_a_test_find_counts_as_broken(tmp_path: Path) -> None:
    assert "0 of 1" in run(tmp_path, BREAKS_AFTERWARDS)[1]["F03"]


def test_every_row_there_is_stands_in_the_table(tmp_path: Path) -> None:
    _, rows = run(tmp_path, HOLDS)

    assert set(rows) == set(catalogue())
    assert "not provoked" in rows["F02"]


def test_the_rows_are_f01_to_f99_and_k0_to_k12() -> None:
    faults, kills = [f"F{number:02}" for number in range(1, 100)], [f"K{number}" for number in range(13)]

    assert list(catalogue()) == faults + kills
