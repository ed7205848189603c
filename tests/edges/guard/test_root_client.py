"""Root's half as the login's half sees it, with a script in place of sudo."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.core.systemd.host_rules import GUARD
from bot.edges.guard import root_client, ways
from bot.edges.guard.process import Gone, Refused, begin_request, poller_of, write_all
from bot.edges.guard.root_client import RootsHalf, Unanswered
from bot.edges.guard.ways import way_to_root, ways_there
from tests.edges.descriptors import open_here
from tests.edges.guard.roots_half import StandIn
from tests.edges.guard.streams import streams


@pytest.fixture
def half(stand_in: StandIn) -> Iterator[RootsHalf]:
    """Not started yet, and let go at the end."""
    del stand_in
    begin_request()
    one = RootsHalf()
    yield one
    one.close()


def pipes_of(half: RootsHalf) -> set[str]:
    (running,) = half._running
    return {os.readlink(f"/proc/self/fd/{end}") for end in (running.inward, running.out[0], running.err[0])}


def test_it_is_started_once_and_asked_again_and_again(half: RootsHalf, stand_in: StandIn) -> None:
    stand_in.serves("done")
    for line in (b"one", b"two", b"three"):
        answer = half.ask(line)
        assert (answer.code, answer.out, answer.err, answer.look) == (0, b"done", b"", b"")
    assert stand_in.asked == ["one", "two", "three"]
    assert stand_in.begun == [f"-n {GUARD}"]


def test_a_long_answer_comes_in_parts(half: RootsHalf, stand_in: StandIn) -> None:
    stand_in.does("greet; take", "printf 'maskbot-guard 1 9 a1 3 200000 0 2\\n%0200000dab' 0; take")
    answer = half.ask(b"one")
    assert (answer.code, answer.out, answer.look) == (3, b"0" * 200_000, b"ab")


def test_it_says_whether_more_belongs_to_the_answer(half: RootsHalf, stand_in: StandIn) -> None:
    rest = ("'guard 1 9 is ready\\n'", "'maskbot-guard 1 9 a1 0'", "' 0 0 0\\n'")
    stand_in.does("printf maskbot-; take", *(f"read -r more; printf {part}" for part in rest), "read -r more")
    output = half.send(b"one")
    for goes_on in (True, True, True, False):
        poller_of(output).poll()
        assert half.read() is goes_on
        write_all(half._running[0].inward, b"\n")


def test_one_that_has_ended_is_started_again(half: RootsHalf, stand_in: StandIn) -> None:
    stand_in.does("greet; take; answer 0 once")
    for line in (b"one", b"two"):
        assert half.ask(line).out == b"once"
        poller_of(half._running[0].out[0]).poll()
    assert (stand_in.asked, len(stand_in.begun)) == (["one", "two"], 2)


def test_one_that_does_not_begin_is_started_again_once(half: RootsHalf, stand_in: StandIn) -> None:
    stand_in.does(
        'greet; take; [ "$line" = two ] && [ $(wc -l < "$here/begun") = 1 ] && answer 75 && exit; answer 0 it'
    )
    assert half.ask(b"one").out == b"it"
    half.close()
    (stand_in.folder / "begun").unlink()
    assert half.ask(b"two").out == b"it"
    assert stand_in.asked == ["one", "two", "two"]
    half.close()
    stand_in.does("greet; while take; do answer 75 ''; done")
    with pytest.raises(Refused, match="root's half of the guard does not begin"):
        half.ask(b"three")
    assert stand_in.asked[3:] == ["three", "three"]
    assert len(stand_in.begun) == 4, "each by another one"
    assert half._running == []


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("echo 'sudo: a password is required' >&2; echo more >&2; exit 1", "sudo: a password is required$"),
        ("exec <&-; echo '  no  ' >&2; exit 1", "root was not reached: no$"),
        ("printf no >&2; echo hello; sleep 1.3; echo ' way' >&2", "root was not reached: no way$"),
        ("exit 1", "sudo or doas said nothing$"),
        ("echo >&2; echo more >&2", "sudo or doas said nothing$"),
        ("echo no >&2; echo hello; sleep 60", "root was not reached: no$"),
        ("echo hello; sleep 60", "sudo or doas said nothing$"),
        ("printf maskbot-guard", "sudo or doas said nothing$"),
        (f"echo {'x' * 300} >&2", f"root was not reached: {'x' * 200}$"),
        ("printf '\\377' >&2", "root was not reached: \ufffd$"),
        ("echo hello; exec yes >&2", "root was not reached: y$"),
        ("echo hello; exec 2>&-; sleep 60", "sudo or doas said nothing$"),
    ],
)
def test_whoever_does_not_greet_was_not_reached(
    half: RootsHalf, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch, script: str, why: str
) -> None:
    monkeypatch.setattr(root_client, "_COMPLAINT_SECONDS", 60.0 if "2>&-" in script or "60" not in script else 0.5)
    stand_in.does(script)
    with pytest.raises(Refused, match=why):
        half.ask(b"one")
    assert half._running == []
    stand_in.serves()
    assert half.ask(b"one").out == b"done"


@pytest.mark.parametrize(
    "script",
    [
        "",
        "take",
        "take; echo hello; take",
        "take; printf 'maskbot-guard 1 9 a1 0 4 0 0\\nab'",
        "take; printf 'maskbot-guard 1 9 a1 0 1 0 0\\nmuch'; take",
    ],
)
def test_what_has_greeted_and_does_not_answer_may_have_done_anything(
    half: RootsHalf, stand_in: StandIn, script: str
) -> None:
    stand_in.does(f"greet; {script}")
    with pytest.raises(Unanswered):
        half.ask(b"one")


def test_it_is_waited_for_as_long_as_its_own_limits_are(
    half: RootsHalf, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(root_client, "_ANSWER_SECONDS", 0.2)
    stand_in.does("greet; take; take")
    with pytest.raises(Unanswered):
        half.ask(b"one")


def test_without_those_who_wait_for_it_nothing_is_waited_for(half: RootsHalf, stand_in: StandIn) -> None:
    stand_in.does("greet; take; take")
    with streams(is_heard=False), pytest.raises(Gone):
        half.ask(b"one")
    half.close()
    stand_in.serves()
    with streams():
        assert half.ask(b"one").out == b"done"


def test_it_is_let_go_by_the_end_of_its_input(half: RootsHalf, stand_in: StandIn) -> None:
    stand_in.serves()
    half.ask(b"one")
    pipes, (pid,) = pipes_of(half), stand_in.pids
    assert len(pipes.intersection(open_here())) == 3
    half.close()
    half.close()
    assert os.waitpid(pid, 0) == (pid, 0)
    assert pipes.isdisjoint(open_here())
    assert half.ask(b"two").out == b"done"
    assert stand_in.asked == ["one", "two"]


def executable(folder: Path, *names: str) -> list[str]:
    paths = [folder / name for name in names]
    for path in paths:
        path.parent.mkdir(exist_ok=True)
        path.touch(0o755)
    return [str(path) for path in paths]


def test_the_first_way_that_is_there_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sudo, other, doas = executable(tmp_path, "sudo", "local-sudo", "doas")
    monkeypatch.setattr(ways, "WAYS_TO_ROOT", (str(tmp_path / "none" / "sudo"), sudo, other, doas))
    assert ways_there(by_doas=False) == [sudo, other, doas]
    assert ways_there(by_doas=True) == [doas]
    assert (way_to_root(by_doas=False), way_to_root(by_doas=True)) == (sudo, doas)
    Path(sudo).chmod(0o644)
    assert way_to_root(by_doas=False) == other
    monkeypatch.setattr(ways, "WAYS_TO_ROOT", (other,))
    with pytest.raises(Refused, match="^there is no doas on this host$"):
        way_to_root(by_doas=True)
    Path(other).chmod(0o644)
    with pytest.raises(Refused, match="^there is neither sudo nor doas on this host$"):
        way_to_root(by_doas=False)


def test_these_are_the_ways_to_root() -> None:
    assert WAYS == (
        "/usr/bin/sudo", "/usr/local/bin/sudo", "/usr/bin/sudo-rs", "/usr/local/bin/sudo-rs", "/usr/bin/doas",
        "/usr/local/bin/doas",
    )  # fmt: skip


WAYS = ways.WAYS_TO_ROOT


def test_by_doas_it_is_started_if_root_says_so(half: RootsHalf, stand_in: StandIn) -> None:
    stand_in.serves()
    assert half.by_doas is False
    half.by_doas = True
    with pytest.raises(Refused, match="there is no doas on this host"):
        half.ask(b"one")
    assert stand_in.begun == []
