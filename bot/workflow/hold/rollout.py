"""Roll a group's hold out to every host of the group, also to hosts that join later, and lift it from all of them.

For each host the bot makes a request of its own, which reports in the thread of the first card. Each turn checks the
state of these requests and asks for what is missing, so a lost turn loses nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from bot.core.audit.chain import Event
from bot.core.cards import hold as words
from bot.core.people.identity import Place
from bot.core.requests import Ask, Hold, Request
from bot.ports import Message, MessageKind, Periodic, Query
from bot.workflow.people.channels import place_of, thread_of
from bot.workflow.people.membership import mention_ids
from bot.workflow.process.deps import Deps
from bot.workflow.process.render import in_words
from bot.workflow.process.update import run_periodic_now
from bot.workflow.requests.closing import event
from bot.workflow.requests.hold_group import SPREAD, approved, in_group, is_of, newest
from bot.workflow.requests.kill_switch_state import active_kill_switch
from bot.workflow.requests.marks import mark_lifted
from bot.workflow.requests.submit import record

_SOON = 0.2  # of the watch interval, while requests are running
_LONGEST = timedelta(days=1)  # pause before a refused host is asked for again


@dataclass(frozen=True, slots=True)
class _Part:
    """One host of the group: the request that holds it, and why that failed, as people were told."""

    request: Request
    told: str = ""


def look_after_holds(deps: Deps) -> None:
    """Check at once where each group's hold has to go, because hosts or rules may have changed."""
    run_periodic_now(deps, SPREAD, where=lambda task: task.due_at is not None)


def spread(deps: Deps, task: Periodic) -> None:
    """One turn of the rollout."""
    deps = deps.pinned()
    first = deps.store.get(task.name.partition(":")[2])
    whole, now = newest(deps, first.id), deps.clock.now()
    if not whole.stage.is_final:
        deps.store.save_periodic(replace(task, due_at=now + timedelta(seconds=deps.timings.message_retry)))
    # people approved it anew, and the new request has its own rollout
    elif whole.hold and approved(deps, whole).id != first.id:
        deps.store.save_periodic(replace(task, due_at=_next(deps, is_open=False)))
    elif whole.hold:
        goes_on = _hold if deps.inventory.get(whole.target.host) else _strand
        goes_on(deps, task, whole, whole.hold)
    elif whole.undone_by:
        _lift(deps, task, first, whole)
    else:  # it did not come into force
        deps.store.save_periodic(replace(task, due_at=None))


def _hold(deps: Deps, task: Periodic, whole: Request, hold: Hold) -> None:
    """Make sure that every host of the group is held, and report once for each reason where one is not."""
    known, events, messages = _read(deps, task), list[Event](), list[Message]()
    if active_kill_switch(deps, whole):  # it goes on once the kill switch is off
        deps.store.save_periodic(replace(task, due_at=_next(deps, is_open=True)))
        return
    is_new_policy = task.document.get("policy") != deps.policy.digest
    for host in (host.name for host in in_group(deps, hold.hosts) if host.name != whole.target.host):
        before = known.get(host)
        part = known[host] = _on_host(deps, whole, hold, host, before, at_once=is_new_policy)
        if part.told and (before is None or part.told != before.told):
            code = part.request.stage
            events.append(event(whole, "hold.not_applied", outcome="failure", code=code, not_on=host, why=part.told))
            messages.append(
                _word(
                    deps,
                    whole,
                    hold,
                    in_words(deps, whole, partial(words.missing_message, whole, host, part.told)),
                )
            )
    _keep(deps, task, known, events, messages, ends=False)


def _strand(deps: Deps, task: Periodic, whole: Request, hold: Hold) -> None:
    """Stop extending a hold that nobody could lift any more, and report that once."""
    kept = replace(task, document={**task.document, "stranded": True}, due_at=_next(deps, is_open=False))
    if task.document.get("stranded"):
        deps.store.save_periodic(kept)
        return
    known = event(whole, "hold.stranded", outcome="failure", code="unknown_host", owners=hold.owners)
    deps.store.save_periodic(
        kept,
        events=[known],
        messages=[_word(deps, whole, hold, in_words(deps, whole, lambda: words.stranded_message(whole, hold)))],
    )


