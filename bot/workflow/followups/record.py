"""What people want of a request beside a vote, taken down: checked as far as that needs no look-up."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from bot.core.cards.buttons import DIGEST_SIGNS
from bot.core.people.identity import PersonId, Place
from bot.core.policy.model import Policy, Refuse
from bot.core.policy.rules.break_glass import why_too_short
from bot.core.requests import Request, Stage, Tally, Wanted, Wish
from bot.errors import NoSuchRequest, Stale, UsageError
from bot.ports import Claim, Message, MessageKind
from bot.workflow.process.deps import Parts
from bot.workflow.requests.closing import event, sentence
from bot.workflow.requests.lookup import decided

_KEPT = 20  # wishes, the newest of them
Check = Callable[[Request, Wish, Policy], None]


class Wishes:
    """The part of the desk for them."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    @property
    def shortest_reason(self) -> int:
        """How many characters a reason for going ahead alone needs."""
        return self._parts.policy.break_glass.shortest_reason

    def record(  # noqa: PLR0913 - a wish is all of this
        self,
        request_id: str,
        wanted: Wanted,
        *,
        by: PersonId,
        name: str,
        place: Place,
        text: str = "",
        digest: str = "",
        console_works: bool = False,
        to: PersonId | None = None,
    ) -> Wish:
        """Record what somebody wants of a request, so that the loop hears it. Raises `UsageError`."""
        now = self._parts.clock.now()
        wish = Wish(wanted, by, name, now, place, text, digest, console_works=console_works, to=to)
        _record(self._parts, request_id, wish)
        return wish


def _record(parts: Parts, request_id: str, wish: Wish) -> None:
    while True:
        try:
            request = parts.store.get(request_id)
        except NoSuchRequest:
            raise UsageError("This button belongs to a request that is not on record any more.") from None
        wish = replace(wish, digest=_whole_digest(request, wish))
        if any((other.wanted, other.by.key) == (wish.wanted, wish.by.key) for other in request.open_wishes):
            raise UsageError("That is recorded already, and is being looked at.")
        check(request, wish, parts.policy)
        recorded = replace(request, wishes=(*request.wishes, wish)[-_KEPT:])
        asked = event(request, "wish.recorded", actor=wish.by, wanted=str(wish.wanted), text=wish.text)
        try:
            parts.store.save(recorded, events=[asked])
        except Stale:  # somebody else changed it first: it is looked at anew
            continue
        return


def check(request: Request, wish: Wish, policy: Policy) -> None:
    """Whether the request is such that this can be wanted of it at all; who may is asked when it is heard."""
    _CHECKS[wish.wanted](request, wish, policy)


def _whole_digest(request: Request, wish: Wish) -> str:
    """A button carries only the first signs of the plan that it stands under."""
    is_same = len(wish.digest) >= DIGEST_SIGNS and request.target.digest.startswith(wish.digest)
    return request.target.digest if is_same else wish.digest


def _alone(request: Request, wish: Wish, policy: Policy) -> None:
    if request.stage is not Stage.WAITING:
        raise UsageError(decided(request))
    if wish.digest != request.target.digest:
        raise UsageError("The plan has changed since that was drawn. Read it again, then decide.")
    if too_short := why_too_short(wish.text, policy):
        raise UsageError(too_short)


def _question(request: Request, wish: Wish, _: Policy) -> None:
    if request.stage is not Stage.WAITING:
        raise UsageError(decided(request))
    if not wish.text.strip():
        raise UsageError("What do you want to know?")


def _answer(request: Request, wish: Wish, _: Policy) -> None:
    _only_the_owner(request, wish, "answers")
    if request.stage is not Stage.WAITING:
        raise UsageError(decided(request))
    if request.open_question is None:
        raise UsageError("Nobody waits for an answer.")
    if not wish.text.strip():
        raise UsageError("What is the answer?")


def _handover(request: Request, wish: Wish, _: Policy) -> None:
    _only_the_owner(request, wish, "hands it over")
    if not request.can_be_handed_over:
        raise UsageError("There is nothing to hand over: it is under way right now, or over.")


def _signature(request: Request, _: Wish, __: Policy) -> None:
    signed = request.glass.signed if request.glass else None
    if signed:
        raise UsageError(f"{signed.name} has signed the review already.")
    if not request.owes_review or not request.stage.is_final:
        raise UsageError("No review is owed here.")


def _only_the_owner(request: Request, wish: Wish, does: str) -> None:
    if wish.by.key != request.owner.key:
        whose = "whose it is now" if request.handovers else "who asked"
        raise UsageError(f"Only {request.owner_name}, {whose}, {does}.")


_CHECKS: Mapping[Wanted, Check] = {
    Wanted.GO_ALONE: _alone,
    Wanted.ASK_FOR_MORE: _question,
    Wanted.ANSWER: _answer,
    Wanted.HAND_OVER: _handover,
    Wanted.SIGN: _signature,
}


def granted(request: Request, wish: Wish) -> Request:
    """The request with this wish granted; nothing is stored yet."""
    return _with(request, wish, replace(wish, tally=Tally.COUNTED))


def refuse_wish(parts: Parts, claim: Claim, request: Request, wish: Wish, no: Refuse) -> Request:
    """Store that it was refused, and say so to who wanted it."""
    refused = _with(request, wish, replace(wish, tally=Tally.REFUSED, refusal=sentence(no)))
    said_no = event(request, "wish.refused", outcome="denied", code=no.code, actor=wish.by, wanted=str(wish.wanted))
    told = Message(MessageKind.WHISPER, to=wish.by.user, body=sentence(no), place=wish.place)
    return parts.store.save(refused, events=[said_no], messages=[told], claim=claim)


def _with(request: Request, wish: Wish, answered: Wish) -> Request:
    return replace(request, wishes=tuple(answered if one == wish else one for one in request.wishes))
