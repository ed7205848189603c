"""The on-call source, really run and really asked over HTTP: what it answers, and every way to give no answer."""

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from bot.core.people.identity import PersonId, Shift
from bot.core.people.on_call import LARGEST
from bot.core.policy.groups import OnCallSource
from bot.edges.clock import SystemClock
from bot.edges.on_call.schedules import OnCallSchedules
from bot.errors import Unverified

BOB = Shift(PersonId("", "U0BOB"))
SOON, PATIENCE = timedelta(seconds=0.5), timedelta(seconds=30)


def schedules(source: OnCallSource | None, *, ttl: float = 0, token: str = "") -> OnCallSchedules:
    return OnCallSchedules(lambda: source, clock=SystemClock(), ttl=ttl, token=token)


Script = Callable[..., OnCallSource]


@pytest.fixture
def script(tmp_path: Path) -> Script:
    """A command that does what the shell is told here; `$1` is its first argument."""

    def write(text: str, *words: str, deadline: timedelta = PATIENCE) -> OnCallSource:
        path = tmp_path / "on-call"
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return OnCallSource((str(path), *words), deadline=deadline)

    return write


SAYS_BOB = """printf '{"on_call": [{"user": "U0BOB"}]}'"""


class TestCommands:
    def test_what_it_prints_is_the_answer(self, script: Script) -> None:
        assert schedules(script(SAYS_BOB)).shifts("primary") == (BOB,)

    def test_a_shift_ends_by_itself(self, script: Script) -> None:
        until = datetime.now(UTC) + timedelta(hours=1)
        says = script(f"""printf '{{"on_call": [{{"user": "U0BOB", "until": "{until.isoformat()}"}}]}}'""")
        assert schedules(says).shifts("primary") == (Shift(BOB.person, until),)
        over = script(SAYS_BOB.replace('"U0BOB"', '"U0BOB", "until": "2020-01-01T00:00:00Z"'))
        assert schedules(over).shifts("primary") == ()

    def test_the_schedule_is_its_last_argument_and_no_shell_reads_it(self, script: Script, tmp_path: Path) -> None:
        source = script(f'printf "%s\\n" "$@" >{tmp_path}/arguments; {SAYS_BOB}', "--team", "two words; reboot")
        schedules(source).shifts("primary")
        assert (tmp_path / "arguments").read_text() == "--team\ntwo words; reboot\nprimary\n"

    def test_it_is_told_none_of_the_bots_own_secrets(
        self, script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("SLACK_BOT_TOKEN", "MASKBOT_DATABASE_URL", "PAGER_TOKEN"):
            monkeypatch.setenv(name, "secret")
        schedules(script(f"env >{tmp_path}/environment; {SAYS_BOB}")).shifts("primary")
        told = (tmp_path / "environment").read_text()
        assert "PAGER_TOKEN=secret" in told
        assert "SLACK" not in told
        assert "MASKBOT" not in told

    FAILURES = {
        "it fails": (f"{SAYS_BOB}; exit 3", "ended with 3"),
        "it is killed": ("kill -9 $$", "ended with -9"),
        "it says nothing": ("true", "not JSON"),
        "it says something else": ("echo bob", "not JSON"),
        "it prints no text": (r"printf '\377\376'", "not UTF-8 text"),
        "it stays and on": ("yes", f"longer than {LARGEST} bytes"),
    }

    @pytest.mark.parametrize(("text", "why"), FAILURES.values(), ids=FAILURES)
    def test_it_is_a_no_if(self, text: str, why: str, script: Script) -> None:
        with pytest.raises(Unverified, match=f"who is on call for primary .*{why}.*the answer is no for now"):
            schedules(script(text)).shifts("primary")

    def test_a_command_that_is_not_there_is_a_no(self, tmp_path: Path) -> None:
        with pytest.raises(Unverified, match="could not be started: No such file"):
            schedules(OnCallSource((str(tmp_path / "gone"),))).shifts("primary")

    def test_one_that_hangs_is_ended_with_everything_that_it_started(self, script: Script, tmp_path: Path) -> None:
        """Also where it has ended itself, and a child of it holds the pipe."""
        mark = tmp_path / "alive"
        os.mkfifo(mark)
        hangs = script(f"(exec sleep 1000 <>{mark}) & {SAYS_BOB}", deadline=SOON)
        began = time.monotonic()
        with pytest.raises(Unverified, match="no answer within 0.5 s"):
            schedules(hangs).shifts("primary")
        assert time.monotonic() - began < 20
        with pytest.raises(OSError, match="No such device"):  # nobody has it open for reading
            for _ in range(200):
                os.close(os.open(mark, os.O_WRONLY | os.O_NONBLOCK))
                time.sleep(0.05)

    def test_without_a_source_nobody_is_on_call(self) -> None:
        with pytest.raises(Unverified, match="No on-call source is configured"):
            schedules(None).shifts("primary")


class TestAnswersAreKept:
    def test_for_a_moment(self, script: Script, tmp_path: Path) -> None:
        source = script(f"echo asked >>{tmp_path}/asked; {SAYS_BOB}")
        keeping = schedules(source, ttl=60)
        for _ in range(3):
            assert keeping.shifts("primary") == (BOB,)
        keeping.shifts("night")
        assert (tmp_path / "asked").read_text() == "asked\n" * 2

    def test_and_so_are_failures_so_that_who_waited_for_one_need_not_wait_again(
        self, script: Script, tmp_path: Path
    ) -> None:
        keeping = schedules(script(f"echo asked >>{tmp_path}/asked; exit 1"), ttl=60)
        for _ in range(3):
            with pytest.raises(Unverified):
                keeping.shifts("primary")
        assert (tmp_path / "asked").read_text() == "asked\n"

    def test_of_those_who_ask_at_once_one_waits_for_the_source(self, script: Script, tmp_path: Path) -> None:
        keeping = schedules(script(f"echo asked >>{tmp_path}/asked; {SAYS_BOB}"), ttl=60)
        threads = [threading.Thread(target=keeping.shifts, args=("primary",)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (tmp_path / "asked").read_text() == "asked\n"


@dataclass
class Server:
    """How it answers, and what it was asked."""

    port: int = 0
    status: int = 200
    body: bytes = b'{"on_call": [{"user": "U0BOB"}]}'
    headers: Mapping[str, str] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    may_answer: threading.Event = field(default_factory=threading.Event)


class Handler(BaseHTTPRequestHandler):
    told: Server

    def do_GET(self) -> None:
        told = self.told
        told.asked.append((self.path, self.headers.get("Authorization", "")))
        told.may_answer.wait(60)
        with suppress(OSError):  # who asked may have gone
            self.send_response(told.status)
            for name, text in told.headers.items():
                self.send_header(name, text)
            self.end_headers()
            self.wfile.write(told.body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    """An HTTP server on loopback."""
    told = Server()
    told.may_answer.set()
    handler = type("Told", (Handler,), {"told": told})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        told.port = running.server_port
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield told
        told.may_answer.set()
        running.shutdown()
        thread.join()


def at(server: Server, *, deadline: timedelta = PATIENCE) -> OnCallSource:
    return OnCallSource(url=f"http://127.0.0.1:{server.port}/now?schedule={{schedule}}", deadline=deadline)


class TestUrls:
    def test_what_it_answers_is_the_answer(self, server: Server) -> None:
        assert schedules(at(server)).shifts("team:primary") == (BOB,)
        assert server.asked == [("/now?schedule=team%3Aprimary", "")]

    def test_it_is_shown_the_token_and_asked_directly_whatever_proxy_is_set(
        self, server: Server, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:1/")
        schedules(at(server), token="t0ken").shifts("primary")
        assert server.asked[0][1] == "Bearer t0ken"

    FAILURES = {
        "it says no": ({"status": 403}, "answered with 403"),
        "it sends us elsewhere": ({"status": 302, "headers": {"Location": "/elsewhere"}}, "answered with 302"),
        "it says nothing": ({"body": b""}, "not JSON"),
        "it stays and on": ({"body": b" " * (LARGEST + 1)}, f"longer than {LARGEST} bytes"),
        "it answers no text": ({"body": b"\xff\xfe"}, "not UTF-8 text"),
        "it ends too early": ({"body": b'{"on_call": [', "headers": {"Content-Length": "1000"}}, "not JSON"),
    }

    @pytest.mark.parametrize(("how", "why"), FAILURES.values(), ids=FAILURES)
    def test_it_is_a_no_if(self, how: dict[str, object], why: str, server: Server) -> None:
        for name, value in how.items():
            setattr(server, name, value)
        with pytest.raises(Unverified, match=f"who is on call for primary .*{why}") as refused:
            schedules(at(server), token="t0ken").shifts("primary")
        assert "127.0.0.1" not in str(refused.value)
        assert "t0ken" not in str(refused.value)
        assert len(server.asked) == 1

    def test_nobody_there_is_a_no(self) -> None:
        with pytest.raises(Unverified, match="could not be reached"):
            schedules(OnCallSource(url="http://127.0.0.1:1/{schedule}")).shifts("primary")

    def test_one_that_hangs_is_waited_for_no_longer_than_its_deadline(self, server: Server) -> None:
        server.may_answer.clear()
        began = time.monotonic()
        with pytest.raises(Unverified, match="no answer within 0.5 s|could not be reached"):
            schedules(at(server, deadline=SOON)).shifts("primary")
        assert time.monotonic() - began < 20

    def test_a_token_that_no_header_can_hold_is_not_quoted(self, server: Server) -> None:
        with pytest.raises(Unverified, match="its URL cannot be used") as refused:
            schedules(at(server), token="bad\ntoken").shifts("primary")
        assert "token" not in str(refused.value)
