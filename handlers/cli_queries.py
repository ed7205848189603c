"""Questions on the command line: the same looks and the same decision as in Slack, for people and for programs."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bot.core.cards import answers, mask_inventory
from bot.core.cards.blocks import Text
from bot.core.cards.handover import handover
from bot.core.input.grammar import Question, Word
from bot.core.people.identity import PersonId, Place
from bot.core.policy.model import Explained
from bot.core.requests import Request
from bot.errors import NotYet, Unverified, UsageError
from bot.ports import Query
from bot.workflow import Parts
from bot.workflow.hosts.look import look
from bot.workflow.queries.answers import Asker, Weighed, about, weigh
from bot.workflow.requests.kill_switch_state import freeze_state, stopped_too
from bot.workflow.requests.mask_inventory import book
from handlers import json_view, plain_text

_NAMED = 20  # of a group, whose names are looked up one by one
SHELL = Place("shell", name="the command line")


def answer(parts: Parts, question: Question, *, asker: PersonId, name: str) -> Mapping[str, Any]:
    """The answer in lines for people (`lines`) and as data (`answer`). Raises `MaskbotError` where there is none."""
    asked = about(parts, question, Asker(asker, name, SHELL))
    match question.word:
        case Word.STATUS:
            return _status(parts, question)
        case Word.PLAN:
            weighed = weigh(parts, asked)
            text = answers.plan(weighed.request, weighed.decision, parts.clock.now())
            data = {"request": json_view.request(weighed.request), "decision": json_view.decision(weighed.decision)}
            return _said(text, data, [weighed.request])
        case Word.WHY:
            return _why(parts, weigh(parts, asked))
        case Word.LIST:
            return _list(parts, question.host)
        case Word.HANDOVER:
            known = book(parts)
            return _said(stopped_too(parts, handover(known)), json_view.handover(known), known.ours)
        case _:
            raise UsageError("The command line has `status`, `plan`, `explain`, `list` and `handover`.")


def _why(parts: Parts, weighed: Weighed) -> Mapping[str, Any]:
    """Every check, every rule, and who could approve, by the names they have in Slack where it tells."""
    names = {one: _name(parts, one) for group in weighed.approvers for one in group.people[:_NAMED]}
    data = {
        "decision": json_view.decision(weighed.decision),
        "explained": json_view.explained(weighed.explained),
        "approvers": json_view.approvers(weighed.approvers, names),
    }
    text = answers.why(weighed.request, weighed.decision, weighed.explained, weighed.approvers)
    said = _said(text, data, [weighed.request], names)
    return {**said, "lines": [*said["lines"], *_passed(weighed.explained)]}


def _name(parts: Parts, one: PersonId) -> str:
    try:
        return parts.directory.person(one, ()).name
    except (NotYet, Unverified):
        return ""


def _passed(explained: Sequence[Explained]) -> list[str]:
    """At a terminal there is room for every check, not only for the one that decides."""
    return [f"passed: {one.step}" for one in explained if one.holds and not one.line and not one.decides]


def _list(parts: Parts, host: str) -> Mapping[str, Any]:
    known = book(parts, host)
    data = {**json_view.ledger(known), "frozen": json_view.frozen(freeze_state(parts))}
    return _said(stopped_too(parts, mask_inventory.whole(known, host=host)), data, known.ours)


def _status(parts: Parts, question: Question) -> Mapping[str, Any]:
    """How a unit is, or what is masked on a host."""
    host = parts.host(question.host)
    if question.unit is None:
        return _list(parts, host.name)
    masks = parts.store.find(Query(host=host.name, unit=question.unit, live_masks=True))
    seen = look(parts, host, question.unit, full=True)
    data = {"host": host.name, "unit": json_view.snapshot(seen), "masks": [json_view.request(one) for one in masks]}
    told = stopped_too(parts, answers.status(host.name, seen, masks, parts.clock.now()))
    return _said(told, {**data, "frozen": json_view.frozen(freeze_state(parts))}, masks)


def _people(request: Request) -> Iterator[tuple[PersonId, str]]:
    """Whoever is named in what is said about a request."""
    yield request.ask.requester, request.ask.requester_name
    yield request.owner, request.owner_name
    if request.glass:
        yield request.glass.by, request.glass.name


def _said(
    text: Text, data: Mapping[str, Any], about: Sequence[Request], others: Mapping[PersonId, str] | None = None
) -> Mapping[str, Any]:
    people = [*(others or {}).items(), *(person for one in about for person in _people(one))]
    names = {person.user: name for person, name in people if name}
    return {"event": "answer", "lines": plain_text.lines(text, names), "answer": data}
