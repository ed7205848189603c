"""A finding: what was examined, whether it is well, and what would mend it."""

from dataclasses import dataclass

SLACK = "Slack"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was examined. What is well may still have something to be said about it."""

    about: str  # a host's name, or Slack
    check: str
    is_ok: bool
    what: str = ""
    fix: str = ""
