"""Verify one HTTP request's Slack signature, then pass it on like a payload of Socket Mode.

Bolt's own HTTP adapter reads a body before it knows who wrote it, answers malformed headers with an error of its own,
and loses a command whose text contains `payload`. So the signature is verified here, over the bytes that came, and Bolt
is given the payload itself.
"""

import json
import re
import threading
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl
from wsgiref.types import StartResponse, WSGIEnvironment

import structlog
from slack_bolt import App
from slack_sdk.signature import SignatureVerifier

from bot.edges import metrics
from bot.edges.slack.socket_mode import dispatch

log = structlog.get_logger()

# What Slack sends ("Verifying requests from Slack"); the SDK raises on anything else in these two headers.
_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}")
_RETRY = ("HTTP_X_SLACK_RETRY_NUM", "HTTP_X_SLACK_RETRY_REASON")
_WARN_EVERY = 60.0  # seconds, at least, between two warnings about unsigned requests

HttpResponse = tuple[HTTPStatus, str, str]  # status, content type, body


class SlackRequests:
    """A WSGI application with one address, which answers nobody but Slack."""

    def __init__(self, app: App, *, secret: str, path: str) -> None:
        self._app = app
        self._verifier = SignatureVerifier(secret)
        self._path = path
        self._lock = threading.Lock()
        self._warn_at = 0.0
        self.refused = 0  # requests without a valid signature, since the start
        self.last_heard: datetime | None = None

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        status, kind, text = self._answer(environ)
        body = text.encode()
        start(f"{status.value} {status.phrase}", [("Content-Type", kind), ("Content-Length", str(len(body)))])
        return [body]

    def _answer(self, environ: WSGIEnvironment) -> HttpResponse:
        if environ["PATH_INFO"] != self._path:
            return _text_response(HTTPStatus.NOT_FOUND)
        if environ["REQUEST_METHOD"] != "POST":
            return _text_response(HTTPStatus.METHOD_NOT_ALLOWED)
        body: bytes = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        if _is_certificate_check(body):
            return _text_response(HTTPStatus.OK, "")
        if not self._is_signed(environ, body):
            self._warn()
            return _text_response(HTTPStatus.UNAUTHORIZED)
        self.last_heard = datetime.now(UTC)
        payload = _payload(body.decode(), environ.get("CONTENT_TYPE", ""))
        return self._dispatch(payload, environ) if payload else _text_response(HTTPStatus.BAD_REQUEST)

    def _is_signed(self, environ: WSGIEnvironment, body: bytes) -> bool:
        """Whether Slack sent these bytes within the last five minutes."""
        timestamp = environ.get("HTTP_X_SLACK_REQUEST_TIMESTAMP", "")
        signature = environ.get("HTTP_X_SLACK_SIGNATURE", "")
        if not (_TIMESTAMP.fullmatch(timestamp) and _SIGNATURE.fullmatch(signature)):
            return False
        try:
            return self._verifier.is_valid(body, timestamp, signature)
        except UnicodeDecodeError:  # Slack writes UTF-8
            return False

    def _dispatch(self, payload: Mapping[str, Any], environ: WSGIEnvironment) -> HttpResponse:
        """The handlers' answer, as if the payload had come over Socket Mode."""
        retry = {_header(name): environ[name] for name in _RETRY if name in environ}
        with metrics.time_acknowledgement():
            answer = dispatch(self._app, payload, retry)
        (kind, *_) = answer.headers.get("content-type", ["text/plain; charset=utf-8"])
        return HTTPStatus(answer.status), kind, answer.body or ""

    def _warn(self) -> None:
        """Log a warning, but let nobody fill the log with it."""
        with self._lock:
            self.refused += 1
            if time.monotonic() < self._warn_at:
                return
            self._warn_at = time.monotonic() + _WARN_EVERY
        log.warning("http.not_signed", so_far=self.refused, hint="is SLACK_SIGNING_SECRET that of this app?")


def _is_certificate_check(body: bytes) -> bool:
    """Slack checks the certificate of a command's address now and then, and expects a 200 (Slack, "ssl_check")."""
    return b"ssl_check=1" in body.split(b"&")


def _payload(text: str, content_type: str) -> Mapping[str, Any]:
    """Events are JSON; a click or a form is JSON in a field; a command is fields. Empty if it is none of these."""
    if content_type.partition(";")[0].strip().lower() == "application/json":
        return _object(text)
    fields = dict(parse_qsl(text, keep_blank_values=True))
    return _object(fields["payload"]) if "payload" in fields else fields


def _object(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _header(name: str) -> str:
    return name.removeprefix("HTTP_").replace("_", "-").lower()


def _text_response(status: HTTPStatus, text: str | None = None) -> HttpResponse:
    return status, "text/plain; charset=utf-8", f"{status.phrase}\n" if text is None else text
