"""Detect a login that runs no commands: nologin(8), /bin/false, or a command forced by sshd."""

from bot.core.text.sanitize import clean
from bot.errors import HostError

_BEGINS = "@maskbot-"  # like every answer of a script of ours
_RAN = 125  # sh(1): from 126 on, the command was not executable, not found, or killed


def login_complaint(host: str, exit_code: int, stdout: str) -> HostError | None:
    """Why there is no answer, if the login runs no commands."""
    if _BEGINS in stdout or exit_code > _RAN:
        return None
    said = clean(stdout.strip(), lines=1, width=120)
    what = f"and says: {said}" if said else f"and says nothing (exit {exit_code})"
    why = f"{host}: the bot's login runs nothing there, {what.rstrip('.')}."
    hint = "Its shell may be nologin or /bin/false, or sshd may force a command on it."
    return HostError(f"{why} {hint}", code="no_shell")
