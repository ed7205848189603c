"""Keep enough hosts of a group running each unit of a rollout: what may begin, and which plan leaves too few."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.core.requests import Change, KeepActive, RolloutTarget, Verb
from bot.core.systemd.units import UnitName


@dataclass(frozen=True, slots=True)
class Count:
    """Which hosts of the group run the unit while nothing of ours is about to stop it; some, if those are enough."""

    rule: KeepActive
    unit: UnitName
    active: frozenset[str]

    @property
    def spare(self) -> int:
        """On how many of these hosts the unit may be stopped."""
        return len(self.active) - self.rule.at_least

    def is_about(self, target: RolloutTarget) -> bool:
        """Whether the target would stop a unit that is counted."""
        return target.unit == self.unit and target.host in self.active


def stops_units(change: Change) -> bool:
    """Whether the change takes running units away."""
    return change.verb is Verb.MASK and not (change.keep_running or change.adopt)


def keeping_enough(
    counts: Iterable[Count], wanted: Iterable[RolloutTarget]
) -> tuple[list[RolloutTarget], Count | None]:
    """As many of the wanted targets as may begin, and the first count that makes another one wait."""
    spare, begin, short = {count: count.spare for count in counts}, list[RolloutTarget](), None
    for one in wanted:
        costs = [count for count in spare if count.is_about(one)]
        lacking = next((count for count in costs if spare[count] <= 0), None)
        if lacking is None:
            begin.append(one)
            spare |= {count: spare[count] - 1 for count in costs}
        short = short or lacking
    return begin, short


def that_leaves_too_few(counts: Iterable[Count], planned: Sequence[RolloutTarget]) -> tuple[Count, int] | None:
    """The first count with too few active hosts once all of this is masked, and how many of them would be masked."""
    masked = ((count, sum(1 for one in planned if count.is_about(one))) for count in counts)
    return next(((count, number) for count, number in masked if number and number > count.spare), None)
