"""The kill switch: `/mask freeze` by one person stops new masks, `/mask thaw` by two lets them go on."""

from bot.core.cards import replies
from bot.core.input.kill_switch import Switch, SwitchCommand
from bot.core.people.identity import Caller
from bot.workflow import Desk


def switch(desk: Desk, caller: Caller, order: SwitchCommand) -> str:
    """`/mask freeze REASON` and `/mask thaw [reason]`; the channel is told the result, the caller a refusal."""
    desk.kill_switch.request(caller, turns_off=order.switch is Switch.THAW, reason=order.reason)
    return replies.acknowledge_switch(order.switch)
