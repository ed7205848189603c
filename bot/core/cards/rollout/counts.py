"""How the targets of a rollout stand: one word for each, counted, and as a bar."""

from collections.abc import Iterable, Mapping, Sequence

from bot.core.cards.blocks import Markup, escape, join, words
from bot.core.requests import Outcome, Request, Rollout, RolloutTarget, TargetStatus, Verb

Targets = Sequence[RolloutTarget]

_BAR = 24  # signs
_NAMES = 160  # characters for the names of hosts in a row
_NAME = 60  # and for one of them
_BY_STATUS = {
    TargetStatus.PLANNING: "being checked",
    TargetStatus.READY: "waiting",
    TargetStatus.LEFT_OUT: "left out",
    TargetStatus.STARTED: "in progress",
    TargetStatus.ASKED_AGAIN: "asked again",
    TargetStatus.UNKNOWN: "not known yet",
    TargetStatus.DONE: "done",
    TargetStatus.FAILED: "failed",
    TargetStatus.UNDONE: "undone since",
    TargetStatus.SKIPPED: "not begun",
    TargetStatus.LOST: "taken off since",
}
_BY_OUTCOME: Mapping[str, str] = {
    Outcome.PROVEN: "masked and proven",
    Outcome.MASKED_RUNNING: "masked but running",
    Outcome.MASKED_RESTARTED: "masked but restarted",
    Outcome.NOT_PROTECTED: "not protected",
    Outcome.NOT_LOADED: "mask not loaded",
    Outcome.FAILED: "failed",
    Outcome.NO_CHANGE: "no change",
    Outcome.RESTORED: "as before",
    Outcome.RESTORED_PARTLY: "not all as before",
    Outcome.UNMASKED: "unmasked",
    Outcome.NOT_UNMASKED: "partly unmasked",
    Outcome.NOT_OURS: "not ours",
    Outcome.CALLED_OFF: "withdrawn",
    Outcome.CALLED_OFF_PARTLY: "partly withdrawn",
}
_OVER = (TargetStatus.DONE, TargetStatus.FAILED)
# The worst first. What is not named here stands before what is as asked.
_ORDER = (
    *("not known yet", "taken off since", "not protected", "mask not loaded"),
    *("masked but restarted", "masked but running"),
    *("failed", "not all as before", "partly unmasked", "not ours", "asked again"),
    *("in progress", "waiting", "being checked", "not begun"),
)
_SIGNS = {  # in the order of the bar
    TargetStatus.DONE: "█",
    TargetStatus.FAILED: "x",
    TargetStatus.UNKNOWN: "?",
    TargetStatus.STARTED: "▒",
    TargetStatus.ASKED_AGAIN: "a",
    TargetStatus.UNDONE: "u",
    TargetStatus.LOST: "!",
    TargetStatus.SKIPPED: "-",
    TargetStatus.PLANNING: "░",
    TargetStatus.READY: "░",
}


def goal(request: Request) -> str:
    """What each target is to become."""
    if request.ask.change.verb is Verb.MASK:
        return "masked and proven"
    return "as before" if request.ask.undoes else "unmasked"


def word(request: Request, target: RolloutTarget) -> str:
    """How a target stands. Only what is proven to be as asked is called so."""
    if target.status not in _OVER:
        return _BY_STATUS[target.status]
    found = _BY_OUTCOME.get(target.outcome, _BY_STATUS[target.status])
    is_contradiction = target.status is TargetStatus.FAILED and found == goal(request)
    return _BY_STATUS[TargetStatus.FAILED] if is_contradiction else found


def is_as_asked(request: Request, target: RolloutTarget) -> bool:
    """Whether a target is proven to be as asked."""
    return target.status is TargetStatus.DONE and word(request, target) == goal(request)


def as_asked(request: Request, rollout: Rollout) -> Targets:
    """The targets that are proven to be as asked."""
    return [one for one in rollout.planned if is_as_asked(request, one)]


def progress(request: Request, rollout: Rollout) -> str:
    """`5 of 12 masked and proven`."""
    return f"{len(as_asked(request, rollout))} of {len(rollout.planned)} {goal(request)}"


