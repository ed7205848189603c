"""The programs by which the bot's login becomes root: one list for the guard's halves, the script and doctor."""

import os

from bot.edges.guard.process import Refused

WAYS_TO_ROOT = (
    "/usr/bin/sudo", "/usr/local/bin/sudo", "/usr/bin/sudo-rs", "/usr/local/bin/sudo-rs", "/usr/bin/doas",
    "/usr/local/bin/doas",
)  # fmt: skip
"""The first one is taken that is there, unless guard.conf says that it is doas. /usr/bin/sudo may be sudo-rs, too."""


def ways_there(*, by_doas: bool) -> "list[str]":
    """Those on this host."""
    ways = [one for one in WAYS_TO_ROOT if one.endswith("doas") or not by_doas]
    return [one for one in ways if os.access(one, os.X_OK)]


def way_to_root(*, by_doas: bool) -> str:
    """The one that is taken. Raises `Refused` if there is none."""
    there = ways_there(by_doas=by_doas)
    if not there:
        raise Refused("there is no doas on this host" if by_doas else "there is neither sudo nor doas on this host")
    return there[0]
