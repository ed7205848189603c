"""Secrets that hosts print do not reach the channel."""

from dataclasses import replace

import pytest

from bot.core.cards import evidence
from bot.core.cards.redact import HIDDEN, redact
from tests.core.cards.situations import SENT, proven


@pytest.mark.parametrize(
    "line",
    [
        "PASSWORD=hunter2",
        "db_password: hunter2",
        "--api-key=hunter2",
        "--token hunter2",
        "MY_SECRET='hunter2 and more'",
        "Authorization: Bearer hunter2",
        "postgres://bot:hunter2@db-01/app",
        "token xoxb-hunter2-1",
        "xapp-1-hunter2",
        "AKIAHUNTER2HUNTER2",
        "ghp_hunter2hunter2",
        "eyJhunter2.eyJhunter2.hunter2",
        "  Process: 12 ExecStartPre=/usr/bin/prepare hunter2 (code=exited, status=0/SUCCESS)",
        "  Process: 12 ExecStartPre=/usr/bin/prepare hunter2",
    ],
)
def test_what_looks_like_a_secret_is_hidden(line: str) -> None:
    assert "hunter2" not in redact(line).lower()
    assert HIDDEN in redact(line)


@pytest.mark.parametrize(
    "line",
    [
        "● token.service - Hands out tokens",
        "     Loaded: loaded (/lib/systemd/system/worker.service; enabled; preset: enabled)",
        "Failed to start worker.service: Unit worker.service is masked.",
        "Created symlink /etc/systemd/system/secret.service -> /dev/null.",
        "See https://example.com/docs for details.",
    ],
)
def test_what_people_need_stays(line: str) -> None:
    assert redact(line) == line


@pytest.mark.parametrize(
    "words", ["token-", "_", "1", "token ", "token=", "eyJ-", "eyJa.", "://a:", "bearer ", "xox", "Exec"]
)
def test_no_row_holds_up_the_process_however_long_it_is(words: str) -> None:
    """A row of a host may have megabytes. If each word had the rest of the row read again, this would take hours."""
    assert redact(words * 100_000)


def test_the_rest_of_a_line_with_a_command_stays() -> None:
    line = "  Process: 12 ExecStop=/bin/stop --now (code=exited, status=1/FAILURE)"
    assert redact(line) == f"  Process: 12 ExecStop=/bin/stop {HIDDEN} (code=exited, status=1/FAILURE)"


def test_the_thread_hides_secrets_of_the_status_and_of_answers() -> None:
    loud = tuple(replace(sent, output="password=hunter2") for sent in SENT)
    request = proven(status_before="PASSWORD=hunter2", status_after="TOKEN=hunter2", sent=loud)
    assert all("hunter2" not in block["text"]["text"] for text in evidence(request) for block in text.blocks)
