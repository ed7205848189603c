"""A note about each step of an escalation that is taken."""

from bot.core.requests import EscalationStep
from bot.core.time.human_time import humanize

_PAGED, _NO_PAGER = "somebody paged", "nobody paged, because no pager is configured"


def step_taken(step: EscalationStep, *, has_pager: bool) -> str:
    """Who is notified, and after which time without approval."""
    groups = " and ".join(f"@{group}" for group in step.mention)
    called = [f"{groups} notified"] * bool(groups) + ["another channel notified"] * bool(step.channel)
    called += [_PAGED if has_pager else _NO_PAGER] * step.page
    told = ", ".join(called) or "nobody else notified, because the request is in a private channel"
    return f"{humanize(step.after)} without approval: {told}."
