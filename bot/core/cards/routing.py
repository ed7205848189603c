"""Notes beside a new card: in other channels that are told of it, and where the request was made."""

from bot.core.requests import Request


def announced(request: Request, *, waits: bool) -> str:
    """Tell another channel of the request."""
    who = request.ask.requester_name or request.ask.requester.user
    how = "it waits for approval" if waits else "it needs no approval"
    return f"{who} asks for `{request.ask.words}`; {how}."


def elsewhere(request: Request, channel: str) -> str:
    """Tell the requester where the card is; the channel's name may not be known."""
    where = f"#{channel}" if channel else "another channel"
    return f"`{request.ask.words}` waits for approval in {where}."


def needed(request: Request) -> str:
    """Mention approvers in the channel whose thread has the card: a card mentions nobody in a thread."""
    return f"Approval needed: `{request.ask.words}`."
