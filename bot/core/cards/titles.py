"""Names of requests in head lines and sentences, and the people named in them."""

from collections.abc import Iterator

from bot.core.cards.blocks import Markup, clock, escape, join, mention, words
from bot.core.input.names import REASON_LIMIT
from bot.core.requests import Request, Stage, Tally, Verdict, Vote


def subject(request: Request) -> str:
    """`worker.service on web-01`, with the user if it is a unit of a user's manager.

    `on @web` while people decide about a whole group; a change that ran was made and proven on one host.
    """
    change, hold = request.ask.change, request.ask.change.hold
    whose = f", of user {change.user}" if change.user else ""
    is_of_all = hold is not None and hold.is_group_wide and request.stage not in (Stage.RUNNING, Stage.DONE)
    where = f"@{hold.hosts}" if hold and is_of_all else request.target.host
    return f"{request.target.unit} on {where}{whose}"


def automatic_reason(request: Request) -> str:
    """Why the bot itself made the request."""
    if request.ask.repeats:
        return "put back by its hold"
    return "held with its whole group" if request.ask.is_group_member else "undone automatically"


def what(request: Request) -> str:
    """The kind of request in a word."""
    if request.ask.extends:
        return "extend" if request.ask.change.duration else "keep"
    return request.ask.change.noun


def title(request: Request) -> str:
    """`mask worker.service on web-01`, `extend the mask of worker.service on web-01`."""
    return f"{what(request)}{' the mask of' * bool(request.ask.extends)} {subject(request)}"


def loud_title(request: Request) -> str:
    """The title for a head line: `MASK worker.service on web-01`."""
    return title(request).removesuffix(subject(request)).upper() + subject(request)


def requester_and_reason(request: Request) -> Markup:
    """Who asked, and why, as typed."""
    ask = request.ask
    who = requester(request)
    return words("{} · {}", who, escape(ask.reason, width=REASON_LIMIT)) if ask.reason.strip() else who


def requester(request: Request, did: str = "") -> Markup:
    """`@alice`, or `@alice asked, handed over to @carol`; `did` is the text without a transfer."""
    who = mention(request.ask.requester, request.ask.requester_name)
    if request.transfers:
        return words("{} asked, handed over to {}", who, mention(request.owner, request.owner_name))
    return words("{} {}", who, did) if did else who


def approvals(request: Request) -> Iterator[Markup]:
    """`approved by @bob 03:04:07`; who used break-glass; or why no approval was needed."""
    if request.counted_votes:
        yield words("approved by {}", join(map(with_time, request.counted_votes)))
    if request.break_glass and request.is_break_glass:
        yield words("{} used break-glass", mention(request.break_glass.by, request.break_glass.name))
    elif request.approved_at and request.ask.by_itself and request.because:
        yield words("{}", request.because)
    elif request.approved_at and not request.counted_votes:
        yield (
            words("no approval was needed: {}", request.because) if request.because else words("no approval was needed")
        )


def with_time(vote: Vote) -> Markup:
    """A voter, and when they voted."""
    return words("{} {}", mention(vote.voter, vote.voter_name), clock(vote.at))


def denial(request: Request) -> Vote | None:
    """The denial that ended the request."""
    said_no = (vote for vote in request.votes if vote.verdict is Verdict.DENY and vote.tally is Tally.COUNTED)
    return next(said_no, None)
