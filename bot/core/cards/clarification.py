"""Notes about an approver's question and the owner's answer."""

from bot.core.requests import Approval, Followup, Remark
from bot.core.time.human_time import humanize


def asked(remark: Remark, approval: Approval, *, is_first: bool) -> str:
    """The question, and whether the time to approve starts again for it."""
    anew = f"The time to approve starts again, once: {humanize(approval.approve_within)}."
    clock = anew if is_first else "The time to approve keeps running."
    return f"{remark.name} asks: {remark.text}\nUse Details on the card to answer. {clock}"


def answered(followup: Followup) -> str:
    """The answer."""
    return f"{followup.name} answers: {followup.text}"
