"""Stopping new masks and letting them go on: a wish is recorded at once, and done when its person is verified."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from bot.core.audit.chain import Event
from bot.core.cards import plain
from bot.core.kill_switch import Answer, State, Step, SwitchWish, read, refused, take_up, written
from bot.core.people.identity import PersonId, Place
from bot.core.policy.decide import may_freeze
from bot.core.policy.model import Facts, Moment
from bot.core.policy.rules.permission import NOT_KNOWN_YET
from bot.core.requests import Ask, Change, Request, Stage, Target, Verb
from bot.core.systemd.units import UnitName
from bot.errors import MaskbotError, NotYet, Stale, Unverified
from bot.ports import Duty, Message, MessageKind
from bot.workflow.evaluate import facts
from bot.workflow.process.deps import Parts
from bot.workflow.requests.closing import sentence
from bot.workflow.requests.kill_switch_state import NAME, freeze_state

_CONCERNED = (Stage.WAITING, Stage.APPROVED)


class Freezing:
    """The desk's part of it."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    @property
    def state(self) -> State:
        """How it stands."""
        return freeze_state(self._parts)

    def answer(self, key: str) -> Answer | None:
        """What became of a wish, once something has."""
        return next((one for one in self.state.answers if one.key == key), None)

    def wish(self, *, thaws: bool, by: PersonId, name: str, place: Place, reason: str, key: str) -> None:
        """Record what somebody wants; a second delivery with the same key changes nothing."""
        wish = SwitchWish(thaws, by, name, place, reason, self._parts.clock.now(), key)
        while not self._recorded(wish):
            continue

    def _recorded(self, wish: SwitchWish) -> bool:
        """False if somebody else changed the row meanwhile."""
        store = self._parts.store
        duty = store.duty(NAME) or Duty(NAME)
        state = read(duty.document)
        if state.knows(wish.key):
            return True
        newer = written(replace(state, wishes=(*state.wishes, wish)))
        try:
            store.keep(Duty(NAME, newer, wish.at, duty.version), events=[_event("freeze.wished", wish)])
        except Stale:
            return False
        return True


def take_up_wishes(parts: Parts, duty: Duty) -> None:
    """Do one wish, and be due again at once while there are more."""
    state = read(duty.document)
    if not state.wishes:
        parts.store.keep(replace(duty, due_at=None))
        return
    try:
        wish, no = _weighed(parts, state.wishes[0])
    except NotYet as later:
        parts.store.keep(replace(duty, due_at=parts.clock.now() + timedelta(seconds=later.again_in)))
        return
    step = refused(state, wish, no) if no else take_up(state, wish, still_may=lambda one: _may(parts, one))
    due_at = parts.clock.now() if step.state.wishes else None
    parts.store.keep(
        Duty(NAME, written(step.state), due_at, duty.version),
        events=[_event(step.event, wish, is_done=step.answer.is_done)],
        messages=_announcements(parts, wish, step),
    )
    if not step.announced:
        _tell(parts, wish, step.answer.text)
    if step.event in ("freeze.begun", "freeze.lifted"):
        parts.store.hurry_all(_CONCERNED)


def _weighed(parts: Parts, wish: SwitchWish) -> tuple[SwitchWish, str]:
    """The wish under the name that its person has now, and why they may not; empty if they may. Raises `NotYet`."""
    try:
        given = _facts(parts, wish)
    except Unverified as error:
        return wish, str(error)
    no = may_freeze(given, parts.policy)
    if no and no.code == NOT_KNOWN_YET:
        raise NotYet(no.reason)
    return replace(wish, name=given.requester.name or wish.name), sentence(no) if no else ""


def _may(parts: Parts, wish: SwitchWish) -> bool:
    """Whether somebody who wished for something a while ago still might."""
    try:
        return may_freeze(_facts(parts, wish), parts.policy) is None
    except (NotYet, Unverified):
        return False


def _facts(parts: Parts, wish: SwitchWish) -> Facts:
    """Who it is, and where; no rule that is asked looks at the change. Raises `NotYet` and `Unverified`."""
    host, unit = parts.inventory.names[0], UnitName("any.service")
    ask = Ask(Change(Verb.MASK, host, unit), wish.by, wish.name, wish.place)
    return facts(parts, Request(NAME, "", ask, wish.at, (Target(host, unit),)), Moment.ASK)


def _event(kind: str, wish: SwitchWish, *, is_done: bool = True) -> Event:
    said = {"wish": "thaw" if wish.thaws else "freeze", "reason": wish.reason, "channel": wish.place.channel}
    return Event(kind, "success" if is_done else "denied", actor=wish.by, data=said)


def _announcements(parts: Parts, wish: SwitchWish, step: Step) -> Sequence[Message]:
    """In the channel for what belongs to no request, and where it was said."""
    if not step.announced:
        return ()
    everywhere = Message(MessageKind.NOTE, body=step.announced)
    if wish.place.is_shell or wish.place.channel == parts.policy.operations_channel:
        return (everywhere,)
    return (everywhere, replace(everywhere, place=wish.place))


def _tell(parts: Parts, wish: SwitchWish, text: str) -> None:
    """To one person alone, best effort."""
    if not wish.place.is_shell:
        with suppress(MaskbotError):
            parts.channel.whisper(wish.place, wish.by.user, plain(text))
