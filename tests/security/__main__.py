"""What `script/security` starts: the attacks, fuzzing and mutation, all of them or one."""

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.security.suites import BY_NIGHT, SUITES

Given = argparse.Namespace
_SECONDS = 600  # of fuzzing, where nobody says how many


def _attacks(_: Given) -> bool:
    from tests.security.attacks import attacked, catalogue

    faults = attacked()
    print(*faults, f"attacks: {len(catalogue())} rows, {len(faults)} tests did not hold or did not run", sep="\n")
    return not faults


def _fuzz(given: Given) -> bool:
    from tests.security.fuzzing import fuzzed, tried_harder
    from tests.security.targets import TARGETS

    names, seconds = given.target or [*TARGETS], given.seconds or _SECONDS
    broken = [one for name in names for one in fuzzed(name, max(1, seconds // len(names)))]
    properties_hold = bool(given.target) or tried_harder(seconds)
    print(*broken, f"fuzzing: {len(names)} parsers, {len(broken)} broken", sep="\n", flush=True)
    return not broken and properties_hold


def _mutation(given: Given) -> bool:
    from tests.security.mutation import not_mutated, tried

    holds = True
    for name in given.suite or SUITES:
        verdict = tried(name, given.file, given.seconds or float("inf"))
        print(verdict, flush=True)
        holds &= verdict.holds
    print(*not_mutated(), sep="\n", flush=True)
    return holds


def _repeat(given: Given) -> bool:
    from tests.security.targets import TARGETS

    TARGETS[given.target].run(given.file.read_bytes())
    return True


def _all(given: Given) -> bool:
    return all([_attacks(given), _fuzz(given), _mutation(given)])


_PARTS: Mapping[str, Callable[[Given], bool]] = {
    "all": _all,
    "attacks": _attacks,
    "fuzz": _fuzz,
    "mutation": _mutation,
    "repeat": _repeat,
}


def main() -> int:
    """Run what was asked for; whether all of it holds is the exit code."""
    parser = argparse.ArgumentParser(prog="script/security", description="See the head of script/security.")
    parser.add_argument("part", choices=[*_PARTS], nargs="?", default="all")
    parser.add_argument("target_and_file", nargs="*", metavar="TARGET FILE", help="of `repeat`")
    parser.add_argument("--target", action="append", help="of `fuzz`")
    parser.add_argument("--suite", action="append", choices=[*SUITES, *BY_NIGHT], help="of `mutation`")
    parser.add_argument("--file", default="", help="of `mutation`: a part of its path")
    parser.add_argument("--seconds", type=int, help="of `fuzz` and of each suite of `mutation`")
    given = parser.parse_args()
    if given.part == "repeat":
        given.target, given.file = given.target_and_file[0], Path(given.target_and_file[1])
    return 0 if _PARTS[given.part](given) else 1


if __name__ == "__main__":
    sys.exit(main())
