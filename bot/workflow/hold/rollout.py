"""Roll a group's hold out to every host of the group, also to hosts that join later, and lift it from all of them.

For each host the bot makes a request of its own, which reports in the thread of the first card. Each turn checks the
state of these requests and asks for what is missing, so a lost turn loses nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from bot.core.audit.chain import Event
from bot.core.audit.request_event import event
from bot.core.cards import automatic_requests
from bot.core.cards import hold as words
from bot.core.people.identity import Place
from bot.core.requests import Ask, Hold, Request
from bot.ports import Message, MessageKind, Periodic, Query
from bot.workflow.people.membership import mention_ids
from bot.workflow.people.routing import place_of, thread_of
from bot.workflow.process.deps import Deps
from bot.workflow.process.render import in_words
from bot.workflow.process.update import run_periodic_now
from bot.workflow.requests.hold_group_members import (
    HOLD_ROLLOUT,
    approved_request,
    hosts_in_group,
    is_member_of,
    newest_request,
)
from bot.workflow.requests.kill_switch_state import active_kill_switch
from bot.workflow.requests.marks import mark_lifted
from bot.workflow.requests.submit import submit

_SOON = 0.2  # of the watch interval, while requests are running
_LONGEST = timedelta(days=1)  # pause before a refused host is asked for again


@dataclass(frozen=True, slots=True)
class _Member:
    """One host of the group: the request that holds it, and why that failed, as people were told."""

    request: Request
    told: str = ""


def check_rollouts(deps: Deps) -> None:
    """Check at once where each group's hold has to go, because hosts or rules may have changed."""
    run_periodic_now(deps, HOLD_ROLLOUT, where=lambda task: task.due_at is not None)


def roll_out(deps: Deps, task: Periodic) -> None:
    """One turn of the rollout."""
    deps = deps.pinned()
    first = deps.store.get(task.name.partition(":")[2])
    group_hold, now = newest_request(deps, first.id), deps.clock.now()
    if not group_hold.stage.is_final:
        deps.store.save_periodic(replace(task, due_at=now + timedelta(seconds=deps.timings.message_retry)))
    # people approved it anew, and the new request has its own rollout
    elif group_hold.hold and approved_request(deps, group_hold).id != first.id:
        deps.store.save_periodic(replace(task, due_at=_next(deps, is_open=False)))
    elif group_hold.hold:
        goes_on = _hold if deps.in_force.inventory.get(group_hold.target.host) else _strand
        goes_on(deps, task, group_hold, group_hold.hold)
    elif group_hold.undone_by:
        _lift(deps, task, first, group_hold)
    else:  # it did not come into force
        deps.store.save_periodic(replace(task, due_at=None))


def _hold(deps: Deps, task: Periodic, group_hold: Request, hold: Hold) -> None:
    """Make sure that every host of the group is held, and report once for each reason where one is not."""
    known, events, messages = _read(deps, task), list[Event](), list[Message]()
    if active_kill_switch(deps, group_hold):  # it goes on once the kill switch is off
        deps.store.save_periodic(replace(task, due_at=_next(deps, is_open=True)))
        return
    is_new_policy = task.document.get("policy") != deps.in_force.policy.digest
    for host in (host.name for host in hosts_in_group(deps, hold.hosts) if host.name != group_hold.target.host):
        before = known.get(host)
        member = known[host] = _on_host(deps, group_hold, hold, host, before, at_once=is_new_policy)
        if member.told and (before is None or member.told != before.told):
            code = member.request.stage
            events.append(
                event(group_hold, "hold.not_applied", outcome="failure", code=code, not_on=host, why=member.told)
            )
            messages.append(
                _word(
                    deps,
                    group_hold,
                    hold,
                    in_words(deps, group_hold, partial(words.missing_message, group_hold, host, member.told)),
                )
            )
    _keep(deps, task, known, events, messages, ends=False)


def _strand(deps: Deps, task: Periodic, group_hold: Request, hold: Hold) -> None:
    """Stop extending a hold that nobody could lift any more, and report that once."""
    kept = replace(task, document={**task.document, "stranded": True}, due_at=_next(deps, is_open=False))
    if task.document.get("stranded"):
        deps.store.save_periodic(kept)
        return
    known = event(group_hold, "hold.stranded", outcome="failure", code="unknown_host", owners=hold.owners)
    deps.store.save_periodic(
        kept,
        events=[known],
        messages=[
            _word(deps, group_hold, hold, in_words(deps, group_hold, lambda: words.stranded_message(group_hold, hold)))
        ],
    )


