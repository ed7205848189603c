"""The kill switch: one person freezes new masks, two have to thaw them; its stored state and its steps."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from bot.core.cards import kill_switch
from bot.core.people.identity import PersonId, Place
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


@dataclass(frozen=True, slots=True)
class SwitchStep:
    """A handled command: the new state, the audit event, and the announcement, if any."""

    state: KillSwitchState
    event: str
    result: SwitchResult
    announced: str = ""


def refuse(state: KillSwitchState, asked: SwitchRequest, why: str) -> SwitchStep:
    """Refuse a command."""
    return _step(state, asked, "kill_switch.refused", why, is_done=False)


def apply_request(
    state: KillSwitchState, asked: SwitchRequest, *, still_may: Callable[[SwitchRequest], bool]
) -> SwitchStep:
    """Carry out an allowed command; `still_may` says whether the author of an earlier one still has the right."""
    return _turn_off(state, asked, still_may) if asked.turns_off else _turn_on(state, asked)


def _turn_on(state: KillSwitchState, asked: SwitchRequest) -> SwitchStep:
    """A kill switch that is on already stays as it is, and whoever wanted it over has to say so again."""
    if state.kill_switch is None:
        switch = KillSwitch(asked.by, asked.name, asked.reason, asked.at)
        return _announce(
            replace(state, kill_switch=switch),
            asked,
            "kill_switch.on",
            kill_switch.on_announcement(asked.name, asked.reason),
        )
    if not state.turn_off_requests:
        return _step(
            state, asked, "kill_switch.refused", kill_switch.already_on_reply(state.kill_switch), is_done=False
        )
    return _announce(
        replace(state, turn_off_requests=()),
        asked,
        "kill_switch.kept_on",
        kill_switch.stays_on_announcement(asked.name, asked.reason),
    )


def _turn_off(state: KillSwitchState, asked: SwitchRequest, still_may: Callable[[SwitchRequest], bool]) -> SwitchStep:
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
            kill_switch.ALREADY_REQUESTED,
            is_done=False,
        )
    if not earlier:
        told = kill_switch.off_request_announcement(asked.name, asked.reason)
        return _announce(replace(state, turn_off_requests=(asked,)), asked, "kill_switch.off_requested", told)
    told = kill_switch.off_announcement(state.kill_switch, (earlier[0].name, asked.name))
    return _announce(replace(state, kill_switch=None, turn_off_requests=()), asked, "kill_switch.off", told)


def _announce(state: KillSwitchState, asked: SwitchRequest, event: str, announced: str) -> SwitchStep:
    return replace(_step(state, asked, event, announced, is_done=True), announced=announced)


def _step(state: KillSwitchState, asked: SwitchRequest, event: str, text: str, *, is_done: bool) -> SwitchStep:
    result = SwitchResult(asked.key, text, is_done)
    left = tuple(one for one in state.requests if one.key != asked.key)
    kept = replace(state, requests=left, results=(*state.results, result)[-_REMEMBERED:])
    return SwitchStep(kept, event, result)


def encode(state: KillSwitchState) -> Mapping[str, Any]:
    """The state as plain JSON values."""
    document: dict[str, Any] = asdict(state)
    for one in (document["kill_switch"], *document["turn_off_requests"], *document["requests"]):
        for name in ("since", "at"):
            if one and name in one:
                one[name] = one[name].isoformat()
    return document


def decode(document: Mapping[str, Any]) -> KillSwitchState:
    """The state from its stored document; an empty document is the initial state."""
    switch = document.get("kill_switch")
    return KillSwitchState(
        kill_switch=_kill_switch(switch) if switch else None,
        turn_off_requests=tuple(map(_switch_request, document.get("turn_off_requests", ()))),
        requests=tuple(map(_switch_request, document.get("requests", ()))),
        results=tuple(SwitchResult(**one) for one in document.get("results", ())),
    )


def _kill_switch(stored: Mapping[str, Any]) -> KillSwitch:
    since = datetime.fromisoformat(stored["since"])
    return KillSwitch(**{**stored, "by": PersonId(**stored["by"]), "since": since})


def _switch_request(stored: Mapping[str, Any]) -> SwitchRequest:
    at = datetime.fromisoformat(stored["at"])
    return SwitchRequest(**{**stored, "by": PersonId(**stored["by"]), "place": Place(**stored["place"]), "at": at})
