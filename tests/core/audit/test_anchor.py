"""An anchor is read back as it was written, and nothing else is taken for one."""

import json
from datetime import UTC, datetime

import pytest

from bot.core.audit.anchor import Anchor, read_anchor, write_anchor
from bot.core.audit.chain import Head
from tests.lab.keys import KEYS

ANCHOR = Anchor(Head(7, "ab"), datetime(2026, 3, 1, 3, tzinfo=UTC))


def test_an_anchor_is_read_back() -> None:
    text = write_anchor(ANCHOR, KEYS)
    assert text.endswith("\n")
    assert read_anchor(text, KEYS) == ANCHOR


def test_another_number_has_another_seal() -> None:
    text = write_anchor(ANCHOR, KEYS).replace('"seq": 7', '"seq": 6')
    with pytest.raises(ValueError, match="its seal is wrong"):
        read_anchor(text, KEYS)


@pytest.mark.parametrize("text", ["", "{}", "[]", "7", "[" * 100_000, json.dumps({"seq": 7, "hash": "ab", "at": 3})])
def test_what_has_another_form_is_no_anchor(text: str) -> None:
    with pytest.raises(ValueError, match=r"Expecting|another form|no seal"):
        read_anchor(text, KEYS)
