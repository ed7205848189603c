"""The result of one check: what was examined, whether it is well, and what would fix it."""

from dataclasses import dataclass

SLACK = "Slack"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One thing that was examined. There may be a hint even if it is well."""

    about: str  # a host's name, or Slack
    check: str
    is_ok: bool
    what: str = ""
    fix: str = ""
