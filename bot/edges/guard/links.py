"""Make and remove the link of a mask: that very link, in a folder that nobody else can move, and nothing beside it."""

import os
import stat
from collections.abc import Callable, Sequence

from bot.core.systemd.host_rules import PROBE, with_templates
from bot.edges.guard.process import FAILED, Ended, Refused
from bot.edges.guard.settings import open_folder

NULL = "/dev/null"
SYSTEM_LAYERS = {
    "control": "/etc/systemd/system.control",
    "persistent": "/etc/systemd/system",
    "runtime": "/run/systemd/system",
}
USER_LAYERS = ("persistent", "runtime")
NANO = 10**9


class Layer:
    """The folder of one layer. Its methods raise `Refused` or `OSError`."""

    def __init__(self, path: str, descriptor: int) -> None:
        self.path = path
        self.descriptor = descriptor

    def identity(self, unit: str, folders: "Sequence[str]" = ()) -> str:
        """Inode and change time of a mask, as stat(1) prints them for a look; empty if there is no mask.

        `folders` are those of systemd's search path: empty also if a file in one before this is what counts.
        """
        before = folders[: folders.index(self.path)] if self.path in folders else ()
        if any(os.path.lexists(f"{folder}/{unit}") for folder in before):
            return ""
        try:
            found = os.stat(unit, dir_fd=self.descriptor, follow_symlinks=False)
            if not stat.S_ISLNK(found.st_mode) or os.readlink(unit, dir_fd=self.descriptor) != NULL:
                return ""
        except FileNotFoundError:
            return ""
        return f"{found.st_ino}:{found.st_ctime_ns // NANO}.{found.st_ctime_ns % NANO:09d}"

    def link(self, unit: str) -> str:
        """Make the mask, only where there is no file; returns its identity."""
        os.symlink(NULL, unit, dir_fd=self.descriptor)
        return self.identity(unit)

    def unlink(self, unit: str, identity: str) -> None:
        """Remove the mask if it is the very one. One that somebody made in its place has another identity."""
        if not identity or self.identity(unit) != identity:
            raise Refused(f"{self.path}/{unit} is not the mask that was seen there")
        os.unlink(unit, dir_fd=self.descriptor)

    def probe(self) -> None:
        """Make a mask of no unit, and remove it again."""
        if self.identity(PROBE):
            os.unlink(PROBE, dir_fd=self.descriptor)
        os.symlink(NULL, PROBE, dir_fd=self.descriptor)
        os.unlink(PROBE, dir_fd=self.descriptor)


def check_layer(name: str, user: str) -> None:
    """Raises `Refused` for what is no layer, before anybody remembers it."""
    if name not in SYSTEM_LAYERS:
        raise Refused("there is no such layer")
    if user and name not in USER_LAYERS:
        raise Refused(f"the {name} layer is not used for the units of a user's own manager")


def system_layer(name: str) -> Layer:
    """A layer of the system's own manager."""
    return Layer(SYSTEM_LAYERS[name], open_folder(SYSTEM_LAYERS[name]))


def user_layer(name: str, uid: int, home: str) -> Layer:
    """A layer of a user's manager. Called as that user, who owns the folders and may have none yet."""
    folder = f"{home}/.config/systemd/user" if name == "persistent" else f"/run/user/{uid}/systemd/user"
    os.makedirs(folder, exist_ok=True)
    return Layer(folder, os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))


def leads_to(name: str, names: "Sequence[str]", folders: "Sequence[str]") -> bool:
    """Whether all that the search path has of this name, or of its template, is a link to one of these names."""
    for one in with_templates([name])[:2]:
        there = next((path for path in (f"{folder}/{one}" for folder in folders) if os.path.lexists(path)), "")
        if there:
            return os.path.islink(there) and os.path.basename(os.readlink(there)) in with_templates(names)
    return True


def done_in(folder: Layer, do: "Callable[[Layer], str | None]") -> Ended:
    """What became of it; the folder is let go."""
    try:
        return Ended(0, (do(folder) or "").encode(), b"")
    except OSError as error:
        return Ended(FAILED, b"", f"{folder.path}: {error.strerror}\n".encode())
    finally:
        os.close(folder.descriptor)
