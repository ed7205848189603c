"""Hosts from a URL, over real HTTP and TLS: a good answer is kept, and anything else leaves the last good one."""

import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread

import pytest
import yaml
from pydantic import SecretStr

from bot.app.inventory import InventoryAnswers
from bot.core.hosts.inventory import InventorySource
from bot.errors import ConfigError
from config.hosts import read_inventory
from config.settings import Settings
from config.strict_yaml import read_document
from tests.edges.outbound.test_paging import self_signed

KEY = "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU"
TOKEN = "t0k3n"


def answer(*names: str, **more: object) -> bytes:
    hosts = [{"name": name, "address": f"{name}.invalid", "environment": "prod", "host_keys": [KEY]} for name in names]
    return json.dumps({"hosts": hosts, **more}).encode()


@dataclass
class Server:
    """What it answers next, and what it was asked."""

    port: int = 0
    status: int = 200
    body: bytes = answer("app-01")
    place: str = ""  # where it redirects to
    goes_on: Event = field(default_factory=Event)
    asked: list[tuple[str, str | None]] = field(default_factory=list)


@contextmanager
def serving(context: ssl.SSLContext | None = None) -> Iterator[Server]:
    """An HTTP server on this machine."""
    server = Server()
    server.goes_on.set()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.asked.append((self.path, self.headers["Authorization"]))
            server.goes_on.wait()
            self.send_response(server.status)
            for name, value in {"Location": server.place, "Content-Length": str(len(server.body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(server.body)

        def log_message(self, *_: object) -> None:
            """Nothing is said."""

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if context:
        listening.socket = context.wrap_socket(listening.socket, server_side=True)
    server.port = listening.server_port
    thread = Thread(target=listening.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.goes_on.set()
        listening.shutdown()
        thread.join()
        listening.server_close()


@dataclass
class Place:
    """The bot's files, and how it asks."""

    folder: Path

    def source(self, url: str, **more: object) -> InventorySource:
        """As `hosts.yaml` names it."""
        given = {"url": url, "keep": str(self.folder / "kept.json"), "deadline": "2s", **more}
        own = {"name": "web-01", "address": "192.0.2.11", "environment": "prod", "host_keys": [KEY]}
        (self.folder / "hosts.yaml").write_text(yaml.safe_dump({"hosts": [own], "inventory": given}))
        source = read_inventory(read_document(self.folder / "hosts.yaml")).source
        assert source
        return source

    @property
    def answers(self) -> InventoryAnswers:
        return InventoryAnswers(Settings(config_dir=self.folder, inventory_token=SecretStr(TOKEN)))

    @property
    def kept(self) -> bytes:
        return (self.folder / "kept.json").read_bytes()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_a_good_answer_over_tls_is_kept_and_the_token_goes_only_to_a_server_that_is_vouched_for(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = self_signed(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with serving(context) as server:
        source = place.source(f"https://localhost:{server.port}/hosts?site=1")
        with pytest.raises(ValueError, match="its URL could not be reached"):
            place.answers.renew(source)
        assert server.asked == []

        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert place.answers.renew(source) is True
        assert server.asked == [("/hosts?site=1", f"Bearer {TOKEN}")]
        assert place.kept == answer("app-01")
        assert place.answers.renew(source) is False
        server.body = answer("app-01", "app-02")
        assert place.answers.renew(source) is True
        assert place.kept == server.body


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"status": 503}, "its URL answered with 503"),
        ({"status": 302, "place": "/elsewhere"}, "its URL answered with 302"),
        ({"body": b"x" * (1024 * 1024 + 1)}, "its answer is longer than 1048576 bytes"),
        ({"body": b"\xff\xfe"}, "its answer is not UTF-8 text"),
        ({"body": answer("web-01")}, "already used by host web-01"),
        ({"body": answer("app-02", more=1)}, "more: unknown key"),
        ({"body": b"<html>sign in</html>"}, "has to be a mapping"),
        ({"body": b""}, "hosts: is missing"),
    ],
)
def test_what_is_no_good_answer_leaves_the_last_good_one(place: Place, changed: dict[str, object], why: str) -> None:
    with serving() as server:
        source = place.source(f"http://127.0.0.1:{server.port}/")
        place.answers.renew(source)
        for name, value in changed.items():
            setattr(server, name, value)
        with pytest.raises((ValueError, ConfigError), match=why) as refused:
            place.answers.renew(source)
        assert TOKEN not in str(refused.value)
        assert (place.kept, len(server.asked)) == (answer("app-01"), 2)  # no redirect was followed


def test_a_server_that_does_not_answer_ends_at_the_deadline(place: Place) -> None:
    with serving() as server:
        source = replace(place.source(f"http://127.0.0.1:{server.port}/"), deadline=timedelta(seconds=0.2))
        server.goes_on.clear()
        with pytest.raises(ValueError, match="its URL gave no answer within 0.2 s|could not be reached"):
            place.answers.renew(source)
        assert not (place.folder / "kept.json").exists()
