"""Stopping new masks and letting them go on: a wish is recorded at once, and done when its person is verified."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from bot.core.audit.chain import Event
from bot.core.cards import plain
from bot.core.kill_switch import Answer, KillSwitchState, Step, SwitchRequest, decode, encode, refuse, take_up
from bot.core.people.identity import Caller
from bot.core.policy.decide import may_use_kill_switch
from bot.core.policy.model import Facts, Moment
from bot.core.policy.rules.permission import NOT_KNOWN_YET
from bot.core.requests import Ask, Change, Request, Stage, Target, Verb
from bot.core.systemd.units import UnitName
from bot.errors import MaskbotError, NotYet, Stale, Unverified
from bot.ports import Message, MessageKind, Periodic
from bot.workflow.evaluate import facts
from bot.workflow.process.deps import Deps
from bot.workflow.requests.closing import sentence
from bot.workflow.requests.kill_switch_state import NAME, kill_switch_state

_CONCERNED = (Stage.WAITING, Stage.APPROVED)


class KillSwitchControl:
    """The desk's part of it."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps

    @property
    def state(self) -> KillSwitchState:
        """How it stands."""
        return kill_switch_state(self._deps)

    def answer(self, key: str) -> Answer | None:
        """What became of a wish, once something has."""
        return next((one for one in self.state.answers if one.key == key), None)

    def wish(self, caller: Caller, *, thaws: bool, reason: str) -> None:
        """Record what somebody wants; a second delivery with the same key changes nothing."""
        now = self._deps.clock.now()
        wish = SwitchRequest(thaws, caller.id, caller.name, caller.place, reason, now, caller.key)
        while not self._recorded(wish):
            continue

    def _recorded(self, wish: SwitchRequest) -> bool:
        """False if somebody else changed the row meanwhile."""
        store = self._deps.store
        duty = store.duty(NAME) or Periodic(NAME)
        state = decode(duty.document)
        if state.knows(wish.key):
            return True
        newer = encode(replace(state, requests=(*state.requests, wish)))
        try:
            store.keep(Periodic(NAME, newer, wish.at, duty.version), events=[_event("kill_switch.requested", wish)])
        except Stale:
            return False
        return True


def apply_switch_requests(deps: Deps, duty: Periodic) -> None:
    """Do one wish, and be due again at once while there are more."""
    state = decode(duty.document)
    if not state.requests:
        deps.store.keep(replace(duty, due_at=None))
        return
    try:
        wish, no = _weighed(deps, state.requests[0])
    except NotYet as later:
        deps.store.keep(replace(duty, due_at=deps.clock.now() + timedelta(seconds=later.again_in)))
        return
    step = refuse(state, wish, no) if no else take_up(state, wish, still_may=lambda one: _may(deps, one))
    due_at = deps.clock.now() if step.state.requests else None
    deps.store.keep(
        Periodic(NAME, encode(step.state), due_at, duty.version),
        events=[_event(step.event, wish, is_done=step.answer.is_done)],
        messages=_announcements(deps, wish, step),
    )
    if not step.announced:
        _tell(deps, wish, step.answer.text)
    if step.event in ("kill_switch.on", "kill_switch.off"):
        deps.store.hurry_all(_CONCERNED)


def _weighed(deps: Deps, wish: SwitchRequest) -> tuple[SwitchRequest, str]:
    """The wish under the name that its person has now, and why they may not; empty if they may. Raises `NotYet`."""
    try:
        given = _facts(deps, wish)
    except Unverified as error:
        return wish, str(error)
    no = may_use_kill_switch(given, deps.policy)
    if no and no.code == NOT_KNOWN_YET:
        raise NotYet(no.reason)
    return replace(wish, name=given.requester.name or wish.name), sentence(no) if no else ""


def _may(deps: Deps, wish: SwitchRequest) -> bool:
    """Whether somebody who wished for something a while ago still might."""
    try:
        return may_use_kill_switch(_facts(deps, wish), deps.policy) is None
    except (NotYet, Unverified):
        return False


def _facts(deps: Deps, wish: SwitchRequest) -> Facts:
    """Who it is, and where; no rule that is asked looks at the change. Raises `NotYet` and `Unverified`."""
    host, unit = deps.inventory.names[0], UnitName("any.service")
    ask = Ask(Change(Verb.MASK, host, unit), wish.by, wish.name, wish.place)
    return facts(deps, Request(NAME, "", ask, wish.at, Target(host, unit)), Moment.ASK)


def _event(kind: str, wish: SwitchRequest, *, is_done: bool = True) -> Event:
    said = {"wish": "thaw" if wish.turns_off else "freeze", "reason": wish.reason, "channel": wish.place.channel}
    return Event(kind, "success" if is_done else "denied", actor=wish.by, data=said)


def _announcements(deps: Deps, wish: SwitchRequest, step: Step) -> Sequence[Message]:
    """In the channel for what belongs to no request, and where it was said."""
    if not step.announced:
        return ()
    everywhere = Message(MessageKind.NOTE, body=step.announced)
    if wish.place.is_shell or wish.place.channel == deps.policy.operations_channel:
        return (everywhere,)
    return (everywhere, replace(everywhere, place=wish.place))


def _tell(deps: Deps, wish: SwitchRequest, text: str) -> None:
    """To one person alone, best effort."""
    if not wish.place.is_shell:
        with suppress(MaskbotError):
            deps.channel.whisper(wish.place, wish.by.user, plain(text))
