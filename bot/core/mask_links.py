"""How a mask's link is made and removed in each layer of the system's manager: the very link, and nothing beside it.

`systemctl unmask` also deletes whatever enables the unit by a link to where the mask was (measured). So ln(1) makes
the link, only where there is nothing; and find(1) removes it, only if it is a link to a device.
"""

from collections.abc import Mapping
from types import MappingProxyType

from bot.core.units import Layer

FIND = "/usr/bin/find"
_FOLDERS = {
    Layer.CONTROL: "/etc/systemd/system.control",
    Layer.PERSISTENT: "/etc/systemd/system",
    Layer.RUNTIME: "/run/systemd/system",
}


def removing(path: str) -> tuple[str, ...]:
    """The words that remove a mask at a path."""
    return (FIND, path, "-maxdepth", "0", "-type", "l", "-xtype", "c", "-delete")


LINK: Mapping[Layer, tuple[str, ...]] = MappingProxyType(
    {layer: ("/usr/bin/ln", "-s", "-T", "--", "/dev/null", f"{folder}/{{unit}}") for layer, folder in _FOLDERS.items()}
)
UNLINK: Mapping[Layer, tuple[str, ...]] = MappingProxyType(
    {layer: removing(f"{folder}/{{unit}}") for layer, folder in _FOLDERS.items()}
)
