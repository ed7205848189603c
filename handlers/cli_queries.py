"""Answer questions on the command line, for people and for programs, with the same looks and decision as in Slack."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bot.core.cards import answers, mask_inventory
from bot.core.cards.blocks import Text
from bot.core.cards.handover import handover
from bot.core.input.grammar import Question, QuestionKind
from bot.core.people.identity import Caller, PersonId, Place
from bot.core.policy.model import Explanation
from bot.core.requests import Request
from bot.core.systemd.units import Snapshot
from bot.errors import NotYet, Unverified, UsageError
from bot.workflow import Deps
from bot.workflow.queries.answers import Evaluation, about, asked_hosts, evaluate_change, unit_status, why
from bot.workflow.queries.many_targets import (
    Found,
    evaluate_each,
    look_at_each,
    needs_looks,
    plan_or_why_text,
    status_text,
)
from bot.workflow.requests.kill_switch_state import kill_switch_state, with_kill_switch_note
from bot.workflow.requests.mask_inventory import read_mask_inventory
from handlers import json_view, plain_text

_NAMED = 20  # members of a group whose names are looked up one by one
SHELL = Place("shell", name="the command line")


def answer(deps: Deps, question: Question, asker: Caller) -> Mapping[str, Any]:
    """The answer in lines for people (`lines`) and as data (`answer`). Raises `MaskbotError` if there is none."""
    if needs_looks(question):
        return _many(deps, question, asker)
    asked = about(deps, question, asker)
    match question.word:
        case QuestionKind.STATUS:
            return _status(deps, question)
        case QuestionKind.PLAN:
            evaluated = evaluate_change(deps, asked)
            text = answers.plan(evaluated.request, evaluated.decision, deps.clock.now())
            return _answer_message(text, _planned(evaluated), [evaluated.request])
        case QuestionKind.WHY:
            return _why(deps, evaluate_change(deps, asked))
        case QuestionKind.LIST:
            return _list(deps, question)
        case QuestionKind.HANDOVER:
            known = read_mask_inventory(deps)
            return _answer_message(with_kill_switch_note(deps, handover(known)), json_view.handover(known), known.ours)
        case _:
            raise UsageError("Use `status`, `plan`, `explain`, `list` or `handover`.")


def _why(deps: Deps, evaluated: Evaluation) -> Mapping[str, Any]:
    """Every check, every rule, and who could approve, with the names that Slack tells."""
    names = {one: _name(deps, one) for group in evaluated.approvers for one in group.people[:_NAMED]}
    data = {
        **_explained(evaluated),
        "approvers": json_view.approvers(evaluated.approvers, names),
        "waits": json_view.request(evaluated.waits) if evaluated.waits else None,
    }
    about_people = [evaluated.request, *([evaluated.waits] if evaluated.waits else [])]
    said = _answer_message(why(deps, evaluated), data, about_people, names)
    return {**said, "more": _passed_checks(evaluated.explained)}


def _name(deps: Deps, one: PersonId) -> str:
    try:
        return deps.directory.person(one, ()).name
    except (NotYet, Unverified):
        return ""


def _passed_checks(explained: Sequence[Explanation]) -> list[str]:
    """Every check that was passed, for who asks for all of them."""
    return [f"passed: {one.step}" for one in explained if one.applies and not one.line and not one.decides]


def _list(deps: Deps, question: Question, *, is_status: bool = False) -> Mapping[str, Any]:
    known = read_mask_inventory(deps, *asked_hosts(deps, question))
    if is_status:
        told = mask_inventory.host_status(known, question.host, full=True)
    else:
        told = mask_inventory.full_listing(known, host=question.host)
    data = {**json_view.mask_inventory(known), "kill_switch": json_view.kill_switch(kill_switch_state(deps))}
    return _answer_message(with_kill_switch_note(deps, told), data, known.ours)


def _status(deps: Deps, question: Question) -> Mapping[str, Any]:
    """The state of a unit, or the masks of hosts."""
    if question.unit is None:
        return _list(deps, question, is_status=True)
    host = deps.in_force.inventory.host(question.host)
    seen, masks = unit_status(deps, host, question.unit)
    data = {"host": host.name, **_state(seen, masks)}
    told = with_kill_switch_note(deps, answers.status(host.name, seen, masks, deps.clock.now()))
    return _answer_message(told, {**data, "kill_switch": json_view.kill_switch(kill_switch_state(deps))}, masks)


def _state(seen: Snapshot, masks: Sequence[Request]) -> dict[str, Any]:
    return {"unit": json_view.snapshot(seen), "masks": [json_view.request(one) for one in masks]}


def _many(deps: Deps, question: Question, asker: Caller) -> Mapping[str, Any]:
    """About many targets: each as if it were asked about alone, or with the `error` by which nothing is known."""
    if question.word is QuestionKind.STATUS:
        states = look_at_each(deps, question, asker)
        targets = [_target(one, _state(*one.known) if one.known else {}) for one in states]
        data = {"targets": targets, "kill_switch": json_view.kill_switch(kill_switch_state(deps))}
        return _answer_message(with_kill_switch_note(deps, status_text(question, states)), data, [])
    found = evaluate_each(deps, question, asker)
    show = _explained if question.word is QuestionKind.WHY else _planned
    targets = [_target(one, show(one.known) if one.known else {}) for one in found.targets]
    together = {"targets": targets, "refused": found.why_refused or None}
    return _answer_message(plan_or_why_text(deps, question, found), together, [])


def _planned(evaluated: Evaluation) -> dict[str, Any]:
    return {"request": json_view.request(evaluated.request), "decision": json_view.decision(evaluated.decision)}


def _explained(evaluated: Evaluation) -> dict[str, Any]:
    return {"decision": json_view.decision(evaluated.decision), "explained": json_view.explanation(evaluated.explained)}


def _target(one: Found[Any], known: Mapping[str, Any]) -> dict[str, Any]:
    return {"host": one.host, "asked": str(one.unit), **known, "error": one.why_not or None}


def _people(request: Request) -> Iterator[tuple[PersonId, str]]:
    """Everybody who is named in a message about a request."""
    yield request.ask.requester, request.ask.requester_name
    yield request.owner, request.owner_name
    if request.break_glass:
        yield request.break_glass.by, request.break_glass.name


def _answer_message(
    text: Text, data: Mapping[str, Any], about: Sequence[Request], others: Mapping[PersonId, str] | None = None
) -> Mapping[str, Any]:
    people = [*(others or {}).items(), *(person for one in about for person in _people(one))]
    names = {person.user: name for person, name in people if name}
    return {"event": "answer", "lines": plain_text.lines(text, names), "answer": data}
