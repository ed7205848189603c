"""The bot's own private key and its certificate, read again when their files change."""

import threading
from pathlib import Path

import paramiko
import structlog

from bot.edges.private_files import Use, faults
from bot.edges.ssh.certificate import DAMAGED, is_certificate
from bot.errors import ConfigError

log = structlog.get_logger()
_Seen = tuple[tuple[int, int, int, int] | None, ...]


class OwnKey:
    """The key with which the bot logs in, and its certificate if there is one (`KEY-cert.pub` beside it).

    A file that is replaced or rewritten is read at the next login. If it cannot be used, the key that was read before
    stays in use, and `complaint` says why. Connections that are open end by themselves.
    """

    def __init__(self, path: Path) -> None:
        self._files = (path, Path(f"{path}-cert.pub"))
        self._lock = threading.Lock()
        self._seen = self._look()
        self._key = _load(path)
        self._complaint = ""

    def current(self) -> paramiko.PKey:
        """The key to log in with now."""
        with self._lock:
            seen = self._look()
            if seen != self._seen:
                self._seen = seen
                self._read_again()
            return self._key

    def complaint(self) -> str:
        """Why the files as they are now are not in use; empty if they are."""
        self.current()
        return self._complaint

    def _read_again(self) -> None:
        try:
            self._key = _load(self._files[0])
        except ConfigError as error:
            self._complaint = f"{error} The key that was read before stays in use."
            log.error("ssh_key.not_read", why=self._complaint)
        else:
            self._complaint = ""
            log.info("ssh_key.read_again", certificate=self._key.public_blob is not None)

    def _look(self) -> _Seen:
        """What tells that a file changed without reading it: an RSA key takes 113 ms each time (measured)."""
        return tuple(map(_identity, self._files))


def _identity(path: Path) -> tuple[int, int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_ino, found.st_mtime_ns, found.st_size, found.st_mode)


def _load(path: Path) -> paramiko.PKey:
    """Load the key and its certificate. Raises `ConfigError`."""
    try:
        if public := _public_half(path):
            raise ConfigError(public)
        if wrong := faults(path, Use.SECRET):
            raise ConfigError(f"{wrong[0]}; a private key is for its owner alone")
        key = paramiko.PKey.from_path(path)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}. The bot's private key belongs there.") from None
    except TypeError:  # what the library raises for a key that it would need a passphrase for
        why = f"{path}: it has a passphrase, and nobody types one for the bot. Take it away"
        raise ConfigError(f"{why}: ssh-keygen -p -N '' -f {path}") from None
    except (ValueError, paramiko.SSHException, paramiko.pkey.UnknownKeyType):
        raise ConfigError(_why_no_key(path)) from None
    _check_certificate(path, key)
    return key


def _public_half(path: Path) -> str:
    """What to say of the public half of a key, which people give most often instead; its mode does not matter."""
    if not _beginning(path).startswith((b"ssh-", b"ecdsa-", b"sk-")):
        return ""
    private = str(path).removesuffix(".pub")
    other = f" The private key is the file beside it, {private}." if private != str(path) else ""
    return f"{path}: that is the public half of a key, and the bot needs the private one.{other}"


def _beginning(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(64)


def _why_no_key(path: Path) -> str:
    """What else people give instead of a private key."""
    start = _beginning(path)
    if start.startswith(b"PuTTY"):
        return f"{path}: a key of PuTTY. Convert it: puttygen {path} -O private-openssh -o KEY"
    if b"PRIVATE KEY" in start:
        return f"{path}: a damaged private key, or the certificate beside it is damaged."
    make = f"rm {path}; ssh-keygen -t ed25519 -N '' -C maskbot -f {path}"
    why = f"{path}: not a private key, or the certificate beside it is damaged. Put the key back"
    return f"{why}, or make one ({make}) and install its public half on each host"


def _check_certificate(path: Path, key: paramiko.PKey) -> None:
    """While key and certificate are replaced one after the other, they do not belong together."""
    blob = key.public_blob
    if blob is None:
        return
    try:
        signed = type(key)(msg=paramiko.Message(blob.key_blob)) if is_certificate(blob) else None
    except DAMAGED:
        signed = None
    if signed is None or signed.asbytes() != key.asbytes():
        raise ConfigError(f"{path}-cert.pub: not a certificate for the key {path}.")
