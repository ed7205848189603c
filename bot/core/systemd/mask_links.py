"""How a mask's link is made and removed in each layer of the system's manager: the very link, and nothing beside it.

`systemctl unmask` also deletes whatever enables the unit by a link to where the mask was (measured). So ln(1) makes
the link, only where there is nothing; and find(1) removes it, only if it is the one that was seen there.
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
    """The words that remove a mask at a path, if it is still the very link that a look has seen there.

    A link that somebody puts in its place has another inode or a later change time (ctime), which nobody can set.
    """
    return (FIND, path, *_ANY_DEVICE, "-inum", "{inode}", "-not", "-newerct", "@{changed}", "-delete")


def removing_probe(path: str) -> tuple[str, ...]:
    """The words that remove the link of a probe, which no look sees."""
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
