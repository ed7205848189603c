"""The bot as orchestrators, Prometheus, systemd and a log that nobody reads see it; no Slack and no host needed."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli import test_command_line as terminal
from tests.cli.test_command_line import SECONDS, Place, ended


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return terminal.installed(tmp_path)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def fetch(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def until(port: int, path: str, holds: Callable[[int, Any], bool]) -> Any:
    """What a probe answers once it holds."""
    deadline = time.monotonic() + SECONDS
    while True:
        status, text = fetch(port, path)
        if holds(status, found := json.loads(text)):
            return found
        assert time.monotonic() < deadline, text
        time.sleep(0.05)


@pytest.mark.fault("F35", how="Slack away from the start")
def test_probes_say_in_words_what_is_not_well(place: Place, saw: Callable[[str], str]) -> None:
    port = free_port()
    with place.running(MASKBOT_PROBE_PORT=str(port), MASKBOT_HEARTBEAT="0.1") as process:
        ready = until(port, "/readyz", lambda status, found: "loop" in found["components"])
        assert ready["ready"] is False
        assert ready["components"]["slack"]["ok"] is False
        assert saw(next(why for why in ready["why"] if why.startswith("slack: not connected since")))
        assert ready["components"]["database"]["words"] == "can be read and written"
        alive = until(port, "/healthz", lambda status, found: status == 200)
        assert alive["alive"] is True
        status, text = fetch(port, "/metrics")
        assert status == 200
        assert 'maskbot_ready{component="slack"} 0.0' in text
        assert 'maskbot_ready{component="database"} 1.0' in text
        assert 'maskbot_open_requests{stage="waiting"} 0.0' in text
        assert "maskbot_log_dropped_lines_total 0.0" in text
        assert [fetch(port, path)[0] for path in ("/", "/metrics/", "/healthz/x")] == [404, 404, 404]
        rest = ended(process, signal.SIGTERM)
    assert rest[-1] == "stopped\n"
    assert not any("hushhush" in line for line in rest)


def test_unless_a_port_is_given_nobody_can_ask(place: Place) -> None:
    with place.running() as process:
        listening = subprocess.run(["ss", "-Hltnp"], capture_output=True, text=True, check=True).stdout
        assert f"pid={process.pid}," not in listening


def test_an_address_that_is_taken_is_a_sentence(place: Place) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        done = place.maskbot("run", MASKBOT_PROBE_PORT=str(port))
    assert done.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}: Address already in use" in done.stderr


@pytest.mark.fault("F61", how="systemd's watchdog listened to")
def test_systemd_hears_that_it_is_up_that_it_lives_and_that_it_stops(place: Place) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.settimeout(SECONDS)
        systemd.bind(str(place.folder / "notify"))
        heard: list[str] = []

        def hear(word: str) -> None:
            while word not in heard:
                heard.append(systemd.recv(1024).decode())

        with place.running(NOTIFY_SOCKET=str(place.folder / "notify"), MASKBOT_HEARTBEAT="0.1") as process:
            hear("READY=1")
            hear("WATCHDOG=1")
            process.send_signal(signal.SIGTERM)
            hear("STOPPING=1")


@pytest.mark.fault("F56", how="SIGTERM while a call of Slack hangs")
def test_it_ends_within_its_limit_whatever_it_waits_for(place: Place, saw: Callable[[str], str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        address = f"http://127.0.0.1:{deaf.getsockname()[1]}/api/"
        with place.running(SLACK_API_URL=address, MASKBOT_STOP_WITHIN="0.3") as process:
            connected, _ = deaf.accept()
            rest = ended(process, signal.SIGTERM)
            connected.close()
    assert process.returncode == 0
    assert any("not finished in time" in line for line in rest)
    assert "stopped\n" not in rest
    saw("nothing: the next process continues with what is running")


@pytest.mark.fault("F62", how="the pipe of both streams full, and its reader stopped")
def test_a_reader_of_the_log_that_has_stopped_holds_up_nothing(place: Place, saw: Callable[[str], str]) -> None:
    port = free_port()
    settings = {"MASKBOT_PROBE_PORT": str(port), "MASKBOT_HEARTBEAT": "0.1", "MASKBOT_LOG_LEVEL": "debug"}
    reading, writing = os.pipe()
    fill(writing)
    process = subprocess.Popen(
        [sys.executable, "-m", "bot", "run"], env=place.environment | settings, stdout=writing, stderr=writing
    )
    os.close(writing)
    try:
        deadline = time.monotonic() + SECONDS
        while place.maskbot("status").returncode != 1 or "NOT READY" not in place.maskbot("status").stdout:
            assert time.monotonic() < deadline
        assert until(port, "/healthz", lambda status, found: status == 200)
        refused = place.maskbot("list")
        assert refused.returncode in (0, 1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(SECONDS) == 0
        saw("nothing: the bot works on, and ends on SIGTERM")
    finally:
        process.kill()
        process.wait()
        os.close(reading)
    assert place.maskbot("audit", "verify").returncode == 0


def fill(pipe: int) -> None:
    """Until there is room for nothing more."""
    os.set_blocking(pipe, False)
    try:
        while True:
            os.write(pipe, b"x" * 4096)
    except BlockingIOError:
        os.set_blocking(pipe, True)
