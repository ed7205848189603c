"""The list of event types is complete: nothing is recorded that it does not describe, and it describes nothing else."""

import ast
import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import pytest

from bot.core.audit.event_types import EVENT_TYPES
from bot.core.kill_switch import Result
from bot.core.requests import Stage
from tests.lab.installation import ROOT

# Types that are put together, by the text in the source; and what they may be.
COMPOSED = {
    "f'request.{stage}'": {f"request.{one}" for one in Stage if one.is_final and one is not Stage.DONE},
    "f'kill_switch.{self}'": {one.event for one in Result},
    "f'drift.mask_{kind}'": {"drift.mask_appeared", "drift.mask_vanished"},
}
# Those that come as a variable; a string in the source looks like a type then, and is found as such.
VARIABLES = {"kind", "RECORDED", "COUNTED", "BREAK_ACCEPTED"}
FAMILIES = {name.partition(".")[0] for name in EVENT_TYPES if "." in name}


@cache
def nodes() -> Sequence[ast.AST]:
    """Everything in the source, but not the list itself."""
    sources = [path for path in sorted(Path(ROOT, "bot").rglob("*.py")) if path.name != "event_types.py"]
    return [node for path in sources for node in ast.walk(ast.parse(path.read_text()))]


def kinds_given() -> Iterator[ast.expr]:
    """What stands as the type wherever an event is made."""
    for node in nodes():
        match node:
            case ast.Call(func=ast.Name(id="Event"), args=[kind, *_]):
                yield kind
            case ast.Call(func=ast.Name(id="event"), args=[_, kind, *_]):
                yield kind


def logged() -> set[int]:
    """The names of lines in the log, which look like types and are none."""
    found = set[int]()
    for node in nodes():
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="log")), args=[name, *_]):
                found.add(id(name))
    return found


def likely_types() -> set[str]:
    """Every string in the source that looks like a type of one of the families."""
    not_types = logged() | {id(part) for node in nodes() if isinstance(node, ast.JoinedStr) for part in node.values}
    texts = [
        node.value
        for node in nodes()
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in not_types
    ]
    shape = re.compile(rf"(?:{'|'.join(sorted(FAMILIES))})\.[a-z_]+")
    return {text for text in texts if shape.fullmatch(text) and not text.endswith(".yaml")}  # a file is no event


def begins(text: ast.JoinedStr) -> bool:
    """Whether a text that is put together begins like a type."""
    first = text.values[0]
    return isinstance(first, ast.Constant) and str(first.value).partition(".")[0] in FAMILIES


@pytest.fixture(scope="module")
def recorded() -> set[str]:
    """Every type that the source can record."""
    constants = {str(kind.value) for kind in kinds_given() if isinstance(kind, ast.Constant)}
    return constants | likely_types() | set[str]().union(*COMPOSED.values())


def test_every_type_that_is_recorded_is_described(recorded: set[str]) -> None:
    assert recorded - EVENT_TYPES.keys() == set()


def test_every_type_that_is_described_is_recorded(recorded: set[str]) -> None:
    assert EVENT_TYPES.keys() - recorded == set()


def test_a_type_is_written_out_or_one_of_those_known_here() -> None:
    others = {ast.unparse(kind) for kind in kinds_given() if not isinstance(kind, ast.Constant)}
    assert others <= COMPOSED.keys() | VARIABLES
    assert COMPOSED.keys() <= {
        ast.unparse(node) for node in nodes() if isinstance(node, ast.JoinedStr) and begins(node)
    }


def test_each_is_one_sentence_and_they_are_in_order() -> None:
    assert list(EVENT_TYPES) == sorted(EVENT_TYPES)
    assert all(re.fullmatch(r"[A-Z].*[^.]\.", text) for text in EVENT_TYPES.values())
