"""What the guard writes into the host's journal, at a socket of this process."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.edges.guard import journal
from bot.edges.guard.journal import Note, cleaned, log

SAID = {
    "request": "R-7",
    "asked_by": "alice",
    "approved_by": "bob",
    "reason": "runaway job",
    "until": "2026-11-29 02:00 UTC",
}


@pytest.fixture
def heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """The journal."""
    monkeypatch.setattr(journal, "SOCKET", str(tmp_path / "socket"))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
        end.bind(str(tmp_path / "socket"))
        end.settimeout(30)
        yield end


def test_where_the_journal_is() -> None:
    assert journal.SOCKET == "/run/systemd/journal/socket"


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ("  runaway \t job\n", "runaway job"),
        ("a\nUNIT=ssh.service\x1b[2J\u202e and\u00a0more\U0001f468\u200d", "a UNIT=ssh.service [2J and more\U0001f468"),
        ("x" * 301, "x" * 300),
        (" " + "x" * 300, "x" * 300),
        ("", ""),
    ],
)
def test_a_text_is_one_line_of_signs_that_can_be_seen(said: str, line: str) -> None:
    assert cleaned(said) == line


@pytest.mark.parametrize(
    ("left_out", "sentence"),
    [
        ((), "it is masked, request R-7, asked by alice, approved by bob, until 2026-11-29 02:00 UTC: runaway job"),
        (("approved_by", "until"), "it is masked, request R-7, asked by alice: runaway job"),
        (("asked_by", "reason"), "it is masked, request R-7, approved by bob, until 2026-11-29 02:00 UTC"),
        (tuple(SAID), "it is masked, request -"),
    ],
)
def test_a_sentence_says_who_and_why_as_far_as_that_was_said(left_out: tuple[str, ...], sentence: str) -> None:
    note = Note({word: text for word, text in SAID.items() if word not in left_out})
    assert note.sentence("it is masked") == sentence


def test_nothing_else_of_a_note_is_kept_and_its_id_is_one_word() -> None:
    note = Note({"request": " R\t8\n9 ", "MESSAGE": "no"})
    assert note.request == "R89"
    assert note.said == {"request": "R 8 9", "asked_by": "", "approved_by": "", "reason": "", "until": ""}


def test_a_line_has_the_fields_by_which_it_is_found(heard: socket.socket) -> None:
    log("cron.service is masked", "cron.service", "", {"request": "R-7", "until": "", "did": "link persistent"})
    assert heard.recv(10_000).decode().splitlines() == [
        "MESSAGE=cron.service is masked",
        "PRIORITY=5",
        "SYSLOG_IDENTIFIER=maskbot-guard",
        "OBJECT_SYSTEMD_UNIT=cron.service",
        "MASKBOT_REQUEST=R-7",
        "MASKBOT_DID=link persistent",
    ]
    log("\udcff", "mine.service", "deploy", {})
    assert heard.recv(10_000).decode().splitlines() == [
        "MESSAGE=?",
        "PRIORITY=5",
        "SYSLOG_IDENTIFIER=maskbot-guard",
        "OBJECT_SYSTEMD_USER_UNIT=mine.service",
        "MASKBOT_USER=deploy",
    ]


def test_without_a_journal_the_change_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "SOCKET", str(tmp_path / "none"))
    log("cron.service is masked", "cron.service", "", {})
