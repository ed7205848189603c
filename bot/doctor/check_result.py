"""The result of one check: what was examined, whether it is well, and what would fix it."""

from dataclasses import dataclass

from bot.errors import SlackError, Unverified

SLACK, SETTINGS, FILES, DATABASE = "Slack", "settings", "files", "database"


_NOT_THERE = {
    "user_not_found": "Slack knows nobody with this id",
    "user_not_visible": "Slack shows the bot nobody with this id",
    "no_such_subteam": "Slack knows no user group with this id",
    "subteam_not_found": "Slack knows no user group with this id",
}


def why(error: Unverified) -> str:
    """Why Slack did not confirm something, for who can mend it: without asking them to try again."""
    cause = error.__cause__
    return _NOT_THERE.get(cause.code, str(error)) if isinstance(cause, SlackError) else str(error)


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One thing that was examined. There may be a hint even if it is well."""

    about: str  # a host's name, or Slack, the settings, the files
    check: str  # empty for what stands for itself
    is_ok: bool
    what: str = ""
    fix: str = ""
    is_warning: bool = False  # well enough to start, and shown all the same
