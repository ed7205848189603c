"""The language of the guard: requests, answers, and what the bot makes of an answer that it did not expect."""

import json

import pytest

from bot.core.policy.decide import decide
from bot.core.policy.model import Refuse
from bot.core.systemd.guard import (
    NAME,
    NEVER,
    PROTOCOL,
    PROTOCOLS,
    RIGHTS,
    Note,
    complaint,
    frame_size,
    read_frame,
    request_line,
)
from bot.core.systemd.look import look_argv
from bot.core.systemd.units import UnitName
from tests.core.situations import POLICY, looked, snapshot

ID = "0a1b"
OURS = f"{PROTOCOL} 0.1.0"
MISSING = "sh: 1: /usr/local/libexec/maskbot-guard:"
NOTE = Note("R-7", "alice", "bob, carol", "a\nreason \x1b[31mwith all\u202e kinds", "2026-11-29T02:00Z")


def test_a_request_is_one_line_with_its_words_and_a_note() -> None:
    line = request_line((NAME, "--user", "deploy", "stop", "indexer.service"), ID, NOTE)
    assert line.count("\n") == 1
    assert json.loads(line) == {
        "protocol": PROTOCOL,
        "id": ID,
        "do": ["stop", "indexer.service"],
        "user": "deploy",
        "seconds": 20,
        "note": {
            "request": "R-7",
            "asked_by": "alice",
            "approved_by": "bob, carol",
            "reason": "a reason with all kinds",
            "until": "2026-11-29T02:00Z",
        },
    }
    assert json.loads(request_line((NAME, "reload"), ID))["note"] == {}


@pytest.mark.parametrize(("deadline", "seconds"), [(25.0, 20), (50.5, 45), (400.0, 90), (2.0, 1)])
def test_a_look_ends_on_the_host_before_the_patience_of_who_waits(deadline: float, seconds: int) -> None:
    assert json.loads(request_line((NAME, "reload"), ID, deadline=deadline))["seconds"] == seconds


def test_a_look_may_be_asked_for_in_the_same_request() -> None:
    then = look_argv(UnitName("cron.service"), size="short")
    asked = json.loads(request_line((NAME, "reload"), ID, then=then))
    assert (asked["then"], asked["about"]) == ("short", "cron.service")
    assert "then" not in json.loads(request_line((NAME, "reload"), ID))


def test_nothing_else_is_ever_sent() -> None:
    with pytest.raises(ValueError, match="nothing but requests to the guard"):
        request_line(("sudo", "-n", "reboot"), ID)


def test_an_answer_is_taken_out_of_its_frame_by_the_lengths_in_bytes() -> None:
    found = read_frame(f"maskbot-guard {PROTOCOL} 0.1.0 {ID} 1 3 4 2\nä\nerr\nlo", ID)
    assert found
    assert (found.protocol, found.version, found.exit_code) == (PROTOCOL, "0.1.0", 1)
    assert (found.stdout, found.stderr, found.look) == ("ä\n", "err\n", "lo")


@pytest.mark.parametrize(
    "stdout",
    [
        "",
        "Welcome!\nmaskbot-guard 1 0.1.0 0a1b 0 0 0 0\n",
        "maskbot-guard 1 0.1.0 0a1b 0 3 0 0\nab",
        "maskbot-guard 1 x 0a1b 0 0 0 0",
        "maskbot-guard 1 0.1.0 ffff 0 0 0 0\n",
    ],
)
def test_what_is_no_whole_frame_is_no_answer_of_a_guard(stdout: str) -> None:
    assert read_frame(stdout, ID) is None


def test_what_a_guard_could_not_read_is_answered_without_an_id() -> None:
    found = read_frame("maskbot-guard 9 7.0.0 - 64 0 0 0\n", ID)
    assert found
    assert (found.protocol, found.exit_code) == (9, 64)


def test_an_answer_says_how_long_it_is_as_soon_as_its_first_line_has_come() -> None:
    whole = f"maskbot-guard 1 0.1.0 {ID} 0 3 4 2\nä\nerr\nlo".encode()
    first = whole.index(b"\n") + 1
    for came in range(len(whole) + 1):
        assert frame_size(whole[:came], ID) == (len(whole) if came >= first else 0)


@pytest.mark.parametrize(
    "said",
    [
        b"W",
        b"Welcome!\n",
        b"maskbot-guard\n",
        b"maskbot-guards 1",
        b"maskbot-guard 1 0.1.0 ffff 0 0 0 0\n",
        b"maskbot-guard 1 0.1.0 - 64 0 0 0\n",
        b"maskbot-guard 1 0.1.0 0a1b 0 0 0 99999999\n",
        b"maskbot-guard 1 " + b"x" * 200,
    ],
)
def test_what_is_not_the_answer_to_this_request_says_nothing_about_its_length(said: bytes) -> None:
    with pytest.raises(ValueError, match="not the answer of a guard"):
        frame_size(said, ID)


@pytest.mark.parametrize(
    ("exit_code", "stderr", "guard", "says"),
    [
        (0, "", OURS, None),
        (0, "", "", None),
        (64, "something else", "", None),
        (127, "sh: 1: other: not found", "", None),
        (64, "maskbot-guard: no such look\n", OURS, "its guard refused the look: no such look."),
        (64, "maskbot-guard: no\n", "9 7.0.0", "its guard (7.0.0) speaks protocol 9, and this bot 1."),
        (64, "maskbot-guard 0123456789ab: not a command of the bot\n", "", "of a version before this bot's oldest"),
        (127, f"{MISSING} not found", "", "is missing or cannot be run"),
        (126, f"{MISSING} Permission denied", "", "is missing or cannot be run"),
    ],
)
def test_a_guard_that_does_not_fit_is_told_from_any_other_failure(
    exit_code: int, stderr: str, guard: str, says: str | None
) -> None:
    found = complaint("web-01", exit_code, stderr, guard)
    assert (found is None) == (says is None)
    if found and says:
        assert says in str(found)
        assert (found.code, found.passing) == ("host_not_ready", False)


def test_a_unit_that_the_host_itself_spares_is_refused_with_that_reason() -> None:
    seen = snapshot(rights=frozenset({*RIGHTS, NEVER}), spared="cron.service is critical on this host (cron*)")
    answer = decide(looked(seen), POLICY)
    assert isinstance(answer, Refuse)
    assert answer.code == "host_policy"
    assert answer.reason == "web-01 itself refuses this unit (host policy); nothing was changed."
    assert answer.hint.endswith("says: cron.service is critical on this host (cron*).")


def test_the_newest_protocol_can_do_all_that_the_bot_needs() -> None:
    assert PROTOCOLS[PROTOCOL] == frozenset(RIGHTS)
