"""A hold for a group goes to every host that is in it, also to those that join later, and off all of them once lifted.

For each host there is a request of the bot's own, which goes the way of any other and says in the thread of the first
card how it went. A turn looks at what became of them and asks for what is missing, so one that is lost loses nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from bot.core.audit.chain import Event
from bot.core.cards import hold as words
from bot.core.people.identity import Place
from bot.core.requests import Ask, Hold, Request
from bot.ports import Duty, Message, MessageKind, Query
from bot.workflow.people.channels import place_of, thread_of
from bot.workflow.people.membership import called
from bot.workflow.process.deps import Parts
from bot.workflow.process.render import in_words
from bot.workflow.process.run_periodic_now import make_due
from bot.workflow.requests.closing import event
from bot.workflow.requests.hold_group import SPREAD, approved, in_group, is_of, newest
from bot.workflow.requests.kill_switch_state import frozen
from bot.workflow.requests.marks import mark_lifted
from bot.workflow.requests.submit import record

_SOON = 0.2  # of the interval of a watch, while something is under way
_LONGEST = timedelta(days=1)  # until what was refused on a host is asked for there again


@dataclass(frozen=True, slots=True)
class _Part:
    """One more host: what holds it there or was to, and why that came to nothing, as people were told."""

    request: Request
    told: str = ""


def look_after_holds(parts: Parts) -> None:
    """Hosts and rules may be others now: see at once where each hold for a group has to go."""
    make_due(parts, SPREAD, where=lambda duty: duty.due_at is not None)


def spread(parts: Parts, duty: Duty) -> None:
    """One turn."""
    parts = parts.pinned()
    first = parts.store.get(duty.name.partition(":")[2])
    whole, now = newest(parts, first.id), parts.clock.now()
    if not whole.stage.is_final:
        parts.store.keep(replace(duty, due_at=now + timedelta(seconds=parts.timings.message_retry)))
    elif whole.hold and approved(parts, whole).id != first.id:  # people approved it anew, and that one is seen to
        parts.store.keep(replace(duty, due_at=_next(parts, is_open=False)))
    elif whole.hold:
        goes_on = _hold if parts.inventory.get(whole.target.host) else _strand
        goes_on(parts, duty, whole, whole.hold)
    elif whole.undone_by:
        _lift(parts, duty, first, whole)
    else:  # it came to nothing
        parts.store.keep(replace(duty, due_at=None))


def _hold(parts: Parts, duty: Duty, whole: Request, hold: Hold) -> None:
    """See that it is held wherever it has to be, and tell once for each reason where it is not."""
    known, events, messages = _read(parts, duty), list[Event](), list[Message]()
    if frozen(parts, whole):  # it goes on once new masks do
        parts.store.keep(replace(duty, due_at=_next(parts, is_open=True)))
        return
    is_new_policy = duty.document.get("policy") != parts.policy.digest
    for host in (host.name for host in in_group(parts, hold.hosts) if host.name != whole.target.host):
        before = known.get(host)
        part = known[host] = _on_host(parts, whole, hold, host, before, at_once=is_new_policy)
        if part.told and (before is None or part.told != before.told):
            code = part.request.stage
            events.append(event(whole, "hold.not_there", outcome="failure", code=code, not_on=host, why=part.told))
            messages.append(
                _word(parts, whole, hold, in_words(parts, whole, partial(words.not_there, whole, host, part.told)))
            )
    _keep(parts, duty, known, events, messages, ends=False)


def _strand(parts: Parts, duty: Duty, whole: Request, hold: Hold) -> None:
    """Nobody could lift it any more where it is on record, so it goes nowhere either; that is told once."""
    kept = replace(duty, document={**duty.document, "stranded": True}, due_at=_next(parts, is_open=False))
    if duty.document.get("stranded"):
        parts.store.keep(kept)
        return
    known = event(whole, "hold.stranded", outcome="failure", code="unknown_host", owners=hold.owners)
    parts.store.keep(
        kept,
        events=[known],
        messages=[_word(parts, whole, hold, in_words(parts, whole, lambda: words.stranded(whole, hold)))],
    )


def _on_host(parts: Parts, whole: Request, hold: Hold, host: str, part: _Part | None, *, at_once: bool) -> _Part:
    """What holds it there, asked for if nothing does. What was refused is asked for again, but ever more rarely."""
    if part is None:
        return _Part(_held_already(parts, whole, host) or _ask(parts, whole, hold, host, after=""))
    if _goes_on(parts, part.request, whole):
        return part
    if at_once or parts.clock.now() >= _again_at(parts, whole, part.request):
        return replace(part, request=_ask(parts, whole, hold, host, after=part.request.id))
    return replace(part, told=part.request.target.note or part.request.because)


def _goes_on(parts: Parts, part: Request, whole: Request) -> bool:
    """It is under way or there; or people have decided about it, or have to, on its own card."""
    is_lifted_there = bool(part.undone_by) and is_of(parts, part, whole)
    return not part.stage.is_final or part.can_be_undone or is_lifted_there


def _again_at(parts: Parts, whole: Request, part: Request) -> datetime:
    ended = part.finished_at or part.asked_at
    waited = ended - (whole.finished_at or ended)
    return ended + min(_LONGEST, max(parts.policy.holds.within, waited))


def _held_already(parts: Parts, whole: Request, host: str) -> Request | None:
    """By an earlier request for the same group, or for that host alone."""
    live = parts.store.find(Query(host=host, unit=whole.target.unit, live_masks=True))
    return next((mask for mask in live if mask.hold), None)


def _ask(parts: Parts, whole: Request, hold: Hold, host: str, *, after: str) -> Request:
    """Ask for it there; the same key finds what was asked for in a turn that was lost."""
    first = approved(parts, whole)
    change = replace(first.ask.change, host=host, hold=replace(hold, part_of=first.id))
    why = f"It is held on all of @{hold.hosts}: {first.ask.reason}".removesuffix(": ")
    ask = Ask(change, whole.owner, whole.owner_name, _thread(parts, whole), why, by_itself=True)
    return record(parts, ask, key=_key(first, host, after))


def _key(first: Request, host: str, after: str) -> str:
    """Of the next request for a host, by the one before."""
    return f"part:{first.id}:{host}:{after}"


def _thread(parts: Parts, whole: Request) -> Place:
    """Of the card on which people approved it: a channel is not filled with a card for each host."""
    first = approved(parts, whole)
    channel, ts = parts.store.card(first.id)
    return thread_of(first, channel, ts) if ts else Place(place_of(parts, first).channel)


def _word(parts: Parts, whole: Request, hold: Hold, body: str) -> Message:
    """To its owners, where people approved it."""
    return Message(MessageKind.NOTE, body=body, place=_thread(parts, whole), mentions=called(parts, (hold.owners,)))


def _lift(parts: Parts, duty: Duty, first: Request, whole: Request) -> None:
    """See that it ends on every host; each then ends like any mask whose time has come, as soon as its host answers."""
    known = _read(parts, duty)
    for host in {*known, *parts.inventory.names}:
        if part := _last(parts, first, host, known.get(host)):
            known[host] = part
            if part.request.hold and is_of(parts, part.request, whole):
                mark_lifted(parts, part.request.id, by=whole.undone_by)
            elif not part.request.stage.is_final:
                parts.store.hurry(part.request.id)
    _keep(parts, duty, known, [], [], ends=True)


def _last(parts: Parts, first: Request, host: str, part: _Part | None) -> _Part | None:
    """What was asked for in a turn that was lost is found, also now that nothing is asked for any more."""
    while found := parts.store.find(Query(key=_key(first, host, part.request.id if part else ""), limit=1)):
        part = _Part(newest(parts, found[0].id))
    return part


def _read(parts: Parts, duty: Duty) -> dict[str, _Part]:
    written: Mapping[str, Mapping[str, str]] = duty.document.get("hosts", {})
    return {host: _Part(newest(parts, one["request"]), one["told"]) for host, one in written.items()}


def _keep(
    parts: Parts, duty: Duty, known: Mapping[str, _Part], events: list[Event], messages: list[Message], *, ends: bool
) -> None:
    """Due again sooner while something is under way, and not at all once the last of it has ended."""
    hosts = {host: {"request": part.request.id, "told": part.told} for host, part in known.items()}
    is_open = any(not part.request.stage.is_final for part in known.values())
    due_at = None if ends and not is_open else _next(parts, is_open=is_open)
    document = {"hosts": hosts, "policy": parts.policy.digest}
    parts.store.keep(replace(duty, document=document, due_at=due_at), events=events, messages=messages)


def _next(parts: Parts, *, is_open: bool) -> datetime:
    return parts.clock.now() + timedelta(seconds=parts.timings.watch * (_SOON if is_open else 1.0))
