"""A full look asks root meanwhile what it would do: here with a script in place of sudo, and one in place of a look."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.core.systemd.host_rules import RIGHTS_FD
from bot.edges.guard import looks
from bot.edges.guard.process import Ended, Gone, Refused, begin_request
from bot.edges.guard.requests import Request
from bot.edges.guard.rights import look_with_rights
from bot.edges.guard.root_client import RootsHalf
from tests.edges.descriptors import pipes_here
from tests.edges.guard.roots_half import StandIn
from tests.edges.guard.streams import streams

WAITS = f'echo "$SSH_CONNECTION $*"; cat <&{RIGHTS_FD}'


@pytest.fixture
def half(stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> Iterator[RootsHalf]:
    del stand_in
    monkeypatch.setattr(looks, "SCRIPTS", {"look": WAITS})
    monkeypatch.setattr(looks, "SIZES", ("full",))
    before = pipes_here()
    begin_request()
    one = RootsHalf()
    yield one
    begin_request()
    one.close()
    assert pipes_here() == before


def look(half: RootsHalf, unit: str = "cron.service", size: str = "full") -> Ended:
    request = Request({"protocol": 1, "do": ["look", size, unit]}, "a1")
    return look_with_rights(request, half, "::1 22 ::2 9")


def seen(rights: str, unit: str = "cron.service") -> str:
    return f"::1 22 ::2 9 {unit} full \n@rights\n{rights}"


@pytest.mark.parametrize("unit", ["cron.service", r"c\x2dn.service", 'a"b\\"'])
def test_root_is_asked_about_the_unit_and_the_script_reads_the_answer(
    half: RootsHalf, stand_in: StandIn, unit: str
) -> None:
    stand_in.serves("mask\nstop\n")
    for _ in range(2):
        done = look(half, unit)
        assert (done.code, done.out.decode()) == (0, seen("mask\nstop\n", unit))
    assert len(stand_in.begun) == 1, "it is kept for the next one"
    wanted = {"protocol": 1, "id": "a1", "do": ["check", unit], "connection": "::1 22 ::2 9"}
    assert [json.loads(line) for line in stand_in.asked] == [wanted, wanted]


def test_an_answer_that_comes_in_parts_is_passed_on_as_one(half: RootsHalf, stand_in: StandIn) -> None:
    stand_in.does("greet; take; printf 'maskbot-guard 1 9 a1 0 100000 0 0\\n%0100000d' 0; take")
    assert look(half).out.decode() == seen("0" * 100_000)


def test_where_there_is_no_way_to_root_the_script_finds_no_rights(
    half: RootsHalf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looks, "SCRIPTS", {"look": f"echo one >>{tmp_path}/looks; {WAITS}"})
    done = look(half)
    assert (done.code, done.out.decode()) == (0, seen(""))
    assert (tmp_path / "looks").read_text() == "one\n"


@pytest.mark.parametrize("script", ["echo no >&2", "greet; take", "greet; take; echo what"])
def test_where_root_does_not_answer_the_script_finds_no_rights(half: RootsHalf, stand_in: StandIn, script: str) -> None:
    stand_in.does(script)
    done = look(half)
    assert (done.code, done.out.decode()) == (0, seen(""))
    assert half._running == []
    assert len(stand_in.begun) == 1
    stand_in.serves("mask\n")
    assert look(half).out.decode() == seen("mask\n")


def test_if_another_half_has_to_begin_so_does_the_look_once(half: RootsHalf, stand_in: StandIn) -> None:
    stand_in.does('greet; take; [ $(wc -l < "$here/begun") = 1 ] && answer 75 && exit; answer 0 mask; take')
    assert look(half).out.decode() == seen("mask")
    assert len(stand_in.begun) == 2
    half.close()
    stand_in.does("greet; take; answer 75")
    done = look(half)
    assert (done.code, done.out.decode()) == (0, seen(""))
    assert len(stand_in.begun) == 4


def test_root_is_let_go_by_a_look_that_does_not_wait_for_it(
    half: RootsHalf, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in.does("take; take")
    monkeypatch.setattr(looks, "SCRIPTS", {"look": "echo it"})
    assert look(half).out == b"it\n"
    assert half._running == []


def test_root_is_let_go_with_those_who_wait_for_the_look(half: RootsHalf, stand_in: StandIn) -> None:
    stand_in.does("take; take")
    with streams(is_heard=False), pytest.raises(Gone):
        look(half)
    assert half._running == []


def test_root_is_let_go_where_there_is_no_such_look(half: RootsHalf, stand_in: StandIn) -> None:
    stand_in.does("take; take")
    with pytest.raises(Refused, match="there is no such look"):
        look(half, size="acting")
    assert half._running == []
