"""Run the bot's tests of hosts over several releases of Debian, and write docs/systemd.md's tables from it.

`script/systemd-versions [RELEASE...] [-k WORDS]`, as root. What each release showed is kept under var/systemd until the
code changes; the tables are written once all releases have shown theirs. With -k nothing is kept or written.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.lab.machine import LabError, require
from tests.lab.versions.matrix import Release, tables, written
from tests.lab.versions.roots import PLACE, root_of, versions
from tests.lab.versions.suites import SUITES, TOP, run

NAMES = {"bullseye": "Debian 11", "bookworm": "Debian 12", "trixie": "Debian 13", "sid": "sid"}
DOCUMENT = TOP / "docs" / "systemd.md"
_KINDS_OF_FILE = (".py", ".sh", ".yml", ".yaml", ".txt", ".service", ".socket", ".timer", ".path", ".conf")
_ABOUT_WRITING = ("matrix.py", "test_versions.py")
_SOURCES = (
    "bot",
    "config",
    "deploy",
    "tests/deploy",
    "tests/edges/guard",
    "tests/lab",
    "tests/model",
    "tests/workflow",
)


def main() -> int:
    """0 if all tests hold."""
    parser = argparse.ArgumentParser(prog="script/systemd-versions", description=__doc__)
    parser.add_argument("releases", nargs="*", metavar="RELEASE", help=f"of {', '.join(NAMES)}; all without it")
    parser.add_argument("-k", dest="words", default="", help="only tests that match, as in pytest")
    given = parser.parse_args()
    chosen = given.releases or list(NAMES)
    if unknown := {*chosen} - NAMES.keys():
        parser.error(f"not known: {', '.join(sorted(unknown))}")
    try:
        require()
        measured = [_measure(release, given.words) for release in chosen]
    except LabError as cannot:
        print(cannot, file=sys.stderr)
        return 1
    if not given.words:
        measured = _write() or measured
    print("", *tables(measured), sep="\n")
    return (
        0 if all(one["passed"] for each in measured for suite in each.suites.values() for one in suite.values()) else 1
    )


def _measure(release: str, words: str) -> Release:
    root = root_of(release)
    there = versions(root)
    print(f"systemd-versions: {NAMES[release]}, systemd {there['systemd']}", flush=True)
    suites = {}
    for suite in SUITES:
        if there.get(suite.rights):
            records = run(suite, root, PLACE / release, ("-k", words) if words else ())
            if not records and not words:
                raise LabError(f"{release}: nothing became of `{suite.name}`")
            suites[suite.name] = records
    if not words:
        kept = {"of": _fingerprint(), "versions": there, "suites": suites}
        (PLACE / release / "measured.json").write_text(json.dumps(kept))
    return Release(NAMES[release], there, suites)


def _write() -> list[Release]:
    """Write the tables, if each release was measured with the code as it is; else say which is missing."""
    kept = {release: _kept(PLACE / release / "measured.json") for release in NAMES}
    if missing := [release for release, found in kept.items() if found is None]:
        print(f"systemd-versions: nothing is written before {', '.join(missing)} was measured with this code, too")
        return []
    releases = [Release(NAMES[name], found["versions"], found["suites"]) for name, found in kept.items() if found]
    DOCUMENT.write_text(written(DOCUMENT.read_text(), releases))
    return releases


def _kept(path: Path) -> dict[str, Any] | None:
    found = json.loads(path.read_text()) if path.exists() else {}
    return found if found.get("of") == _fingerprint() else None


def _fingerprint() -> str:
    """What the measurements depend on."""
    hashed = hashlib.sha256()
    for file in sorted(_files()):
        hashed.update(f"{file.relative_to(TOP)}\n".encode() + file.read_bytes())
    return hashed.hexdigest()


def _files() -> Iterator[Path]:
    for folder in _SOURCES:
        found = (TOP / folder).rglob("*")
        yield from (file for file in found if file.suffix in _KINDS_OF_FILE and file.name not in _ABOUT_WRITING)


if __name__ == "__main__":
    sys.exit(main())
