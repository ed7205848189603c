"""HTTP mode over a real port: what Slack signed reaches the same handlers, once; everything else is turned away."""

import json
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from wsgiref.types import StartResponse

import pytest
from slack_sdk.signature import SignatureVerifier

from bot.core.cards import forms
from bot.core.cards.blocks import Action
from bot.core.requests import Verdict
from bot.doctor.http import examine_http
from bot.edges.http.server import Listener
from bot.edges.slack.http_mode import HttpLimits, HttpServer
from bot.edges.slack.http_requests import SlackRequests
from bot.errors import ConfigError
from config.manifest import REQUEST_PATH
from tests.handlers.payloads import click, command, mention, submission
from tests.handlers.world import World
from tests.lab.slack.signed import FORM, SignedRequest, sign

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"  # the one of Slack's own example
LIMITS = HttpLimits()
SECONDS = 10.0


@dataclass(frozen=True)
class Said:
    """What came back."""

    status: int
    body: str
    headers: dict[str, str]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Endpoint:
    """The bot's port, and Slack in front of it."""

    server: HttpServer
    requests: SlackRequests
    port: int

    def post(self, payload: dict[str, Any], **how: Any) -> Said:
        """Slack sends this."""
        return self.send(sign(payload, SECRET, **how))

    def send(self, request: SignedRequest, *, path: str = REQUEST_PATH, method: str = "POST") -> Said:
        """Somebody sends this."""
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)) as connection:
            connection.request(method, path, request.body, request.headers)
            return _content(connection.getresponse())


def _content(answer: HTTPResponse) -> Said:
    return Said(answer.status, answer.read().decode(), dict(answer.getheaders()))


@contextmanager
def listening(world: World, limits: HttpLimits = LIMITS) -> Iterator[Endpoint]:
    """The app behind a port of its own."""
    requests = SlackRequests(world.app, secret=SECRET, path=REQUEST_PATH)
    server = HttpServer(requests, ("127.0.0.1", 0), limits=limits)
    with closing(server):
        server.connect()
        yield Endpoint(server, requests, server.port)


@pytest.fixture
def endpoint(world: World) -> Iterator[Endpoint]:
    with listening(world) as one:
        yield one


