"""Owners of requests: what only they may do, and what a new owner is told."""

from bot.core.requests import Request, Stage, Transfer

WITH_ITS_MASK = "This change was approved together with the mask. Use the card of the mask."


def only_the_owner(request: Request, what: str) -> str:
    """Why somebody else may not do that."""
    whose = "who owns it now" if request.transfers else "who asked"
    return f"Only {request.owner_name}, {whose}, can {what}."


def cannot_withdraw(request: Request) -> str:
    """Why somebody else may not withdraw the request, and what they may do."""
    deny = " You can deny it." if request.stage is Stage.WAITING else ""
    return only_the_owner(request, "withdraw this") + deny


def withdrawn(request: Request) -> str:
    """Why a request ended: its owner withdrew it."""
    return f"{request.owner_name} withdrew it."


def set_instead(request: Request) -> str:
    """Why a request ended: its owner asked for more in its place."""
    return f"{request.owner_name} withdrew it to ask for it together with what triggers it."


def handed_over(request: Request, transfer: Transfer) -> str:
    """Tell the new owner."""
    return (
        f"{transfer.by_name} hands `{request.ask.words}` over to you. You own it now: "
        "you get its messages, and you may withdraw or undo it."
    )
