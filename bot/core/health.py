"""Signs of life: how each part of the bot is, in words, and what of it somebody outside Slack has to know."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.core.paging import Alert


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits in the store. Ages are in seconds."""

    stages: Mapping[str, int] = field(default_factory=dict)  # requests that are not over
    leases: int = 0
    due: int = 0  # requests that somebody should work on, and nobody does
    due_age: float = 0.0
    undelivered: int = 0  # messages that are due
    retried: int = 0  # those of them that Slack, or the pager, did not take several times
    final_cards: int = 0  # and those of them that would say how a request ended


@dataclass(frozen=True, slots=True)
class ComponentHealth:
    """How one part is. `patience` is how long it may be unwell before somebody is paged; None pages nobody."""

    component: str
    is_well: bool
    words: str
    since: datetime | None = None  # it is so
    needed: bool = True  # without it the bot is not ready
    vital: bool = False  # without it the process should be ended and begun anew
    patience: timedelta | None = None

    @property
    def sentence(self) -> str:
        """For people."""
        since = f" since {self.since.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if self.since else ""
        return f"{self.component}: {self.words}{since}"


def since(
    signs: Iterable[ComponentHealth], before: Mapping[str, ComponentHealth], now: datetime
) -> tuple[ComponentHealth, ...]:
    """The signs with the time from which on each part is as it is; `before` are the last ones."""
    return tuple(replace(sign, since=_begun(sign, before.get(sign.component), now)) for sign in signs)


def _begun(sign: ComponentHealth, before: ComponentHealth | None, now: datetime) -> datetime:
    return before.since if before and before.since and before.is_well == sign.is_well else now


def with_patience(sign: ComponentHealth, patience: timedelta) -> ComponentHealth:
    """The same, and somebody is paged about it after a while."""
    return replace(sign, patience=patience)


def messages(backlog: Backlog) -> ComponentHealth:
    """Whether what has to be said can be said."""
    if not backlog.retried:
        return ComponentHealth("messages", is_well=True, words="nothing waits for long", needed=False)
    cards = f", {backlog.final_cards} of them say how a change ended" if backlog.final_cards else ""
    are = "message is" if backlog.retried == 1 else "messages are"
    return ComponentHealth(
        "messages", is_well=False, words=f"{backlog.retried} {are} tried again and again{cards}", needed=False
    )


def loop(ages: Mapping[str, float], *, longest: float, patience: timedelta) -> ComponentHealth:
    """Whether every thread that looks for work has come round lately; `ages` says how long ago, in seconds.

    Before it begins, and once it is told to end, nobody is paged about it.
    """
    stuck = {name: age for name, age in sorted(ages.items()) if age > longest}
    if not stuck:
        words = "looks for work" if ages else "not begun"
        return ComponentHealth("loop", is_well=bool(ages), words=words, vital=bool(ages))
    names = ", ".join(f"{name} for {age:.0f} s" for name, age in stuck.items())
    return ComponentHealth(
        "loop", is_well=False, words=f"stuck, nothing was heard of {names}", vital=True, patience=patience
    )


def is_ready(signs: Iterable[ComponentHealth]) -> bool:
    """Whether people can use the bot."""
    return all(sign.is_well for sign in signs if sign.needed)


def is_alive(signs: Iterable[ComponentHealth]) -> bool:
    """Whether the process is of any use; what it waits for is no reason to end it."""
    return all(sign.is_well for sign in signs if sign.vital)


def document(signs: Sequence[ComponentHealth], *, verdict: str, is_well: bool) -> Mapping[str, Any]:
    """For programs, with the reasons in words."""
    return {
        verdict: is_well,
        "why": [sign.sentence for sign in signs if not sign.is_well],
        "parts": {
            sign.component: {
                "ok": sign.is_well,
                "words": sign.words,
                "since": sign.since.astimezone(UTC).isoformat(timespec="seconds") if sign.since else None,
                "needed": sign.needed,
            }
            for sign in signs
        },
    }


def alarms(signs: Iterable[ComponentHealth], *, source: str, now: datetime) -> Mapping[str, Alert]:
    """What somebody has to be paged about now, by part. Each bot speaks for itself, so its name is in the key."""
    return {
        sign.component: Alert(
            f"maskbot-{source}-{sign.component}", f"maskbot on {source}: {sign.sentence}", sign.since, source
        )
        for sign in signs
        if not sign.is_well and sign.patience is not None and sign.since and now - sign.since >= sign.patience
    }


def all_clear(page: Alert, sign: ComponentHealth | None, *, now: datetime) -> Alert:
    """The word that an alarm is over."""
    words = sign.sentence if sign else "it is over"
    return replace(page, summary=f"Over: {words}", at=now, is_over=True)
