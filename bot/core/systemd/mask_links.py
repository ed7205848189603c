"""Make and remove a mask's link in each layer of the system's manager: the very link, and nothing beside it.

`systemctl unmask` also deletes links that enable the unit by the path of the mask (measured). So ln(1) makes the link,
only where there is no file; and find(1) removes it, only if it is the one that was seen there.
"""

from collections.abc import Mapping
from types import MappingProxyType

from bot.core.systemd.units import Layer

FIND = "/usr/bin/find"
_FOLDERS = {
    Layer.CONTROL: "/etc/systemd/system.control",
    Layer.PERSISTENT: "/etc/systemd/system",
    Layer.RUNTIME: "/run/systemd/system",
}


PROBE = "mask-probe.service"
"""A name that no unit has, and no critical list: a mask is tried with it where ours goes, and taken away at once."""

_ANY_DEVICE = ("-maxdepth", "0", "-type", "l", "-xtype", "c")


def removing(path: str) -> tuple[str, ...]:
    """The command that removes a mask at a path, if it is still the very link that a look has seen.

    A link that somebody puts in its place has another inode or a later change time (ctime), which nobody can set.
    """
    return (FIND, path, *_ANY_DEVICE, "-inum", "{inode}", "-not", "-newerct", "@{changed}", "-delete")


def removing_probe(path: str) -> tuple[str, ...]:
    """The command that removes the link of a probe, which no look sees."""
    return (FIND, path, *_ANY_DEVICE, "-delete")


LINK: Mapping[Layer, tuple[str, ...]] = MappingProxyType(
    {layer: ("/usr/bin/ln", "-s", "-T", "--", "/dev/null", f"{folder}/{{unit}}") for layer, folder in _FOLDERS.items()}
)
UNLINK: Mapping[Layer, tuple[str, ...]] = MappingProxyType(
    {layer: removing(f"{folder}/{{unit}}") for layer, folder in _FOLDERS.items()}
)
UNPROBE: Mapping[Layer, tuple[str, ...]] = MappingProxyType(
    {layer: removing_probe(f"{folder}/{PROBE}") for layer, folder in _FOLDERS.items()}
)