class TestWhatSlackSigned:
    def test_a_command_is_recorded_and_its_canonical_form_answered_to_its_sender_alone(
        self, world: World, endpoint: Endpoint
    ) -> None:
        said = endpoint.post(command("web-01 cron —runtime “runaway job”"))
        (request,) = world.requests()
        assert (str(request.ask.change), request.ask.reason) == ("mask web-01 cron.service --runtime", '"runaway job"')
        assert (said.status, said.json["response_type"]) == (200, "ephemeral")
        assert "mask web-01 cron.service --runtime" in said.json["text"]

    def test_a_reason_may_hold_any_word(self, world: World, endpoint: Endpoint) -> None:
        """Bolt's own parser takes a body with `payload` in it for a click, finds no click, and drops the command."""
        reason = "payload={} ssl_check=1&payload=%7B%7D the payload queue is stuck"
        assert endpoint.post(command(f"web-01 cron {reason}")).status == 200
        (request,) = world.requests()
        assert request.ask.reason == reason

    def test_a_mistake_is_answered(self, world: World, endpoint: Endpoint) -> None:
        assert "pattern" in endpoint.post(command("web-01 cr*")).json["text"]
        assert world.requests() == []

    def test_a_click_counts(self, world: World, endpoint: Endpoint) -> None:
        request = world.waiting()
        said = endpoint.post(click(Action.APPROVE, f"{request.id}:0123456789ab"))
        assert (said.status, said.body) == (200, "")
        (vote,) = world.store.get(request.id).votes
        assert (vote.voter.user, vote.verdict) == ("UBOB", Verdict.APPROVE)

    def test_a_form_shows_its_mistakes_and_takes_the_corrected_words(self, world: World, endpoint: Endpoint) -> None:
        assert endpoint.post(command("")).status == 200
        form = world.slack.call("views.open")["view"]
        wrong = endpoint.post(submission(form, {forms.HOST: "web-01", forms.UNIT: "cr*"}))
        assert set(wrong.json["errors"]) == {forms.UNIT}
        assert endpoint.post(submission(form, {forms.HOST: "web-01", forms.UNIT: "cron"})).body == ""
        assert [str(request.ask.change) for request in world.requests()] == ["mask web-01 cron.service"]

    def test_a_mention_is_heard(self, world: World, endpoint: Endpoint) -> None:
        assert endpoint.post(mention("mask web-01 cron", thread="1700000000.000100")).status == 200
        (request,) = world.requests()
        assert request.ask.place.thread == "1700000000.000100"

    def test_a_new_address_is_confirmed(self, endpoint: Endpoint) -> None:
        said = endpoint.post({"type": "url_verification", "challenge": "3eZbrw1aB", "token": "legacy"})
        assert (said.status, said.json) == (200, {"challenge": "3eZbrw1aB"})

    def test_its_look_at_the_certificate_is_answered_and_nothing_more(self, world: World, endpoint: Endpoint) -> None:
        unsigned = SignedRequest({"Content-Type": FORM}, b"ssl_check=1&token=legacy&command=/mask&text=web-01+cron")
        said = endpoint.send(unsigned)
        assert (said.status, said.body) == (200, "")
        assert world.requests() == []

    def test_another_team_is_turned_away_as_over_a_socket(self, world: World, endpoint: Endpoint) -> None:
        assert "workspaces in its policy" in endpoint.post(command("web-01 cron", team="TEVIL")).json["text"]
        assert world.requests() == []

    def test_what_nobody_listens_for_is_not_acknowledged(self, endpoint: Endpoint) -> None:
        assert endpoint.post(command("web-01 cron", name="/other")).status == 404

    def test_what_cannot_be_read_is_acknowledged_so_that_slack_does_not_send_it_again(self, endpoint: Endpoint) -> None:
        odd = {"type": "event_callback", "event": ["odd"], "team_id": "T1", "api_app_id": "A1"}
        assert endpoint.post(odd).status == 200


class TestMoreThanOnce:
    """A signature holds for five minutes, and Slack sends an event again when nobody acknowledged it."""

    @pytest.mark.parametrize(
        "payload", [command("web-01 cron"), mention("mask web-01 cron")], ids=["command", "mention"]
    )
    def test_the_identical_request_is_recorded_once(
        self, world: World, endpoint: Endpoint, payload: dict[str, Any]
    ) -> None:
        request = sign(payload, SECRET)
        with ThreadPoolExecutor(5) as anybody:
            answers = list(anybody.map(lambda _: endpoint.send(request), range(5)))
        assert {answer.status for answer in answers} == {200}
        assert len(world.requests()) == 1
        assert len(world.events("request.received")) == 1

    def test_the_identical_click_is_one_vote(self, world: World, endpoint: Endpoint) -> None:
        request = world.waiting()
        once = sign(click(Action.APPROVE, f"{request.id}:0123456789ab"), SECRET)
        assert [endpoint.send(once).status for _ in range(3)] == [200, 200, 200]
        assert len(world.store.get(request.id).votes) == 1

    def test_an_event_delivered_again_is_processed_once_and_not_thrown_away(
        self, world: World, endpoint: Endpoint
    ) -> None:
        event = mention("mask web-01 cron")
        assert endpoint.post(event, retry=1).status == 200
        assert endpoint.post(event, retry=2).status == 200
        assert len(world.requests()) == 1

    def test_an_event_that_could_not_be_recorded_is_not_acknowledged(
        self, world: World, endpoint: Endpoint, tmp_path: Path
    ) -> None:
        event = mention("mask web-01 cron")
        with closing(sqlite3.connect(tmp_path / "maskbot.db")) as other:
            other.execute("BEGIN IMMEDIATE")
            assert endpoint.post(event).status == 500
            other.rollback()
        assert endpoint.post(event, retry=1).status == 200
        assert len(world.requests()) == 1


def _with(header: str, value: str | None) -> SignedRequest:
    """A good request with one header different."""
    good = sign(command("web-01 cron"), SECRET)
    others = {name: text for name, text in good.headers.items() if name != header}
    return replace(good, headers=others | ({header: value} if value is not None else {}))


