"""How the guard runs programs: with limits on their time and output, and nothing of ours given to them."""

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bot.core.systemd.host_rules import LOOK_SECONDS, RIGHTS_FD
from bot.edges.guard import process
from bot.edges.guard.process import (
    FAILED,
    LATE,
    REFUSED,
    REQUEST_SECONDS,
    Ended,
    Gone,
    Limit,
    Started,
    begin_request,
    drain,
    milliseconds_until,
    run,
    write_all,
)
from tests.edges.descriptors import open_here

SHELL = "/bin/sh"
LONG = "trap '' USR1; sleep 60 & echo $! $$; wait"  # two processes, of which the first is the other's child
PRATING = "sleep 60 & echo $! $$; exec yes"


@pytest.fixture(autouse=True)
def request_of_a_moment() -> Iterator[None]:
    begin_request()
    yield
    begin_request()


def ended(ended: Ended) -> tuple[int, bytes, bytes]:
    return ended.code, ended.out, ended.err


def are_gone(pids: list[str]) -> bool:
    """Or are dead, and only their parent does not know yet."""
    states = set()
    for pid in pids:
        with suppress(FileNotFoundError):
            states.add(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0])
    return states <= {"Z"}


def test_what_a_program_prints_and_how_it_ends_is_told() -> None:
    assert ended(run([SHELL, "-c", "echo one; echo two; echo no >&2; exit 3"])) == (3, b"one\ntwo\n", b"no\n")
    assert run([SHELL, "-c", "echo one; printf '\\377\\n'"]).lines == ["one", "\ufffd"]
    assert ended(run([SHELL, "-c", "kill -TERM $$"])) == (143, b"", b"")
    assert run(["/no/such/program"]).code == 127


def test_it_has_an_environment_a_session_and_a_place_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OF_OURS", "1")
    said = run([sys.executable, "-c", "import json, os; print(json.dumps([dict(os.environ), os.getcwd()]))"])
    environment, place = json.loads(said.out)
    environment.pop("LC_CTYPE", None)  # Python's own
    assert environment == {
        "LC_ALL": "C",
        "TZ": "UTC",
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "SYSTEMD_COLORS": "0",
        "SYSTEMD_PAGER": "",
    }
    assert place == "/"
    assert run([SHELL, "-c", "cat; echo $HOME"], more={"HOME": "/home/deploy"}).out == b"/home/deploy\n"
    assert os.getsid(0) != int(run([SHELL, "-c", "ps -o sid= -p $$"]).out)


def test_what_is_written_inward_is_its_input_and_rights_are_handed_on() -> None:
    near, far = os.pipe()
    started = Started([SHELL, "-c", f"cat; cat <&{RIGHTS_FD}"], rights=near)
    write_all(started.inward, b"x" * 50_000)
    os.close(near)
    write_all(far, b"rights")
    os.close(far)
    assert ended(started.end()) == (0, b"x" * 50_000 + b"rights", b"")
    closed = f"[ -e /dev/fd/{RIGHTS_FD} ] || echo none"
    assert run([SHELL, "-c", closed]).out == b"none\n"


def test_rights_may_have_the_very_number_that_they_are_handed_on_by() -> None:
    """As where root's half runs, and has the numbers before it."""
    kept = os.dup(RIGHTS_FD) if Path(f"/dev/fd/{RIGHTS_FD}").exists() else -1
    os.dup2(0, RIGHTS_FD)  # so that neither end has it already
    near, far = os.pipe()
    os.dup2(near, RIGHTS_FD, inheritable=False)
    os.write(far, b"rights\n")
    try:
        started = Started([SHELL, "-c", f"read -r it <&{RIGHTS_FD}; echo $it"], rights=RIGHTS_FD)
        assert started.end().out == b"rights\n"
    finally:
        os.close(RIGHTS_FD)
        if kept >= 0:
            os.dup2(kept, RIGHTS_FD, inheritable=False)
            os.close(kept)
        os.close(near)
        os.close(far)


@pytest.mark.parametrize("seconds", [60.0, 0.0])
def test_nothing_of_it_stays_open(seconds: float) -> None:
    started = Started([SHELL, "-c", "echo one"])
    pipes = {os.readlink(f"/proc/self/fd/{end}") for end in (started.inward, started.out[0], started.err[0])}
    assert len(pipes.intersection(open_here())) == 3
    started.end(seconds=seconds)
    assert pipes.isdisjoint(open_here())