def by_word(request: Request, targets: Iterable[RolloutTarget]) -> dict[str, Targets]:
    """The targets by how they stand, the worst first, what is as asked last, and then what was left out."""
    found: dict[str, list[RolloutTarget]] = {}
    for one in targets:
        found.setdefault(word(request, one), []).append(one)
    end = {goal(request): len(_ORDER) + 1, _BY_STATUS[TargetStatus.LEFT_OUT]: len(_ORDER) + 2}
    rank = {name: number for number, name in enumerate(_ORDER)} | end
    return {name: found[name] for name in sorted(found, key=lambda name: rank.get(name, len(_ORDER)))}


def others(request: Request, rollout: Rollout, *, most: int = 3) -> str:
    """Everything that is not as asked: `2 failed, 1 not begun`; empty if nothing is."""
    counted = {name: len(found) for name, found in by_word(request, rollout.planned).items() if name != goal(request)}
    shown = [f"{number} {name}" for name, number in [*counted.items()][:most]]
    rest = sum([*counted.values()][most:])
    return ", ".join([*shown, *([f"{rest} others"] if rest else [])])


def worst(request: Request, rollout: Rollout) -> Targets:
    """The targets whose outcome is not known or not as asked, the worst first."""
    bad = rollout.with_status(TargetStatus.UNKNOWN, TargetStatus.LOST, TargetStatus.FAILED)
    return [one for found in by_word(request, bad).values() for one in found]


def counts(request: Request, rollout: Rollout) -> Markup:
    """`5 masked and proven · 1 failed · 4 waiting`."""
    found = by_word(request, rollout.planned)
    names = [name for name in (goal(request), *found) if name in found]
    return join([words("{} {}", len(found[name]), name) for name in dict.fromkeys(names)], " · ")


def bar(rollout: Rollout) -> Markup:
    """All targets as signs: one for each, or a share of them. Whatever there is has one sign at least."""
    numbers = dict.fromkeys(_SIGNS.values(), 0)
    for one in rollout.planned:
        numbers[_SIGNS[one.status]] += 1
    whole = len(rollout.planned)
    if whole > _BAR:
        largest = max(numbers, key=lambda sign: numbers[sign])
        numbers = {sign: max(1, number * _BAR // whole) if number else 0 for sign, number in numbers.items()}
        numbers[largest] += _BAR - sum(numbers.values())
    return Markup(f"`{''.join(sign * number for sign, number in numbers.items())}`") if whole else Markup("")


def hosts(targets: Iterable[RolloutTarget], *, room: int = _NAMES) -> Markup:
    """The names of the hosts, as many as fit; others are counted."""
    return _bounded([escape(name, width=_NAME) for name in dict.fromkeys(one.host for one in targets)], room)


def _bounded(names: Sequence[Markup], room: int) -> Markup:
    kept = [*_fitting(names, room)]
    more = [words("{} more", len(names) - len(kept))] if len(kept) < len(names) else []
    return join([*kept, *more], most=len(names) + 1)


def _fitting(names: Sequence[Markup], room: int) -> Iterable[Markup]:
    for number, name in enumerate(names):
        room -= len(name) + 2
        if room < 0 and number:
            return
        yield name


def names(targets: Targets, rollout: Rollout, *, room: int = _NAMES) -> Markup:
    """The names of hosts; with their unit where it is one of several."""
    units = {one.unit for one in targets}
    if units == {one.unit for one in rollout.targets}:
        return hosts(targets, room=room)
    if len(units) == 1:
        return words("{} on {}", escape(str(targets[0].unit), width=_NAME), hosts(targets, room=room))
    return _bounded([name(one, is_alone=False) for one in targets], room)


def is_of_one_unit(rollout: Rollout) -> bool:
    """Whether it is about one unit, so that hosts alone name its targets."""
    return len({one.unit for one in rollout.targets}) == 1


def name(target: RolloutTarget, *, is_alone: bool) -> Markup:
    """A target: its host, with its unit unless that is the only one."""
    host = escape(target.host, width=_NAME)
    return host if is_alone else words("{} on {}", escape(str(target.unit), width=_NAME), host)


def note(request: Request, target: RolloutTarget) -> str:
    """What is noted about a target, without the word that stands before it."""
    return target.note.removeprefix(f"{word(request, target)}: ")


def number_of(targets: Iterable[RolloutTarget], noun: str = "host") -> str:
    """`1 host`, `12 hosts`."""
    number = len({one.host for one in targets})
    return f"{number} {noun}" + "s" * (number != 1)
