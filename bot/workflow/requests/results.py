"""Results of stages: a request as it is to be stored, with what is recorded and said in the same transaction.

A stage asks and decides, and saves nothing: `bot/workflow/engine/settle.py` does that in one place.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass

from bot.core.audit.chain import Event
from bot.core.policy.model import Decision
from bot.core.requests import Request, Stage
from bot.core.steps import Done
from bot.core.systemd.units import Snapshot
from bot.errors import NotYet
from bot.ports import NOT_COUNTED, Claim, Counted, Message
from bot.workflow.process.deps import Deps


@dataclass(frozen=True, slots=True)
class Update:
    """The next version of a request. `then` is raised once it is saved: why the request goes no further now."""

    request: Request
    events: Sequence[Event] = ()
    messages: Sequence[Message] = ()
    is_urgent: bool = True  # whether people wait for the card
    then: NotYet | None = None
    counted: Counted = NOT_COUNTED  # it holds only if this count still stands


@dataclass(frozen=True, slots=True)
class Decided:
    """A request and the decision about it; events and messages are saved with whatever follows from that."""

    request: Request
    decision: Decision
    policy: str  # the digest of the policy that decided
    events: Sequence[Event] = ()
    messages: Sequence[Message] = ()
    counted: Counted = NOT_COUNTED  # what it went by


@dataclass(frozen=True, slots=True)
class Closing:
    """The end of a request that does not run: refused, cancelled or timed out, for a reason that people are told."""

    request: Request
    stage: Stage
    because: str
    code: str
    events: Sequence[Event] = ()
    buttons_of: str = ""  # the mask that is in the way: what can be done with it is offered to its requester


@dataclass(frozen=True, slots=True)
class NotBelieved:
    """A request that must not be carried out, because sealed events do not confirm what is stored of it."""

    request: Request
    why: str


@dataclass(frozen=True, slots=True)
class Ending:
    """The end of a change. `after` is its last full look; None if nothing was sent and the host cannot be checked."""

    request: Request
    done: Done
    after: Snapshot | None = None
    status: str = ""
    no_login: str = ""  # why the bot could not log in anew after it, so that it is undone at once


Result = Request | Update | Decided | Closing | NotBelieved | Ending  # a request alone: there is nothing to save
# Each `yield` hands over a result, and gets the request as it is stored then; the last of these is returned.
Stages = Generator[Result, Request, Request]


def save(deps: Deps, update: Update, *, claim: Claim | None = None) -> Request:
    """Save an update in one transaction; return the request as it is stored. Raises `Update.then`."""
    stored = deps.store.save(
        update.request,
        events=update.events,
        messages=update.messages,
        claim=claim,
        urgent=update.is_urgent,
        counted=update.counted,
    )
    if update.then:
        raise update.then
    return stored
