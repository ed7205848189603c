"""The notice after a reload of the configuration: the changes, or why it was rejected."""

from collections.abc import Sequence

_MOST = 12  # lines; the log and the audit log have all of them
_SIGNS = 12  # characters of a digest, so that people can tell two apart


def reload_notice(what: Sequence[str], *, digest: str) -> str:
    """The new configuration is in force."""
    if not what:
        return f"Configuration reloaded (digest {digest[:_SIGNS]}): no changes."
    head = f"Configuration reloaded (digest {digest[:_SIGNS]}). It also applies to waiting requests."
    return "\n".join([head, *_cut_list(what)])


def rejection_notice(complaints: Sequence[str], *, digest: str) -> str:
    """The new configuration was rejected."""
    head = f"Configuration NOT reloaded: the old one stays in force (digest {digest[:_SIGNS]})."
    return "\n".join([head, *_cut_list(complaints)])


def too_many_connections(count: int, *, most: int) -> str:
    """There are more Slack connections than bots."""
    return (
        f"Slack reports {count} open connections with this bot's app token; at most {most} should be open. Slack sends"
        " what people type to any one of them. Check whether an old copy of the bot still runs, or somebody else has"
        " the token."
    )


def _cut_list(lines: Sequence[str]) -> list[str]:
    more = [f"… and {len(lines) - _MOST} more; the log has them all"] if len(lines) > _MOST else []
    return [*(f"• {line}" for line in lines[:_MOST]), *more]