STAMP, SIGNATURE = "X-Slack-Request-Timestamp", "X-Slack-Signature"
FORGED = {
    "no headers at all": SignedRequest({"Content-Type": FORM}, sign(command("web-01 cron"), SECRET).body),
    "no timestamp": _with(STAMP, None),
    "no signature": _with(SIGNATURE, None),
    "another secret": sign(command("web-01 cron"), "another"),
    "another body": replace(sign(command("web-01 cron"), SECRET), body=b"command=/mask&text=web-01+ssh"),
    "too old": sign(command("web-01 cron"), SECRET, at=time.time() - 301),
    "from the future": sign(command("web-01 cron"), SECRET, at=time.time() + 3600),
    "a timestamp that is no number": _with(STAMP, "now"),
    "a timestamp in other digits": _with(STAMP, "\u00b2\u00b3"),
    "a timestamp without end": _with(STAMP, "9" * 5000),
    "an empty timestamp": _with(STAMP, ""),
    "a signature that is not ASCII": _with(SIGNATURE, "v0=\u00fc" + "0" * 63),
    "a signature of another kind": _with(SIGNATURE, "v1=" + "0" * 64),
    "JSON that is none": SignedRequest({"Content-Type": "application/json"}, b"{"),
    "JSON without end": SignedRequest({"Content-Type": "application/json"}, b"[" * 100_000),
    "bytes that are no text": SignedRequest(_with(STAMP, str(int(time.time()))).headers, b"\xff\xfe"),
}


class TestWhatSlackDidNotSign:
    @pytest.mark.parametrize("request_", FORGED.values(), ids=FORGED)
    def test_it_is_turned_away_whatever_it_is(self, world: World, endpoint: Endpoint, request_: SignedRequest) -> None:
        assert endpoint.send(request_).status == 401
        assert world.requests() == []
        assert endpoint.requests.refused == 1

    @pytest.mark.parametrize("body", ["[]", "1", '"text"', "{", "null"])
    def test_what_makes_no_sense_is_turned_away_even_if_it_is_signed(self, endpoint: Endpoint, body: str) -> None:
        assert endpoint.send(_signed_text(body, "application/json")).status == 400
        assert endpoint.send(_signed_text(f"payload={body}", FORM)).status == 400

    def test_no_header_of_theirs_steers_bolt(self, world: World, endpoint: Endpoint) -> None:
        good = sign(command("web-01 cron"), SECRET)
        endpoint.send(replace(good, headers=good.headers | {"X-Slack-Bolt-Lazy-Only": "1"}))
        assert len(world.requests()) == 1

    def test_there_is_one_address_and_it_takes_posts(self, endpoint: Endpoint) -> None:
        good = sign(command("web-01 cron"), SECRET)
        assert [endpoint.send(good, path=path).status for path in ("/", "/slack/install", "/slack/events/")] == [
            404
        ] * 3
        assert endpoint.send(SignedRequest({}, b""), method="GET").status == 405
        assert "Server" not in endpoint.send(good, path="/").headers


def _signed_text(text: str, kind: str) -> SignedRequest:
    """Whatever it is, with a signature that holds for it."""
    stamp = str(int(time.time()))
    signature = str(SignatureVerifier(SECRET).generate_signature(timestamp=stamp, body=text))
    return SignedRequest({"Content-Type": kind, STAMP: stamp, SIGNATURE: signature}, text.encode())


