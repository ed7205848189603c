"""What root has set on this host: /etc/maskbot/guard.conf, which no new version of the guard touches."""

import os
import stat
from collections.abc import Iterable
from typing import BinaryIO

from bot.edges.guard.process import Refused

CONFIGURATION = "/etc/maskbot/guard.conf"
FOLDER = "/var/lib/maskbot-guard"
_BIGGEST = 256 * 1024
_WRITABLE_BY_OTHERS = 0o022


class Settings:
    """Whom the guard serves, and what it spares beside the list that it brings."""

    def __init__(self) -> None:
        self.login = ""
        self.critical: list[str] = []
        self.users: list[str] = []
        self.foreign_masks = False
        self.by_doas = False

    def set(self, key: str, value: str) -> None:
        """One line of the file. Raises `Refused`: what is not understood is not left out."""
        if key == "login" and value and not self.login:
            self.login = value
        elif key == "critical" and value:
            self.critical += value.split()
        elif key == "users":
            self.users += value.split()
        elif key == "foreign-masks" and value in ("yes", "no"):
            self.foreign_masks = value == "yes"
        elif key == "become" and value in ("sudo", "doas"):
            self.by_doas = value == "doas"
        else:
            raise Refused(f"{CONFIGURATION} has a line that is not understood: {key[:40]}")


def read_settings() -> Settings:
    """Raises `Refused` if the file is missing, not root's alone, or not understood."""
    with open_owned(CONFIGURATION) as file:
        text = file.read(_BIGGEST + 1)
    if len(text) > _BIGGEST:
        raise Refused(f"{CONFIGURATION} is too long")
    settings = Settings()
    for line in text.decode("utf-8", "replace").splitlines():
        if line.strip() and not line.startswith("#"):
            key, colon, value = line.partition(":")
            if not colon:
                raise Refused(f"{CONFIGURATION} has a line that is not understood: {line[:40]}")
            settings.set(key.strip(), value.strip())
    if not settings.login:
        raise Refused(f"{CONFIGURATION} names no login")
    return settings


def open_owned(path: str) -> "BinaryIO":
    """Open a file of root's. Raises `Refused` if anybody else can write it or a folder above it."""
    folder = open_folder(path.rpartition("/")[0])
    try:
        descriptor = os.open(path.rpartition("/")[2], os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
        check_owner(descriptor, path)
    except OSError as error:
        raise Refused(f"{path}: {error.strerror}") from None
    finally:
        os.close(folder)
    return os.fdopen(descriptor, "rb")


def open_folder(path: str) -> int:
    """A folder by its path, through folders of root's alone and through no link; raises `Refused` for any other."""
    descriptor = os.open("/", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    seen = ""
    for part in path.strip("/").split("/"):
        seen += f"/{part}"
        try:
            below = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=descriptor)
        except OSError as error:
            raise Refused(f"{seen}: {error.strerror}") from None
        finally:
            os.close(descriptor)
        descriptor = below
        check_owner(descriptor, seen)
    return descriptor


def check_owner(descriptor: int, path: str) -> None:
    """Raises `Refused` unless it is root's, and only root can write it."""
    found = os.fstat(descriptor)
    if found.st_uid != 0 or stat.S_IMODE(found.st_mode) & _WRITABLE_BY_OTHERS:
        os.close(descriptor)
        raise Refused(f"{path} is not root's alone")


def state_of(paths: "Iterable[str]") -> "list[object]":
    """What tells whether one of these files has changed, or one in these folders, or was replaced."""
    found: list[object] = []
    for path in paths:
        try:
            one = os.stat(path)
            found.append((path, one.st_dev, one.st_ino, one.st_size, one.st_mode, one.st_uid, one.st_ctime_ns))
            if stat.S_ISDIR(one.st_mode):
                found += state_of(sorted(entry.path for entry in os.scandir(path)))
        except OSError as error:
            found.append((path, error.errno))
    return found
