"""Step-up: enrol an authenticator, take its codes, each once across all replicas, and reset it.

A person's state is a sealed row beside the requests, saved by version together with its event. It names its newest
event, so a row that somebody put back or removed does not fit the audit log, and no code counts by it.
"""

import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import NoReturn

from bot.core.audit.chain import Event
from bot.core.cards import step_up as words
from bot.core.people.identity import Caller, PersonId
from bot.core.step_up.authenticator import (
    SALT_BYTES,
    Attempt,
    Offer,
    Result,
    StepUpState,
    confirm,
    is_locked,
    offer,
    read_code,
    use_code,
)
from bot.errors import CodeRefused, NotSealed, Stale, UsageError
from bot.ports import Message, MessageKind, Periodic
from bot.workflow.health.operator_notices import report_forgery
from bot.workflow.process.deps import Deps
from bot.workflow.process.documents import from_document, to_document

_KIND = "step_up"


@dataclass(frozen=True, slots=True)
class _Stored:
    """A person's state as it is stored, and the version that a change replaces."""

    state: StepUpState
    version: int


@dataclass(frozen=True, slots=True)
class _Told:
    """The event of a change, and who is told what."""

    event: Event
    operators: str = ""
    owner: str = ""


class StepUp:
    """The desk's part of step-up. What it raises is for the person alone; no code and no secret is ever in it."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self._reported = set[tuple[str, str]]()

    def state(self, person: PersonId) -> StepUpState:
        """A person's state. Raises `CodeRefused` if what is stored cannot be believed."""
        return self._read(self._subject(person)).state

    def check_ready(self, person: PersonId) -> None:
        """Raise `CodeRefused` if no code of the person could count now, before they are asked for one."""
        state = self.state(person)
        if state.authenticator is None:
            raise CodeRefused(words.why_not(Result.NOT_ENROLLED, state))
        if is_locked(state, self._deps.clock.now()):
            raise CodeRefused(words.why_not(Result.LOCKED, state))

    def use(self, who: Caller, typed: str, **what: str) -> None:
        """Take a code of the person's authenticator; `what` it was given for is recorded. Raises `CodeRefused`."""
        code, subject = _read(typed), self._subject(who.id)

        def used(state: StepUpState) -> tuple[Attempt, _Told]:
            tried = use_code(state, subject, code, self._deps.keys, self._deps.clock.now())
            return tried, _Told(Event("step_up.accepted", "success", data=what))

        self._attempt(who, used)

    def offer(self, who: Caller, typed: str = "") -> Offer:
        """A new secret for the person; whoever has an authenticator gives a code of it first. Raises `CodeRefused`."""
        subject, deps, has_given_code = self._subject(who.id), self._deps, False
        while True:
            stored = self._read(subject)
            if stored.state.authenticator is not None and not has_given_code:  # also one that came meanwhile
                self.use(who, typed, used_for="replacing the authenticator")
                has_given_code = True
                continue
            salt, now = secrets.token_hex(SALT_BYTES), deps.clock.now()
            newer, offered = offer(stored.state, subject, who.name or who.id.user, deps.keys, now, salt=salt)
            if self._save(subject, stored, newer, None, who):
                return offered

    def confirm(self, who: Caller, typed: str) -> None:
        """Let the offered secret count, with its first code. Raises `CodeRefused`."""
        code, subject = _read(typed), self._subject(who.id)

        def confirmed(state: StepUpState) -> tuple[Attempt, _Told]:
            is_another = state.authenticator is not None
            tried = confirm(state, subject, code, self._deps.keys, self._deps.clock.now())
            name = who.name or who.id.user
            told = words.enrolled_notice(name, is_another=is_another)
            return tried, _Told(Event("step_up.enrolled", "success"), told, words.ENROLLED_DIRECT)

        self._attempt(who, confirmed)

    def reset(self, person: PersonId, name: str, *, by: PersonId | None, by_name: str, reason: str) -> None:
        """Remove a person's authenticator, also one whose row cannot be believed. Raises `UsageError`."""
        subject = self._subject(person)
        try:
            if replace(self._read(subject).state, last_event="") == StepUpState():
                raise UsageError(words.nothing_to_reset(name))
        except CodeRefused:
            pass  # whatever is stored, it is written over
        data = {"person": person.user, "by": by_name, "reason": reason}
        event = Event("step_up.reset", "success", "", subject, by, data, id=secrets.token_hex(16))
        messages = [
            Message(MessageKind.NOTE, body=words.reset_notice(name, by_name, reason)),
            Message(MessageKind.DIRECT, to=person.user, body=words.RESET_DIRECT),
        ]
        empty = to_document(StepUpState(last_event=event.id))
        self._deps.store.save_periodic(Periodic(subject, empty), events=[event], messages=messages, forced=True)

    def _attempt(self, who: Caller, attempt: Callable[[StepUpState], tuple[Attempt, _Told]]) -> None:
        """Try a code against the newest state, and save what became of it. Raises `CodeRefused`."""
        subject = self._subject(who.id)
        while True:
            stored = self._read(subject)
            tried, told = attempt(stored.state)
            if tried.result is not Result.ACCEPTED:
                told = self._refused(tried, who)
            if tried.state == stored.state or self._save(subject, stored, tried.state, told, who):
                break
        if tried.result is not Result.ACCEPTED:
            raise CodeRefused(words.why_not(Result.LOCKED if tried.locks else tried.result, tried.state))

    def _refused(self, tried: Attempt, who: Caller) -> _Told:
        code = str(tried.result)
        if not tried.locks:
            return _Told(Event("step_up.refused", "denied", code))
        locked = words.locked(tried.state.locked_until)
        return _Told(Event("step_up.locked", "denied", code), words.locked_notice(who.name or who.id.user), locked)

    def _save(self, subject: str, stored: _Stored, newer: StepUpState, told: _Told | None, who: Caller) -> bool:
        """Save the next state with its event; False if somebody else was quicker."""
        events, messages = list[Event](), list[Message]()
        if told:
            known = replace(told.event, request_id=subject, actor=who.id, id=secrets.token_hex(16))
            newer, events = replace(newer, last_event=known.id), [known]
            messages = _messages(told, who)
        task = Periodic(subject, to_document(newer), None, stored.version)
        try:
            self._deps.store.save_periodic(task, events=events, messages=messages)
        except Stale:
            return False
        return True

    def _subject(self, person: PersonId) -> str:
        """The name of the person's row, under which events about it are found too.

        On the command line a person's id may lack the enterprise, which only Slack knows, as the enrolment did.
        """
        own, wider = ":".join((_KIND, *person.key)), list[str]()
        with suppress(NotSealed):
            if not person.enterprise and self._deps.store.get_periodic(own) is None:
                names = (task.name for task in self._deps.store.find_periodic(_KIND))
                wider = [name for name in names if name.startswith(f"{_KIND}:E") and name.endswith(f":{person.user}")]
        return next(iter(wider), own)

    def _read(self, subject: str) -> _Stored:
        """What is stored, if it fits the newest event about it. Raises `CodeRefused`."""
        store = self._deps.store
        try:
            while True:
                task = store.get_periodic(subject) or Periodic(subject)
                state = from_document(StepUpState, task.document)
                newest = store.events_about(subject, newest=1)
                if [one["event_id"] for one in newest] == [state.last_event] * bool(state.last_event):
                    return _Stored(state, task.version)
                if (store.get_periodic(subject) or Periodic(subject)).version == task.version:
                    self._not_believed(subject, words.SET_BACK)
        except NotSealed as error:
            self._not_believed(subject, str(error))

    def _not_believed(self, subject: str, why: str) -> NoReturn:
        """Tell the operators once, and refuse."""
        if (subject, why) not in self._reported:
            self._reported.add((subject, why))
            report_forgery(self._deps, f"the row {subject}", why)
        raise CodeRefused(words.NOT_BELIEVED)


def _read(typed: str) -> str:
    try:
        return read_code(typed)
    except UsageError as error:
        raise CodeRefused(str(error)) from None


def _messages(told: _Told, who: Caller) -> list[Message]:
    to_operators = [Message(MessageKind.NOTE, body=told.operators)] if told.operators else []
    to_owner = [Message(MessageKind.DIRECT, to=who.id.user, body=told.owner)] if told.owner else []
    return [*to_operators, *to_owner]
