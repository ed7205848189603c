"""The kill switch: one person freezes new masks, two have to thaw them; its stored state and its steps."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from bot.core.people.identity import PersonId, Place
from bot.core.people.same_person import SamePerson
from bot.core.requests import KillSwitch

OFF_REQUEST_GOOD_FOR = timedelta(
    hours=1
)  # the second person must thaw within this time: a thaw that nobody joined lapses
_REMEMBERED = 20  # stored results, for those who wait for theirs and for a payload that comes twice


@dataclass(frozen=True, slots=True)
class SwitchRequest:
    """A command to freeze or thaw; its author's rights are checked when it is handled."""

    turns_off: bool
    by: PersonId
    name: str
    place: Place
    reason: str
    at: datetime
    key: str  # identifies the payload, so that a second delivery of it changes nothing


@dataclass(frozen=True, slots=True)
class SwitchResult:
    """The result of a command."""

    key: str
    text: str
    is_done: bool


@dataclass(frozen=True, slots=True)
class KillSwitchState:
    """The whole state: whether new masks are frozen, who wants to thaw them, and commands that were not handled yet."""

    kill_switch: KillSwitch | None = None
    turn_off_requests: tuple[SwitchRequest, ...] = ()
    requests: tuple[SwitchRequest, ...] = ()
    results: tuple[SwitchResult, ...] = ()

    def knows(self, key: str) -> bool:
        """Whether a command with this key was recorded already."""
        return key in {*(one.key for one in self.requests), *(one.key for one in self.results)}


class Result(StrEnum):
    """The result of a command."""

    ON = "on"
    KEPT_ON = "kept_on"  # somebody wanted to thaw, and somebody else does not
    OFF_REQUESTED = "off_requested"
    OFF = "off"
    ALREADY_ON = "already_on"
    NOT_ON = "not_on"
    REQUESTED_ALREADY = "requested_already"
    SAME_PERSON = "same_person"  # by another account of whoever wanted to thaw
    NOT_ALLOWED = "not_allowed"

    @property
    def is_done(self) -> bool:
        """Whether the command was carried out."""
        return self in (Result.ON, Result.KEPT_ON, Result.OFF_REQUESTED, Result.OFF)

    @property
    def event(self) -> str:
        """The kind of the audit event."""
        return f"kill_switch.{self}" if self.is_done else "kill_switch.refused"


@dataclass(frozen=True, slots=True)
class SwitchStep:
    """A handled command: what came of it, and the state after it."""

    state: KillSwitchState
    result: Result
    switch: KillSwitch | None = None  # as the command found it
    names: tuple[str, ...] = ()  # who thawed together

    def answered(self, asked: SwitchRequest, text: str) -> KillSwitchState:
        """The state with the result to the command, which does not wait any more."""
        left = tuple(one for one in self.state.requests if one.key != asked.key)
        results = (*self.state.results, SwitchResult(asked.key, text, self.result.is_done))[-_REMEMBERED:]
        return replace(self.state, requests=left, results=results)


def apply_request(
    state: KillSwitchState,
    asked: SwitchRequest,
    *,
    still_may: Callable[[SwitchRequest], bool],
    same_person: SamePerson,
) -> SwitchStep:
    """Carry out an allowed command; `still_may` says whether the author of an earlier one still has the right."""
    return _turn_off(state, asked, still_may, same_person) if asked.turns_off else _turn_on(state, asked)


def _turn_on(state: KillSwitchState, asked: SwitchRequest) -> SwitchStep:
    """A kill switch that is on already stays as it is, and whoever wanted it over has to say so again."""
    if state.kill_switch is None:
        switch = KillSwitch(asked.by, asked.name, asked.reason, asked.at)
        return SwitchStep(replace(state, kill_switch=switch), Result.ON)
    if not state.turn_off_requests:
        return SwitchStep(state, Result.ALREADY_ON, state.kill_switch)
    return SwitchStep(replace(state, turn_off_requests=()), Result.KEPT_ON, state.kill_switch)


def _turn_off(
    state: KillSwitchState, asked: SwitchRequest, still_may: Callable[[SwitchRequest], bool], same_person: SamePerson
) -> SwitchStep:
    switch = state.kill_switch
    if switch is None:
        return SwitchStep(state, Result.NOT_ON)
    earlier = tuple(
        one for one in state.turn_off_requests if asked.at - one.at <= OFF_REQUEST_GOOD_FOR and still_may(one)
    )
    if any(one.by.is_same_as(asked.by) for one in earlier):
        return SwitchStep(replace(state, turn_off_requests=earlier), Result.REQUESTED_ALREADY, switch)
    if any(same_person.are_one(one.by, asked.by) for one in earlier):
        return SwitchStep(replace(state, turn_off_requests=earlier), Result.SAME_PERSON, switch)
    if not earlier:
        return SwitchStep(replace(state, turn_off_requests=(asked,)), Result.OFF_REQUESTED, switch)
    names = (earlier[0].name, asked.name)
    return SwitchStep(replace(state, kill_switch=None, turn_off_requests=()), Result.OFF, switch, names)
