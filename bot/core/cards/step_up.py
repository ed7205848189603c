"""Step-up: what cards say of it, and every sentence about codes and authenticators."""

from collections.abc import Iterator
from datetime import datetime

from bot.core.cards.blocks import Markup, row
from bot.core.step_up.authenticator import LOCKED_FOR, MOST_WRONG, Result, StepUpState

CODE_MISSING = "Approved without a code from an authenticator, which the policy asks for now."
NO_CODE = (
    "Approving this needs a code from your authenticator. Press *Approve* for the form that asks for it; "
    "in a terminal, add `--code`."
)
NO_CODE_FOR_BREAK_GLASS = (
    "Break-glass needs a code from your authenticator here. Use the form under *Details*, which asks for it; "
    "in a terminal, add `--code`."
)
_RESET = "`maskbot step-up reset`"
_ENROL_FIRST = (
    "This needs a code from your authenticator, and you have none here yet. Type `/mask enrol`, which takes a minute. "
    "Then try again."
)
_WRONG = (
    "This code is not right. It changes every 30 seconds, so take a fresh one. "
    "If that does not help, let your phone set its clock automatically."
)
_USED = "This code was used already. Each code counts once: wait for the next one."
_NOT_OFFERED = "This secret is too old, or a newer one was shown since. Type `/mask enrol` again."
_KEY_GONE = (
    "Your authenticator depends on a seal key that the bot does not have any more, so its codes cannot be checked. "
    f"An operator resets it with {_RESET}; then type `/mask enrol`."
)
NOT_BELIEVED = (
    "What is stored about your authenticator does not match what the bot recorded last, so its codes are not accepted. "
    f"The operators are told. Once they know why, they reset it with {_RESET}; then type `/mask enrol`."
)

SET_BACK = "it was set back to an earlier state, or removed"
ENROLLED = "Enrolled. Whenever a form asks for a code, type the one that your app shows. Each code counts once."
ENROLLED_DIRECT = (
    "An authenticator was enrolled for you: from now on its codes count for your approvals. "
    "If it was not you, somebody else has your Slack session. Tell your operators now."
)
RESET_DIRECT = "Your authenticator was reset. To enrol one again, type `/mask enrol`."


def rows(*, is_needed: bool) -> Iterator[Markup]:
    """On cards and answers, where approvals need a code."""
    if is_needed:
        yield row("Code", "approving needs a code from your authenticator")


def why_not(result: Result, state: StepUpState) -> str:
    """Why a code does not count, for its owner alone."""
    match result:
        case Result.WRONG:
            return _WRONG
        case Result.USED:
            return _USED
        case Result.LOCKED:
            return locked(state.locked_until)
        case Result.NOT_OFFERED:
            return _NOT_OFFERED
        case Result.KEY_GONE:
            return _KEY_GONE
        case _:
            return _ENROL_FIRST


def locked(until: datetime | None) -> str:
    """Tell the owner that no code is taken for a while."""
    when = f" until {until:%H:%M} UTC" if until else ""
    return (
        f"After {MOST_WRONG} wrong codes your codes are not accepted{when}. The operators are told. "
        "If it was not you who typed them, somebody else has your session: tell them now."
    )


def locked_notice(name: str) -> str:
    """Tell the operators that somebody's step-up is locked."""
    minutes = int(LOCKED_FOR.total_seconds() // 60)
    return (
        f"STEP-UP LOCKED: {MOST_WRONG} wrong codes were typed in the name of {name}, so their codes are not accepted "
        f"for {minutes} minutes. Ask whether it was them. If not, somebody else has their session."
    )


def enrolled_notice(name: str, *, is_another: bool) -> str:
    """Tell the operators that somebody has an authenticator from now on."""
    what = "replaced their authenticator, with a code of the old one" if is_another else "enrolled an authenticator"
    return f"STEP-UP: {name} {what}. From now on its codes count for their approvals."


def nothing_to_reset(name: str) -> str:
    """Tell whoever resets that there is nothing."""
    return f"{name} has no authenticator here, so there is nothing to reset."


def reset_done(name: str) -> str:
    """Tell whoever reset it."""
    return f"The authenticator of {name} is removed; the operators are told. Their next `/mask enrol` needs no code."


def reset_notice(name: str, by: str, reason: str) -> str:
    """Tell the operators that somebody's authenticator was removed."""
    what = f"STEP-UP RESET: {by} removed the authenticator of {name}: {reason}"
    return f"{what}\nTheir next `/mask enrol` needs no code."
