"""Followups from the command line: recorded and handled like those from Slack."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from bot.core.input.dashless import ends, reason_of
from bot.core.input.names import SHOWN, read_duration, read_reason
from bot.core.people.identity import Caller, PersonId
from bot.core.requests import Followup, FollowupCommand, FollowupKind, Request, Tally
from bot.core.time.human_time import read_day
from bot.errors import UsageError
from bot.workflow import Desk
from handlers.cli_replies import BEAT, DONE, FAILED, UNKNOWN, Words, end_message, request_message

_SLACK_ID = re.compile(r"(?:<@)?(?P<id>[UW][A-Z0-9]{2,})(?:\|[^<>]*)?>?", re.ASCII)
_GRANTED = {
    FollowupKind.ASK_FOR_MORE: "The question is on the card.",
    FollowupKind.ANSWER: "The answer is on the card.",
    FollowupKind.HAND_OVER: "Handed over.",
    FollowupKind.SIGN_OFF: "Signed off.",
}
Pause = Callable[[], None]


def wait_for_answer(desk: Desk, pause: Pause, request: Request, words: Words, followup: Followup) -> Iterator[Words]:
    """Wait until the followup is handled. After break-glass, the caller follows the request."""
    while (heard := _answered_followup(desk.request(request.id), followup)) is None:
        pause()
        yield BEAT
    yield request_message(desk.request(request.id))
    if heard.refusal:
        yield end_message(heard.refusal, FAILED)
    elif followup.kind is not FollowupKind.BREAK_GLASS or not words.get("wait", True):
        yield end_message(_GRANTED.get(followup.kind, ""), DONE)


def add_followup(
    desk: Desk, request: Request, words: Words, caller: Caller, people: Mapping[str, PersonId]
) -> Followup:
    """Record the followup. Raises `UsageError`."""
    kind = next((one for one in FollowupKind if one == words.get("kind")), None)
    if kind is None:
        raise UsageError(UNKNOWN)
    command = FollowupCommand(
        kind,
        text=read_reason(str(words.get("text", ""))),
        digest=str(words.get("plan", "")),
        console_works=bool(words.get("console_works")),
        code=str(words.get("code", "")),
        to=whom(str(words.get("to", "")), caller.id, people) if kind is FollowupKind.HAND_OVER else None,
    )
    return desk.followups.add(request.id, command, caller)


def extend(desk: Desk, request: Request, words: Words, caller: Caller) -> Request:
    """Ask for a later expiry of a mask, or for none if no time is given, or for a hold's next review date.

    Raises `UsageError`.
    """
    length, text = str(words.get("until", "")), str(words.get("text", ""))
    reason = read_reason(reason_of(text))
    if length:
        return desk.extensions.extend(request.id, read_duration(length, desk.now), caller, reason=reason)
    if not reason:
        raise UsageError("Keeping a mask needs a reason.")
    if ends(text):
        raise UsageError(
            f"A kept mask never expires. For a later expiry instead, use `maskbot extend {request.id} 2h`. If "
            f"`{reason[:SHOWN]}` is the reason, put `--` before it."
        )
    review = read_day(day, desk.now) if (day := str(words.get("review", ""))) else None
    return desk.extensions.keep(request.id, reason, caller, review=review)


def whom(typed: str, by: PersonId, people: Mapping[str, PersonId]) -> PersonId:
    """A person by their login in `people:`, or by their id in the caller's workspace. Raises `UsageError`."""
    known, found = people.get(typed), _SLACK_ID.fullmatch(typed)
    if known is None and found is None:
        hint = "Use a login mapped by `people:` in policy.yaml, or a Slack id such as U0123BOB1."
        raise UsageError(f"No person has the login or id `{typed[:SHOWN]}`. {hint}")
    return known or replace(by, user=found["id"] if found else "")


def _answered_followup(request: Request, followup: Followup) -> Followup | None:
    """The followup once it has an answer."""
    same = (one for one in request.followups if (one.by, one.kind, one.at) == (followup.by, followup.kind, followup.at))
    return next((one for one in same if one.tally is not Tally.RECORDED), None)
