"""The policy for holds: who may own one, and what happens when its mask is removed."""

from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, Field, PlainValidator, model_validator

from bot.core.policy.hold import HoldPolicy
from bot.core.time.human_time import FURTHEST
from config.policy_types import Duration, Word
from config.strict_yaml import STRICT


def read_requires_expiry(typed: object) -> bool | str:
    """`true`, `false`, or `or_hold`. Raises `ValueError`."""
    if isinstance(typed, bool) or typed == "or_hold":
        return typed if isinstance(typed, bool) else "or_hold"
    raise ValueError("has to be true, false or or_hold")


RequiresExpiry = Annotated[bool | str, PlainValidator(read_requires_expiry)]


class HoldsEntry(BaseModel):
    """What `--hold` may ask for, and how the bot reapplies removed masks."""

    model_config = STRICT

    owners: list[Word] = Field(min_length=1)
    reapply: bool = HoldPolicy.reapply
    reapply_limit: int = Field(default=HoldPolicy.reapply_limit, ge=1, le=20)
    reapply_within: Duration = HoldPolicy.reapply_within
    review_within: Duration = HoldPolicy.review_within

    @model_validator(mode="after")
    def _is_possible(self) -> "HoldsEntry":
        if not timedelta(minutes=1) <= self.reapply_within <= timedelta(days=7):
            raise ValueError("`reapply_within` has to be between a minute and seven days")
        if not timedelta(0) < self.review_within <= FURTHEST:
            raise ValueError("`review_within` has to be more than zero and at most a year")
        return self

    def holds(self) -> HoldPolicy:
        """The values for the policy."""
        return HoldPolicy(
            frozenset(self.owners), self.reapply, self.reapply_limit, self.reapply_within, self.review_within
        )
