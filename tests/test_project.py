"""What holds for the project as a whole: its sizes, its words, its lock files, and who may import whom."""

import ast
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import bot

ROOT = Path(__file__).resolve().parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PACKAGES = {"bot", "handlers", "config"}
LOCKS = tuple(f"requirements{part}.lock" for part in ("", "-dev", "-build", "-image", "-fuzzing"))

MODULE_LINES = 250
FUNCTION_LINES = 40
# A clearer whole beats a split for its own sake; each entry says what the whole is.
LONGER_ON_PURPOSE: dict[str, str] = {}

VAGUE_NAMES = {
    "utils",
    "util",
    "helpers",
    "helper",
    "common",
    "manager",
    "managers",
    "service",
    "services",
    "base",
    "misc",
}

# Standard library that reaches outside or reads the clock; `datetime` is a type there, its `now` is looked for below.
OUTSIDE = {
    "asyncio",
    "http",
    "importlib",
    "io",
    "logging",
    "os",
    "pathlib",
    "random",
    "secrets",
    "select",
    "selectors",
    "shutil",
}
OUTSIDE |= {"signal", "socket", "sqlite3", "ssl", "subprocess", "tempfile", "threading", "time", "urllib", "uuid"}
ASKS_THE_WORLD = re.compile(r"input|open|print|(datetime\.)?(datetime|date)\.(now|today|utcnow)")


def tracked_files() -> list[Path]:
    """Every file of the project, committed or about to be; a checkout of another user's counts as well."""
    listing = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return [path for name in listing.split("\0") if name and (path := ROOT / name).is_file()]


FILES = tracked_files()
MODULES = [path for path in FILES if path.suffix == ".py"]
OURS = [path for path in MODULES if path.relative_to(ROOT).parts[0] in PACKAGES]
PURE = [path for path in OURS if path.is_relative_to(ROOT / "bot/core") or path == ROOT / "bot/errors.py"]
SCRIPTS = [path for path in FILES if path.parent in {ROOT / "script", ROOT / ".ci"}]


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), filename=str(path))


def text_files() -> Iterator[tuple[str, str]]:
    for path in FILES:
        content = path.read_bytes()
        if b"\0" not in content and path != Path(__file__):
            yield name_of(path), content.decode()


def packages(lock: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", (ROOT / lock).read_text(), re.MULTILINE))


# One test for each rule, with the offenders as its answer: one for each file was a quarter of all tests of the project.
def test_every_module_says_what_it_is() -> None:
    assert [name_of(path) for path in MODULES if not ast.get_docstring(parsed(path))] == []


def test_a_module_is_read_in_one_sitting() -> None:
    sizes = {name_of(path): len(path.read_text().splitlines()) for path in OURS}
    assert [name for name, lines in sizes.items() if lines > MODULE_LINES and name not in LONGER_ON_PURPOSE] == []


def test_a_function_fits_on_a_screen() -> None:
    long = [
        f"{name_of(path)}:{node.name}: {lines} lines"
        for path in OURS
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > FUNCTION_LINES
        and f"{name_of(path)}:{node.name}" not in LONGER_ON_PURPOSE
    ]
    assert long == []


def test_what_is_longer_on_purpose_still_exists() -> None:
    known = {name_of(path) for path in OURS}
    assert {entry.partition(":")[0] for entry in LONGER_ON_PURPOSE} <= known


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert [name_of(path) for path in OURS if VAGUE_NAMES & set(path.relative_to(ROOT).with_suffix("").parts)] == []


def test_nothing_in_the_bot_waits_asynchronously() -> None:
    twins = ast.AsyncFunctionDef | ast.Await | ast.AsyncWith | ast.AsyncFor
    assert [name_of(path) for path in OURS if any(isinstance(node, twins) for node in ast.walk(parsed(path)))] == []


def test_the_core_needs_the_standard_library_and_itself_alone() -> None:
    assert [(name_of(path), name) for path in PURE for name in imported(path) if not is_pure(name)] == []


def imported(path: Path) -> Iterator[str]:
    """Dotted names, down to the class or function where one is taken out of its module."""
    for node in ast.walk(parsed(path)):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=str(module), names=names):
                yield from (f"{module}.{alias.name}" for alias in names)


def is_pure(name: str) -> bool:
    if name.startswith(("bot.core.", "bot.errors.", "pathlib.Pure", "urllib.parse.")) or name in {
        "bot.core",
        "bot.errors",
    }:
        return True
    return name.partition(".")[0] in set(sys.stdlib_module_names) - OUTSIDE


def test_the_core_asks_neither_the_clock_nor_the_world() -> None:
    calls = [(path, node) for path in PURE for node in ast.walk(parsed(path)) if isinstance(node, ast.Call)]
    called = {(name_of(path), ast.unparse(node.func)) for path, node in calls}
    assert {(path, name) for path, name in called if ASKS_THE_WORLD.fullmatch(name)} == set()


