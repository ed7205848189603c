"""Freeze and thaw new masks: each command is recorded at once, and takes effect once its sender is verified."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from bot.core.audit.chain import Event
from bot.core.cards import kill_switch as words
from bot.core.cards import plain
from bot.core.kill_switch import KillSwitchState, Result, SwitchRequest, SwitchResult, SwitchStep, apply_request
from bot.core.people.identity import Caller
from bot.core.policy.decide import why_not_use_kill_switch
from bot.core.policy.model import Facts, Moment
from bot.core.policy.rules.permission import NOT_KNOWN_YET
from bot.core.requests import Ask, Change, Request, Stage, Target, Verb
from bot.core.systemd.units import UnitName
from bot.errors import MaskbotError, NotYet, Unverified
from bot.ports import Message, MessageKind, Periodic
from bot.workflow.evaluate import gather_facts
from bot.workflow.process.deps import Deps
from bot.workflow.process.documents import to_document
from bot.workflow.process.update import update_periodic
from bot.workflow.requests.kill_switch_state import NAME, kill_switch_state, read_state

_CONCERNED = (Stage.WAITING, Stage.APPROVED)


class KillSwitchControl:
    """The desk's part of the kill switch."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps

    @property
    def state(self) -> KillSwitchState:
        """The state of the kill switch."""
        return kill_switch_state(self._deps)

    def result(self, key: str) -> SwitchResult | None:
        """The result of a command, once there is one."""
        return next((one for one in self.state.results if one.key == key), None)

    def request(self, caller: Caller, *, turns_off: bool, reason: str) -> None:
        """Record a command; a second delivery with the same key changes nothing."""
        now = self._deps.clock.now()
        asked = SwitchRequest(turns_off, caller.id, caller.name, caller.place, reason, now, caller.key)

        def recorded(task: Periodic) -> tuple[Periodic, Sequence[Event]] | None:
            state = read_state(task.document)
            if state.knows(asked.key):
                return None
            newer = to_document(replace(state, requests=(*state.requests, asked)))
            return Periodic(NAME, newer, asked.at, task.version), [_event("kill_switch.requested", asked)]

        update_periodic(self._deps, NAME, recorded)


def apply_switch_requests(deps: Deps, task: Periodic) -> None:
    """Carry out one command, and be due again at once while there are more."""
    state = read_state(task.document)
    if not state.requests:
        deps.store.save_periodic(replace(task, due_at=None))
        return
    try:
        asked, no = _check_sender(deps, state.requests[0])
    except NotYet as later:
        deps.store.save_periodic(replace(task, due_at=deps.clock.now() + timedelta(seconds=later.again_in)))
        return
    if no:
        step, text = SwitchStep(state, Result.NOT_ALLOWED), no
    else:
        same_person = deps.in_force.policy.same_person
        step = apply_request(state, asked, still_may=lambda one: _may(deps, one), same_person=same_person)
        text = words.answered(step, asked)
    newer, is_done = step.answered(asked, text), step.result.is_done
    deps.store.save_periodic(
        Periodic(NAME, to_document(newer), deps.clock.now() if newer.requests else None, task.version),
        events=[_event(step.result.event, asked, is_done=is_done)],
        messages=_announcements(deps, asked, text) if is_done else (),
    )
    if not is_done and not asked.place.is_shell:
        with suppress(MaskbotError):  # tell one person alone, best effort
            deps.channel.whisper(asked.place, asked.by.user, plain(text))
    if step.result in (Result.ON, Result.OFF):
        deps.store.make_all_due(_CONCERNED)


def _check_sender(deps: Deps, asked: SwitchRequest) -> tuple[SwitchRequest, str]:
    """The command with its sender's current name, and why they may not give it; empty if they may. Raises `NotYet`."""
    try:
        given = _facts(deps, asked)
    except Unverified as error:
        return asked, str(error)
    no = why_not_use_kill_switch(given, deps.in_force.policy)
    if no and no.code == NOT_KNOWN_YET:
        raise NotYet(no.reason)
    return replace(asked, name=given.requester.name or asked.name), no.sentence if no else ""


def _may(deps: Deps, asked: SwitchRequest) -> bool:
    """Whether somebody who gave a command a while ago still may."""
    try:
        return why_not_use_kill_switch(_facts(deps, asked), deps.in_force.policy) is None
    except (NotYet, Unverified):
        return False


def _facts(deps: Deps, asked: SwitchRequest) -> Facts:
    """Who the sender is, and where; no rule here looks at the change. Raises `NotYet` and `Unverified`."""
    host, unit = deps.in_force.inventory.names[0], UnitName("any.service")
    ask = Ask(Change(Verb.MASK, host, unit), asked.by, asked.name, asked.place)
    return gather_facts(deps, Request(NAME, "", ask, asked.at, Target(host, unit)), Moment.ASK)


def _event(kind: str, asked: SwitchRequest, *, is_done: bool = True) -> Event:
    said = {"switch": "off" if asked.turns_off else "on", "reason": asked.reason, "channel": asked.place.channel}
    return Event(kind, "success" if is_done else "denied", actor=asked.by, data=said)


def _announcements(deps: Deps, asked: SwitchRequest, text: str) -> Sequence[Message]:
    """The announcement, in the channel for messages that belong to no request and where the command was given."""
    everywhere = Message(MessageKind.NOTE, body=text)
    if asked.place.is_shell or asked.place.channel == deps.in_force.policy.operations_channel:
        return (everywhere,)
    return (everywhere, replace(everywhere, place=asked.place))
