"""The notice that the machine's clock was set."""

from datetime import timedelta

from bot.core.time.human_time import spoken


def jumped(jump: timedelta) -> str:
    """For operators; a jump back has a negative length."""
    if jump < timedelta():
        return (
            f"THE CLOCK OF THE BOT'S MACHINE WAS SET BACK by {spoken(-jump)}. The bot goes on by the time that it had, "
            "so no approval lasts longer and nothing comes later, until it is started anew or the clock is set right."
        )
    return (
        f"THE CLOCK OF THE BOT'S MACHINE WAS SET FORWARD by {spoken(jump)}, or the machine slept. What came due "
        "meanwhile is due now: approvals may have run out, and masks may have ended."
    )
