"""Record followups, after the checks that need no look-up."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from bot.core.audit.chain import Event
from bot.core.audit.request_event import event
from bot.core.cards import followups as words
from bot.core.cards.buttons import DIGEST_SIGNS
from bot.core.cards.ownership import only_the_owner
from bot.core.cards.request_status import describe_decision
from bot.core.cards.step_up import NO_CODE_FOR_BREAK_GLASS as NO_CODE
from bot.core.people.identity import Caller
from bot.core.policy.model import Policy, Refuse
from bot.core.policy.rules.break_glass import why_too_short
from bot.core.requests import Followup, FollowupCommand, FollowupKind, Request, Stage, Tally
from bot.core.rollout.joining import is_missing_somewhere, is_over_and_held
from bot.core.rollout.steering import waits_for_somebody
from bot.errors import CodeRefused, UsageError
from bot.ports import Message, MessageKind
from bot.workflow.process.deps import Deps
from bot.workflow.process.per_person import Repeats
from bot.workflow.requests.lookup import stored_request, update_stored_request
from bot.workflow.requests.results import Update
from bot.workflow.step_up import StepUp

_KEPT = 20  # followups, the newest of them
Check = Callable[[Request, Followup, Policy], None]


class Followups:
    """The desk's part for followups."""

    def __init__(self, deps: Deps, codes: StepUp, repeats: Repeats) -> None:
        self._deps = deps
        self._codes = codes
        self._repeats = repeats

    @property
    def min_reason_length(self) -> int:
        """The minimum length of a break-glass reason, in characters."""
        return self._deps.in_force.policy.break_glass.min_reason_length

    def needs_code(self, request: Request) -> bool:
        """Whether the policy asks for a code with break-glass here, as far as the request was judged."""
        asked = request.approval is not None and request.approval.step_up
        return asked or self._deps.in_force.policy.break_glass.step_up

    def add(self, request_id: str, command: FollowupCommand, caller: Caller) -> Followup:
        """Record a followup for the workers to handle. Raises `UsageError`.

        A code is taken last, since it counts only once; only the word that it was right is kept.
        """
        followup = Followup(
            command.kind,
            caller.id,
            caller.name,
            self._deps.clock.now(),
            caller.place,
            command.text,
            command.digest,
            console_works=command.console_works,
            to=command.to,
        )
        request = stored_request(self._deps, request_id)
        self._repeats.count(request, caller.id)
        if command.kind is FollowupKind.BREAK_GLASS:
            followup = self._with_code(request, followup, command.code, caller)
        _add(self._deps, request_id, followup)
        return followup

    def _with_code(self, request: Request, followup: Followup, code: str, caller: Caller) -> Followup:
        if not code and self.needs_code(request):
            raise CodeRefused(NO_CODE)
        if not code:
            return followup
        _check(self._deps, request, followup)
        self._codes.use(caller, code, used_for="break-glass", request=request.id)
        return replace(followup, stepped_up=True)


def _add(deps: Deps, request_id: str, followup: Followup) -> None:
    def recorded(request: Request) -> tuple[Request, Sequence[Event]]:
        whole = _check(deps, request, followup)
        asked = event(request, "followup.recorded", actor=followup.by, followup=str(followup.kind), text=followup.text)
        return replace(request, followups=(*request.followups, whole)[-_KEPT:]), [asked]

    update_stored_request(deps, request_id, recorded)


def _check(deps: Deps, request: Request, followup: Followup) -> Followup:
    """The followup with the whole digest of the plan that it is about. Raises `UsageError`."""
    whole = replace(followup, digest=_whole_digest(request, followup))
    if any((other.kind, other.by.key) == (followup.kind, followup.by.key) for other in request.open_followups):
        raise UsageError(words.RECORDED_ALREADY)
    check(request, whole, deps.in_force.policy)
    return whole


def check(request: Request, followup: Followup, policy: Policy) -> None:
    """Check that the request's state permits this followup; the author's rights are checked when it is handled."""
    _CHECKS[followup.kind](request, followup, policy)


