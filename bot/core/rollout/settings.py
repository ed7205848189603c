"""The settings of a rollout, merged from all rules that cover one of its targets: the strictest, in any order."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from bot.core.requests.rollout import KeepActive, RolloutRule, RolloutSettings
from bot.core.rollout.wave_sizes import REST, ends_of_waves, share

_EVERYWHERE_AT_ONCE = RolloutSettings(waves=(REST,), stop_after="100%", each_alone=True)


def strictest(rules: Iterable[RolloutRule], *, hosts: int, targets: int) -> RolloutSettings:
    """Merge what the rules say: what no rule says is as usual.

    The longest pause, the fewest failures and the fewest targets at once count. What one rule asks for is asked for,
    and every `keep_active` holds. A wave ends wherever it ends by one of the rules, so none is larger than by any.
    """
    said, usual = [*rules], RolloutSettings()
    return RolloutSettings(
        waves=_waves({rule.waves for rule in said if rule.waves}, hosts) or usual.waves,
        pause=max((rule.pause for rule in said if rule.pause is not None), default=usual.pause),
        stop_after=min(
            (rule.stop_after for rule in said if rule.stop_after),
            key=_failures(targets),
            default=usual.stop_after,
        ),
        in_parallel=min((rule.in_parallel for rule in said if rule.in_parallel is not None), default=usual.in_parallel),
        keep_active=all_kept(rule.keep_active for rule in said if rule.keep_active),
        strict=any(rule.strict for rule in said),
        wait_for_aftercheck=any(rule.wait_for_aftercheck for rule in said),
    )


def for_undo(settings: RolloutSettings) -> RolloutSettings:
    """An undo goes everywhere at once, as many targets at a time as the rules let run."""
    return replace(_EVERYWHERE_AT_ONCE, in_parallel=settings.in_parallel)


def _waves(named: set[tuple[str, ...]], hosts: int) -> tuple[str, ...]:
    """As written where the rules agree; else each wave in numbers of hosts."""
    if len(named) <= 1:
        return next(iter(named), ())
    ends = sorted({end for sizes in named for end in ends_of_waves(sizes, hosts) if end < hosts})
    return (*(str(end - begin) for begin, end in zip([0, *ends], ends, strict=False)), REST)


def _failures(targets: int) -> Callable[[str], tuple[int, str]]:
    """How few failures a number or a share stands for; of equals the same one in any order."""
    return lambda limit: (share(limit, targets), limit)


def all_kept(named: Iterable[KeepActive]) -> tuple[KeepActive, ...]:
    """The highest count for each group, by its name."""
    most = dict[str, int]()
    for one in named:
        most[one.group] = max(one.at_least, most.get(one.group, 0))
    return tuple(KeepActive(group, most[group]) for group in sorted(most))
