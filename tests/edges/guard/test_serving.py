"""How requests are answered one after another, with pipes as the standard streams."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.edges.guard import serving, settings
from bot.edges.guard.frame import AGAIN
from bot.edges.guard.process import REFUSED, REQUEST_SECONDS, Ended, Gone, Limit, Refused, begin_request
from bot.edges.guard.requests import Request, Requests
from bot.edges.guard.root_client import Unanswered
from bot.edges.guard.serving import answer_all
from bot.edges.guard.settings import Settings
from tests.edges.descriptors import open_around
from tests.edges.guard.streams import Answer, streams


@pytest.fixture(autouse=True)
def guard(roots_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The guard itself, beside its configuration."""
    monkeypatch.setattr(serving, "GUARD", str(roots_folder / "guard"))
    monkeypatch.setattr(settings, "CONFIGURATION", str(roots_folder / "guard.conf"))
    for name in ("guard", "guard.conf"):
        (roots_folder / name).write_text("login: maskbot\n")
    yield roots_folder / "guard"
    begin_request()


def line(identity: str, *words: str, **more: Any) -> bytes:
    return json.dumps({"protocol": 1, "id": identity, "do": words or ["scan"], **more}).encode()


ONE, TWO = line("a1", "stop", "cron.service"), line("a2", "units")
REFUSAL = "maskbot-guard: "


class Served:
    """Who serves: what comes from the next request on is said or raised; and in which order it all came."""

    def __init__(self, *answers: Ended | Exception) -> None:
        self.answers = [*answers]
        self.said: list[object] = []

    def __call__(self, request: Request, line: bytes, settings: Settings) -> Ended:
        self.said.append((request.id, request.verb, line, settings.login))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def renew(self) -> None:
        self.said.append("renew")


def answered(given: bytes, served: Served) -> tuple[int, list[Answer]]:
    with streams(given, ends=True) as others:
        code = answer_all(Requests(9, 9), served, served.renew)
        return code, others.answers()


def test_each_is_answered_in_a_frame_with_its_id() -> None:
    served = Served(Ended(7, b"one", b"no", b"look"), Ended(3, b"two", b""))
    assert answered(ONE + b"\n" + TWO + b"\n", served) == (
        3, [("a1", 7, "one", "no", "look"), ("a2", 3, "two", "", "")],
    )  # fmt: skip
    assert served.said == [
        "renew", ("a1", "stop", ONE, "maskbot"),
        "renew", ("a2", "units", TWO, "maskbot"),
        "renew",
    ]  # fmt: skip


def test_the_last_one_may_end_without_the_end_of_its_line() -> None:
    served = Served(Ended(7, b"one", b""))
    assert answered(ONE, served) == (7, [("a1", 7, "one", "", "")])


def test_where_nobody_hears_nothing_is_served() -> None:
    served = Served()
    with streams(ONE + b"\n", is_heard=False):
        assert answer_all(Requests(9, 9), served, served.renew) == 0
    assert served.said == []


def test_who_asks_nothing_is_told_so() -> None:
    said = f"{REFUSAL}nothing was asked\n"
    assert answered(b"", Served()) == (REFUSED, [("-", REFUSED, "", said, "")])


def test_each_has_its_whole_time() -> None:
    seen: list[tuple[bool, bool]] = []

    def serve(_: Request, __: bytes, ___: Settings) -> Ended:
        seen.append((Limit.is_look, Limit.end - time.monotonic() > REQUEST_SECONDS - 5))
        Limit.is_look, Limit.end = True, 0.0
        return Ended(0, b"", b"")

    Limit.is_look, Limit.end = True, 0.0
    with streams(ONE + b"\n" + TWO + b"\n", ends=True):
        answer_all(Requests(9, 9), serve, lambda: None)
    assert seen == [(False, True), (False, True)]


def test_what_is_refused_is_said_and_the_next_one_is_served() -> None:
    served = Served(Refused("that is critical"), Ended(0, b"done", b""))
    wrong = line("a0", "enable", "x")
    assert answered(b"\n".join([wrong, ONE, TWO, b""]), served) == (
        0,
        [
            ("a0", REFUSED, "", f"{REFUSAL}'enable' is not something that it does\n", ""),
            ("a1", REFUSED, "", f"{REFUSAL}that is critical\n", ""),
            ("a2", 0, "done", "", ""),
        ],
    )


@pytest.mark.parametrize(
    ("given", "identity", "why"),
    [
        (b"", "-", "not one JSON object"),
        (b"stop", "-", "not one JSON object"),
        (b'{"protocol": 1}', "-", "the request has no id"),
        (line("a1"), "-", "that request was answered already"),
        (b"x" * 20_000, "-", "the request is too long"),
    ],
)
def test_after_what_is_no_request_nothing_is_served(given: bytes, identity: str, why: str) -> None:
    served = Served(Ended(0, b"", b""))
    code, answers = answered(b"\n".join([ONE, given, TWO, b""]), served)
    assert (code, answers[0][:2]) == (REFUSED, ("a1", 0))
    assert [one[:3] for one in answers[1:]] == [(identity, REFUSED, "")]
    assert answers[1][3].startswith(REFUSAL)
    assert why in answers[1][3]
    assert len(served.said) == 3


def test_after_an_error_of_its_own_it_ends_without_a_traceback() -> None:
    served = Served(ValueError("secret"), Ended(0, b"", b""))
    said = f"{REFUSAL}ValueError in the guard, nothing was answered\n"
    assert answered(ONE + b"\n" + TWO + b"\n", served) == (REFUSED, [("a1", REFUSED, "", said, "")])


def test_where_another_half_has_to_begin_it_ends() -> None:
    served = Served(Ended(AGAIN, b"", b"again"), Ended(0, b"", b""))
    assert answered(ONE + b"\n" + TWO + b"\n", served) == (AGAIN, [("a1", AGAIN, "", "again", "")])


@pytest.mark.parametrize("why", [Gone(), Unanswered()])
def test_where_there_is_no_answer_none_is_made_up(why: Exception) -> None:
    with streams(ONE + b"\n" + TWO + b"\n", ends=True) as others:
        with pytest.raises(type(why)):
            answer_all(Requests(9, 9), Served(why), lambda: None)
        assert others.answers() == []


def test_a_guard_that_others_can_write_serves_nobody(guard: Path) -> None:
    before = open_around(guard)
    assert answered(ONE + b"\n", Served(Ended(0, b"", b"")))[0] == 0
    assert open_around(guard) == before
    guard.chmod(0o666)
    served = Served()
    said = f"{REFUSAL}{guard} is not root's alone\n"
    assert answered(ONE + b"\n", served) == (REFUSED, [("a1", REFUSED, "", said, "")])
    assert served.said == ["renew", "renew"]


def test_what_root_has_set_holds_from_the_next_request_on(guard: Path) -> None:
    seen: list[str] = []

    def serve(_: Request, __: bytes, settings: Settings) -> Ended:
        seen.append(settings.login)
        guard.with_name("guard.conf").write_text("login: other\n")
        return Ended(0, b"", b"")

    with streams(ONE + b"\n" + TWO + b"\n", ends=True):
        answer_all(Requests(9, 9), serve, lambda: None)
    assert seen == ["maskbot", "other"]
