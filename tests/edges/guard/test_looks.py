"""How the script of a look is run: what it is given, how long it may take, and with whom it ends."""

import os
import time
from collections.abc import Iterator

import pytest

from bot.core.systemd.host_rules import RIGHTS_FD
from bot.edges.guard import looks
from bot.edges.guard.looks import looked, rights_to_read
from bot.edges.guard.process import Gone, Limit, Refused, begin_request
from tests.edges.guard.streams import streams

WHAT = 'echo "$SSH_CONNECTION $*"'
HOW = "tr '\\0' ' ' </proc/$PPID/cmdline"


@pytest.fixture(autouse=True)
def scripts(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """In place of those that the guard brings."""
    monkeypatch.setattr(looks, "SCRIPTS", {"look": WHAT, "status": WHAT, "scan": HOW, "units": "echo no >&2; exit 3"})
    monkeypatch.setattr(looks, "SIZES", ("short", "full"))
    begin_request()
    yield
    begin_request()


@pytest.mark.parametrize(
    ("words", "user", "given"),
    [
        (["look", "full", "cron.service"], "", "cron.service full "),
        (["look", "short", "cron.service"], "deploy", "cron.service short deploy"),
        (["status", "cron.service"], "deploy", "cron.service deploy"),
    ],
)
def test_a_script_is_given_unit_size_and_user(words: list[str], user: str, given: str) -> None:
    assert looked(words, user, "::1 22").out.decode() == f"::1 22 {given}\n"


def test_it_is_run_by_timeout_for_as_long_as_the_request_says() -> None:
    Limit.look_seconds = 7
    assert looked(["scan"], "", "").out.decode() == f"/usr/bin/timeout -k 2 7 /bin/sh -c {HOW} maskbot-scan "


def test_how_it_ended_is_told() -> None:
    done = looked(["units"], "", "")
    assert (done.code, done.out, done.err) == (3, b"", b"no\n")


@pytest.mark.parametrize("size", ["long", ""])
def test_there_are_these_looks_and_no_others(size: str) -> None:
    with pytest.raises(Refused, match="^there is no such look$"):
        looked(["look", size, "cron.service"], "", "")


def test_it_may_take_its_whole_time_whatever_the_change_before_it_took(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looks, "SCRIPTS", {"look": "sleep 0.1; echo it"})
    Limit.look_seconds, Limit.end = 4, 0.0
    began = time.monotonic()
    assert looked(["look", "full", "cron.service"], "", "").out == b"it\n"
    assert 8 <= Limit.end - began < 8 + time.monotonic() - began
    Limit.end = end = time.monotonic() + 1000
    looked(["look", "full", "cron.service"], "", "")
    assert Limit.end == end


def test_it_ends_with_those_who_wait_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looks, "SCRIPTS", {"look": "sleep 60"})
    with streams(is_heard=False), pytest.raises(Gone):
        looked(["look", "full", "cron.service"], "", "")


def test_it_reads_what_root_would_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looks, "SCRIPTS", {"look": f"cat <&{RIGHTS_FD}"})
    rights = rights_to_read(b"mask\n")
    assert looked(["look", "full", "cron.service"], "", "", rights).out == b"@rights\nmask\n"
    os.close(rights)


def test_what_comes_elsewhere_meanwhile_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    (ours, theirs), (rights, tells) = os.pipe(), os.pipe()

    def hear() -> bool:
        os.write(tells, os.read(ours, 9))
        return False

    monkeypatch.setattr(looks, "SCRIPTS", {"look": f'read -r it <&{RIGHTS_FD}; echo "$it"'})
    os.write(theirs, b"this\n")
    assert looked(["look", "full", "cron.service"], "", "", rights, {ours: hear}).out == b"this\n"
    for end in (ours, theirs, rights, tells):
        os.close(end)
