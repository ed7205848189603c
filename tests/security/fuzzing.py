"""Fuzz the parsers of foreign words, guided by the branches that each input reaches (atheris, which drives libFuzzer).

`python -m tests.security.fuzzing TARGET SECONDS` is one process for one target, started by `fuzzed`: libFuzzer ends
its process itself. What it has learned stays in var/fuzz; an input that broke something is shown so that it can be
repeated, and belongs into tests/security/cases, from where every run of the suite tries it.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.security.suites import ROOT

CASES = Path(__file__).with_name("cases")
PROPERTIES = (
    "tests/security/test_fuzzing.py",
    "tests/core/input",
    "tests/core/systemd",
    "tests/core/text",
    "tests/core/cards/test_foreign_text.py",
    "tests/core/cards/test_shown.py",
    "tests/edges/guard/test_parse.py",
)
_EXAMPLES = 3  # for each second
_KEPT = ROOT / "var" / "fuzz"
_LONGEST, _SLOWEST = 16 * 1024, 10  # bytes of an input, seconds for one


def fuzzed(target: str, seconds: int) -> list[str]:
    """Fuzz a target for so long. For each input that broke it, how to see that again."""
    place = _KEPT / target
    shutil.rmtree(place / "broken", ignore_errors=True)
    for folder in ("broken", "corpus"):
        (place / folder).mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "tests.security.fuzzing", target, str(seconds)]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    broken = [*_shown(target, place / "broken")]
    if done.returncode and not broken:
        broken = [f"{target}: the fuzzer itself ended with {done.returncode}:\n{done.stderr[-2000:]}"]
    return broken


def tried_harder(seconds: int) -> bool:
    """The properties that hypothesis tries in every run, with many more examples: so many for each second."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *PROPERTIES]
    examples = os.environ | {"HYPOTHESIS_EXAMPLES": str(_EXAMPLES * seconds)}
    return subprocess.run(command, cwd=ROOT, check=False, env=examples).returncode == 0


def _shown(target: str, folder: Path) -> Iterator[str]:
    for file in sorted(folder.iterdir()):
        told = subprocess.run(
            [sys.executable, "-m", "tests.security", "repeat", target, str(file)],
            cwd=ROOT, check=False, capture_output=True, text=True,
        )  # fmt: skip
        why = (told.stderr.strip().splitlines() or ["it passes when it is tried alone: too slow, or too much memory"])[
            -1
        ]
        yield (
            f"{target}: {why}\n  {file.read_bytes()[:300]!r}\n"
            f"  again: .venv/bin/python -m tests.security repeat {target} {file.relative_to(ROOT)}"
        )


def cases(target: str) -> Iterator[bytes]:
    """Inputs that once broke a target."""
    for file in sorted((CASES / target).glob("*")):
        yield file.read_bytes()


def _fuzz(target: str, seconds: str) -> None:
    import atheris

    with atheris.instrument_imports(include=["bot", "handlers"]):
        from tests.security.targets import TARGETS

    place = _KEPT / target
    for number, seed in enumerate(TARGETS[target].seeds()):
        (place / "corpus" / f"seed-{number}").write_bytes(seed)
    options = {
        "max_total_time": seconds, "max_len": _LONGEST, "timeout": _SLOWEST, "rss_limit_mb": 2048,
        "artifact_prefix": f"{place / 'broken'}/", "verbosity": 0,
    }  # fmt: skip
    atheris.Setup([sys.argv[0], *(f"-{name}={value}" for name, value in options.items()), str(place / "corpus")],
                  TARGETS[target].run)  # fmt: skip
    atheris.Fuzz()


if __name__ == "__main__":
    _fuzz(*sys.argv[1:3])
