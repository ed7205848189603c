"""Words about the plan of a rollout: what is alike, and why nothing is left of it."""

from collections import Counter

from bot.core.cards.unit_state import activity, boot
from bot.core.requests import Rollout
from bot.core.systemd.units import Snapshot

_MOST = 5


def state_summary(seen: Snapshot) -> str:
    """What a target is like, so that the same words stand for all that are alike: `running, enabled`."""
    if seen.is_masked:
        return f"masked, {activity(seen)}"
    around = seen.around
    with_it = sorted(other.unit for other in around.would_stop) if around else []
    stops = f"; stops {', '.join(with_it[:_MOST])}" + f" and {len(with_it) - _MOST} more" * (len(with_it) > _MOST)
    at_boot = f", {boot(seen.file_state)}" if seen.file_state else ""
    return f"{activity(seen)}{at_boot}{stops * bool(with_it)}"


def nothing_planned(rollout: Rollout) -> str:
    """Why no target is left of a rollout: the most frequent reasons first."""
    reasons = Counter(one.note or "not possible" for one in rollout.left_out)
    told = " ".join(f"{count} of {len(rollout.targets)}: {why}" for why, count in reasons.most_common(_MOST))
    return f"None of its targets can be changed. {told}"
