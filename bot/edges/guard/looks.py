"""Run the script of a look, and end it with those who wait for it."""

import os
import time
from collections.abc import Callable, Sequence

from bot.edges.guard.process import Ended, Limit, Refused, Started
from bot.edges.guard.requests import SIZES

SCRIPTS: "dict[str, str]" = {}
RIGHTS_HEAD = b"@rights\n"
_AFTER = 4.0  # seconds after its limit; a script ends itself earlier


def looked(
    words: "Sequence[str]",
    user: str,
    from_where: str,
    rights: int = -1,
    also: "dict[int, Callable[[], bool]] | None" = None,
) -> Ended:
    """Run the script. `rights` is where it reads what root would do; for `also` see `drain`."""
    arguments = list(words[1:]) + ([user] if words[0] == "status" else [])
    if words[0] == "look":
        size, unit = arguments
        if size not in SIZES:
            raise Refused("there is no such look")
        arguments = [unit, size, user]
    limit = Limit.look_seconds
    argv = ["/usr/bin/timeout", "-k", "2", str(limit), "/bin/sh", "-c", SCRIPTS[words[0]], f"maskbot-{words[0]}"]
    script = Started(argv + arguments, rights=rights, more={"SSH_CONNECTION": from_where})
    Limit.is_look = True  # also of one that follows a change
    Limit.end = max(Limit.end, time.monotonic() + limit + _AFTER)
    return script.end(limit + _AFTER, also=also)


def rights_to_read(text: bytes) -> int:
    """A descriptor from which the script reads what root would do."""
    ours, theirs = os.pipe()
    os.write(theirs, RIGHTS_HEAD + text)
    os.close(theirs)
    return ours
