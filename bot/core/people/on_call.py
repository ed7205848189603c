"""Parse the answer of an on-call source strictly: who is on call, and until when."""

import json
import re
from datetime import datetime
from typing import Any

from bot.core.people.identity import PersonId, Shift

LARGEST = 64 * 1024  # bytes of an answer
_MOST = 50  # people
_USER = re.compile(r"[UW][A-Z0-9]{2,20}", re.ASCII)


def read_shifts(answer: str, *, now: datetime) -> tuple[Shift, ...]:
    """Parse `{"on_call": [{"user": "U0123ABCD", "until": "2026-03-14T18:00:00Z"}]}`; `until` is optional.

    A shift that is over is left out. Raises `ValueError`, which says what is wrong and quotes nothing.
    """
    try:
        said = json.loads(answer, object_pairs_hook=_each_key_once)
    except RecursionError:
        raise ValueError("its answer is nested too deeply") from None
    except json.JSONDecodeError:
        raise ValueError("its answer is not JSON") from None
    if not isinstance(said, dict) or said.keys() != {"on_call"} or not isinstance(said["on_call"], list):
        raise ValueError("its answer has to be an object with a list `on_call` and nothing else")
    if len(said["on_call"]) > _MOST:
        raise ValueError(f"its answer names more than {_MOST} people")
    shifts = [_shift(entry) for entry in said["on_call"]]
    return tuple(shift for shift in shifts if shift.until is None or shift.until > now)


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse duplicate keys, of which JSON parsers choose differently."""
    if len(dict(pairs)) != len(pairs):
        raise ValueError("its answer has a key twice")
    return dict(pairs)


def _shift(entry: object) -> Shift:
    if not isinstance(entry, dict) or not {"user"} <= entry.keys() <= {"user", "until"}:
        raise ValueError("each entry of `on_call` has to be an object with `user`, perhaps `until`, and nothing else")
    user, until = entry["user"], entry.get("until")
    if not isinstance(user, str) or not _USER.fullmatch(user):
        raise ValueError("each `user` has to be a Slack user id, like U0123ABCD")
    return Shift(PersonId("", user), _moment(until))


def _moment(until: object) -> datetime | None:
    if until is None:
        return None
    try:
        at = datetime.fromisoformat(until) if isinstance(until, str) else None
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise ValueError("each `until` has to be a time with its zone, like 2026-03-14T18:00:00Z")
    return at