def _on_host(deps: Deps, whole: Request, hold: Hold, host: str, part: _Part | None, *, at_once: bool) -> _Part:
    """The request that holds this host, made if there is none. After a refusal it is asked for ever more rarely."""
    if part is None:
        return _Part(_held_already(deps, whole, host) or _ask(deps, whole, hold, host, after=""))
    if _goes_on(deps, part.request, whole):
        return part
    if at_once or deps.clock.now() >= _again_at(deps, whole, part.request):
        return replace(part, request=_ask(deps, whole, hold, host, after=part.request.id))
    return replace(part, told=part.request.target.note or part.request.because)


def _goes_on(deps: Deps, part: Request, whole: Request) -> bool:
    """Whether it is running or in place, or people decided about it on its own card."""
    is_lifted_there = bool(part.undone_by) and is_of(deps, part, whole)
    return not part.stage.is_final or part.can_be_undone or is_lifted_there


def _again_at(deps: Deps, whole: Request, part: Request) -> datetime:
    ended = part.finished_at or part.asked_at
    waited = ended - (whole.finished_at or ended)
    return ended + min(_LONGEST, max(deps.policy.holds.reapply_within, waited))


def _held_already(deps: Deps, whole: Request, host: str) -> Request | None:
    """Whether an earlier request for this group, or for this host alone, holds it."""
    live = deps.store.find(Query(host=host, unit=whole.target.unit, live_masks=True))
    return next((mask for mask in live if mask.hold), None)


def _ask(deps: Deps, whole: Request, hold: Hold, host: str, *, after: str) -> Request:
    """Ask for it on this host; the same key finds what a lost turn asked for."""
    first = approved(deps, whole)
    change = replace(first.ask.change, host=host, hold=replace(hold, group_request=first.id))
    why = f"It is held on all of @{hold.hosts}: {first.ask.reason}".removesuffix(": ")
    ask = Ask(change, whole.owner, whole.owner_name, _thread(deps, whole), why, by_itself=True)
    return record(deps, ask, key=_key(first, host, after))


def _key(first: Request, host: str, after: str) -> str:
    """The key of the next request for a host, from the one before."""
    return f"part:{first.id}:{host}:{after}"


def _thread(deps: Deps, whole: Request) -> Place:
    """The thread of the approved card: the channel does not get one card for each host."""
    first = approved(deps, whole)
    channel, ts = deps.store.card(first.id)
    return thread_of(first, channel, ts) if ts else Place(place_of(deps, first).channel)


def _word(deps: Deps, whole: Request, hold: Hold, body: str) -> Message:
    """Notify the owners where people approved the hold."""
    return Message(MessageKind.NOTE, body=body, place=_thread(deps, whole), mentions=mention_ids(deps, (hold.owners,)))


def _lift(deps: Deps, task: Periodic, first: Request, whole: Request) -> None:
    """Let the mask expire on every host; each is then undone as usual, as soon as its host answers."""
    known = _read(deps, task)
    for host in {*known, *deps.inventory.names}:
        if part := _last(deps, first, host, known.get(host)):
            known[host] = part
            if part.request.hold and is_of(deps, part.request, whole):
                mark_lifted(deps, part.request.id, by=whole.undone_by)
            elif not part.request.stage.is_final:
                deps.store.make_due(part.request.id)
    _keep(deps, task, known, [], [], ends=True)


def _last(deps: Deps, first: Request, host: str, part: _Part | None) -> _Part | None:
    """Find what a lost turn asked for, also when nothing more is asked for."""
    while found := deps.store.find(Query(key=_key(first, host, part.request.id if part else ""), limit=1)):
        part = _Part(newest(deps, found[0].id))
    return part


def _read(deps: Deps, task: Periodic) -> dict[str, _Part]:
    written: Mapping[str, Mapping[str, str]] = task.document.get("hosts", {})
    return {host: _Part(newest(deps, one["request"]), one["told"]) for host, one in written.items()}


def _keep(
    deps: Deps, task: Periodic, known: Mapping[str, _Part], events: list[Event], messages: list[Message], *, ends: bool
) -> None:
    """Due again sooner while requests are running, and not at all once the last one has ended."""
    hosts = {host: {"request": part.request.id, "told": part.told} for host, part in known.items()}
    is_open = any(not part.request.stage.is_final for part in known.values())
    due_at = None if ends and not is_open else _next(deps, is_open=is_open)
    document = {"hosts": hosts, "policy": deps.policy.digest}
    deps.store.save_periodic(replace(task, document=document, due_at=due_at), events=events, messages=messages)


def _next(deps: Deps, *, is_open: bool) -> datetime:
    return deps.clock.now() + timedelta(seconds=deps.timings.watch_interval * (_SOON if is_open else 1.0))
