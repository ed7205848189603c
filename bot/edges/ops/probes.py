"""HTTP probes for orchestrators and Prometheus: /healthz, /readyz and /metrics. They tell no secret."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

from prometheus_client import CONTENT_TYPE_LATEST

from bot.core import health
from bot.core.health import ComponentHealth
from bot.edges import metrics
from bot.edges.http.server import HttpLimits, Listener

_JSON, _TEXT = "application/json", "text/plain; charset=utf-8"
_LIMITS = HttpLimits(body=1024, header=16 * 1024, arrival=3, idle=1, connections=50)
_THREADS = 2

ProbeResponse = tuple[HTTPStatus, str, bytes]


class Probes:
    """A WSGI application. It reads only recent results, so that a probe costs nothing and never waits."""

    def __init__(self, found: Callable[[], Sequence[ComponentHealth]]) -> None:
        self._found = found
        self._pages: Mapping[str, Callable[[], ProbeResponse]] = {
            "/healthz": self._health,
            "/readyz": self._readiness,
            "/metrics": _metrics,
        }

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        page = self._pages.get(environ["PATH_INFO"])
        if page is None:
            status, kind, body = _text_response(HTTPStatus.NOT_FOUND)
        elif environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            status, kind, body = _text_response(HTTPStatus.METHOD_NOT_ALLOWED)
        else:
            status, kind, body = page()
        headers = [("Content-Type", kind), ("Content-Length", str(len(body))), ("Cache-Control", "no-store")]
        start(f"{status.value} {status.phrase}", headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    def _health(self) -> ProbeResponse:
        """Whether the process works. A lost Slack or database is no reason to restart it."""
        found = self._found()
        is_alive = health.is_alive(found)
        return _json_response(is_alive, health.document(found, verdict="alive", is_well=is_alive))

    def _readiness(self) -> ProbeResponse:
        """Whether people can use the bot."""
        found = self._found()
        is_ready = health.is_ready(found)
        return _json_response(is_ready, health.document(found, verdict="ready", is_well=is_ready))


def listener(found: Callable[[], Sequence[ComponentHealth]], address: tuple[str, int]) -> Listener:
    """The listener for the probes, not open yet."""
    return Listener(Probes(found), address, limits=_LIMITS, threads=_THREADS)


def _metrics() -> ProbeResponse:
    return HTTPStatus.OK, CONTENT_TYPE_LATEST, metrics.exposition()


def _json_response(is_well: bool, document: Mapping[str, Any]) -> ProbeResponse:  # noqa: FBT001 - it is what is said
    status = HTTPStatus.OK if is_well else HTTPStatus.SERVICE_UNAVAILABLE
    return status, _JSON, (json.dumps(document, indent=2) + "\n").encode()


def _text_response(status: HTTPStatus) -> ProbeResponse:
    return status, _TEXT, f"{status.phrase}\n".encode()