def _whole_digest(request: Request, followup: Followup) -> str:
    """The full digest; a button carries only its first characters."""
    is_same = len(followup.digest) >= DIGEST_SIGNS and request.target.digest.startswith(followup.digest)
    return request.target.digest if is_same else followup.digest


def _break_glass(request: Request, followup: Followup, policy: Policy) -> None:
    if request.stage is not Stage.WAITING:
        raise UsageError(describe_decision(request))
    if followup.digest != request.target.digest:
        raise UsageError(words.PLAN_CHANGED)
    if too_short := why_too_short(followup.text, policy):
        raise UsageError(too_short)


def _question(request: Request, followup: Followup, _: Policy) -> None:
    if request.stage is not Stage.WAITING:
        raise UsageError(describe_decision(request))
    if not followup.text.strip():
        raise UsageError(words.NO_QUESTION_TYPED)


def _answer(request: Request, followup: Followup, _: Policy) -> None:
    _only_the_owner(request, followup, "answer")
    if request.stage is not Stage.WAITING:
        raise UsageError(describe_decision(request))
    if request.open_question is None:
        raise UsageError(words.NO_OPEN_QUESTION)
    if not followup.text.strip():
        raise UsageError(words.NO_ANSWER_TYPED)


def _transfer(request: Request, followup: Followup, _: Policy) -> None:
    _only_the_owner(request, followup, "hand it over")
    if not request.can_be_handed_over:
        raise UsageError(words.CANNOT_HAND_OVER)


def _signature(request: Request, _: Followup, __: Policy) -> None:
    signed = request.break_glass.signed if request.break_glass else None
    if signed:
        raise UsageError(words.signed_already(signed.name))
    if not request.owes_sign_off or not request.stage.is_final:
        raise UsageError(words.NO_SIGN_OFF_OWED)


def _steering(request: Request, _: Followup, __: Policy) -> None:
    if request.rollout is None or request.stage is not Stage.RUNNING or request.rollout.stopped_at:
        raise UsageError(words.NOT_CARRIED_OUT)


def _going_on(request: Request, followup: Followup, policy: Policy) -> None:
    if is_over_and_held(request):
        if request.rollout and not is_missing_somewhere(request.rollout):
            raise UsageError(words.NOTHING_TO_TRY)
        return
    _steering(request, followup, policy)
    if request.rollout and not waits_for_somebody(request.rollout):
        raise UsageError(words.GOES_ON_ALREADY)


def _pause(request: Request, followup: Followup, policy: Policy) -> None:
    _steering(request, followup, policy)
    if request.rollout and request.rollout.paused_at:
        raise UsageError(words.PAUSED_ALREADY)


def _only_the_owner(request: Request, followup: Followup, what: str) -> None:
    if followup.by.key != request.owner.key:
        raise UsageError(only_the_owner(request, what))


_CHECKS: Mapping[FollowupKind, Check] = {
    FollowupKind.BREAK_GLASS: _break_glass,
    FollowupKind.ASK_FOR_MORE: _question,
    FollowupKind.ANSWER: _answer,
    FollowupKind.HAND_OVER: _transfer,
    FollowupKind.SIGN_OFF: _signature,
    FollowupKind.PAUSE: _pause,
    FollowupKind.GO_ON: _going_on,
    FollowupKind.STOP_HERE: _steering,
}


def grant_followup(request: Request, followup: Followup) -> Request:
    """The request with this followup granted; nothing is stored yet."""
    return _with(request, followup, replace(followup, tally=Tally.COUNTED))


def refuse_followup(request: Request, followup: Followup, no: Refuse) -> Update:
    """Refuse the followup, and tell its author."""
    refused = _with(request, followup, replace(followup, tally=Tally.REFUSED, refusal=no.sentence))
    said_no = event(
        request, "followup.refused", outcome="denied", code=no.code, actor=followup.by, followup=str(followup.kind)
    )
    told = Message(MessageKind.WHISPER, to=followup.by.user, body=no.sentence, place=followup.place)
    return Update(refused, [said_no], [told])


def _with(request: Request, followup: Followup, answered: Followup) -> Request:
    return replace(request, followups=tuple(answered if one == followup else one for one in request.followups))
