"""Scheduled windows (`--at`): a change runs within its window, and people can tell when that is."""

from bot.core.policy.model import Facts, Moment, Policy, Refuse
from bot.core.requests.deadlines import is_ahead
from bot.core.requests.duration import format_length
from bot.core.time.human_time import humanize


def window_is_not_over(facts: Facts, _policy: Policy) -> Refuse | None:
    """A change whose window is over does not run, also if no bot was up meanwhile."""
    window = facts.request.ask.change.scheduled_window
    if window is None or facts.now < window.closes:
        return None
    return Refuse(
        "window_passed", f"The window closed at {window.closes:%Y-%m-%d %H:%M} UTC.", "Ask for another window."
    )


def window_is_allowed(facts: Facts, policy: Policy) -> Refuse | None:
    """A window long enough for the change, too short for a standing permission, and not too far ahead."""
    window = facts.request.ask.change.scheduled_window
    if window is None or facts.moment not in (Moment.ASK, Moment.LOOKED):
        return None
    if window.closes - window.opens > policy.scheduled_windows.longest:
        why = f"A window lasts {format_length(policy.scheduled_windows.longest)} at most."
        return Refuse("window_too_long", why, "Ask for less.")
    if window.opens - facts.request.asked_at > policy.scheduled_windows.ahead:
        why = f"A window must open within {humanize(policy.scheduled_windows.ahead)}."
        return Refuse("window_too_far", why, "Ask again when it is closer.")
    return None


def window_is_open(facts: Facts, _policy: Policy) -> Refuse | None:
    """Nothing runs before its window opens, whatever makes the request due."""
    window = facts.request.ask.change.scheduled_window
    if window is None or facts.moment is not Moment.ACT or not is_ahead(window, facts.now):
        return None
    return Refuse("window_not_open", f"The window opens at {window.opens:%Y-%m-%d %H:%M} UTC.")
