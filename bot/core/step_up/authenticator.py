"""A person's authenticator: offered, confirmed by a first code, used once for each code, locked after wrong ones.

The secret is never stored: it is derived from a seal key and a salt, so that a stolen database does not hold it.
"""

import re
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from bot.core.audit.seal_keys import KeyRing
from bot.core.step_up import totp
from bot.errors import UsageError

SALT_BYTES = 16
MOST_WRONG, WITHIN, LOCKED_FOR = 5, timedelta(minutes=15), timedelta(minutes=15)
OFFERED_FOR = timedelta(minutes=15)  # how long a new secret waits for its first code
_DOMAIN = "step-up"


@dataclass(frozen=True, slots=True)
class Authenticator:
    """What a secret is derived from, and the newest step whose code was used."""

    key: str  # the id of the seal key
    salt: str
    since: datetime
    last_step: int = 0


@dataclass(frozen=True, slots=True)
class StepUpState:
    """Everything that is stored of one person's step-up."""

    authenticator: Authenticator | None = None  # the one whose codes count
    offered: Authenticator | None = None  # shown, and not confirmed by a first code yet
    wrong: tuple[datetime, ...] = ()  # when codes did not count, within the last while
    locked_until: datetime | None = None
    last_event: str = ""  # the id of the newest event about it: an older state does not fit the audit log


class Result(StrEnum):
    """What became of a code."""

    ACCEPTED = "accepted"
    WRONG = "wrong_code"
    USED = "code_used"  # it is right, and it or a later one was used already
    LOCKED = "step_up_locked"
    NOT_ENROLLED = "not_enrolled"
    NOT_OFFERED = "not_offered"  # no new secret waits for its first code
    KEY_GONE = "seal_key_gone"  # the secret is derived from a seal key that the bot does not have any more


@dataclass(frozen=True, slots=True)
class Attempt:
    """What became of a code, and the state after it."""

    state: StepUpState
    result: Result
    locks: bool = False  # this one was the wrong code too many


@dataclass(frozen=True, slots=True)
class Offer:
    """A new secret, for the eyes of its owner alone."""

    secret: str = field(repr=False)  # as people type it
    address: str = field(repr=False)  # as apps open it


def read_code(typed: str) -> str:
    """Six digits, with or without spaces. Raises `UsageError`, which does not repeat what was typed."""
    code = "".join(typed.split())
    if not re.fullmatch(rf"\d{{{totp.DIGITS}}}", code, re.ASCII):
        raise UsageError(f"A code has {totp.DIGITS} digits, as your authenticator app shows them.")
    return code


def use_code(state: StepUpState, subject: str, code: str, keys: KeyRing, now: datetime) -> Attempt:
    """Use a code of the authenticator of `subject`. A code counts once, and none before it counts any more."""
    if state.authenticator is None:
        return Attempt(state, Result.NOT_ENROLLED)
    tried = _try(state, state.authenticator, subject, code, keys, now)
    if isinstance(tried, Attempt):
        return tried
    return Attempt(replace(state, authenticator=tried), Result.ACCEPTED)


def offer(
    state: StepUpState, subject: str, account: str, keys: KeyRing, now: datetime, *, salt: str
) -> tuple[StepUpState, Offer]:
    """Offer a new secret; an earlier offer ends, and the present authenticator goes on until the first code."""
    fresh = Authenticator(keys.keys[0].id, salt, now)
    secret = _secret(fresh, subject, keys) or b""
    return replace(state, offered=fresh), Offer(totp.typed_secret(secret), totp.address(secret, account))


def confirm(state: StepUpState, subject: str, code: str, keys: KeyRing, now: datetime) -> Attempt:
    """Let the offered secret count, from its first code on."""
    offered = state.offered
    if offered is None or now >= offered.since + OFFERED_FOR:
        return Attempt(state, Result.NOT_OFFERED)
    tried = _try(state, offered, subject, code, keys, now)
    if isinstance(tried, Attempt):
        return tried
    return Attempt(replace(state, authenticator=replace(tried, since=now), offered=None), Result.ACCEPTED)


def is_locked(state: StepUpState, now: datetime) -> bool:
    """Whether no code is even compared now."""
    return state.locked_until is not None and now < state.locked_until


def _try(
    state: StepUpState, used: Authenticator, subject: str, code: str, keys: KeyRing, now: datetime
) -> Authenticator | Attempt:
    """The authenticator with this code used, or why it does not count."""
    if is_locked(state, now):
        return Attempt(state, Result.LOCKED)
    secret = _secret(used, subject, keys)
    if secret is None:
        return Attempt(state, Result.KEY_GONE)
    steps = totp.matching_steps(secret, code, now)
    newer = [step for step in steps if step > used.last_step]
    if newer:
        return replace(used, last_step=newer[0])
    result = Result.USED if steps else Result.WRONG
    wrong = (*(at for at in state.wrong if now - at < WITHIN), now)
    if len(wrong) < MOST_WRONG:
        return Attempt(replace(state, wrong=wrong), result)
    return Attempt(replace(state, wrong=(), locked_until=now + LOCKED_FOR), result, locks=True)


def _secret(used: Authenticator, subject: str, keys: KeyRing) -> bytes | None:
    """The secret; None if its seal key is gone."""
    derived = keys.derive(used.key, _DOMAIN, f"{subject}:{used.salt}")
    return derived[: totp.SECRET_BYTES] if derived else None
