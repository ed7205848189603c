"""Refuse new masks while a required sink does not receive the audit log."""

from bot.core.policy.model import Facts, Policy, Refuse
from bot.core.policy.rules.kill_switch import only_denies

AUDIT_UNAVAILABLE = "audit_unavailable"


def required_sinks_are_current(facts: Facts, _policy: Policy) -> Refuse | None:
    """No mask is requested, approved or started while a required sink takes no records; every undo goes on."""
    if not facts.unshipped or not facts.request.is_new_mask or only_denies(facts):
        return None
    return Refuse(
        AUDIT_UNAVAILABLE,
        f"New masks must wait: {facts.unshipped}, and new masks need that copy of the audit log.",
        "Undo still works. Waiting masks continue once the copy works again.",
    )
