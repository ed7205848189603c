"""Rate limits: how often one person may ask, and how many requests may be open. Checked before anything is stored."""

from dataclasses import dataclass

from bot.core.policy.calendar_and_limits import RequestLimits
from bot.core.policy.model import Refuse

UNDOS = 6  # undos and extensions for each mask that one person may ask for within a minute
RATE, QUEUE = "rate_limited", "queue_full"


@dataclass(frozen=True, slots=True)
class Traffic:
    """Recent requests and their requesters, beside the request that is to be admitted."""

    lately: int  # by this person, within a minute
    open_requests: int  # by everybody


def there_is_room(traffic: Traffic, bounds: RequestLimits) -> Refuse | None:
    """Refuse a flood of requests before it reaches a host or an approver."""
    if bounds.requests_per_minute is not None and traffic.lately >= bounds.requests_per_minute:
        why = f"You asked {traffic.lately} times within a minute; the policy allows {bounds.requests_per_minute}."
        return Refuse(RATE, why, "Nothing was recorded. Ask again in a minute.")
    if bounds.open_requests is not None and traffic.open_requests >= bounds.open_requests:
        why = f"{traffic.open_requests} requests are already open. No more are accepted until some of them end."
        return Refuse(QUEUE, why, "Nothing was recorded.")
    return None


def there_is_room_for_an_undo(traffic: Traffic, bounds: RequestLimits) -> Refuse | None:
    """Undos and extensions have more room than masks, and a long queue never keeps them out."""
    most = UNDOS * bounds.requests_per_minute if bounds.requests_per_minute is not None else None
    if most is None or traffic.lately < most:
        return None
    why = f"You asked {traffic.lately} times within a minute; undos and extensions are recorded up to {most} times."
    return Refuse(RATE, why, "Nothing was recorded. Ask again in a minute.")
