"""Seals: made with the first key, verified with all of them, and of no use for another text or another domain."""

import pytest

from bot.core.audit.seal_keys import KeyRing, SealKey, as_line, parse_keys
from tests.lab.keys import KEY, KEYS

OLD = SealKey("old", b"\x01" * 32)
TEXT = "bob approves"


def test_a_seal_holds_for_its_text_and_domain_alone() -> None:
    made = KEYS.seal("event", TEXT)
    assert made.kid == KEY.id
    assert KEYS.fault("event", TEXT, made.kid, made.mac) == ""
    assert KEYS.fault("event", TEXT + " ", made.kid, made.mac) == "its seal is wrong"
    assert KEYS.fault("request", TEXT, made.kid, made.mac) == "its seal is wrong"
    assert KEYS.fault("event", TEXT, made.kid, made.mac[:-1] + "é") == "its seal is wrong"


@pytest.mark.parametrize(("kid", "mac"), [(None, "ab"), ("lab", None), ("", "ab"), ("lab", "")])
def test_what_has_no_seal_is_not_sealed(kid: str | None, mac: str | None) -> None:
    assert KEYS.fault("event", TEXT, kid, mac) == "it has no seal"


def test_an_old_key_still_verifies_and_a_removed_one_does_not() -> None:
    before = KeyRing((OLD,)).seal("event", TEXT)
    assert KeyRing((KEY, OLD)).seal("event", TEXT).kid == KEY.id
    assert KeyRing((KEY, OLD)).fault("event", TEXT, before.kid, before.mac) == ""
    assert KEYS.fault("event", TEXT, before.kid, before.mac) == "it was sealed with a key that is not known ('old')"


def test_keys_are_lines_and_the_first_one_seals() -> None:
    text = f"# since March\n{as_line(KEY)}\n\n  {as_line(OLD)}  \n"
    assert parse_keys(text) == KeyRing((KEY, OLD))
    assert b"\x07" not in repr(parse_keys(text)).encode()


@pytest.mark.parametrize(
    "text",
    ["", "# none", "lab", "lab:", "lab:!!!!", ":" + as_line(KEY).partition(":")[2], "LAB" + as_line(KEY)[3:],
     as_line(KEY)[:-4], "lab:" + as_line(KEY)[8:], f"{as_line(KEY)}\n{as_line(KEY)}", "lab:\u00e9"],
)  # fmt: skip
def test_anything_else_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(ValueError, match="has to be a line|two keys alike") as refused:
        parse_keys(text)
    assert "Bwc" not in str(refused.value)


def test_what_is_derived_is_no_seal_and_differs_by_key_domain_and_text() -> None:
    ring = KeyRing((KEY, OLD))
    derived = [
        ring.derive(*one) for one in (("lab", "a", TEXT), ("old", "a", TEXT), ("lab", "b", TEXT), ("lab", "a", ""))
    ]
    assert len({*derived}) == 4
    assert ring.derive("lab", "a", TEXT) == derived[0]
    assert ring.derive("gone", "a", TEXT) is None
