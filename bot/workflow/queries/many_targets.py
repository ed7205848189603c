"""Answer questions about many targets: each of them as if it were asked about alone, a few at a time."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from bot.core.cards import answers
from bot.core.cards import many_targets as cards
from bot.core.cards.blocks import Markup, Text
from bot.core.input.grammar import Question, QuestionKind
from bot.core.people.identity import Caller
from bot.core.policy.model import Refuse
from bot.core.requests import Request
from bot.core.systemd.units import Snapshot, UnitName
from bot.errors import MaskbotError, UsageError
from bot.workflow.process.deps import Deps
from bot.workflow.queries.answers import (
    Evaluation,
    about,
    answer,
    evaluate_change,
    evaluate_target,
    unit_status,
    why_refused_together,
)
from bot.workflow.requests.kill_switch_state import with_kill_switch_note
from bot.workflow.rollout.target_list import expand

_AT_ONCE = 8
_MOST = 100  # hosts are looked at while somebody waits for the answer
_Known = TypeVar("_Known")


@dataclass(frozen=True, slots=True)
class Found(Generic[_Known]):
    """What is known of one target, or why nothing is."""

    host: str
    unit: UnitName
    known: _Known | None = None
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class Preview:
    """What is decided about each of many targets, and why one request for all of them is refused, if it is."""

    targets: Sequence[Found[Evaluation]]
    why_refused: str


def needs_looks(question: Question) -> bool:
    """Whether each of several targets has to be looked at for an answer."""
    return bool(question.selection and question.selection.units)


def answer_any(deps: Deps, question: Question, who: Caller) -> Text:
    """The answer about one target or about many, as `answer` gives it."""
    if not needs_looks(question):
        return answer(deps, question, who)
    if question.word is QuestionKind.STATUS:
        return with_kill_switch_note(deps, status_text(question, look_at_each(deps, question, who)))
    return plan_or_why_text(deps, question, evaluate_each(deps, question, who))


def plan(deps: Deps, question: Question, who: Caller) -> tuple[Text, bool]:
    """What approvers would see, and whether nobody would be asked about any target."""
    if not needs_looks(question):
        evaluated = evaluate_change(deps, about(deps, question, who))
        decision = evaluated.decision
        return answers.plan(evaluated.request, decision, deps.clock.now()), isinstance(decision, Refuse)
    found = evaluate_each(deps, question, who)
    each_is_refused = all(one.known is None or isinstance(one.known.decision, Refuse) for one in found.targets)
    return plan_or_why_text(deps, question, found), each_is_refused or bool(found.why_refused)


def status_text(question: Question, states: Sequence[Found[tuple[Snapshot, list[Request]]]]) -> Text:
    """The state of each unit."""
    return cards.status(question.host, [(one.host, one.unit, _state(one)) for one in states])


def plan_or_why_text(deps: Deps, question: Question, found: Preview) -> Text:
    """What the policy says of each target, and of all of them together."""
    told = [(one.host, one.unit, _decision(one, is_why=question.word is QuestionKind.WHY)) for one in found.targets]
    return cards.plan_or_why(question, told, found.why_refused, deps.clock.now())


def look_at_each(deps: Deps, question: Question, who: Caller) -> list[Found[tuple[Snapshot, list[Request]]]]:
    """The state of each unit on each host. Raises `UsageError` for too many, and for those who may not look."""
    about(deps, question, who)

    inventory = deps.in_force.inventory
    return _at_each(deps, question, lambda one, unit: unit_status(deps, inventory.host(one.host), unit))


def evaluate_each(deps: Deps, question: Question, who: Caller) -> Preview:
    """The decision about each target. Raises `UsageError` for too many, and for those who may not look."""
    about(deps, question, who)
    found = _at_each(deps, question, lambda one, _: evaluate_target(deps, about(deps, one, who)))
    return Preview(found, why_refused_together(deps, [one.known for one in found if one.known]))


def _at_each(deps: Deps, question: Question, look: Callable[[Question, UnitName], _Known]) -> list[Found[_Known]]:
    """What is found on each target, in order, a few at a time."""
    targets = expand(deps, question.selection) if question.selection else ()
    if len(targets) > _MOST:
        raise UsageError(
            f"That is {len(targets)} targets, and an answer looks at {_MOST} at most: name fewer. "
            "A request may name more; all of them are checked before anyone is asked."
        )

    def one(target: tuple[str, UnitName]) -> Found[_Known]:
        host, unit = target
        try:
            return Found(host, unit, look(_about_one(question, host, unit), unit))
        except MaskbotError as error:
            return Found(host, unit, why_not=str(error))

    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="targets") as pool:
        return list(pool.map(one, targets))


def _about_one(question: Question, host: str, unit: UnitName) -> Question:
    change = replace(question.change, host=host, unit=unit) if question.change else None
    return Question(question.word, host, unit, change)


def _state(one: Found[tuple[Snapshot, list[Request]]]) -> Markup:
    return cards.state(*one.known) if one.known else cards.not_known(one.why_not)


def _decision(one: Found[Evaluation], *, is_why: bool) -> Markup:
    if one.known is None:
        return cards.not_known(one.why_not)
    seen, decision = one.known.request.target.before, one.known.decision
    return cards.decision(decision, one.known.explained) if is_why else cards.planned(seen, decision)
