"""Notices about audit shipping: a sink is down, a sink is up again, and the head of the audit log."""

from bot.core.audit.chain import Head


def down(name: str, why: str, *, is_required: bool) -> str:
    """For operators: a sink takes nothing."""
    means = (
        "New masks have to wait until it does; what runs is finished, and whatever takes a mask back goes on."
        if is_required
        else "Everything goes on without that copy."
    )
    return (
        f"THE COPY OF THE RECORD AT {name} IS NOT TAKEN: {why}.\n"
        f"{means} Nothing is lost: what is missing there is in the bot's own record, and is shipped later, in order."
    )


def up(name: str) -> str:
    """For operators: the sink takes records again."""
    return f"The copy of the record at {name} is taken again, and what was missing is being shipped."


def ends(head: Head) -> str:
    """The chain's head, kept outside the database, which shows whether the end of the audit log was cut off."""
    return (
        f"The record has {head.seq} entries by now. Whoever doubts that all are there later compares with this: "
        f"maskbot audit verify --anchor {head.seq}:{head.hash}"
    )
