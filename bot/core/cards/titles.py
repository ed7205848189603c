"""Names of requests in head lines and sentences, and the people named in them."""

from collections.abc import Iterator, Sequence

from bot.core.cards.blocks import Markup, clock, escape, join, mention, words
from bot.core.input.names import REASON_LIMIT
from bot.core.policy.rules.observe import ONLY_OBSERVES
from bot.core.requests import NewKind, Request, Rollout, Selection, Stage, Tally, Verdict, Vote
from bot.core.text.sanitize import clean

_NEW_KINDS = {NewKind.ENDING: "give an end to", NewKind.HELD: "hold", NewKind.LOOKED_AT: "keep"}
_NAME = 40  # characters of a name in the head line of a rollout, so that what follows it is still read
_NAMED = 3  # as many units or hosts are named there; more are counted


def subject(request: Request) -> str:
    """`worker.service on web-01`, with the user if it is a unit of a user's manager.

    A rollout: `nginx.service on 12 of 14 hosts of @web`.
    """
    change = request.ask.change
    whose = f", of user {change.user}" if change.user else ""
    if is_rollout(request):
        return f"{units_of(request)} on {_hosts(request)}{whose}"
    return f"{request.target.unit} on {request.target.host}{whose}"


def stage_words(request: Request) -> str:
    """`denied`; what was approved and only observed is not called refused."""
    is_observed = request.stage is Stage.REFUSED and request.because.startswith(ONLY_OBSERVES)
    return "observed" if is_observed else request.stage.words


def is_rollout(request: Request) -> bool:
    """Whether the request is about many targets, each of which has a request of its own."""
    return request.ask.selection is not None or request.rollout is not None


def units_of(request: Request) -> str:
    """The units of a rollout: those of its plan, or as typed while there is none."""
    planned = request.rollout.planned if request.rollout else ()
    found = dict.fromkeys(str(one.unit) for one in planned)
    return _named([*found] or [str(unit) for unit in selection(request).units], "units")


def selection(request: Request) -> Selection:
    """What a rollout was asked for."""
    change = request.ask.change
    return request.ask.selection or Selection((change.host,), (change.unit,))


def _hosts(request: Request) -> str:
    """`web-01`, `web-01 (1 of 3 hosts)`, `12 of 14 hosts of @web`; as typed while nothing is known of them."""
    rollout, typed = request.rollout or Rollout(), selection(request).hosts
    every = dict.fromkeys(one.host for one in rollout.targets)
    planned = dict.fromkeys(one.host for one in rollout.planned)
    if not planned:
        return _named(typed, "hosts and groups")
    if len(planned) == 1:
        return _named([*planned], "hosts") + f" ({len(planned)} of {len(every)} hosts)" * (len(every) > 1)
    group = f" of {_short(typed[0])}" if len(typed) == 1 else ""
    left_out = f" of {len(every)}" if len(every) > len(planned) else ""
    return f"{len(planned)}{left_out} hosts{group}"


def _named(names: Sequence[str], noun: str) -> str:
    """All of them, or how many there are."""
    if len(names) > _NAMED:
        return f"{len(names)} {noun}"
    return " and ".join(", ".join(map(_short, names)).rsplit(", ", 1))


def _short(name: str) -> str:
    return clean(name.replace("\n", " "), lines=1, width=_NAME)


def automatic_reason(request: Request) -> str:
    """Why the bot itself made the request."""
    return "masked again by its hold" if request.ask.repeats else "automatic undo"


def what(request: Request) -> str:
    """The kind of request in a word."""
    if request.ask.new_kind:
        return _NEW_KINDS[request.ask.new_kind]
    if request.ask.extends:
        return "extend" if request.ask.change.duration else "keep"
    return "adopt the mask of" if request.ask.change.adopt else request.ask.change.noun


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
