"""Messages about a host in quarantine: to whoever asks for a change there, and to operators."""

from bot.core.hosts.quarantine import Quarantine


def refused(kept: Quarantine) -> str:
    """To whoever asks for a change on the host."""
    return (
        f"{kept.host} is set aside since {kept.since:%Y-%m-%d %H:%M} UTC: it showed another host key than the pinned"
        " one. Nothing is sent to it until an operator has pinned its key anew."
    )


def cancelled(kept: Quarantine) -> str:
    """On the card of a request that waited there."""
    return f"{refused(kept)} Nothing was changed. Ask again afterwards."


def told(kept: Quarantine) -> str:
    """To operators."""
    if not kept.is_set_aside:
        return (
            f"{kept.host} refuses the bot's key, so nothing can be sent to it. It is tried again when somebody asks for"
            f" something there. Look at the key and at authorized_keys there; `maskbot doctor {kept.host}` says more."
        )
    return (
        f"{kept.host} showed another host key than hosts.yaml pins, so the bot did not log in. It is set aside: nothing"
        " is sent to it, and what waited there is cancelled. Find out on its console which key is the right one (the"
        " record has both fingerprints). If it has a new one, change `host_keys` and reload; if it has the old one"
        " again, take the host out of hosts.yaml, reload, put it back and reload."
    )


def over(kept: Quarantine) -> str:
    """To operators, at the end of the quarantine."""
    return f"{kept.host} is trusted again." if kept.is_set_aside else f"{kept.host} takes the bot's key again."
