"""Block Kit as data: the few blocks we use, within Slack's limits, and foreign text made harmless."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Block = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Text:
    """A message: Block Kit blocks, and the same in words for notifications and screen readers."""

    text: str
    blocks: tuple[Block, ...] = ()


class Action(StrEnum):
    """What a button does; its value is the button's `action_id`."""

    APPROVE = "approve"
    DENY = "deny"
    WITHDRAW = "withdraw"
    DETAILS = "details"
    UNMASK = "unmask"
    MASK_AGAIN = "mask_again"
    START_AGAIN = "start_again"
    LOOK_NOW = "look_now"
