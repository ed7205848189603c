"""The result of one check: what was examined, whether it is well, and what would fix it."""

from dataclasses import dataclass

SLACK, SETTINGS, FILES = "Slack", "settings", "files"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One thing that was examined. There may be a hint even if it is well."""

    about: str  # a host's name, or Slack, the settings, the files
    check: str  # empty for what stands for itself
    is_ok: bool
    what: str = ""
    fix: str = ""
