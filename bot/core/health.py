"""Health of the bot's components, in words, and what operators must be paged about."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.core.paging import Alert


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits in the store. Ages are in seconds."""

    stages: Mapping[str, int] = field(default_factory=dict)  # requests that are not final
    leases: int = 0
    due: int = 0  # due requests that no worker takes
    due_age: float = 0.0
    undelivered: int = 0  # due messages
    retried: int = 0  # those that Slack, or the pager, refused several times
    final_cards: int = 0  # and those of them that would tell the outcome of a request


@dataclass(frozen=True, slots=True)
class ComponentHealth:
    """The health of one component. `patience` is how long it may be unwell before somebody is paged; None: never."""

    name: str
    is_well: bool
    words: str
    since: datetime | None = None  # since when it is so
    needed: bool = True  # without it the bot is not ready
    vital: bool = False  # without it the process should be restarted
    patience: timedelta | None = None

    @property
    def sentence(self) -> str:
        """For people."""
        since = f" since {self.since.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if self.since else ""
        return f"{self.name}: {self.words}{since}"


def with_since(
    components: Iterable[ComponentHealth], before: Mapping[str, ComponentHealth], now: datetime
) -> tuple[ComponentHealth, ...]:
    """The signs with the time since when each component is in its state; `before` are the previous signs."""
    return tuple(
        replace(component, since=_state_since(component, before.get(component.name), now)) for component in components
    )


def _state_since(component: ComponentHealth, before: ComponentHealth | None, now: datetime) -> datetime:
    return before.since if before and before.since and before.is_well == component.is_well else now


def with_patience(component: ComponentHealth, patience: timedelta) -> ComponentHealth:
    """A copy about which somebody is paged after `patience`."""
    return replace(component, patience=patience)


def messages(backlog: Backlog) -> ComponentHealth:
    """Whether messages can be delivered."""
    if not backlog.retried:
        return ComponentHealth("messages", is_well=True, words="nothing waits for long", needed=False)
    cards = f", {backlog.final_cards} of them say how a change ended" if backlog.final_cards else ""
    are = "message is" if backlog.retried == 1 else "messages are"
    return ComponentHealth(
        "messages", is_well=False, words=f"{backlog.retried} {are} tried again and again{cards}", needed=False
    )


def loop(ages: Mapping[str, float], *, longest: float, patience: timedelta) -> ComponentHealth:
    """Whether every worker thread has come round lately; `ages` are the seconds since each did.

    Nobody is paged about it before the threads start, or once they are told to stop.
    """
    stuck = {name: age for name, age in sorted(ages.items()) if age > longest}
    if not stuck:
        words = "looks for work" if ages else "not begun"
        return ComponentHealth("loop", is_well=bool(ages), words=words, vital=bool(ages))
    names = ", ".join(f"{name} for {age:.0f} s" for name, age in stuck.items())
    return ComponentHealth(
        "loop", is_well=False, words=f"stuck, nothing was heard of {names}", vital=True, patience=patience
    )


def is_ready(components: Iterable[ComponentHealth]) -> bool:
    """Whether people can use the bot."""
    return all(component.is_well for component in components if component.needed)


def is_alive(components: Iterable[ComponentHealth]) -> bool:
    """Whether the process works; whatever it waits for is no reason to restart it."""
    return all(component.is_well for component in components if component.vital)


def document(components: Sequence[ComponentHealth], *, verdict: str, is_well: bool) -> Mapping[str, Any]:
    """A JSON document for programs, with the reasons in words."""
    return {
        verdict: is_well,
        "why": [component.sentence for component in components if not component.is_well],
        "components": {
            component.name: {
                "ok": component.is_well,
                "words": component.words,
                "since": component.since.astimezone(UTC).isoformat(timespec="seconds") if component.since else None,
                "needed": component.needed,
            }
            for component in components
        },
    }


def alarms(components: Iterable[ComponentHealth], *, source: str, now: datetime) -> Mapping[str, Alert]:
    """The open alerts, by component. Each bot reports for itself, so its name is in the alert's key."""
    return {
        component.name: Alert(
            f"maskbot-{source}-{component.name}", f"maskbot on {source}: {component.sentence}", component.since, source
        )
        for component in components
        if not component.is_well
        and component.patience is not None
        and component.since
        and now - component.since >= component.patience
    }


def all_clear(page: Alert, component: ComponentHealth | None, *, now: datetime) -> Alert:
    """The message that resolves an alert."""
    words = component.sentence if component else "it is over"
    return replace(page, summary=f"Over: {words}", at=now, is_over=True)
