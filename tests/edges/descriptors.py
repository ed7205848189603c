"""What this process has open, whatever threads of other tests open and close meanwhile."""

import os
from contextlib import suppress
from pathlib import Path


def open_around(place: Path) -> list[Path]:
    """Files and folders that are open here: the place, what is above it and what is below it."""
    found = []
    for number in os.listdir("/proc/self/fd"):
        with suppress(FileNotFoundError):  # another thread has closed it
            path = Path(os.readlink(f"/proc/self/fd/{number}"))
            if path.is_absolute() and (path.is_relative_to(place) or place.is_relative_to(path)):
                found.append(path)
    return sorted(found)
