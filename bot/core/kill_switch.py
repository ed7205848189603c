"""Stopping new masks and letting them go on: one may stop them, two have to lift it. What is kept, and each step."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from bot.core.cards import kill_switch
from bot.core.people.identity import PersonId, Place
from bot.core.requests import KillSwitch

THAW_GOOD_FOR = timedelta(hours=1)  # the second has to say so within it: two who never spoke to each other are no two
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
    """What became of a wish."""

    key: str
    text: str
    is_done: bool


@dataclass(frozen=True, slots=True)
class KillSwitchState:
    """Everything about the freeze: whether it is on, who wants it over, and what was said and not answered yet."""

    kill_switch: KillSwitch | None = None
    turn_off_requests: tuple[SwitchRequest, ...] = ()
    requests: tuple[SwitchRequest, ...] = ()
    answers: tuple[Answer, ...] = ()

    def knows(self, key: str) -> bool:
        """Whether a wish with this key was heard already."""
        return key in {*(one.key for one in self.requests), *(one.key for one in self.answers)}


@dataclass(frozen=True, slots=True)
class Step:
    """A wish was taken up: what is kept from now on, the word for the record, and what is said, if anything."""

    state: KillSwitchState
    event: str
    answer: Answer
    announced: str = ""


def refuse(state: KillSwitchState, wish: SwitchRequest, why: str) -> Step:
    """They may not."""
    return _step(state, wish, "kill_switch.refused", why, is_done=False)


def take_up(state: KillSwitchState, wish: SwitchRequest, *, still_may: Callable[[SwitchRequest], bool]) -> Step:
    """Do what somebody who may wishes; `still_may` says of an earlier wish whether its person still may."""
    return _thaw(state, wish, still_may) if wish.turns_off else _freeze(state, wish)


def _freeze(state: KillSwitchState, wish: SwitchRequest) -> Step:
    """A freeze that is on already stays as it is, and whoever wanted it over has to say so again."""
    if state.kill_switch is None:
        frozen = KillSwitch(wish.by, wish.name, wish.reason, wish.at)
        return _said(
            replace(state, kill_switch=frozen), wish, "kill_switch.on", kill_switch.begun(wish.name, wish.reason)
        )
    if not state.turn_off_requests:
        return _step(state, wish, "kill_switch.refused", kill_switch.already(state.kill_switch), is_done=False)
    return _said(
        replace(state, turn_off_requests=()), wish, "kill_switch.kept_on", kill_switch.kept(wish.name, wish.reason)
    )


def _thaw(state: KillSwitchState, wish: SwitchRequest, still_may: Callable[[SwitchRequest], bool]) -> Step:
    if state.kill_switch is None:
        return _step(state, wish, "kill_switch.refused", kill_switch.NOT_FROZEN, is_done=False)
    earlier = tuple(one for one in state.turn_off_requests if wish.at - one.at <= THAW_GOOD_FOR and still_may(one))
    if any(one.by.is_same_as(wish.by) for one in earlier):
        return _step(
            replace(state, turn_off_requests=earlier),
            wish,
            "kill_switch.refused",
            kill_switch.SAID_ALREADY,
            is_done=False,
        )
    if not earlier:
        told = kill_switch.one_wants_it_over(wish.name, wish.reason)
        return _said(replace(state, turn_off_requests=(wish,)), wish, "kill_switch.off_requested", told)
    told = kill_switch.lifted(state.kill_switch, (earlier[0].name, wish.name))
    return _said(replace(state, kill_switch=None, turn_off_requests=()), wish, "kill_switch.off", told)


def _said(state: KillSwitchState, wish: SwitchRequest, event: str, announced: str) -> Step:
    return replace(_step(state, wish, event, announced, is_done=True), announced=announced)


def _step(state: KillSwitchState, wish: SwitchRequest, event: str, text: str, *, is_done: bool) -> Step:
    answer = Answer(wish.key, text, is_done)
    left = tuple(one for one in state.requests if one.key != wish.key)
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
    frozen = document.get("kill_switch")
    return KillSwitchState(
        kill_switch=_frozen(frozen) if frozen else None,
        turn_off_requests=tuple(map(_wish, document.get("turn_off_requests", ()))),
        requests=tuple(map(_wish, document.get("requests", ()))),
        answers=tuple(Answer(**one) for one in document.get("answers", ())),
    )


def _frozen(stored: Mapping[str, Any]) -> KillSwitch:
    since = datetime.fromisoformat(stored["since"])
    return KillSwitch(**{**stored, "by": PersonId(**stored["by"]), "since": since})


def _wish(stored: Mapping[str, Any]) -> SwitchRequest:
    at = datetime.fromisoformat(stored["at"])
    return SwitchRequest(**{**stored, "by": PersonId(**stored["by"]), "place": Place(**stored["place"]), "at": at})
