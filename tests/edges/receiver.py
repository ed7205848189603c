"""A receiver of pages on this machine: it keeps what it was sent, and answers as a test wants it to."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ssl import SSLContext
from typing import Any


@dataclass(frozen=True, slots=True)
class Received:
    """One call."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def event(self) -> Any:
        return json.loads(self.body)


@dataclass(slots=True)
class PageReceiver:
    """`answers` are its next ones; when there are none left it accepts. It answers while `goes_on` is set."""

    url: str = ""
    calls: list[Received] = field(default_factory=list)
    answers: list[tuple[int, Mapping[str, str]]] = field(default_factory=list)
    goes_on: threading.Event = field(default_factory=threading.Event)
    has_arrived: threading.Event = field(default_factory=threading.Event)  # a call, answered or not
    tunnels: list[str] = field(default_factory=list)  # asked for by those who take it for a proxy

    def events(self) -> list[tuple[str, str]]:
        """What it was told, in order: trigger or resolve, and the key."""
        return [(call.event["event"], call.event["dedup_key"]) for call in list(self.calls)]


@contextmanager
def receiving(context: SSLContext | None = None) -> Iterator[PageReceiver]:
    """A receiver for as long as this lasts."""
    receiver = PageReceiver()
    receiver.goes_on.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.has_arrived.set()
            receiver.goes_on.wait()
            status, headers = receiver.answers.pop(0) if receiver.answers else (202, {})
            if status < 300:
                receiver.calls.append(Received(self.path, dict(self.headers), body))
            self.send_response(status)
            for name, value in {"Content-Length": "0", **headers}.items():
                self.send_header(name, value)
            self.end_headers()

        def do_CONNECT(self) -> None:
            receiver.tunnels.append(self.path)
            self.send_error(501)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    receiver.url = f"http{'s' if context else ''}://localhost:{server.server_port}/page?team=sre"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield receiver
    finally:
        receiver.goes_on.set()
        server.shutdown()
        thread.join()
        server.server_close()
