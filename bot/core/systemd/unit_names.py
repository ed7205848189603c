"""Unit names, as people type them and as they are sent to a host."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Self

from bot.core.systemd.host_rules import UNIT_TYPES, is_template, is_unit_name
from bot.errors import UsageError

__all__ = ["UNIT_TYPES", "UnitName"]


@dataclass(frozen=True, slots=True, order=True)
class UnitName:
    """The full name of a unit, always with its suffix: `cron.service`."""

    text: str

    def __post_init__(self) -> None:
        if not self.is_sendable(self.text):
            raise UsageError(f"`{self.text[:80]}` is not a unit name.")

    @classmethod
    def parse(cls, typed: str) -> Self:
        """Parse what a person typed; a name without a known suffix means a service, as in systemctl.

        Raises `UsageError` with a sentence for the caller.
        """
        if "/" in typed:
            raise UsageError(f"`{typed[:80]}` is a path. Name the unit instead, for example `cron.service`.")
        if any(sign in typed for sign in "*?[]{}"):
            raise UsageError(f"`{typed[:80]}` is a pattern. Name one unit, for example `cron.service`.")
        known = typed.rpartition(".")[2] in UNIT_TYPES and "." in typed
        try:
            return cls(typed if known else f"{typed}.service")
        except UsageError:
            raise UsageError(
                f"`{typed[:80]}` is not a unit name. A name has letters, digits and `:_.@-`, like `cron.service`."
            ) from None

    @staticmethod
    def is_sendable(text: str) -> bool:
        """Whether we would send this name to a host; systemd allows stranger names."""
        return _is_unit_name(text)

    def __str__(self) -> str:
        return self.text

    @property
    def type(self) -> str:
        """The type of the unit: the suffix after the last dot."""
        return self.text.rpartition(".")[2]

    @property
    def is_template(self) -> bool:
        """Whether it is a template, `foo@.service`: a pattern for units, not a unit."""
        return is_template(self.text)

    @property
    def is_instance(self) -> bool:
        """Whether it is an instance, `foo@bar.service`."""
        return "@" in self.text and not self.is_template

    @property
    def template(self) -> "UnitName | None":
        """The template that an instance is made from."""
        return UnitName(f"{self.text.partition('@')[0]}@.{self.type}") if self.is_instance else None


@lru_cache(maxsize=4096)
def _is_unit_name(text: str) -> bool:
    """The same names come again and again: each stored rollout that is read has hundreds."""
    return is_unit_name(text)
