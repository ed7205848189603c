"""When a request's card is posted or edited: what each save of a request causes, though nobody asks for it by name."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.core.requests.request import Request
from bot.core.requests.stages import Stage

NEVER_POSTED = -1
_SHOWN = (Stage.WAITING, Stage.APPROVED, Stage.RUNNING, Stage.DONE)


@dataclass(frozen=True, slots=True)
class CardState:
    """How far the card of a request has come. Versions are those of the request."""

    posted_version: int  # which Slack shows
    urgent_version: int  # the newest that people wait for
    posted_at: datetime | None = None
    not_before: datetime | None = None  # Slack asked us to wait until then
    is_overwritten: bool = False  # another process may have posted an older version over the newest one
    is_of_rollout: bool = False  # many targets change it: two edits are an interval apart, whoever waits for them


@dataclass(frozen=True, slots=True)
class CardUpdate:
    """When the card is posted or edited next, and the newest version that people wait for."""

    due_at: datetime
    urgent_version: int


def card_after_save(
    request: Request, card: CardState | None, *, urgent: bool, has_moved: bool, now: datetime, interval: timedelta
) -> CardUpdate | None:
    """The next state of the card when its request is saved; `card` is None while there is none.

    A request gets a card once people are asked or something is done. One that ends before has none: its requester is
    told alone. A card is edited at once if people wait for it; the progress of a running request, and whatever changes
    a rollout, waits until `interval` has passed since the last edit. A pause that Slack asked for is kept in any case.
    """
    if card is None and request.ask.rollout and request.approval is None:
        return None  # the card of its rollout shows it
    if card is None:
        return CardUpdate(now, request.version) if request.stage in _SHOWN else None
    is_progress = request.stage is Stage.RUNNING and not has_moved
    is_urgent = urgent and not is_progress
    is_awaited = is_urgent or card.urgent_version > card.posted_version
    earliest, rested_at = max(now, card.not_before or now), card.posted_at + interval if card.posted_at else now
    due_at = earliest if is_awaited and not card.is_of_rollout else max(earliest, rested_at)
    return CardUpdate(due_at, request.version if is_urgent else card.urgent_version)


def card_after_post(card: CardState, *, newest: int, now: datetime, interval: timedelta) -> datetime | None:
    """When a card that was just posted is edited next; None while it shows `newest`, the version of its request."""
    if newest <= card.posted_version and not card.is_overwritten:
        return None
    is_awaited = card.is_overwritten or card.urgent_version > card.posted_version
    return now if is_awaited and not card.is_of_rollout else now + interval


def card_after_lost_lease(card: CardState, due_at: datetime | None, *, now: datetime, interval: timedelta) -> datetime:
    """When a card is edited once more over which a process has just written that had lost it to another one."""
    earliest = max(now + interval * card.is_of_rollout, card.not_before or now)
    return max(due_at, earliest) if due_at else earliest
