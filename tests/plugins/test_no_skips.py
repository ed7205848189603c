"""The plugin judged from outside: real runs of pytest on files that dodge in every way we know."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DODGES = {
    "one": "def test_one():\n    pytest.skip('no root here')\n",
    "all": "pytest.skip('no PostgreSQL here', allow_module_level=True)\n",
    "xfail": "@pytest.mark.xfail(reason='broken since May')\ndef test_xfail():\n    assert False\n",
}
SEVERAL = ("-p", "xdist", "-n", "2")
REASONS = ("no root here", "no PostgreSQL here", "broken since May")


def run(folder: Path, *options: str, ci: str, **sources: str) -> subprocess.CompletedProcess[str]:
    """Files of tests beside one that passes, under this project's own settings."""
    for name, source in {"passes": "def test_passes():\n    pass\n", **sources}.items():
        (folder / f"test_{name}.py").write_text(f"import pytest\n{source}")
    command = [sys.executable, "-m", "pytest", "-c", str(ROOT / "pyproject.toml"), "--rootdir", str(folder)]
    return subprocess.run(
        [*command, "-p", "no:cacheprovider", "--continue-on-collection-errors", *options, str(folder)],
        env=os.environ | {"CI": ci, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("processes", [(), SEVERAL], ids=["one process", "several"])
def test_tests_that_did_not_run_are_named_with_their_reasons(tmp_path: Path, processes: tuple[str, ...]) -> None:
    done = run(tmp_path, *processes, ci="", **DODGES)
    assert done.returncode == pytest.ExitCode.OK, done.stdout
    summary = done.stdout.partition("= DID NOT RUN =")[2]
    assert [summary.count(reason) for reason in REASONS] == [1, 1, 1]
    assert re.search(
        "1 passed, [12] skipped, 1 xfailed", summary.splitlines()[-1]
    )  # a file that skips itself is a report


@pytest.mark.parametrize("processes", [(), SEVERAL], ids=["one process", "several"])
def test_where_everything_must_run_each_of_them_is_a_failure(tmp_path: Path, processes: tuple[str, ...]) -> None:
    done = run(tmp_path, *processes, ci="true", **DODGES)
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout
    assert all(reason in done.stdout for reason in REASONS)
    assert "2 failed, 1 passed, 1 error" in done.stdout.splitlines()[-1]


def test_leaving_tests_out_by_name_is_a_failure_too(tmp_path: Path) -> None:
    done = run(tmp_path, "-k", "passes", ci="true", other="def test_other():\n    pass\n")
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout
    assert "1 left out by -k or -m" in done.stdout


def test_a_run_without_gaps_passes_and_says_nothing_of_it(tmp_path: Path) -> None:
    done = run(tmp_path, ci="true", other="def test_other():\n    pass\n")
    assert done.returncode == pytest.ExitCode.OK, done.stdout
    assert "DID NOT RUN" not in done.stdout
