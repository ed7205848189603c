"""The guard's own reading and writing, without a host: its standard streams are pipes of the test."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from bot.core.systemd.host_rules import LONGEST_LOOK, LOOK_SECONDS
from bot.edges.guard import requests
from bot.edges.guard.frame import read_answer, write_answer
from bot.edges.guard.process import Ended, Limit, Refused
from bot.edges.guard.requests import NoRequest, Request, Requests, connection, identity_of, parse
from tests.edges.guard.streams import streams

LONGEST = 16 * 1024
GOOD: dict[str, Any] = {"protocol": 1, "do": ["stop", "cron.service"]}


@contextmanager
def given(said: bytes, *, ends: bool = False, is_heard: bool = True) -> Iterator[int]:
    """Standard input with this on it; the end to write more to."""
    with streams(said, ends=ends, is_heard=is_heard) as others:
        yield others.inward


class TestTheLines:
    """One after the other, each whole, none too long, none too slow."""

    def test_they_are_taken_one_by_one_up_to_the_end(self) -> None:
        with given(b"one\ntwo\n", ends=True):
            asked = Requests(idle=5, longest=5)
            assert asked.is_unread
            assert (asked.wait(), asked.take(), asked.is_unread) == (True, b"one", False)
            assert (asked.wait(), asked.take(), asked.is_unread) == (True, b"two", True)
            assert (asked.wait(), asked.take(), asked.is_over) == (True, b"", True)
            assert not asked.wait()

    def test_one_that_was_sent_ahead_is_there_at_once(self) -> None:
        with given(b"one\ntwo\n"):
            asked = Requests(idle=0.05, longest=5)
            assert asked.take() == b"one"
            assert asked.wait()
            assert asked.take() == b"two"
            assert not asked.wait()

    def test_the_rest_of_one_that_has_begun_is_waited_for(self) -> None:
        with given(b"on") as more:
            later = threading.Timer(0.1, os.write, (more, b"e\n"))
            later.start()
            assert Requests(idle=5, longest=5).take() == b"one"
            later.join()

    @pytest.mark.parametrize(("seconds", "asked"), [(2.5, 2500), (0.0, 0), (-1.0, 0)])
    def test_it_waits_as_long_as_it_says(self, monkeypatch: pytest.MonkeyPatch, seconds: float, asked: float) -> None:
        waited: list[float] = []

        class Kernel:
            """What poll(2) is asked."""

            def register(self, descriptor: int, events: int) -> None:
                assert (descriptor, events) == (1, 0), "of standard output only that nobody reads it any more"

            def poll(self, milliseconds: float) -> list[tuple[int, int]]:
                waited.append(milliseconds)
                return []

        monkeypatch.setattr(requests, "poller_of", lambda *_: Kernel())
        assert not Requests._is_ready(seconds)
        assert waited == [asked]

    def test_one_that_comes_in_parts_is_one(self) -> None:
        with given(b"on") as more:
            asked = Requests(idle=5, longest=5)
            assert asked.wait()
            os.write(more, b"e\n")
            assert asked.take() == b"one"
            assert not asked.is_over

    def test_what_ends_in_the_middle_is_given_as_it_is(self) -> None:
        with given(b"one", ends=True):
            assert Requests(idle=5, longest=5).take() == b"one"

    def test_nobody_is_waited_for_longer_than_idle_or_than_all_may_take(self) -> None:
        for idle, longest in ((0.05, 60.0), (60.0, 0.05), (60.0, 0.0)):
            with given(b""):
                began, asked = time.monotonic(), Requests(idle=idle, longest=longest)
                assert not asked.wait()
                assert time.monotonic() - began < 30

    def test_what_is_there_is_taken_up_to_the_last_moment_and_not_after_it(self) -> None:
        with given(b"one\n"):
            assert Requests(idle=0.5, longest=9).wait()
            assert not Requests(idle=9, longest=0).wait()

    def test_who_hears_no_answer_is_not_served(self) -> None:
        with given(b"one\n", is_heard=False):
            assert not Requests(idle=5, longest=5).wait()

    @pytest.mark.parametrize("end", [b"\n", b""])
    def test_one_may_be_so_long_and_no_longer(self, end: bytes) -> None:
        with given(b"x" * LONGEST + b"\n"):
            assert Requests(idle=5, longest=5).take() == b"x" * LONGEST
        with given(b"x" * (LONGEST + 1) + end), pytest.raises(NoRequest, match="too long"):
            Requests(idle=5, longest=5).take()

    def test_one_that_drips_in_is_given_up(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(requests, "_SLOWEST", 0.05)
        with given(b"on"), pytest.raises(NoRequest, match="did not come in time"):
            Requests(idle=5, longest=5).take()


class TestARequest:
    """Its parts."""

    @pytest.fixture(autouse=True)
    def sizes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(requests, "SIZES", ("short", "full", "acting"))

    def test_each_part_is_where_it_belongs(self) -> None:
        note = {"reason": "INC-7"}
        asked = GOOD | {"user": "deploy", "then": "short", "about": "a.service", "connection": "::1 22", "note": note}
        one = Request({**asked, "seconds": 7}, "a1")
        assert (one.id, one.words, one.verb, one.is_look) == ("a1", ["stop", "cron.service"], "stop", False)
        assert (one.user, one.then, one.about, one.connection, one.note) == (
            "deploy",
            "short",
            "a.service",
            "::1 22",
            note,
        )
        assert Limit.look_seconds == 7

    def test_what_is_left_out_is_empty(self) -> None:
        one = Request({"protocol": 1, "do": ["look", "short", "cron.service"]}, "a1")
        assert (one.user, one.then, one.about, one.connection, one.note, one.is_look) == ("", "", "", "", {}, True)
        assert Limit.look_seconds == LOOK_SECONDS

    @pytest.mark.parametrize(
        ("verb", "words"),
        [
            *((verb, 1) for verb in ("check", "probe", "stop", "kill", "start", "try-start", "reset-failed", "status")),
            *(("link", 2), ("look", 2), ("unlink", 3), ("unlink-foreign", 3)),
            *((verb, 0) for verb in ("reload", "rules", "scan", "units")),
        ],
    )
    def test_each_verb_has_so_many_words(self, verb: str, words: int) -> None:
        assert Request(GOOD | {"do": [verb, *["x"] * words]}, "a1").verb == verb
        for other in {words - 1, words + 1} - {-1}:
            with pytest.raises(Refused, match="is not something that it does"):
                Request(GOOD | {"do": [verb, *["x"] * other]}, "a1")

    @pytest.mark.parametrize(
        ("wrong", "why"),
        [
            ({"protocol": 2}, "it speaks protocol 1"),
            ({"do": []}, "is not something that it does"),
            ({"do": ["enable", "x"]}, "is not something that it does"),
            ({"do": "stop"}, "the request has no words"),
            ({"do": None}, "the request has no words"),
            ({"do": ["stop", 7]}, "something else than a text"),
            ({"user": 7}, "something else than a text"),
            ({"note": []}, "no proper note"),
            ({"note": {"a": 1}}, "no proper note"),
            ({"note": {"a": "text", "b": 1}}, "no proper note"),
            ({"then": "long"}, "no such look follows"),
            ({"then": "full"}, "no such look follows"),
            ({"then": "acting"}, "no such look follows"),
            ({"then": "short", "do": ["scan"]}, "no such look follows"),
            ({"seconds": 0}, "a look may take from 1"),
            ({"seconds": LONGEST_LOOK + 1}, "a look may take from 1"),
            ({"seconds": "7"}, "a look may take from 1"),
            ({"seconds": None}, "a look may take from 1"),
        ],
    )
    def test_a_part_that_is_wrong_is_refused(self, wrong: dict[str, Any], why: str) -> None:
        with pytest.raises(Refused, match=why):
            Request(GOOD | wrong, "a1")

    @pytest.mark.parametrize("seconds", [1, LONGEST_LOOK])
    def test_a_look_may_take_so_long(self, seconds: int) -> None:
        Request(GOOD | {"seconds": seconds}, "a1")
        assert Limit.look_seconds == seconds

    @pytest.mark.parametrize("good", ["a", "0123456789abcdef", "a" * 40])
    def test_an_id_may_be_any_few_digits(self, good: str) -> None:
        assert identity_of({"id": good}, set()) == good

    @pytest.mark.parametrize(
        ("said", "known"),
        [
            ("192.0.2.1 22 fe80::A1 22", "192.0.2.1 22 fe80::A1 22"),
            ("0123456789abcdefABCDEF:. ", "0123456789abcdefABCDEF:. "),
            ("fe80::1%eth0.7 22 fe80::2%A-z_9 22", "fe80::1%eth0.7 22 fe80::2%A-z_9 22"),
            ("a;id", ""),
            ("fe80::1%eth0;id 22", ""),
            ('fe80::1%"x 22', ""),
            ("fe80::1%a%b 22", ""),
            ("g::1%eth0 22", ""),
            ("", ""),
        ],
    )
    def test_a_connection_is_addresses_and_ports(self, said: str, known: str) -> None:
        assert connection(said) == known

    @pytest.mark.parametrize("line", [b"{} x", b"{}{}", b"[]", b"{", b"", b"\xff", b'{"a": "\t"}', b'{"a":' * 100_000])
    def test_a_line_is_one_object_and_nothing_else(self, line: bytes) -> None:
        with pytest.raises(NoRequest, match="not one JSON object"):
            parse(line)


class TestTheFrame:
    """Lengths, and what has them."""

    def test_what_is_written_is_read(self, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
        write_answer(Ended(7, b"out", b"\xff", b"a look"), "a1")
        said = capfdbinary.readouterr().out
        assert said == b"maskbot-guard 1  a1 7 3 3 6\nout\xef\xbf\xbda look"
        found = read_answer(said)
        assert found is not None
        assert (found.code, found.out, found.err, found.look) == (7, b"out", "\ufffd".encode(), b"a look")

    @pytest.mark.parametrize(
        "said",
        [b"", b"maskbot-guard 1 1 a1 0 1 1 1", b"maskbot-guard 1 1 a1 0 1 1 1\n", b"maskbot-guard 1 1 a1 0 1 1 1\nab"],
    )
    def test_what_is_not_whole_is_none_yet(self, said: bytes) -> None:
        assert read_answer(said) is None

    @pytest.mark.parametrize(
        "said",
        [
            b"other 1 1 a1 0 0 0 0\n",
            b"1 maskbot-guard 1 a1 0 0 0 0\n",
            b"maskbot-guard 1 1 a1 0 0 0\n",
            b"maskbot-guard 1 1 a1 0 0 0 0 0\n",
            b"maskbot-guard 1 1 a1 x 0 0 0\n",
            b"maskbot-guard 1 1 a1 0 1 1 1\nabcd",
        ],
    )
    def test_what_is_another_or_too_long_is_refused(self, said: bytes) -> None:
        with pytest.raises(ValueError, match=r".*"):
            read_answer(said)
