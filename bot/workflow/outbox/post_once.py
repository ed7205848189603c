"""Post each message once: look for an earlier try's message before posting, and delete a duplicate."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

import structlog

from bot.core.cards.blocks import Text
from bot.core.people.identity import Place
from bot.errors import SlackError
from bot.ports import DueMessage
from bot.workflow.process.deps import Deps

log = structlog.get_logger()
T = TypeVar("T")
_SHAPE_REFUSED = frozenset({"invalid_blocks", "msg_blocks_too_long", "msg_too_long"})
_SKEW = timedelta(minutes=10)  # between our clock, which records the try, and Slack's, which stamps messages


def find_posted(deps: Deps, due: DueMessage, place: Place, *, mark: str) -> str:
    """The timestamp of a message that an earlier try posted before it was killed or lost the answer."""
    if due.tried_at is None:
        return ""
    return deps.channel.find(place, mark=mark, since=due.tried_at - _SKEW)


def post(deps: Deps, due: DueMessage, place: Place, *shapes: Text, mark: str) -> str:
    """Post the first version that Slack accepts, unless the message is posted already; return its timestamp."""
    stands = find_posted(deps, due, place, mark=mark)
    return stands or plainer(shapes, lambda shape: deps.channel.post(place, shape, mark=mark))


def post_or_find(deps: Deps, due: DueMessage, channel: str, ts: str, *, version: int) -> None:
    """Record the message's timestamp. If another replica posted it after our lease expired, ours is the duplicate."""
    stands = deps.store.mark_delivered(due, channel=channel, ts=ts, version=version)
    if stands not in ("", ts):
        _delete_duplicate(deps, due, channel, ts)


def post_all(deps: Deps, due: DueMessage, place: Place, texts: Sequence[tuple[str, Text]], *, version: int) -> None:
    """Post the parts of a long message, each with its own mark.

    If another replica went on after our lease expired, it has used some of our parts and duplicated others.
    """
    began = deps.clock.now()
    ours = [(mark, post(deps, due, place, text, mark=mark)) for mark, text in texts]
    last = ours[-1][1] if ours else ""
    if deps.store.mark_delivered(due, channel=place.channel, ts=last, version=version) == last:
        return
    for mark, ts in ours:
        if _has_twin(deps, place, mark, ts, since=began - _SKEW):
            _delete_duplicate(deps, due, place.channel, ts)


def _has_twin(deps: Deps, place: Place, mark: str, ts: str, *, since: datetime) -> bool:
    """Whether the message has a duplicate; if Slack cannot tell, it counts as the only one."""
    try:
        return bool(deps.channel.find(place, mark=mark, since=since, besides=ts))
    except SlackError:
        return False


def _delete_duplicate(deps: Deps, due: DueMessage, channel: str, ts: str) -> None:
    log.warning("message posted after the lease expired", message=due.id, request=due.request_id)
    try:
        deps.channel.delete(channel, ts)
    except SlackError as error:
        log.warning("duplicate message not deleted", message=due.id, request=due.request_id, why=error.code)


def plainer(shapes: Sequence[Text], send: Callable[[Text], T]) -> T:
    """Send a message in the first version that Slack accepts; the last one is plain text."""
    for shape in shapes:
        try:
            return send(shape)
        except SlackError as error:
            if error.code not in _SHAPE_REFUSED:
                raise
            log.error("message sent in a plainer version", why=error.code, text=shape.text)
    return send(Text(shapes[0].text))
