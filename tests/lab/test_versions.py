"""What `script/systemd-versions` makes of its measurements; without a host."""

from dataclasses import replace

import pytest

from tests.lab.versions.kinds import KINDS, WAYS, cell
from tests.lab.versions.matrix import BEGIN, END, Release, tables, written

MASKED = "was active\ncode 0\nload masked\nactive inactive\nstart 1\n"


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (MASKED, "M, inactive"),
        (MASKED.replace("active inactive", "active active"), "M, runs"),
        (MASKED.replace("was active", "was inactive"), "M"),
        (MASKED.replace("code 0", "code 1"), "M, rc 1, inactive"),
        (MASKED.replace("load masked", "load loaded"), "**!**, inactive"),
        (MASKED.replace("start 1", "start 0"), "**!**, inactive"),
        (MASKED.replace("load masked", "load loaded").replace("code 0", "code 1"), "E, inactive"),
        (MASKED.replace("load masked", "load loaded").replace("code 0", "code 3"), "E, rc 3, inactive"),
        (f"{MASKED}undo other files\n", "M, inactive, undo: other files"),
    ],
)
def test_a_cell_says_what_a_host_showed(said: str, words: str) -> None:
    assert cell(said) == words


def test_a_script_that_did_not_run_makes_no_cell() -> None:
    with pytest.raises(KeyError):
        cell("")


def test_no_two_kinds_are_called_the_same() -> None:
    assert len({kind.what for kind in KINDS}) == len(KINDS)


def release(name: str, *, cell: str = "M", why: str = "", missing: bool = False) -> Release:
    kind = {"passed": True, "why": "", "measured": {"row": "a path", "cells": dict.fromkeys(WAYS, cell)}}
    sign = {"passed": True, "why": "", "measured": {"row": "its words", "cells": {"": f"is {cell}"}}}
    one = {"passed": not why, "why": why, "measured": {}}
    measured = {
        "tests/lab/versions/measured_kinds.py::test_a_kind[a path]": kind,
        "tests/lab/versions/measured_signs.py::test_what[x]": sign,
        "tests/lab/versions/measured_cycles.py::test_an_undo_restores[a path]": one,
    }
    suites = {"measured": measured, "guard": {"tests/edges/guard/test_bus.py::test_it": one}}
    return Release(name, {"systemd": "1", "sudo-rs": "" if missing else "2"}, {} if missing else suites)


def table_of(*releases: Release) -> list[str]:
    return list(tables(releases))


def test_what_is_the_same_everywhere_stands_there_once() -> None:
    lines = table_of(release("Debian 11"), release("sid"))
    assert "| a path | M | M | M | M |" in lines
    assert "| its words | `is M` | same |" in lines
    assert "All of them hold." in lines


def test_what_differs_stands_there_with_the_releases() -> None:
    lines = table_of(release("Debian 11", cell="**!**"), release("Debian 12"), release("sid"))
    assert f"| a path |{' 11: **!**; 12, sid: M |' * 4}" in lines
    assert "| its words | `is **!**` | `is M` | same |" in lines


def test_what_does_not_hold_is_named_with_its_reason() -> None:
    lines = table_of(release("Debian 11", why="it `fails` | so"), release("sid"))
    assert "- Debian 11 (measured): an undo restores (a path). `it fails | so`" in lines
    assert "- Debian 11 (guard): it. `it fails | so`" in lines
    assert "| the guard by sudo (`tests/edges/guard`) | 0 of 1 | 1 of 1 |" in lines


def test_what_was_not_measured_is_not_made_up() -> None:
    lines = table_of(release("Debian 11", missing=True), release("sid"))
    assert "| sudo-rs | – | 2 |" in lines
    assert "| the guard by sudo (`tests/edges/guard`) | – | 1 of 1 |" in lines
    assert f"| a path |{' 11: ?; sid: M |' * 4}" in lines


def test_a_story_holds_or_fails_by_how_the_host_was_set_up_and_is_not_made_up() -> None:
    records = {
        "tests/deploy/measured_stories.py::test_the_story_on_a_host_set_up_by_the_script": {"passed": True, "why": ""},
        "tests/deploy/measured_stories.py::test_the_story_on_a_host_set_up_by_the_role": {"passed": False, "why": "no"},
        "tests/deploy/measured_stories.py::test_doctor_says_the_role": {"passed": True, "why": ""},
    }
    told = release("sid")
    lines = table_of(release("Debian 11"), replace(told, suites={**told.suites, "story by doas": records}))
    assert [line for line in lines if ", doas |" in line] == [
        "| script, doas | – | holds |",
        "| role, doas | – | fails |",
    ]
    assert "- sid (story by doas): the story on a host set up by the role. `no`" in lines


def test_only_what_stands_between_the_markers_is_written() -> None:
    document = f"before\n{BEGIN}OLD\n{END}after\n"
    once = written(document, [release("sid")])
    assert once.startswith(f"before\n{BEGIN}| ")
    assert once.endswith(f"|\n{END}after\n")
    assert "OLD" not in once
    assert written(once, [release("sid")]) == once


@pytest.mark.parametrize("document", ["", f"{BEGIN}", f"{END}"])
def test_without_markers_nothing_is_written(document: str) -> None:
    with pytest.raises(ValueError, match="no markers"):
        written(document, [])
