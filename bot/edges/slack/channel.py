"""Send messages over Slack's Web API; every failure is one error that says whether a retry can help."""

import os
import re
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit
from urllib.request import proxy_bypass

import structlog
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web import SlackResponse

from bot.core.audit.seal_keys import KeyRing
from bot.core.cards.blocks import Block, Text
from bot.core.cards.sealed import seal_buttons, seal_card
from bot.core.people.identity import HOME, Place
from bot.edges import metrics
from bot.errors import SlackError

log = structlog.get_logger()
Method = Callable[..., SlackResponse]
SLACK_API = "https://slack.com/api/"
CALL_TIMEOUT = 10  # seconds, for a call that nobody waits for
FORM_TIMEOUT = 2  # seconds, for a call before an acknowledgement: the acknowledgement and a trigger expire after three

# Errors that a repetition of the call may not meet again (Slack, "Web API", common errors).
_PASSING = frozenset({"ratelimited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"})
_NOT_THERE = frozenset({"not_in_channel", "channel_not_found", "user_not_in_channel"})
_TOO_MANY, _THEIR_FAULT = 429, 500
_WORD = re.compile(r"[a-z][a-z0-9_]{0,79}")
_APP_OF_TOKEN = re.compile(r"xapp-\d+-(A[A-Z0-9]+)-.+")
_PROXIES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy")
_METADATA = "maskbot_message"
# An app that was installed without this scope; and a thread whose first message was deleted.
_UNREADABLE = frozenset({"missing_scope", "thread_not_found"})
_PAGE, _MOST_PAGES = 200, 20
_PEOPLE = ("U", "W")
# Nothing that people or hosts wrote becomes a link, a mention or a preview.
_AS_IT_IS: dict[str, Any] = {"parse": "none", "link_names": False}
_NO_PREVIEW: dict[str, Any] = {"unfurl_links": False, "unfurl_media": False}


@dataclass(frozen=True, slots=True)
class Account:
    """The bot's own identity in Slack."""

    team: str
    enterprise: str
    user: str
    app: str  # empty if the app token does not contain it


def web_client(token: str, *, base: str = SLACK_API, timeout: int = CALL_TIMEOUT) -> WebClient:
    """A client without retries of its own: those sleep in the caller's thread, and may post a message twice."""
    _mind_no_proxy(base)
    address = base.removesuffix("/") + "/"
    return WebClient(token, base_url=address, timeout=timeout, retry_handlers=[], ssl=_trusting_this_machine())


@cache
def _trusting_this_machine() -> ssl.SSLContext:
    """With the certificates that are trusted here: to read them takes longer than a call, and each call read them."""
    return ssl.create_default_context()


def _mind_no_proxy(base: str) -> None:
    """slack_sdk takes a proxy from the environment and ignores NO_PROXY, also for its web sockets.

    So where NO_PROXY names the address, the proxy variables are removed before slack_sdk reads them. Nothing else here
    uses them.
    """
    host = urlsplit(base).hostname or ""
    if host in ("localhost", "127.0.0.1", "::1") or proxy_bypass(host):
        for name in _PROXIES:
            os.environ.pop(name, None)


def account(client: WebClient, *, app_token: str = "") -> Account:
    """Ask Slack for the bot's identity. Raises `SlackError`."""
    answer = call(client.auth_test)
    app = _APP_OF_TOKEN.fullmatch(app_token)
    if app_token and not app:
        log.warning("slack.app_not_known", hint="the app token has an unusual shape, so payloads of other apps pass")
    return Account(answer["team_id"], answer.get("enterprise_id") or "", answer["user_id"], app[1] if app else "")


def call(method: Method, **arguments: Any) -> SlackResponse:
    """Call a Web API method. Raises `SlackError` for every failure."""
    with metrics.time_slack(method.__name__):
        return _call(method, arguments)


def _call(method: Callable[..., SlackResponse], arguments: Mapping[str, Any]) -> SlackResponse:
    try:
        return method(**arguments)
    except SlackApiError as error:
        raise slack_error(error.response) from error
    except (SlackClientError, HTTPException, OSError, ValueError) as error:
        text = f"Slack could not be reached ({type(error).__name__})."
        raise SlackError(text, code="unreachable", passing=True) from error


def slack_error(answer: SlackResponse, what: str = "it") -> SlackError:
    """Slack's error code if there is one; the body of a 5xx is not Slack's JSON."""
    retry_after = None
    word = str(answer.data.get("error")) if isinstance(answer.data, dict) else ""
    code = word if _WORD.fullmatch(word) else "unreadable_answer"
    if answer.status_code == _TOO_MANY:
        code, retry_after = "ratelimited", _seconds(answer)
    elif answer.status_code >= _THEIR_FAULT:
        code = f"http_{answer.status_code}"
    passing = code in _PASSING or answer.status_code >= _THEIR_FAULT
    return SlackError(f"Slack refused {what} ({code}).", code=code, passing=passing, retry_after=retry_after)


def _seconds(answer: SlackResponse) -> float | None:
    """How long to wait (Slack, "Rate limits"), in seconds, if Slack says so."""
    said = next((value for name, value in answer.headers.items() if name.lower() == "retry-after"), "")
    return float(said) if said.isdecimal() else None


