"""The revocation lists of CAs: files that are read again when they change. Without its list a CA counts for nobody."""

import os
import stat
import threading

from bot.core.hosts.fingerprint import fingerprint_of
from bot.core.hosts.inventory import Authority
from bot.core.hosts.revocation import LONGEST, Revocations, read_revocations

_NONE = Revocations()
_lock = threading.Lock()
_read: dict[str, tuple[tuple[int, ...], Revocations]] = {}


class UnreadError(Exception):
    """A list that is missing, damaged or not understood, in words for people."""


def is_revoked(authority: Authority, key: bytes) -> bool:
    """Whether this CA has revoked a host's public key. Raises `UnreadError`."""
    return fingerprint_of(key) in authority.revoked_keys or revocations(authority).has_key(key)


def revocations(authority: Authority) -> Revocations:
    """What the CA's file says now. Raises `UnreadError`."""
    path = authority.revocations
    if not path:
        return _NONE
    try:
        seen = os.stat(path)
        identity = (seen.st_dev, seen.st_ino, seen.st_size, seen.st_mode, seen.st_mtime_ns, seen.st_ctime_ns)
        with _lock:
            if path in _read and _read[path][0] == identity:
                return _read[path][1]
        _check(seen)
        with open(path, "rb") as file:
            found = read_revocations(file.read(LONGEST + 1))
    except OSError as error:
        raise UnreadError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError as why:
        raise UnreadError(f"{path} cannot be used: {why}") from None
    with _lock:
        _read[path] = identity, found
    return found


def _check(seen: os.stat_result) -> None:
    if not stat.S_ISREG(seen.st_mode):
        raise ValueError("it is not a file")
    if seen.st_mode & stat.S_IWOTH:
        raise ValueError("everybody on this machine can write to it")
