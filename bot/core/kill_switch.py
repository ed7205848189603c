"""Stopping new masks and letting them go on: one may stop them, two have to lift it. What is kept, and each step."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from bot.core.cards import kill_switch
from bot.core.people.identity import PersonId, Place
from bot.core.requests import KillSwitch

OFF_REQUEST_GOOD_FOR = timedelta(
    hours=1
)  # the second has to say so within it: two who never spoke to each other are no two
_REMEMBERED = 20  # answers, for those who wait for theirs and for a payload that comes twice


@dataclass(frozen=True, slots=True)
class SwitchRequest:
    """Somebody wants new masks stopped, or to go on; whether they may is asked when it is taken up."""

    turns_off: bool
    by: PersonId
    name: str
    place: Place
    reason: str
    at: datetime
    key: str  # what a second delivery has in common with the first


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a request."""

    key: str
    text: str
    is_done: bool


@dataclass(frozen=True, slots=True)
class KillSwitchState:
    """Everything about the kill switch: whether it is on, who wants it over, and what was said and not answered yet."""

    kill_switch: KillSwitch | None = None
    turn_off_requests: tuple[SwitchRequest, ...] = ()
    requests: tuple[SwitchRequest, ...] = ()
    answers: tuple[Answer, ...] = ()

    def knows(self, key: str) -> bool:
        """Whether a request with this key was heard already."""
        return key in {*(one.key for one in self.requests), *(one.key for one in self.answers)}


@dataclass(frozen=True, slots=True)
class Step:
    """A request was taken up: what is kept from now on, the word for the record, and what is said, if anything."""

    state: KillSwitchState
    event: str
    answer: Answer
    announced: str = ""


def refuse(state: KillSwitchState, asked: SwitchRequest, why: str) -> Step:
    """They may not."""
    return _step(state, asked, "kill_switch.refused", why, is_done=False)


def take_up(state: KillSwitchState, asked: SwitchRequest, *, still_may: Callable[[SwitchRequest], bool]) -> Step:
    """Do what somebody who may asks for; `still_may` says of an earlier request whether its person still may."""
    return _turn_off(state, asked, still_may) if asked.turns_off else _turn_on(state, asked)


def _turn_on(state: KillSwitchState, asked: SwitchRequest) -> Step:
    """A kill switch that is on already stays as it is, and whoever wanted it over has to say so again."""
    if state.kill_switch is None:
        switch = KillSwitch(asked.by, asked.name, asked.reason, asked.at)
        return _said(
            replace(state, kill_switch=switch), asked, "kill_switch.on", kill_switch.turned_on(asked.name, asked.reason)
        )
    if not state.turn_off_requests:
        return _step(state, asked, "kill_switch.refused", kill_switch.already_on(state.kill_switch), is_done=False)
    return _said(
        replace(state, turn_off_requests=()),
        asked,
        "kill_switch.kept_on",
        kill_switch.kept_on(asked.name, asked.reason),
    )


def _turn_off(state: KillSwitchState, asked: SwitchRequest, still_may: Callable[[SwitchRequest], bool]) -> Step:
    if state.kill_switch is None:
        return _step(state, asked, "kill_switch.refused", kill_switch.NOT_ON, is_done=False)
    earlier = tuple(
        one for one in state.turn_off_requests if asked.at - one.at <= OFF_REQUEST_GOOD_FOR and still_may(one)
    )
    if any(one.by.is_same_as(asked.by) for one in earlier):
        return _step(
            replace(state, turn_off_requests=earlier),
            asked,
            "kill_switch.refused",
            kill_switch.SAID_ALREADY,
            is_done=False,
        )
    if not earlier:
        told = kill_switch.off_requested(asked.name, asked.reason)
        return _said(replace(state, turn_off_requests=(asked,)), asked, "kill_switch.off_requested", told)
    told = kill_switch.turned_off(state.kill_switch, (earlier[0].name, asked.name))
    return _said(replace(state, kill_switch=None, turn_off_requests=()), asked, "kill_switch.off", told)


def _said(state: KillSwitchState, asked: SwitchRequest, event: str, announced: str) -> Step:
    return replace(_step(state, asked, event, announced, is_done=True), announced=announced)


def _step(state: KillSwitchState, asked: SwitchRequest, event: str, text: str, *, is_done: bool) -> Step:
    answer = Answer(asked.key, text, is_done)
    left = tuple(one for one in state.requests if one.key != asked.key)
    kept = replace(state, requests=left, answers=(*state.answers, answer)[-_REMEMBERED:])
    return Step(kept, event, answer)


def encode(state: KillSwitchState) -> Mapping[str, Any]:
    """As it is stored: nothing but what JSON knows."""
    document: dict[str, Any] = asdict(state)
    for one in (document["kill_switch"], *document["turn_off_requests"], *document["requests"]):
        for name in ("since", "at"):
            if one and name in one:
                one[name] = one[name].isoformat()
    return document


def decode(document: Mapping[str, Any]) -> KillSwitchState:
    """What was stored; of an empty document nothing was ever said."""
    switch = document.get("kill_switch")
    return KillSwitchState(
        kill_switch=_kill_switch(switch) if switch else None,
        turn_off_requests=tuple(map(_switch_request, document.get("turn_off_requests", ()))),
        requests=tuple(map(_switch_request, document.get("requests", ()))),
        answers=tuple(Answer(**one) for one in document.get("answers", ())),
    )


def _kill_switch(stored: Mapping[str, Any]) -> KillSwitch:
    since = datetime.fromisoformat(stored["since"])
    return KillSwitch(**{**stored, "by": PersonId(**stored["by"]), "since": since})


def _switch_request(stored: Mapping[str, Any]) -> SwitchRequest:
    at = datetime.fromisoformat(stored["at"])
    return SwitchRequest(**{**stored, "by": PersonId(**stored["by"]), "place": Place(**stored["place"]), "at": at})
