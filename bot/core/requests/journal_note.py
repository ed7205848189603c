"""What the journal of a host says of a change: who asked for it, who approved it, why, and until when."""

from datetime import datetime

from bot.core.requests.duration import format_moment
from bot.core.requests.request import Request
from bot.core.systemd.guard import Note

_ITSELF = "maskbot itself"


def journal_note(request: Request, now: datetime) -> Note:
    """The words for the guard, which cleans them again."""
    ask, term = request.ask, request.ask.change.duration
    approvers = [vote.voter_name for vote in request.counted_votes]
    if request.break_glass and request.is_break_glass:
        approvers.append(f"{request.break_glass.name} (break-glass)")
    return Note(
        request=request.id,
        asked_by=_ITSELF if ask.by_itself else ask.requester_name,
        approved_by=", ".join(approvers),
        reason=ask.reason,
        until=format_moment(term.expires_at(now)) if term else "",
    )
