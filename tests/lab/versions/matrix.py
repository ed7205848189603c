"""Write what was measured on several releases as tables of docs/systemd.md, between two markers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.lab.versions.suites import WAYS

BEGIN, END = "<!-- script/systemd-versions: begin -->\n", "<!-- script/systemd-versions: end -->\n"
_KINDS = """\
`systemctl mask` by kind of unit, with the signs of the table above. What ran then `runs`, or is in another state.
`undo` says what `systemctl unmask` leaves, where that is not as it was before:"""
_STORY = "The whole story (asked, approved, masked, proven, unmasked) on a host that was set up from nothing:"
_WAYS = ("mask", "mask --now", "--runtime", "--runtime --now")
_PASSED = {
    "contract": "the contract of model and systemd (`tests/model/test_contract.py`)",
    "cycles": "masks and their undo by the bot, the whole host compared (`measured_cycles.py`)",
    "guard": "the guard by sudo (`tests/edges/guard`)",
    "guard by sudo-rs": "the guard by sudo-rs",
    "guard by doas": "the guard by doas",
    "install": "hosts set up by script and role, as they may be found (`tests/deploy`)",
}


@dataclass(frozen=True, slots=True)
class Release:
    """One release: what people call it, the versions of its packages, and the records of each suite."""

    name: str
    versions: Mapping[str, str]
    suites: Mapping[str, Mapping[str, Mapping[str, Any]]]


def written(document: str, releases: Sequence[Release]) -> str:
    """The document with new tables. Raises `ValueError` if it lacks a marker."""
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError("there are no markers for the tables")
    return before + BEGIN + "".join(f"{line}\n" for line in tables(releases)) + END + after


def tables(releases: Sequence[Release]) -> Iterator[str]:
    """All tables, line by line."""
    yield from _head("", releases)
    for what in dict.fromkeys(what for one in releases for what in one.versions):
        yield _row(what, [one.versions.get(what) or "–" for one in releases])
    yield from ("", "How many of the tests that were run hold:", "")
    yield from _head("", releases)
    for suite, what in _PASSED.items():
        yield _row(what, [_passed(one, suite) for one in releases])
    yield from _stories(releases)
    yield from ("", *_differences(releases), "")
    yield from ("What became of the masks by the bot, and of their undo:", "", "| kind | outcome |", "|---|---|")
    cycles = [_cells(one, "measured_cycles") for one in releases]
    for kind in dict.fromkeys(kind for one in cycles for kind in one):
        yield _row(kind, [_merged(releases, [one.get(kind, {}).get("", "?") for one in cycles])])
    yield ""
    yield from ("How a host shows it:", "")
    yield from _head("", releases)
    signs = [_cells(one, "measured_signs") for one in releases]
    for sign in dict.fromkeys(sign for one in signs for sign in one):
        yield _row(sign, _same(tuple(f"`{one[sign]['']}`" if sign in one else "?" for one in signs)))
    yield from (
        "",
        _KINDS,
        "",
    )
    yield from (f"| kind | {' | '.join(_WAYS)} |", f"|---|{'---|' * len(_WAYS)}")
    kinds = [_cells(one, "measured_kinds") for one in releases]
    for kind in dict.fromkeys(kind for one in kinds for kind in one):
        yield _row(kind, [_merged(releases, [one.get(kind, {}).get(way, "?") for one in kinds]) for way in _WAYS])


def _head(first: str, releases: Sequence[Release]) -> Iterator[str]:
    yield _row(first, [one.name for one in releases])
    yield f"|---|{'---|' * len(releases)}"


def _row(first: str, cells: Sequence[str]) -> str:
    words = (" ".join(cell.split()).replace("|", "\\|") for cell in (first, *cells))
    return f"| {' | '.join(words)} |"


def _same(cells: Sequence[str]) -> Sequence[str]:
    """What is the same as on the release before is not written again."""
    return [cell if at == 0 or cell != cells[at - 1] else "same" for at, cell in enumerate(cells)]


def _merged(releases: Sequence[Release], cells: Sequence[str]) -> str:
    """One cell for all releases, with their names where they differ."""
    by_cell: dict[str, list[str]] = {}
    for release, cell in zip(releases, cells, strict=True):
        by_cell.setdefault(cell, []).append(release.name.removeprefix("Debian "))
    if len(by_cell) == 1:
        return cells[0]
    return "; ".join(f"{', '.join(names)}: {cell}" for cell, names in by_cell.items())


def _records(release: Release, suite: str) -> Mapping[str, Mapping[str, Any]]:
    """The tests of a suite; those of the cycles are a part of what was measured."""
    if suite == "cycles":
        return _of_file(release.suites.get("measured", {}), "measured_cycles")
    return release.suites.get(suite, {})


def _of_file(records: Mapping[str, Mapping[str, Any]], file: str) -> Mapping[str, Mapping[str, Any]]:
    return {test: one for test, one in records.items() if f"/{file}.py::" in test}


def _passed(release: Release, suite: str) -> str:
    found = _records(release, suite)
    if not found:
        return "–"
    return f"{sum(bool(one['passed']) for one in found.values())} of {len(found)}"


def _stories(releases: Sequence[Release]) -> Iterator[str]:
    """Whether the whole story holds on hosts that were set up from nothing, for each way to root."""
    yield from ("", _STORY, "")
    yield from _head("set up by, and root through", releases)
    for rights in WAYS:
        found = [_records(one, f"story by {rights}") for one in releases]
        for how in ("script", "role"):
            yield _row(f"{how}, {rights}", [_held(records, how) for records in found])


def _held(records: Mapping[str, Mapping[str, Any]], how: str) -> str:
    told = [one for test, one in records.items() if test.endswith(f"_set_up_by_the_{how}")]
    if not told:
        return "–"
    return "holds" if all(one["passed"] for one in told) else "fails"


def _cells(release: Release, file: str) -> dict[str, Mapping[str, str]]:
    measured = [one["measured"] for one in _of_file(release.suites.get("measured", {}), file).values()]
    return {str(one["row"]): one["cells"] for one in measured if "row" in one}


def _differences(releases: Sequence[Release]) -> Iterator[str]:
    """Every test that does not hold somewhere, as its name says it, and why."""
    failed: dict[tuple[str, str], list[str]] = {}
    for release in releases:
        for suite, records in release.suites.items():
            for test, one in records.items():
                if not one["passed"]:
                    failed.setdefault((_sentence(test), str(one["why"])), []).append(f"{release.name} ({suite})")
    yield "What does not hold:" if failed else "All of them hold."
    if failed:
        yield ""
    for (sentence, why), where in failed.items():
        yield f"- {', '.join(where)}: {sentence}. `{why.replace('`', '')}`"


def _sentence(test: str) -> str:
    """The names of tests are sentences."""
    name, bracket, case = test.rpartition("::")[2].partition("[")
    return name.removeprefix("test_").replace("_", " ") + (f" ({case.removesuffix(']')})" if bracket else "")
