"""Stopping new masks and letting them go on: one may stop them, two have to lift it. What is kept, and each step."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from bot.core.cards import kill_switch
from bot.core.people.identity import PersonId, Place
from bot.core.requests import Frozen

THAW_GOOD_FOR = timedelta(hours=1)  # the second has to say so within it: two who never spoke to each other are no two
_REMEMBERED = 20  # answers, for those who wait for theirs and for a payload that comes twice


@dataclass(frozen=True, slots=True)
class SwitchWish:
    """Somebody wants new masks stopped, or to go on; whether they may is asked when it is taken up."""

    thaws: bool
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
class State:
    """Everything about the freeze: whether it is on, who wants it over, and what was said and not answered yet."""

    frozen: Frozen | None = None
    thaws: tuple[SwitchWish, ...] = ()
    wishes: tuple[SwitchWish, ...] = ()
    answers: tuple[Answer, ...] = ()

    def knows(self, key: str) -> bool:
        """Whether a wish with this key was heard already."""
        return key in {*(one.key for one in self.wishes), *(one.key for one in self.answers)}


@dataclass(frozen=True, slots=True)
class Step:
    """A wish was taken up: what is kept from now on, the word for the record, and what is said, if anything."""

    state: State
    event: str
    answer: Answer
    announced: str = ""


def refused(state: State, wish: SwitchWish, why: str) -> Step:
    """They may not."""
    return _step(state, wish, "freeze.refused", why, is_done=False)


def take_up(state: State, wish: SwitchWish, *, still_may: Callable[[SwitchWish], bool]) -> Step:
    """Do what somebody who may wishes; `still_may` says of an earlier wish whether its person still may."""
    return _thaw(state, wish, still_may) if wish.thaws else _freeze(state, wish)


def _freeze(state: State, wish: SwitchWish) -> Step:
    """A freeze that is on already stays as it is, and whoever wanted it over has to say so again."""
    if state.frozen is None:
        frozen = Frozen(wish.by, wish.name, wish.reason, wish.at)
        return _said(replace(state, frozen=frozen), wish, "freeze.begun", kill_switch.begun(wish.name, wish.reason))
    if not state.thaws:
        return _step(state, wish, "freeze.refused", kill_switch.already(state.frozen), is_done=False)
    return _said(replace(state, thaws=()), wish, "freeze.kept", kill_switch.kept(wish.name, wish.reason))


def _thaw(state: State, wish: SwitchWish, still_may: Callable[[SwitchWish], bool]) -> Step:
    if state.frozen is None:
        return _step(state, wish, "freeze.refused", kill_switch.NOT_FROZEN, is_done=False)
    earlier = tuple(one for one in state.thaws if wish.at - one.at <= THAW_GOOD_FOR and still_may(one))
    if any(one.by.is_same_as(wish.by) for one in earlier):
        return _step(replace(state, thaws=earlier), wish, "freeze.refused", kill_switch.SAID_ALREADY, is_done=False)
    if not earlier:
        told = kill_switch.one_wants_it_over(wish.name, wish.reason)
        return _said(replace(state, thaws=(wish,)), wish, "thaw.asked", told)
    told = kill_switch.lifted(state.frozen, (earlier[0].name, wish.name))
    return _said(replace(state, frozen=None, thaws=()), wish, "freeze.lifted", told)


def _said(state: State, wish: SwitchWish, event: str, announced: str) -> Step:
    return replace(_step(state, wish, event, announced, is_done=True), announced=announced)


def _step(state: State, wish: SwitchWish, event: str, text: str, *, is_done: bool) -> Step:
    answer = Answer(wish.key, text, is_done)
    left = tuple(one for one in state.wishes if one.key != wish.key)
    kept = replace(state, wishes=left, answers=(*state.answers, answer)[-_REMEMBERED:])
    return Step(kept, event, answer)


def written(state: State) -> Mapping[str, Any]:
    """As it is stored: nothing but what JSON knows."""
    document: dict[str, Any] = asdict(state)
    for one in (document["frozen"], *document["thaws"], *document["wishes"]):
        for name in ("since", "at"):
            if one and name in one:
                one[name] = one[name].isoformat()
    return document


def read(document: Mapping[str, Any]) -> State:
    """What was stored; of an empty document nothing was ever said."""
    frozen = document.get("frozen")
    return State(
        frozen=_frozen(frozen) if frozen else None,
        thaws=tuple(map(_wish, document.get("thaws", ()))),
        wishes=tuple(map(_wish, document.get("wishes", ()))),
        answers=tuple(Answer(**one) for one in document.get("answers", ())),
    )


def _frozen(stored: Mapping[str, Any]) -> Frozen:
    since = datetime.fromisoformat(stored["since"])
    return Frozen(**{**stored, "by": PersonId(**stored["by"]), "since": since})


def _wish(stored: Mapping[str, Any]) -> SwitchWish:
    at = datetime.fromisoformat(stored["at"])
    return SwitchWish(**{**stored, "by": PersonId(**stored["by"]), "place": Place(**stored["place"]), "at": at})
