"""Examine HTTP mode: whether the bot's listener on this machine answers as Slack requires."""

import json
import time
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException

from slack_sdk.signature import SignatureVerifier

from bot.doctor.check_result import CheckResult
from config.manifest import REQUEST_PATH

_SECONDS = 5.0
_CHALLENGE = "maskbot-doctor"
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where it is reached, not where it listens


def examine_http(address: tuple[str, int], secret: str) -> CheckResult:
    """Send Slack's challenge for a new address. Only Slack itself can test the way from outside."""
    where = f"{address[0]} port {address[1]}"
    try:
        status, said = _challenge(address, secret)
    except ConnectionRefusedError:
        what = f"no bot listens on {where}; start it to test this"
        return CheckResult("Slack", "HTTP", is_ok=True, what=what)
    except (HTTPException, OSError) as error:
        return _wrong(f"what listens on {where} does not answer ({type(error).__name__})")
    if status == HTTPStatus.OK and said == {"challenge": _CHALLENGE}:
        return CheckResult("Slack", "HTTP", is_ok=True, what=f"the bot on {where} answers")
    if status == HTTPStatus.UNAUTHORIZED:
        return _wrong(f"the bot on {where} has another signing secret")
    return _wrong(f"what listens on {where} is not maskbot (status {status})")


def _wrong(what: str) -> CheckResult:
    fix = "Check what listens there, and that `maskbot run` and this command use the same settings."
    return CheckResult("Slack", "HTTP", is_ok=False, what=what, fix=fix)


def _challenge(address: tuple[str, int], secret: str) -> tuple[int, object]:
    body = json.dumps({"type": "url_verification", "challenge": _CHALLENGE})
    now = str(int(time.time()))
    headers = {
        "Content-Type": "application/json",
        "X-Slack-Request-Timestamp": now,
        "X-Slack-Signature": str(SignatureVerifier(secret).generate_signature(timestamp=now, body=body)),
    }
    connection = HTTPConnection(_EVERYWHERE.get(address[0], address[0]), address[1], timeout=_SECONDS)
    try:
        connection.request("POST", REQUEST_PATH, body, headers)
        answer = connection.getresponse()
        text = answer.read(1024)
    finally:
        connection.close()
    return answer.status, _json(text)


def _json(text: bytes) -> object:
    try:
        found: object = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found
