"""A rollout on a terminal: how far it has come, its plan, and how each target ended."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.core.cards.outcomes import TITLES
from bot.core.requests import Outcome, TargetStatus

Shown = Mapping[str, Any]
_SETTLED = ("done", "undone", "lost", "failed", "skipped")
_WORDS = {
    TargetStatus.PLANNING: "being checked",
    TargetStatus.READY: "not begun",
    TargetStatus.LEFT_OUT: "left out",
    TargetStatus.STARTED: "running",
    TargetStatus.ASKED_AGAIN: "asked again",
    TargetStatus.UNKNOWN: "not known yet",
    TargetStatus.DONE: "done",
    TargetStatus.FAILED: "failed",
    TargetStatus.UNDONE: "undone since",
    TargetStatus.LOST: "taken off since",
    TargetStatus.SKIPPED: "skipped",
}
_NAMED = 20  # targets in a line
_TENTHS = 10


@dataclass(frozen=True, slots=True)
class Bar:
    """How many targets are settled. Plain lines are written when `mark` changes, which is not for each target."""

    done: int
    total: int
    mark: tuple[object, ...]


def is_rollout(request: Shown) -> bool:
    """Whether the request is a rollout whose targets are known."""
    return bool(request.get("rollout"))


def bar(request: Shown) -> Bar | None:
    """The progress bar, while targets are checked or carried out."""
    state = request.get("rollout")
    if not state or request["stage"] not in ("asked", "running"):
        return None
    counts = state["counts"]
    total = max(1, len(state["targets"]) if request["stage"] == "asked" else state["planned"])
    left = counts.get("planning", 0)
    done = total - left if request["stage"] == "asked" else sum(counts.get(name, 0) for name in _SETTLED)
    told = (state["wave"], state["paused"], state["waits_for"], counts.get("failed"), done * _TENTHS // total)
    return Bar(done, total, (request["stage"], *map(str, told)))


def current(request: Shown) -> str:
    """How far it has come, in a line."""
    state = request["rollout"]
    if request["stage"] == "asked":
        checked = len(state["targets"]) - state["counts"].get("planning", 0)
        return f"checking {len(state['targets'])} targets: {checked} checked"
    where = f"wave {state['wave']} of {state['waves']}: {_counts(state)}"
    if state["stopped"]:
        return f"stopped by {state['stopped']['by']}; {where}"
    if paused := state["paused"]:
        by = f" by {paused['by']}" if paused["by"] else f" {paused['why'] or ''}".rstrip()
        return f"paused{by}; {where}"
    return f"{where}; waits: {state['waits_for']}" if state["waits_for"] else where


def end(request: Shown) -> str:
    """How it ended, in a few words."""
    state = request["rollout"]
    return f"{state['counts'].get('done', 0)} of {state['planned']} targets as asked"


def result(request: Shown) -> Iterator[str]:
    """How each target ended: what is alike in a line, and what is not as asked by name."""
    groups = dict[str, list[Shown]]()
    for one in request["rollout"]["targets"]:
        groups.setdefault(_ended(one), []).append(one)
    for said, alike in sorted(groups.items(), key=lambda group: -len(group[1])):
        yield f"  {len(alike)} {said}: {_names(alike)}"


def plan(request: Shown) -> Iterator[str]:
    """The lines on which a voter decides: they group alike targets, and name those left out and the waves."""
    targets, groups = request["rollout"]["targets"], dict[str, list[Shown]]()
    for one in targets:
        is_out = one["status"] == "left_out"
        said = f"left out ({one['note'] or 'not possible'})" if is_out else one["like"] or "not checked yet"
        groups.setdefault(said, []).append(one)
    for said, alike in sorted(groups.items(), key=lambda group: -len(group[1])):
        yield f"  {len(alike)} alike: {said}: {_names(alike)}"
    sizes = [len({one["host"] for one in targets if one["wave"] == wave}) for wave in _waves(request)]
    if sizes:
        yield f"  waves:   {', '.join(map(str, sizes))} host{'s' * (sizes[-1] != 1)}"


def _waves(request: Shown) -> range:
    return range(1, request["rollout"]["waves"] + 1)


def _counts(state: Shown) -> str:
    counts = state["counts"]
    others = [f"{counts[one]} {_WORDS[one]}" for one in TargetStatus if counts.get(one) and one not in _APART]
    return ", ".join([f"{counts.get('done', 0)} of {state['planned']} done", *others])


_APART = (TargetStatus.DONE, TargetStatus.LEFT_OUT)


def _ended(one: Shown) -> str:
    """How a target ended; its reason too, where it is not as asked."""
    words = _WORDS[TargetStatus(one["status"])]
    if one["status"] == "done" and one["outcome"]:
        return TITLES[Outcome(one["outcome"])].lower()
    ended = TITLES[Outcome(one["outcome"])].lower() if one["status"] == "failed" and one["outcome"] else words
    return f"{ended} ({one['note']})" if one["note"] else ended


def _names(targets: Sequence[Shown]) -> str:
    """The hosts, with their units if these differ."""
    is_one_unit = len({one["unit"] for one in targets}) == 1
    names = [one["host"] if is_one_unit else f"{one['unit']} on {one['host']}" for one in targets]
    more = [f"{len(names) - _NAMED} more"] if len(names) > _NAMED else []
    return ", ".join([*names[:_NAMED], *more])
