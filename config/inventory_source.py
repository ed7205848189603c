"""`inventory:` in `hosts.yaml`: a command or a URL that lists more hosts, and where its last good answer is kept."""

from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, BaseModel, model_validator

from bot.core.hosts.inventory import InventorySource
from config.groups import Argument, read_safe_url
from config.policy_types import Duration
from config.strict_yaml import STRICT

_SLOWEST = timedelta(seconds=60)
_SOONEST, _LATEST = timedelta(seconds=10), timedelta(days=1)


def _read_path(typed: str) -> str:
    if not typed.startswith("/") or typed.endswith("/"):
        raise ValueError("has to be the full path of a file, like /var/lib/maskbot/inventory.json")
    return typed


def _read_url(typed: str) -> str:
    return read_safe_url(typed, "MASKBOT_INVENTORY_TOKEN")


class InventoryEntry(BaseModel):
    """The source, and how often it is asked."""

    model_config = STRICT

    command: list[Argument] = []
    url: Annotated[str, AfterValidator(_read_url)] = ""
    keep: Annotated[str, AfterValidator(_read_path)]
    every: Duration = timedelta(minutes=5)
    deadline: Duration = timedelta(seconds=30)

    @model_validator(mode="after")
    def _is_whole(self) -> "InventoryEntry":
        if bool(self.command) == bool(self.url):
            raise ValueError("needs either `command` or `url`, not both")
        if self.command and not self.command[0].startswith("/"):
            raise ValueError("`command` has to begin with the full path of a program, like /usr/local/bin/hosts")
        if not timedelta(0) < self.deadline <= _SLOWEST:
            raise ValueError("`deadline` has to be more than zero and at most 60s")
        if not _SOONEST <= self.every <= _LATEST:
            raise ValueError("`every` has to be at least 10s and at most 1d")
        return self


def source_of(entry: InventoryEntry) -> InventorySource:
    """The source, for whoever asks it."""
    return InventorySource(tuple(entry.command), entry.url, entry.keep, entry.every, entry.deadline)
