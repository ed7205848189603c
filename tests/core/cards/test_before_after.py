"""Before beside after, on a telephone."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bot.core.cards.before_after import WIDTH, table
from bot.core.requests import Target
from bot.core.systemd.units import UnitName
from tests.core.cards.situations import around, masked, proven, related_unit, running

WORDS = st.text(alphabet="abcdefghij-.", min_size=0, max_size=40)
NARROW = 40  # signs that a telephone shows in a row of a code block


def rows(target: Target) -> list[str]:
    """The lines inside the code block, as they are shown."""
    return table(target).replace("&gt;", ">").split("\n")[1:-1]


@given(WORDS, WORDS, WORDS)
def test_no_row_is_wider_than_a_narrow_telephone(state: str, sub: str, name: str) -> None:
    hood = around(triggers=(related_unit(f"x{name}.socket", sub=sub),))
    target = proven(before=running(file_state=state, sub=sub, around=hood)).target
    assert WIDTH <= NARROW
    assert max(map(len, rows(target))) <= WIDTH


def test_an_arrow_marks_what_changed_and_nothing_else() -> None:
    target = proven(after=masked(file_state="enabled")).target
    arrows = {row[:9].strip(): "->" in row for row in rows(target)[1:]}
    assert arrows == {"Load": True, "Active": True, "At boot": False, "Start": True}


def test_a_start_that_was_tried_is_never_called_not_tried() -> None:
    request = proven()
    unanswered = tuple(replace(sent, exit_code=None) for sent in request.target.sent)
    last = rows(request.on_target(sent=unanswered).target)[-1]
    assert last.split() == ["Start", "-", "->", "unanswered"]


def test_what_was_never_seen_is_a_question_mark() -> None:
    target = Target("web-01", UnitName("worker.service"))
    assert [row[9:].split() for row in rows(target)[1:]] == [["?", "?"]] * 3
