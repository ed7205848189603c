"""Notices about audit shipping: a sink is down, a sink is up again, and the head of the audit log."""

from bot.core.audit.chain import Head


def sink_failure(name: str, why: str, *, is_required: bool) -> str:
    """For operators: a sink takes nothing."""
    means = (
        "New masks wait until it works again. What runs is finished, and undo still works."
        if is_required
        else "Everything else goes on."
    )
    return (
        f"AUDIT SHIPPING TO {name} FAILS: {why}.\n"
        f"{means} Nothing is lost: the bot keeps the missing records and ships them later, in order."
    )


def sink_recovery(name: str) -> str:
    """For operators: the sink takes records again."""
    return f"Audit shipping to {name} works again; the missing records are being shipped."


def anchor(head: Head) -> str:
    """The chain's head, kept outside the database, which shows whether the end of the audit log was cut off."""
    return (
        f"The audit chain has {head.seq} records now. To check later that none is missing: "
        f"maskbot audit verify --anchor {head.seq}:{head.hash}"
    )
