"""Masks that last: who may own them, and what becomes of one that was taken off."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, Field, PlainValidator, model_validator

from bot.core.policy.hold import HoldPolicy
from bot.core.time.human_time import FURTHEST
from config.policy_types import Duration, Word
from config.strict_yaml import STRICT


def read_requires_end(typed: object) -> bool | str:
    """`true`, `false`, or `or_hold`. Raises `ValueError`."""
    if isinstance(typed, bool) or typed == "or_hold":
        return typed if isinstance(typed, bool) else "or_hold"
    raise ValueError("has to be true, false or or_hold")


RequiresEnd = Annotated[bool | str, PlainValidator(read_requires_end)]


class HoldsEntry(BaseModel):
    """What `--hold` may ask for, and how the bot stands by it."""

    model_config = STRICT

    owners: list[Word] = Field(min_length=1)
    taken_off: Literal["put_back", "announce"] = "put_back"
    at_most: int = Field(default=HoldPolicy.rounds, ge=1, le=20)
    within: Duration = HoldPolicy.within
    review_within: Duration = HoldPolicy.furthest

    @model_validator(mode="after")
    def _is_possible(self) -> "HoldsEntry":
        if not timedelta(minutes=1) <= self.within <= timedelta(days=7):
            raise ValueError("`within` has to be a minute at least, and seven days at most")
        if not timedelta(0) < self.review_within <= FURTHEST:
            raise ValueError("`review_within` has to be longer than nothing, and a year at most")
        return self

    def holds(self) -> HoldPolicy:
        """The same as the policy has it."""
        puts_back = self.taken_off == "put_back"
        return HoldPolicy(frozenset(self.owners), puts_back, self.at_most, self.within, self.review_within)