class SlackChannel:
    """Implements `ports.Channel`. The caller is responsible for retries."""

    def __init__(self, client: WebClient, *, keys: KeyRing | None = None) -> None:
        self._client = client
        self._keys = keys

    def use(self, token: str) -> None:
        """Use this token from now on."""
        self._client.token = token

    def post(self, place: Place, text: Text, *, mark: str) -> str:
        """Post, and return the timestamp. Raises `SlackError`; after a passing one the message may still be posted."""
        metadata = {"event_type": _METADATA, "event_payload": {"mark": mark}}
        said = self._for_all(text)
        answer = call(
            self._client.chat_postMessage, metadata=metadata, **_to(place), **said, **_AS_IT_IS, **_NO_PREVIEW
        )
        return str(answer["ts"])

    def find(self, place: Place, *, mark: str, since: datetime, besides: str = "") -> str:
        """The timestamp of our message with this mark; empty if there is none, or if we may not read the channel.

        Raises `SlackError`: then it is not known, and a message that may be there must not be posted again.
        """
        try:
            return find_message(
                self._client, place, since=since, ours=lambda one: _mark(one) == mark and one["ts"] != besides
            )
        except SlackError as error:
            if error.code not in _UNREADABLE:
                raise
            log.warning("slack.search_failed", channel=place.channel, why=error.code)
            return ""

    def update(self, channel: str, ts: str, text: Text) -> None:
        """Replace a message. Raises `SlackError`."""
        call(self._client.chat_update, channel=channel, ts=ts, **self._for_all(text), **_AS_IT_IS)

    def delete(self, channel: str, ts: str) -> None:
        """Delete a message of ours. Raises `SlackError`."""
        call(self._client.chat_delete, channel=channel, ts=ts)

    def whisper(self, place: Place, user: str, text: Text) -> None:
        """Send an ephemeral message; or a direct message, if the person or the bot is in no channel.

        Raises `SlackError`.
        """
        if place.is_home:
            self._tell(user, text)
            return
        theirs = replace(text, blocks=tuple(self._for_one(text.blocks, user, place.channel)))
        try:
            call(self._client.chat_postEphemeral, user=user, **_to(place), **_content(theirs), **_AS_IT_IS)
        except SlackError as error:
            if error.code not in _NOT_THERE:
                raise
            self._tell(user, text)

    def _tell(self, user: str, text: Text) -> None:
        call(self._client.chat_postMessage, channel=user, **self._for_all(text), **_AS_IT_IS, **_NO_PREVIEW)

    def permalink(self, channel: str, ts: str) -> str:
        """A link to a message. Raises `SlackError`."""
        return str(call(self._client.chat_getPermalink, channel=channel, message_ts=ts)["permalink"])

    def publish(self, user: str, page: Block) -> None:
        """Publish somebody's Home tab. Raises `SlackError`."""
        view = {**page, "blocks": self._for_one(page.get("blocks", ()), user, HOME.channel)}
        call(self._client.views_publish, user_id=user, view=view)

    def show(self, form_id: str, form: Block, *, user: str) -> None:
        """Update an open form. Raises `SlackError`, also if it was closed meanwhile."""
        view = {**form, "blocks": self._for_one(form.get("blocks", ()), user, "")}
        call(self._client.views_update, view_id=form_id, view=view)

    def _for_all(self, text: Text) -> dict[str, Any]:
        """A message for everybody. If somebody edits it with our token, its buttons do not fit the new words."""
        return _content(seal_card(text, keys=self._keys) if self._keys else text)

    def _for_one(self, blocks: Sequence[Block], user: str, where: str) -> Sequence[Block]:
        """Blocks that one person alone sees: no message on record shows that their buttons are ours, so a seal does."""
        if not self._keys:
            return blocks
        return seal_buttons(blocks, user=user, where=where, now=datetime.now(UTC), keys=self._keys)


def find_message(client: WebClient, place: Place, *, since: datetime, ours: Callable[[Mapping[str, Any]], bool]) -> str:
    """The timestamp of the message with this mark, among those posted since then; empty if there is none."""
    about = {"channel": _conversation(client, place.channel)} | ({"ts": place.thread} if place.thread else {})
    method: Method = client.conversations_replies if place.thread else client.conversations_history
    cursor = None
    for _ in range(_MOST_PAGES):
        oldest = f"{since.timestamp():.6f}"
        page = call(method, **about, oldest=oldest, limit=_PAGE, cursor=cursor, include_all_metadata=True)
        if ts := next((str(message["ts"]) for message in page["messages"] if ours(message)), ""):
            return ts
        cursor = (page.get("response_metadata") or {}).get("next_cursor")
        if not cursor:
            break
    return ""


def _conversation(client: WebClient, channel: str) -> str:
    """The conversation to read: a direct message is posted to a user id, but read in its channel."""
    if not channel.startswith(_PEOPLE):
        return channel
    return str(call(client.conversations_open, users=channel)["channel"]["id"])


def _mark(message: Mapping[str, Any]) -> object:
    metadata = message.get("metadata") or {}
    return metadata.get("event_type") == _METADATA and (metadata.get("event_payload") or {}).get("mark")


def _to(place: Place) -> dict[str, Any]:
    return {"channel": place.channel, "thread_ts": place.thread or None}


def _content(text: Text) -> dict[str, Any]:
    """Unlike a missing list, an empty list of blocks makes an update remove the old ones."""
    return {"text": text.text, "blocks": list(text.blocks)}
