"""The kill switch: new masks are stopped by one, and let go on by two."""

from bot.core.cards import replies
from bot.core.input.kill_switch import Switch, SwitchCommand
from bot.workflow import Desk
from handlers.payload import Caller


def switch(desk: Desk, caller: Caller, order: SwitchCommand) -> str:
    """`/mask freeze REASON` and `/mask thaw [reason]`; what comes of it is said in the channel, a no to the caller."""
    desk.freezing.wish(
        thaws=order.switch is Switch.THAW,
        by=caller.id,
        name=caller.name,
        place=caller.place,
        reason=order.reason,
        key=caller.key,
    )
    return replies.switched(order.switch)
