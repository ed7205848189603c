"""The guard's reader of requests, without a host: whatever comes, it is a request or it is refused."""

import contextlib
import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.edges.guard.bus import Values
from bot.edges.guard.judge import check_load_state
from bot.edges.guard.process import Refused
from bot.edges.guard.requests import Request, identity_of, parse

TEXTS = st.text(max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from(["protocol", "do", "user", "then", "about", "note", "connection"])


@given(st.binary(max_size=60) | JSON.map(json.dumps).map(str.encode))
def test_whatever_comes_is_an_object_or_refused(line: bytes) -> None:
    with contextlib.suppress(Refused):
        assert isinstance(parse(line), dict)


def test_a_python_without_json_is_named_in_the_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the package python3-minimal of Debian 11 and 12 alone (measured)."""
    monkeypatch.setitem(sys.modules, "_json", None)
    with pytest.raises(Refused, match="install all of it, as the package python3 does"):
        parse(b"{}")


@given(st.binary(max_size=60), st.sampled_from(["a{sv}", "a(yv)", "v", "as", "a()"]))
def test_what_systemd_says_is_read_or_left_to_systemctl(said: bytes, kind: str) -> None:
    with contextlib.suppress(ValueError, IndexError):
        Values(said, 0).value(kind)


def test_values_of_d_bus_are_read_as_they_were_meant() -> None:
    said = (
        b"\x2e\0\0\0\0\0\0\0" + b"\x02\0\0\0Id\0" + b"\x01s\0\0\0" + b"\x03\0\0\0a.b\0"
        + b"\0\0\0\0" + b"\x01\0\0\0N\0" + b"\x02as\0\0\0" + b"\x06\0\0\0" + b"\x01\0\0\0x\0"
    )  # fmt: skip
    assert Values(said, 0).value("a{sv}") == [["Id", "a.b"], ["N", ["x"]]]


@given(st.dictionaries(KEYS, JSON | st.just(1) | st.just(["stop", "cron.service"]), max_size=5))
def test_an_object_is_a_request_or_refused(asked: dict[str, object]) -> None:
    try:
        request = Request(parse(json.dumps(asked).encode()), "a1")
    except Refused:
        return
    assert asked["protocol"] == 1
    assert all(isinstance(word, str) for word in request.words)


def test_json_means_what_it_means_elsewhere() -> None:
    asked = {"protocol": 1, "do": ["stop", "a\\x2db.service"], "note": {"reason": 'ünïcode \u2028 "quoted"'}}
    assert parse(json.dumps(asked).encode()) == asked
    assert parse(json.dumps(asked, ensure_ascii=False).encode() + b" \n") == asked


@pytest.mark.parametrize("wrong", ["a\nb", "\x1b", "\u202e", "\ud800"])
def test_a_word_that_does_not_show_itself_is_refused(wrong: str) -> None:
    with pytest.raises(Refused):
        Request({"protocol": 1, "do": ["stop", wrong]}, "a1")


@pytest.mark.parametrize("wrong", [None, 7, "", "A1", "a b", "-", "ä", "a" * 41, ["a1"]])
def test_an_id_is_a_few_digits(wrong: object) -> None:
    with pytest.raises(Refused):
        identity_of({"id": wrong}, set())


def test_no_request_is_answered_twice() -> None:
    answered: set[str] = set()
    assert identity_of({"id": "a1"}, answered) == "a1"
    assert identity_of({"id": "a2"}, answered) == "a2"
    with pytest.raises(Refused, match="answered already"):
        identity_of({"id": "a1"}, answered)


SERVICE, TIMER = {"Id": "a.service", "LoadState": "loaded"}, {"Id": "a.timer", "LoadState": "masked"}


@pytest.mark.parametrize("found", [{"LoadState": "stub"}, {"LoadState": "merged"}, {"LoadState": ""}, {"Id": ""}])
def test_a_unit_of_which_systemd_does_not_say_enough_is_spared(found: dict[str, str]) -> None:
    with pytest.raises(Refused, match=r"systemd does not say what a\.service is"):
        check_load_state("a.service", {**SERVICE, **found}, is_known=True, is_ours=True)


def test_a_timer_that_others_have_masked_does_not_say_what_it_starts() -> None:
    with pytest.raises(Refused, match="it cannot be told what it starts"):
        check_load_state("a.timer", TIMER, is_known=False, is_ours=False)
    with pytest.raises(Refused, match="it cannot be told what it starts"):
        check_load_state("a.timer", TIMER, is_known=True, is_ours=False)
    check_load_state("a.timer", TIMER, is_known=True, is_ours=True)
    check_load_state("a.service", {**SERVICE, "LoadState": "masked"}, is_known=False, is_ours=False)


def test_what_is_not_there_is_handled_only_if_the_bot_has_taken_it_down() -> None:
    """A transient unit is gone once it is stopped; a unit whose file was removed still runs."""
    gone = {**SERVICE, "LoadState": "not-found", "ActiveState": "inactive"}
    with pytest.raises(Refused, match="there is no a.service on this host"):
        check_load_state("a.service", gone, is_known=False, is_ours=False)
    check_load_state("a.service", gone, is_known=True, is_ours=False)
    check_load_state("a.service", gone | {"ActiveState": "active"}, is_known=False, is_ours=False)