class TestLimits:
    def test_a_body_beyond_its_limit_is_not_read(self, world: World) -> None:
        with listening(world, replace(LIMITS, body=2048)) as endpoint:
            assert endpoint.post(command("web-01 cron " + "x" * 3000)).status == 413
            assert endpoint.post(command("web-01 cron")).status == 200

    def test_headers_beyond_their_limit_are_not_read(self, world: World) -> None:
        with listening(world, replace(LIMITS, header=1024)) as endpoint:
            assert endpoint.send(_with("X-Long", "x" * 2048)).status == 431

    def test_a_request_that_drips_in_is_cut_off(self, world: World) -> None:
        with listening(world, replace(LIMITS, arrival=0.2)) as endpoint:
            began = time.monotonic()
            with closing(socket.create_connection(("127.0.0.1", endpoint.port), SECONDS)) as slow:
                slow.sendall(f"POST {REQUEST_PATH} HTTP/1.1\r\n".encode())
                while not _is_closed(slow):
                    assert time.monotonic() - began < SECONDS

    def test_those_who_send_slowly_keep_nobody_from_being_acknowledged(self, world: World, endpoint: Endpoint) -> None:
        slow = [socket.create_connection(("127.0.0.1", endpoint.port), SECONDS) for _ in range(60)]
        for one in slow:
            one.sendall(f"POST {REQUEST_PATH} HTTP/1.1\r\nContent-Length: 1000\r\n\r\n".encode())
        with ThreadPoolExecutor(20) as people:
            typed = [command(f"web-01 unit{number} flood") for number in range(20)]
            statuses = list(people.map(lambda one: endpoint.post(one).status, typed))
        assert statuses == [200] * 20
        assert len(world.requests()) == 20
        for one in slow:
            one.close()


def _is_closed(connection: socket.socket) -> bool:
    """Send one more byte, and see whether anybody still takes it."""
    try:
        connection.sendall(b"x")
        connection.settimeout(0.05)
        return connection.recv(1) == b""
    except TimeoutError:
        return False
    except OSError:
        return True


class TestComingAndGoing:
    def test_a_port_that_is_taken_is_said(self, world: World, endpoint: Endpoint) -> None:
        second = HttpServer(endpoint.requests, ("127.0.0.1", endpoint.port), limits=LIMITS)
        with pytest.raises(ConfigError, match=f"cannot listen on 127.0.0.1:{endpoint.port}"):
            second.connect()
        assert not second.is_connected
        assert second.state == "not listening"

    def test_its_state_says_whether_slack_has_found_its_way(self, endpoint: Endpoint) -> None:
        assert endpoint.server.state == f"listening on 127.0.0.1:{endpoint.port}, nothing heard from Slack yet"
        endpoint.send(FORGED["another secret"])
        endpoint.post(mention("help"))
        assert "last heard from Slack at 2" in endpoint.server.state
        assert endpoint.server.state.endswith("; 1 requests without its signature")

    def test_what_came_in_is_finished_when_it_ends(self, world: World, endpoint: Endpoint) -> None:
        came, may_go_on = threading.Event(), threading.Event()

        @world.app.middleware
        def hold(next_: Callable[[], None]) -> None:
            came.set()
            may_go_on.wait(SECONDS)
            next_()

        with ThreadPoolExecutor(2) as people:
            answer = people.submit(endpoint.post, command("web-01 cron"))
            assert came.wait(SECONDS)
            end = people.submit(endpoint.server.close)
            may_go_on.set()
            assert answer.result(SECONDS).status == 200
            end.result(SECONDS)
        assert len(world.requests()) == 1
        assert not endpoint.server.is_connected
        with pytest.raises(OSError):
            endpoint.post(command("web-01 cron"))

    def test_doctor_asks_it_what_slack_would_ask(self, world: World, endpoint: Endpoint) -> None:
        address = ("127.0.0.1", endpoint.port)
        assert examine_http(address, SECRET).is_ok
        assert "another signing secret" in examine_http(address, "another").what
        endpoint.server.close()
        gone = examine_http(address, SECRET)
        assert (gone.is_ok, "no bot listens" in gone.what) == (True, True)

    def test_doctor_says_when_something_else_listens_there(self, world: World) -> None:
        port = urlsplit(world.slack.base).port
        assert port
        found = examine_http(("127.0.0.1", port), SECRET)
        assert (found.is_ok, found.fix != "") == (False, True)

    def test_doctor_says_so_whatever_it_answers(self) -> None:
        def nested(_: object, start: StartResponse) -> list[bytes]:
            start("200 OK", [("Content-Length", "1000")])
            return [b"[" * 1000]

        other = Listener(nested, ("127.0.0.1", 0), limits=LIMITS, threads=1)
        with closing(other):
            other.open()
            assert "is not maskbot" in examine_http(("127.0.0.1", other.port), SECRET).what
