"""Nothing that a host or a person writes can hide, run backwards, colour a terminal or be endless."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.text.sanitize import clean


@pytest.mark.parametrize(
    ("foreign", "harmless"),
    [
        ("plain", "plain"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;https://evil.example\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1bPdevice\x1b\\text", "text"),
        ("\x9b31mred", "red"),
        ("\x9dtitle\x9ctext", "text"),
        ("\x1b]never closed", ""),
        ("\x1b", ""),
        ("a\x1b(Bb", "ab"),
        ("a\tb", "a b"),
        ("a\r\nb", "a\nb"),
        ("bell\x07 null\x00 del\x7f c1\x85", "bell null del c1"),
        ("\u202ebackwards\u202c", "backwards"),
        ("\u2066isolated\u2069 \u200eleft", "isolated left"),
        ("zero\u200bwidth\ufeff \u2060joined", "zerowidth joined"),
        ("line\u2028separator", "lineseparator"),
        ("tag\U000e0041\U000e007f", "tag"),
        ("half \ud800 character", "half  character"),
        ("last\n\n \n", "last"),
        ("", ""),
        ("ünïcödé → stays", "ünïcödé → stays"),
    ],
)
def test_what_does_not_show_is_gone(foreign: str, harmless: str) -> None:
    assert clean(foreign) == harmless


def test_long_lines_and_long_texts_say_that_they_were_cut() -> None:
    assert clean("x" * 201) == "x" * 199 + "…"
    assert clean("x" * 200) == "x" * 200
    assert clean("\n".join("abcde"), lines=3) == "a\nb\nc\n... 2 more lines"
    assert clean("\n".join("abc"), lines=3) == "a\nb\nc"


def test_an_endless_text_is_cut_before_anything_else_is_done_with_it() -> None:
    assert clean("\x1b]" + "x" * 10_000_000 + "\x07after") == ""


@pytest.mark.parametrize(
    "unseen",
    [0xAD, 0x34F, 0x17B4, 0x180B, 0x180F, 0x200D, 0x206A, 0x206F, 0x2800, 0xFFF0, 0x1BCA0, 0x1D173, 0xE01F0, 0xE0FFF],
)
def test_nothing_that_unicode_calls_ignorable_stands_between_what_is_seen(unseen: int) -> None:
    """Two names or reasons that look alike are alike."""
    assert clean(f"ali{chr(unseen)}ce") == "alice"
    assert clean(chr(unseen) * 3) == ""


@given(st.text())
def test_no_control_and_no_format_character_is_ever_left(foreign: str) -> None:
    shown = clean(foreign)
    assert len(shown.split("\n")) <= 41
    for sign in shown.replace("\n", ""):
        assert unicodedata.category(sign) not in ("Cc", "Cs", "Zl", "Zp")
        assert unicodedata.bidirectional(sign) not in ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