def _on_host(
    deps: Deps, group_hold: Request, hold: Hold, host: str, member: _Member | None, *, at_once: bool
) -> _Member:
    """The request that holds this host, made if there is none. After a refusal it is asked for ever more rarely."""
    if member is None:
        return _Member(_held_already(deps, group_hold, host) or _ask(deps, group_hold, hold, host, after=""))
    if _goes_on(deps, member.request, group_hold):
        return member
    if at_once or deps.clock.now() >= _again_at(deps, group_hold, member.request):
        return replace(member, request=_ask(deps, group_hold, hold, host, after=member.request.id))
    return replace(member, told=member.request.target.note or member.request.because)


def _goes_on(deps: Deps, member: Request, group_hold: Request) -> bool:
    """Whether the hold on this host is running or in place, or people decided about it on its own card."""
    is_lifted_there = bool(member.undone_by) and is_member_of(deps, member, group_hold)
    return not member.stage.is_final or member.can_be_undone or is_lifted_there


def _again_at(deps: Deps, group_hold: Request, member: Request) -> datetime:
    ended = member.finished_at or member.asked_at
    waited = ended - (group_hold.finished_at or ended)
    return ended + min(_LONGEST, max(deps.in_force.policy.holds.reapply_within, waited))


def _held_already(deps: Deps, group_hold: Request, host: str) -> Request | None:
    """Whether an earlier request for this group, or for this host alone, holds it."""
    live = deps.store.find(Query(host=host, unit=group_hold.target.unit, live_masks=True))
    return next((mask for mask in live if mask.hold), None)


def _ask(deps: Deps, group_hold: Request, hold: Hold, host: str, *, after: str) -> Request:
    """Ask for it on this host; the same key finds what a lost turn asked for."""
    first = approved_request(deps, group_hold)
    change = replace(first.ask.change, host=host, hold=replace(hold, group_request=first.id))
    why = automatic_requests.rollout_reason(hold, first)
    ask = Ask(change, group_hold.owner, group_hold.owner_name, _thread(deps, group_hold), why, by_itself=True)
    return submit(deps, ask, key=_key(first, host, after))


def _key(first: Request, host: str, after: str) -> str:
    """The key of the next request for a host, from the one before."""
    return f"part:{first.id}:{host}:{after}"


def _thread(deps: Deps, group_hold: Request) -> Place:
    """The thread of the approved card: the channel does not get one card for each host."""
    first = approved_request(deps, group_hold)
    channel, ts = deps.store.card(first.id)
    return thread_of(first, channel, ts) if ts else Place(place_of(deps, first).channel)


def _word(deps: Deps, group_hold: Request, hold: Hold, body: str) -> Message:
    """Notify the owners where people approved the hold."""
    return Message(
        MessageKind.NOTE, body=body, place=_thread(deps, group_hold), mentions=mention_ids(deps, (hold.owners,))
    )


def _lift(deps: Deps, task: Periodic, first: Request, group_hold: Request) -> None:
    """Let the mask expire on every host; each is then undone as usual, as soon as its host answers."""
    known = _read(deps, task)
    for host in {*known, *deps.in_force.inventory.names}:
        if member := _last(deps, first, host, known.get(host)):
            known[host] = member
            if member.request.hold and is_member_of(deps, member.request, group_hold):
                mark_lifted(deps, member.request.id, by=group_hold.undone_by)
            elif not member.request.stage.is_final:
                deps.store.make_due(member.request.id)
    _keep(deps, task, known, [], [], ends=True)


def _last(deps: Deps, first: Request, host: str, member: _Member | None) -> _Member | None:
    """Find what a lost turn asked for, also when nothing more is asked for."""
    while found := deps.store.find(Query(key=_key(first, host, member.request.id if member else ""), limit=1)):
        member = _Member(newest_request(deps, found[0].id))
    return member


def _read(deps: Deps, task: Periodic) -> dict[str, _Member]:
    written: Mapping[str, Mapping[str, str]] = task.document.get("hosts", {})
    return {host: _Member(newest_request(deps, one["request"]), one["told"]) for host, one in written.items()}


def _keep(
    deps: Deps,
    task: Periodic,
    known: Mapping[str, _Member],
    events: list[Event],
    messages: list[Message],
    *,
    ends: bool,
) -> None:
    """Due again sooner while requests are running, and not at all once the last one has ended."""
    hosts = {host: {"request": member.request.id, "told": member.told} for host, member in known.items()}
    is_open = any(not member.request.stage.is_final for member in known.values())
    due_at = None if ends and not is_open else _next(deps, is_open=is_open)
    document = {"hosts": hosts, "policy": deps.in_force.policy.digest}
    deps.store.save_periodic(replace(task, document=document, due_at=due_at), events=events, messages=messages)


def _next(deps: Deps, *, is_open: bool) -> datetime:
    return deps.clock.now() + timedelta(seconds=deps.timings.watch_interval * (_SOON if is_open else 1.0))
