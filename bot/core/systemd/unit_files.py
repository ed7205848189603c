"""Contents of a unit's own files, as hashes: its unit file and its drop-ins, loaded by systemd or not."""

import re
from collections.abc import Iterable, Mapping, Sequence

from bot.core.systemd.units import Snapshot
from bot.errors import HostileOutput

NOT_KNOWN = "not known"
"""Instead of the hash of a file that the bot cannot read. What can be told of it without reading follows."""

_HASH = re.compile(r"\\?(?P<hash>[0-9a-f]{64})  (?P<path>/.*)")
_FILE = re.compile(r"(?P<kind>[a-zA-Z?])\|(?P<size>\d{1,20})\|(?P<identity>\d+:[\d.]+)\|(?P<path>/.*)", re.ASCII)
_DEVICES = "cb"


def contents_of(
    fragment: str, drop_ins: Iterable[str], found: Mapping[str, str]
) -> tuple[str, tuple[tuple[str, str], ...]]:
    """The unit file's content, and path and content of each drop-in: a hash, or NOT_KNOWN; empty if there is no file.

    A drop-in that systemd has loaded and that is gone from the disk is not known; neither is an unreadable directory.
    """
    on_disk = [path for path in found if path != fragment and path.endswith((".conf", ".d"))]
    own = found.get(fragment, NOT_KNOWN) if fragment else ""
    return own, tuple((path, found.get(path, NOT_KNOWN)) for path in sorted({*drop_ins, *on_disk}))


def is_known(content: str) -> bool:
    """Whether a content can be compared with another one; an unknown one equals none."""
    return not content.startswith(NOT_KNOWN)


def unread(seen: Snapshot) -> tuple[str, ...]:
    """The unit's files whose contents the bot does not know."""
    around = seen.around
    files = ((seen.fragment, around.fragment_hash), *around.drop_ins) if around else ()
    return tuple(path for path, content in files if not is_known(content))


def read_contents(lines: Sequence[str]) -> Mapping[str, str]:
    """The content of each file by its path, as a hash or NOT_KNOWN."""
    files: dict[str, str] = {}
    hashes: dict[str, str] = {}
    for line in lines:
        file, content = _FILE.fullmatch(line), _HASH.fullmatch(line)
        if file:
            size, identity = int(file["size"]), file["identity"]
            is_device = file["kind"] in _DEVICES
            files[file["path"]] = "" if is_device else f"{NOT_KNOWN}: {size} bytes, file {identity}"
        elif content:
            hashes[_unescape(content)] = content["hash"]
        else:
            raise HostileOutput("The host's answer has something other than a file or its hash.")
    return files | hashes


def _unescape(match: re.Match[str]) -> str:
    """sha256sum(1) doubles each backslash of a path, and marks such a line by a backslash at its beginning."""
    return match["path"].replace("\\\\", "\\") if match[0].startswith("\\") else match["path"]
