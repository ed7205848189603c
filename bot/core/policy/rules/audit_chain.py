"""Refuse everything that acts while the audit chain is broken: the bot looks and answers only."""

from bot.core.policy.model import Facts, Policy, Refuse
from bot.core.policy.rules.kill_switch import only_denies

CHAIN_BROKEN = "audit_chain_broken"


def audit_chain_is_intact(facts: Facts, _policy: Policy) -> Refuse | None:
    """Nothing is requested, approved or started, an undo neither; what waits may be denied."""
    if not facts.broken_chain or only_denies(facts):
        return None
    return Refuse(
        CHAIN_BROKEN,
        f"The bot only checks and answers: its audit log cannot be trusted ({facts.broken_chain}).",
        "The operators are told. What waits continues once they have accepted the break.",
    )
