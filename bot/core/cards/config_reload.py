"""The notice after a reload of the configuration: the changes, or why it was rejected."""

from collections.abc import Sequence

_MOST = 12  # lines; the log and the audit log have all of them
_SIGNS = 12  # characters of a digest, so that people can tell two apart


def replaced(what: Sequence[str], *, digest: str) -> str:
    """The new configuration is in force."""
    if not what:
        return f"The configuration was read again (digest {digest[:_SIGNS]}). It says nothing new."
    head = f"The configuration was read again and is in force (digest {digest[:_SIGNS]}). What waits is judged by it."
    return "\n".join([head, *_listed(what)])


def rejected(complaints: Sequence[str], *, digest: str) -> str:
    """The new configuration was rejected."""
    head = f"The configuration was read again and NOT taken: the old one stays in force (digest {digest[:_SIGNS]})."
    return "\n".join([head, *_listed(complaints)])


def crowded(count: int, *, most: int) -> str:
    """There are more Slack connections than bots."""
    return (
        f"Slack says that {count} connections are open with this bot's app token, and at most {most} should be. What"
        " people type goes to any of them: see whether an old copy of the bot still runs, or somebody else has the"
        " token."
    )


def _listed(lines: Sequence[str]) -> list[str]:
    more = [f"… and {len(lines) - _MOST} more; the log has all of them"] if len(lines) > _MOST else []
    return [*(f"• {line}" for line in lines[:_MOST]), *more]
