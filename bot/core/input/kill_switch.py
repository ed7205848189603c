"""Parse the commands of the kill switch: `freeze REASON` and `thaw [reason]`."""

from dataclasses import dataclass
from enum import StrEnum

from bot.core.input.dashless import ends, reason_of
from bot.core.input.names import SHOWN, read_reason
from bot.errors import UsageError


class Switch(StrEnum):
    """The command that turns the kill switch on, and the one that turns it off."""

    FREEZE = "freeze"
    THAW = "thaw"


@dataclass(frozen=True, slots=True)
class SwitchCommand:
    """A command of the kill switch, with the reason as typed."""

    switch: Switch
    reason: str = ""


def read_switch_command(switch: Switch, rest: str) -> SwitchCommand:
    """Parse the command; a freeze needs a reason, a thaw does not. Raises `UsageError`."""
    reason = read_reason(reason_of(rest))
    if ends(rest):
        now, back = ("on", "off") if switch is Switch.FREEZE else ("off", "on")
        raise UsageError(
            f"The kill switch stays {now} until somebody turns it {back}. If `{reason[:SHOWN]}` is the reason, "
            "put `--` before it."
        )
    if switch is Switch.FREEZE and not reason.strip():
        raise UsageError("Say why new masks are stopped: `/mask freeze REASON`.")
    return SwitchCommand(switch, reason)
