"""Messages about a host in quarantine: to whoever asks for a change there, and to operators."""

from bot.core.hosts.quarantine import Quarantine


def refusal(kept: Quarantine) -> str:
    """To whoever asks for a change on the host."""
    return (
        f"{kept.host} has been in quarantine since {kept.since:%Y-%m-%d %H:%M} UTC: its host key is not the"
        " pinned one. Nothing is sent to it until an operator has pinned its new key."
    )


def cancellation(kept: Quarantine) -> str:
    """On the card of a request that waited there."""
    return f"{refusal(kept)} Nothing was changed. Ask again afterwards."


def operator_notice(kept: Quarantine) -> str:
    """To operators."""
    if not kept.is_set_aside:
        return (
            f"{kept.host} refuses the bot's key, so nothing can be sent to it. The bot tries again when somebody asks"
            f" for something there. Check the key and authorized_keys there; `maskbot doctor {kept.host}` says more."
        )
    return (
        f"{kept.host} showed another host key than hosts.yaml pins, so the bot did not log in. It is in quarantine:"
        " nothing is sent to it, and requests that waited for it are cancelled. Check on its console which key is"
        " right (the audit record has both fingerprints). If it has a new one, change `host_keys` and reload. If it"
        " has the old one again, remove the host from hosts.yaml, reload, add it back and reload."
    )


def end_notice(kept: Quarantine) -> str:
    """To operators, at the end of the quarantine."""
    return f"{kept.host} is trusted again." if kept.is_set_aside else f"{kept.host} accepts the bot's key again."