def test_it_becomes_somebody_else_before_it_begins() -> None:
    assert run(["/usr/bin/id", "-u"], become=lambda: os.setuid(65534)).out == b"65534\n"

    def refuses() -> None:
        raise PermissionError

    assert run([SHELL, "-c", "echo no"], become=refuses).code == 127


@pytest.mark.parametrize(
    ("words", "given", "request_seconds"),
    [
        (LONG, {"seconds": 2.0}, 60.0),
        (LONG, {}, 2.0),
        (PRATING, {"limit": 1_000_000}, 60.0),
    ],
    ids=["its own time", "that of the request", "output"],
)
def test_what_goes_on_for_too_long_is_killed_with_its_children(
    words: str, given: dict[str, Any], request_seconds: float
) -> None:
    began = time.monotonic()
    Limit.end = began + request_seconds
    said = Started([SHELL, "-c", words]).end(**given)
    assert (said.code, said.err) == (LATE, b"")
    assert time.monotonic() - began < 30
    assert len(said.lines) == 1 or given["limit"] < len(said.out) < 2 * given["limit"]
    while not are_gone(said.lines[0].split()):
        assert time.monotonic() - began < 60
        time.sleep(0.01)


def test_what_says_nothing_for_a_while_is_waited_for() -> None:
    assert run([SHELL, "-c", "sleep 1.3; echo one"]).out == b"one\n"


def test_it_may_print_4_mib() -> None:
    size = 4 * 2**20
    done = run(["/usr/bin/head", "-c", str(size), "/dev/zero"])
    assert (done.code, len(done.out)) == (0, size)
    assert run(["/usr/bin/head", "-c", str(size + 1), "/dev/zero"]).code == LATE


def test_a_bot_of_another_version_knows_the_exit_codes_too() -> None:
    assert (REFUSED, FAILED, LATE) == (64, 1, 124)


def test_what_is_killed_before_it_has_begun_is_gone_as_well() -> None:
    """Then it has no session of its own yet, whose processes could be killed."""
    Limit.end = 0.0
    for _ in range(20):
        started = Started([SHELL, "-c", LONG])
        assert started.end().code == LATE
        assert not Path(f"/proc/{started.pid}").exists()


def test_a_look_ends_with_those_who_wait_for_it() -> None:
    ours, theirs = os.pipe()
    kept = os.dup(1)
    os.dup2(theirs, 1)
    os.close(theirs)
    try:
        assert run([SHELL, "-c", "echo one"]).out == b"one\n"
        Limit.is_look = True
        assert run([SHELL, "-c", "echo one"]).out == b"one\n"
        os.close(ours)
        with pytest.raises(Gone):
            run([SHELL, "-c", LONG])
        Limit.is_look = False
        assert run([SHELL, "-c", "sleep 0.1; echo one"]).out == b"one\n"
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def test_what_comes_elsewhere_meanwhile_is_dealt_with_and_not_waited_for() -> None:
    ours, theirs = os.pipe()
    heard: list[bytes] = []
    os.write(theirs, b"1")

    def hear() -> bool:
        heard.append(os.read(ours, 1))
        return heard[-1] != b"2"

    started = Started([SHELL, "-c", "sleep 0.2; echo one"])
    assert started.end(also={ours: hear}).out == b"one\n"
    assert heard == [b"1"]
    os.write(theirs, b"23")
    assert Started([SHELL, "-c", "sleep 0.2; echo one"]).end(also={ours: hear}).out == b"one\n"
    assert heard == [b"1", b"2"]
    os.close(ours)
    os.close(theirs)


def test_a_request_begins_with_its_whole_time() -> None:
    Limit.end, Limit.is_look, Limit.look_seconds = 0.0, True, 90
    begin_request()
    assert REQUEST_SECONDS - 1 < Limit.end - time.monotonic() <= REQUEST_SECONDS
    assert (Limit.is_look, Limit.look_seconds) == (False, LOOK_SECONDS)


def test_what_is_left_is_told_in_milliseconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "time", SimpleNamespace(monotonic=lambda: 100.0))
    assert [milliseconds_until(end) for end in (100.25, 100.0, 99.0)] == [250.0, 0.0, 0.0]


def test_without_time_nothing_is_waited_for() -> None:
    ours, theirs = os.pipe()
    assert drain({ours: b""}, time.monotonic() - 5, 10) is False
    os.close(theirs)
    assert drain({ours: b""}, time.monotonic() + 5, 10) is True
    os.close(ours)
