"""Page somebody about a request when nobody approves or an outcome is unknown, and resolve the alert later."""

from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from bot.core.audit.request_event import event
from bot.core.cards.alert import details, resolution, summary
from bot.core.paging import Alert, key_of
from bot.core.requests import Cause, Paging, Request
from bot.core.requests.timers import is_page_still_needed
from bot.core.time.human_time import humanize
from bot.errors import PagerError, SlackError
from bot.ports import DueMessage, Message, MessageKind
from bot.workflow.process.deps import Deps
from bot.workflow.process.render import in_words, render_or_fall_back
from bot.workflow.requests.results import Update

log = structlog.get_logger()
_LONGEST_PAUSE = 60.0  # seconds between two tries to send an alert


def with_alert(request: Request, cause: Cause, now: datetime) -> Update:
    """The request with an alert that is to be sent."""
    body = summary(request, cause)
    return Update(
        replace(request, paging=Paging(cause, paged_at=now)),
        [event(request, "page.triggered", code=cause, summary=body)],
        [Message(MessageKind.PAGE, to=key_of(request), body=body)],
    )


def page_outcome_unknown(deps: Deps, request: Request, now: datetime) -> Update:
    """Send an alert once the outcome has been unknown for long enough; until then the card says when that will be."""
    since, paging = request.target.unknown_since, request.paging
    if deps.pager is None or since is None or (paging and paging.paged_at and is_page_still_needed(request)):
        return Update(request)
    patience = timedelta(seconds=deps.timings.page_outcome_unknown_after)
    if now < since + patience:
        return Update(replace(request, paging=Paging(Cause.UNKNOWN, due_at=since + patience)))
    paged = with_alert(request, Cause.UNKNOWN, now)
    note = Message(MessageKind.NOTE, body=f"Not known for {humanize(now - since)}: the on-call is paged now.")
    return replace(paged, messages=[*paged.messages, note])


def close_page(deps: Deps, request: Request) -> Request | Update:
    """Resolve the alert of a request, for whatever reason it is over."""
    if request.paging is None or request.paging.paged_at is None or is_page_still_needed(request):
        return request
    told = Message(
        MessageKind.PAGE, to=key_of(request), body=in_words(deps, request, lambda: resolution(request)), is_over=True
    )
    resolved = event(request, "page.resolved", code=request.paging.cause)
    return Update(replace(request, paging=None), [resolved], [told], is_urgent=False)


def send_page(deps: Deps, due: DueMessage, request: Request | None) -> None:
    """Deliver the alert to the pager, or retry later; nobody is paged for what is over by now."""
    message = due.message
    is_stale = request is not None and not message.is_over and not is_page_still_needed(request)
    if deps.pager is None or is_stale:
        log.warning(
            "alert not delivered", request=due.request_id, why="it is over" if is_stale else "no pager is set up"
        )
        deps.store.mark_undelivered(due, retry_in=None)
        return
    try:
        deps.pager.page(_page(deps, message, request))
    except PagerError as error:
        pause = error.retry_after or min(_LONGEST_PAUSE, deps.timings.message_retry * (due.attempts + 1))
        log.error("alert not delivered yet", request=due.request_id, why=str(error), again_in=pause)
        deps.store.mark_undelivered(due, retry_in=timedelta(seconds=pause))
        return
    deps.store.mark_delivered(due, channel="pager", ts="paged", version=request.version if request else 0)


def _page(deps: Deps, message: Message, request: Request | None) -> Alert:
    now = deps.clock.now()
    if request is None:
        return Alert(message.to, message.body, now, is_over=message.is_over)
    since = request.paging.paged_at if request.paging else None
    return Alert(
        key=message.to,
        summary=message.body,
        at=since or now,
        source=request.target.host,
        link=_link(deps, request),
        details=render_or_fall_back(deps, "page", lambda: details(request), dict[str, str]),
        is_over=message.is_over,
    )


def _link(deps: Deps, request: Request) -> str:
    """A link to the card; empty if Slack is away, because the alert must not wait for it."""
    channel, ts = deps.store.card(request.id)
    with suppress(SlackError):
        return deps.channel.permalink(channel, ts) if ts else ""
    return ""
