"""Requests that the bot makes by itself: the reason that each gives, and why one waits."""

from bot.core.requests import Request


def expiry_reason(mask: Request) -> str:
    """The reason to undo a mask that has expired."""
    because = "Its hold was lifted" if mask.approved_hold else "It expires now, as approved"
    if mask.aftercare.no_login:
        because = "The bot could not log in again after it"
    return _with_reason(because, mask)


def reapply_reason(mask: Request) -> str:
    """The reason to reapply the mask of a hold."""
    return _with_reason("Held, but taken off", mask)


def waits_for(other: Request) -> str:
    """Another request for the mask is open."""
    return f"Another request about this mask is still {other.stage.words}."


def kill_switch_is_on(by: str) -> str:
    """Nothing is masked while the kill switch is on."""
    return f"The kill switch is on, by {by}."


def pause_reason(times: int) -> str:
    """A mask is removed again and again."""
    return f"The bot masked it again {times} times recently and pauses now."


def _with_reason(because: str, first: Request) -> str:
    return f"{because}: {first.ask.reason}".removesuffix(": ")