WRONG_WAYS = [
    ("bot/core/systemd/units.py", "import yaml", "The core does no I/O"),
    ("bot/core/health.py", "import bot.ports.clock", "Imports go one way"),
    ("handlers/__init__.py", "import bot.edges", "Handlers reach the outside only"),
    ("config/__init__.py", "import handlers", "Imports go one way"),
    ("bot/app/signals.py", "import bot.app.run", "The parts of the running process"),
    ("bot/workflow/process/deps.py", "import bot.workflow.desk", "The folders of the workflow"),
    ("bot/edges/clock.py", "import bot.edges.database.store", "The folders of the edges"),
    ("bot/core/text/sanitize.py", "import bot.core.cards", "The folders of the core"),
    ("bot/core/kill_switch.py", "import bot.core.cards.kill_switch", "The folders of the core"),
    ("bot/core/health.py", "import bot.core.cards.blocks", "The folders of the core"),
]


def test_each_import_in_the_wrong_direction_breaks_its_contract(tmp_path: Path) -> None:
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for module, line, _ in WRONG_WAYS:
        with (tmp_path / module).open("a") as source:
            source.write(f"\n{line}\n")

    linter = "import sys; sys.path.insert(0, '.'); from importlinter.cli import lint_imports_command as lint; lint()"
    verdict = subprocess.run(
        [sys.executable, "-c", linter, "--no-cache"], cwd=tmp_path, check=False, capture_output=True, text=True
    )

    assert verdict.returncode == 1, verdict.stderr
    parts = re.split(r"\n(?=.+\n-{10,}\n)", verdict.stdout.partition("Broken contracts")[2])
    told = {part.partition("\n")[0]: re.findall(r"^-\s+(\S+ -> \S+) \(", part, re.MULTILINE) for part in parts}
    for module, line, contract in WRONG_WAYS:
        importer = module.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        broken = next((found for name, found in told.items() if name.startswith(contract)), [])
        assert f"{importer} -> {line.removeprefix('import ')}" in broken, contract
    assert sum(map(len, told.values())) == len(WRONG_WAYS)


def test_a_running_bot_loads_only_what_it_needs() -> None:
    """What PostgreSQL needs, and what brings a database up to date, is a seventh of what it holds."""
    loaded = "import sys, bot.app.run; print(*{'psycopg', 'alembic'} & set(sys.modules))"
    told = subprocess.run([sys.executable, "-c", loaded], cwd=ROOT, check=True, capture_output=True, text=True)
    assert told.stdout.split() == []


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_by_hash_and_names_no_address(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert len(packages(lock)) == len(re.findall(r"^[^\s#]", text, re.MULTILINE)) > 0
    for requirement in re.split(r"\n(?=\S)", text)[1:]:
        assert "--hash=sha256:" in requirement
    assert re.search(r"://|^-|index|find-links| @ ", text, re.MULTILINE) is None


def test_what_is_tested_is_what_runs() -> None:
    assert packages("requirements.lock").items() <= packages("requirements-dev.lock").items()
    assert packages("requirements-build.lock").items() <= packages("requirements-dev.lock").items()


@pytest.mark.parametrize("requirement", PYPROJECT["project"]["dependencies"])
def test_every_dependency_is_locked_and_has_a_lower_bound(requirement: str) -> None:
    name = re.split(r"[\[><=]", requirement)[0]
    assert ">=" in requirement
    assert name in packages("requirements.lock")


def test_the_environment_is_the_locked_one() -> None:
    locked = packages("requirements-dev.lock")
    assert {name: importlib.metadata.version(name) for name in locked} == locked


def test_the_versions_agree() -> None:
    version = PYPROJECT["project"]["version"]
    assert bot.__version__ == version
    assert importlib.metadata.version("maskbot") == version
    released = re.findall(r"^## \[(\d[^\]]*)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert released[:1] in ([], [version])


def test_the_python_we_ask_for_is_the_one_we_check_against() -> None:
    floor = PYPROJECT["project"]["requires-python"].removeprefix(">=")
    assert PYPROJECT["tool"]["mypy"]["python_version"] == floor
    assert PYPROJECT["tool"]["ruff"]["target-version"] == "py" + floor.replace(".", "")


def test_the_commit_hooks_format_as_the_checks_do() -> None:
    hooks = (ROOT / ".pre-commit-config.yaml").read_text()
    assert set(re.findall(r"ruff==([\d.]+)", hooks)) == {packages("requirements-dev.lock")["ruff"]}


def test_no_file_knows_the_machine_it_was_written_on() -> None:
    telling = re.compile(
        r"/work/|/opt/pypi|/root/\.pyenv|(?<!\w)--(extra-)?index-url|\"resolved\":|pythonhosted|registry\.npmjs|//pypi\.org"
    )
    assert [f"{name}: {hit[0]}" for name, text in text_files() if (hit := telling.search(text))] == []


@pytest.mark.parametrize("path", SCRIPTS, ids=name_of)
def test_a_script_can_be_started_and_says_what_it_is_for(path: Path) -> None:
    first, second = path.read_text().splitlines()[:2]
    assert os.access(path, os.X_OK)
    assert first == "#!/usr/bin/env bash"
    assert second.startswith("# ")
    subprocess.run(["bash", "-n", path], check=True)


def test_the_wheel_ships_every_file_of_the_bot_and_no_other(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path], cwd=ROOT, check=True)
    (wheel,) = tmp_path.iterdir()

    shipped = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}

    files = {name_of(path) for path in FILES if path.relative_to(ROOT).parts[0] in PACKAGES}
    assert shipped == files - {"config/hosts.yaml", "config/policy.yaml"}  # examples, which are no configuration
