"""How a request stands, for somebody who comes too late."""

import re

from bot.core.cards.done import title
from bot.core.cards.unrecorded import AS_AFTER
from bot.core.requests import Request, Stage

_DONE = re.compile(r"[^·`\n]+ · (?P<unit>[^\s`]+\.[a-z]+) on (?P<host>[\w.-]+)(\n|$)", re.ASCII)


def not_on_record(shown: str = "") -> str:
    """For a button whose request is not on record. `shown` is what its card said, if the bot posted it so."""
    found = _DONE.match(shown)
    where = f"{found['host']} {found['unit']}" if found else "HOST UNIT"
    return (
        f"This button belongs to a request that is no longer on record ({AS_AFTER}). "
        f"To undo a mask, type `/unmask {where}`."
    )


def how_it_stands(request: Request) -> str:
    """The state of the request, for whoever pressed a button too late."""
    how = f" ({title(request).lower()})" if request.stage is Stage.DONE else ""
    return f"the request is {request.stage.words}{how}."


def describe_decision(request: Request) -> str:
    """Who decided and what the state is, for somebody who voted too late."""
    approvers = ", ".join(vote.voter_name for vote in request.counted_votes)
    if request.stage is Stage.DENIED:
        return f"Too late: {request.because}"
    if request.break_glass and request.is_break_glass:
        return f"Too late: {request.break_glass.name} used break-glass."
    if approvers:
        return f"Too late: {approvers} approved this already."
    return f"Too late: this request is {request.stage.words}."


def already_open(other: Request) -> str:
    """Why a second request for the same unit is refused."""
    who, what = other.ask.requester_name, other.ask.words
    return f"{who} already asked for `{what}`, and that request is still {other.stage.words}. It must end first."
