"""What people are told about a channel that is shared with another organisation."""

SHARED = "Its channel is shared with another organisation now, and the bot acts in internal channels only."


def shared_notice(channel: str, cancelled: int) -> str:
    """For the operators: the channel became shared."""
    waited = "Nothing waited there." if not cancelled else f"Cancelled there: {cancelled} waiting."
    return (
        f"The channel {channel} is shared with another organisation now. The bot posts nothing there any more. {waited}"
        " Ask in an internal channel; what runs is finished, and its owner gets the result directly."
    )
