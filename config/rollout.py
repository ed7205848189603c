"""`rollout` of a rule in policy.yaml: how a rollout that the rule covers goes on from wave to wave."""

import re

from pydantic import BaseModel, Field, field_validator

from bot.core.requests import KeepActive, RolloutRule
from bot.core.rollout.wave_sizes import read_waves
from bot.errors import UsageError
from config.policy_types import Duration, Word
from config.strict_yaml import STRICT

_STOP_AFTER = re.compile(r"[1-9][0-9]{0,3}|(?:[1-9][0-9]?|100)%", re.ASCII)


class KeepActiveEntry(BaseModel):
    """How many hosts of a group must go on running the unit."""

    model_config = STRICT

    group: Word
    at_least: int = Field(ge=1, le=10_000)


class RolloutEntry(BaseModel):
    """How a rollout goes on."""

    model_config = STRICT

    waves: str | None = None
    pause: Duration | None = None
    stop_after: str | int | None = None
    in_parallel: int | None = Field(default=None, ge=1, le=50)
    keep_active: KeepActiveEntry | None = None
    strict: bool = False
    wait_for_aftercheck: bool = False

    @field_validator("waves")
    @classmethod
    def _are_waves(cls, typed: str | None) -> str | None:
        try:
            read_waves(typed or "")
        except UsageError as error:
            raise ValueError(str(error)) from None
        return typed

    @field_validator("stop_after")
    @classmethod
    def _is_number_or_share(cls, typed: str | int | None) -> str | int | None:
        if not _STOP_AFTER.fullmatch(str(typed)):
            raise ValueError(f"`{typed}` is not a number of failures or a share of all targets, like 1 or 10%")
        return typed

    def as_policy(self) -> RolloutRule:
        """What the rule says of rollouts; a key that is not there says nothing."""
        keep = self.keep_active
        return RolloutRule(
            waves=read_waves(self.waves) if self.waves else (),
            pause=self.pause,
            stop_after=str(self.stop_after or ""),
            in_parallel=self.in_parallel,
            keep_active=KeepActive(keep.group, keep.at_least) if keep else None,
            strict=self.strict,
            wait_for_aftercheck=self.wait_for_aftercheck,
        )
