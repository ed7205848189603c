"""The form fields of a hold: its owner and its review date."""

from collections.abc import Sequence

from bot.core.cards.blocks import Block, option
from bot.core.cards.form_fields import input_block, text_input
from bot.core.input.draft import Draft
from bot.core.requests import Request

OWNERS, REVIEW_ON = "hold", "review"
_OWNERS_HINT = "For a mask that lasts: it never expires, and only these owners can lift it."
_REVIEW_HINT = "For a hold: when its owners review it, like 90d or 2027-03-01."
_USUAL_REVIEW, _USUAL_REMINDER = "90d", "7d"


def hold_fields(draft: Draft, owners: Sequence[str]) -> list[Block]:
    """The fields for owner and review date."""
    if not owners:
        return []
    menu = _owners(owners)
    menu |= {"initial_option": option(f"@{draft.owners}", draft.owners)} if draft.owners in owners else {}
    return [
        input_block(OWNERS, "Hold", menu, hint=_OWNERS_HINT, optional=True),
        input_block(REVIEW_ON, "Review", text_input(REVIEW_ON, draft.review), hint=_REVIEW_HINT, optional=True),
    ]


def to_hold(owners: Sequence[str]) -> list[Block]:
    """The fields for owner and review date of a mask that becomes a hold; nobody owns one by default."""
    return [input_block(OWNERS, "Owners", _owners(owners)), _review_input("First review", _USUAL_REVIEW)]


def review_field(mask: Request) -> list[Block]:
    """The field for the review date; of a mask without expiry, for the day of the next reminder."""
    if mask.aftercare.expires_at:
        return []
    return [_review_input(*(("Next review", _USUAL_REVIEW) if mask.hold else ("Remind me again in", _USUAL_REMINDER)))]


def _owners(owners: Sequence[str]) -> Block:
    return {"type": "static_select", "action_id": OWNERS, "options": [option(f"@{one}", one) for one in owners]}


def _review_input(label: str, usual: str) -> Block:
    return input_block(REVIEW_ON, label, text_input(REVIEW_ON, usual), hint="Like 90d, or 2027-03-01.")
