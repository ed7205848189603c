"""The notice that the machine's clock was set."""

from datetime import timedelta

from bot.core.time.human_time import humanize


def clock_jump_notice(jump: timedelta) -> str:
    """For operators; a jump back has a negative length."""
    if jump < timedelta():
        return (
            f"THE CLOCK OF THE BOT'S MACHINE WAS SET BACK by {humanize(-jump)}. The bot keeps its own time, so that "
            "nothing expires late, until it is restarted or the clock is corrected."
        )
    return (
        f"THE CLOCK OF THE BOT'S MACHINE WAS SET FORWARD by {humanize(jump)}, or the machine slept. Whatever "
        "became due in between is due now: requests may have timed out, and masks may have expired."
    )
