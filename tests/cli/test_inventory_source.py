"""A bot that runs asks a source for hosts: hosts come and go, and what is no good answer changes nothing."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_command_line import Place, installed
from tests.lab.warm import Maskbot

KEY = "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU"
SECONDS = 60.0


def answer(*names: str) -> str:
    hosts = [{"name": name, "address": f"{name}.invalid", "environment": "prod", "host_keys": [KEY]} for name in names]
    return json.dumps({"hosts": hosts})


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """An installation whose source prints the content of a file, or fails without one."""
    one = installed(tmp_path)
    program = tmp_path / "lists"
    program.write_text(f"#!/bin/sh\nexec cat {tmp_path}/answer\n")
    program.chmod(0o755)
    with (tmp_path / "config" / "hosts.yaml").open("a") as file:
        file.write(f"inventory:\n  command: [{program}]\n  keep: {tmp_path}/kept.json\n  every: 10s\n")
    return one


@pytest.fixture
def bot(place: Place) -> Iterator[Maskbot]:
    (place.folder / "answer").write_text(answer("app-01", "app-02"))
    with place.running(MASKBOT_HEARTBEAT="0.5") as process:
        yield process


def said(process: Maskbot, part: str) -> str:
    """The next line with these words."""
    return next((line for line in process.stdout if part in line), "")


def health(place: Place) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(place.maskbot("status", "--json").stdout)
    return found


def test_hosts_come_and_go_and_a_bad_answer_changes_nothing(place: Place, bot: Maskbot) -> None:
    reloaded = said(bot, "configuration reloaded")
    assert "host app-01 is new; host app-02 is new" in reloaded
    kept = place.folder / "kept.json"
    assert (kept.read_text(), kept.stat().st_mode & 0o777) == (answer("app-01", "app-02"), 0o600)

    (place.folder / "answer").write_text(answer("app-02", "app-03"))
    reloaded = said(bot, "configuration reloaded")
    assert "host app-01 is gone; host app-03 is new" in reloaded

    (place.folder / "answer").write_text(answer("app-02", "web-01"))
    assert "already used by host web-01" in said(bot, "inventory.no_good_answer")
    assert kept.read_text() == answer("app-02", "app-03")
    until = time.monotonic() + SECONDS
    while "the last good one stays" not in json.dumps(health(place)):
        assert time.monotonic() < until, health(place)
        time.sleep(0.5)

    (place.folder / "answer").unlink()
    assert "its command ended with 1" in said(bot, "inventory.no_good_answer")
    assert kept.read_text() == answer("app-02", "app-03")


def test_a_bot_starts_with_the_last_good_answer(place: Place) -> None:
    (place.folder / "kept.json").write_text(answer("app-09"))
    (place.folder / "kept.json").chmod(0o600)
    done = place.maskbot("hosts", "scan", "app-09")
    assert "app-09: its address app-09.invalid did not resolve" in done.stdout
