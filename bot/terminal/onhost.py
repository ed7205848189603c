"""`guard`: what belongs on a host, made from the one vocabulary of commands and the critical list in force."""

from collections.abc import Sequence

from bot.core.guard import guard
from bot.core.systemctl import sudoers_fragment
from config.loading import load
from config.settings import load_settings


def printed(login: str, users: Sequence[str], *, sudoers: bool) -> str:
    """The guard, or the lines for sudo. Raises `ConfigError` and, for what is no login, `UsageError`."""
    if sudoers:
        return sudoers_fragment(login, users=users)
    critical = load(load_settings()).policy.critical
    return guard([listed.pattern for listed in critical], users=users)
