"""A Web API on loopback that writes down what the SDK really sent, and answers as it was told."""

import json
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl

_PATIENCE = 10  # seconds until a call that never comes fails the test


@dataclass(frozen=True, slots=True)
class Canned:
    """What one method answers."""

    body: Mapping[str, Any] | str
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


_AUTH = {"ok": True, "team_id": "T1", "team": "Lab", "user_id": "UBOT", "user": "maskbot", "bot_id": "BBOT"}


class WebApi:
    """Calls by method name in the order they came, and the answers that tests have prepared."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.answers: dict[str, Canned] = {"auth.test": Canned(_AUTH)}
        self.delays: dict[str, float] = {}  # how long a method takes, in seconds
        self._turns: defaultdict[str, list[Canned]] = defaultdict(list)
        self._calls: defaultdict[str, Queue[dict[str, Any]]] = defaultdict(Queue)

    def answer(self, method: str, body: Mapping[str, Any] | str, status: int = 200, **headers: str) -> None:
        """From now on this method answers so."""
        self.answers[method] = Canned(body, status, {name.replace("_", "-"): value for name, value in headers.items()})

    def answer_in_turn(self, method: str, *bodies: Mapping[str, Any]) -> None:
        """The next calls of this method are answered so, one after the other; then it goes on as it did."""
        self._turns[method] += [Canned(body) for body in bodies]

    def call(self, method: str) -> dict[str, Any]:
        """The next call of this method, waited for."""
        return self._calls[method].get(timeout=_PATIENCE)

    def count(self, method: str) -> int:
        """How many calls of this method nobody has looked at yet."""
        return self._calls[method].qsize()

    def take(self, method: str, arguments: dict[str, Any]) -> Canned:
        """A call came in."""
        time.sleep(self.delays.get(method, 0))
        self._calls[method].put(arguments)
        if self._turns[method]:
            return self._turns[method].pop(0)
        return self.answers.get(method, Canned({"ok": True, "ts": "1700000000.000900"}))


class _Handler(BaseHTTPRequestHandler):
    api: WebApi

    def do_POST(self) -> None:
        """Every method of the Web API, and the response_url of a payload."""
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        is_json = self.headers.get_content_type() == "application/json"
        arguments = json.loads(body or "{}") if is_json else dict(parse_qsl(body))
        answer = self.api.take(self.path.rpartition("/")[2], arguments)
        self._reply(answer)

    def _reply(self, answer: Canned) -> None:
        text = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def web_api() -> Iterator[WebApi]:
    """Serve one until the test is over."""
    handler = type("Handler", (_Handler,), {})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        handler.api = WebApi(f"http://127.0.0.1:{server.server_port}/api/")  # type: ignore[attr-defined]
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield handler.api  # type: ignore[attr-defined]
        finally:
            server.shutdown()
            thread.join()
