"""What this process has open, whatever threads of other tests open and close meanwhile."""

import os
from contextlib import suppress
from pathlib import Path


def open_here() -> list[str]:
    """Everything, as /proc names it: a socket and a pipe by a number of their own."""
    found = []
    for number in os.listdir("/proc/self/fd"):
        with suppress(FileNotFoundError):  # another thread has closed it
            found.append(os.readlink(f"/proc/self/fd/{number}"))
    return sorted(found)


def pipes_here() -> list[str]:
    """Those alone: no thread of another test has any, whatever sockets it closes."""
    return [one for one in open_here() if one.startswith("pipe:")]


def open_around(place: Path) -> list[Path]:
    """Files and folders: the place, what is above it and what is below it, as often as they are open."""
    paths = (Path(one) for one in open_here() if one.startswith("/"))
    return [path for path in paths if path.is_relative_to(place) or place.is_relative_to(path)]
