"""The form fields of a hold: its owner and its review date."""

from collections.abc import Sequence

from bot.core.cards.blocks import Block, option
from bot.core.cards.form_fields import input_block, text_input
from bot.core.input.draft import Draft
from bot.core.requests import Request

OWNERS, REVIEW_ON = "hold", "review"
_OWNERS_HINT = "For a mask that lasts: it never expires, and only these owners can lift it."
_REVIEW_HINT = "For a hold: when its owners review it, like 90d or 2027-03-01."
_USUAL_REVIEW = "90d"


def hold_fields(draft: Draft, owners: Sequence[str]) -> list[Block]:
    """The fields for owner and review date."""
    if not owners:
        return []
    menu: Block = {"type": "static_select", "action_id": OWNERS, "options": [option(f"@{one}", one) for one in owners]}
    menu |= {"initial_option": option(f"@{draft.owners}", draft.owners)} if draft.owners in owners else {}
    return [
        input_block(OWNERS, "Hold", menu, hint=_OWNERS_HINT, optional=True),
        input_block(REVIEW_ON, "Review", text_input(REVIEW_ON, draft.review), hint=_REVIEW_HINT, optional=True),
    ]


def review_field(mask: Request) -> list[Block]:
    """The field for the review date."""
    field = input_block(REVIEW_ON, "Next review", text_input(REVIEW_ON, _USUAL_REVIEW), hint="Like 90d, or 2027-03-01.")
    return [field] if mask.hold else []
