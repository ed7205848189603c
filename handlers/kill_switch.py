"""The kill switch: new masks are stopped by one, and let go on by two."""

from bot.core.cards import replies
from bot.core.input.kill_switch import Switch, SwitchCommand
from bot.core.people.identity import Caller
from bot.workflow import Desk


def switch(desk: Desk, caller: Caller, order: SwitchCommand) -> str:
    """`/mask freeze REASON` and `/mask thaw [reason]`; what comes of it is said in the channel, a no to the caller."""
    desk.kill_switch.request(caller, turns_off=order.switch is Switch.THAW, reason=order.reason)
    return replies.switched(order.switch)
