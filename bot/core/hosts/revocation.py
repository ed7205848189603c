"""What a CA has revoked: read from an OpenSSH KRL, or from lines of text."""

import base64
import hashlib
import re
from dataclasses import dataclass

from bot.core.hosts.fingerprint import fingerprint_of
from bot.core.hosts.krl import DAMAGED, MAGIC, Krl, Serials, Strings

LONGEST = 8 * 1024 * 1024  # bytes of a list
_SERIAL = re.compile(r"serial: *(\d{1,20})(?:-(\d{1,20}))?", re.ASCII)
_ID = re.compile(r"id: *(\S.*)")
_FINGERPRINT = re.compile(r"(?:hash: *)?(SHA256:[A-Za-z0-9+/]{43})(?: +#.*)?", re.ASCII)
_KEY = re.compile(r"(?:(?:key|sha1|sha256): *)?([a-z0-9@.-]+) +([A-Za-z0-9+/=]+)(?: .*)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Revocations:
    """What is not trusted any more."""

    keys: frozenset[str] = frozenset()  # by their fingerprints, as `SHA256:...`
    digests: frozenset[bytes] = frozenset()  # SHA-1 of keys
    serials: tuple[Serials, ...] = ()
    ids: frozenset[tuple[str, str]] = frozenset()  # of certificates, each with the fingerprint of its CA, or for any

    def has_key(self, key: bytes) -> bool:
        """Whether a public key is revoked, whoever has signed it."""
        return fingerprint_of(key) in self.keys or hashlib.sha1(key, usedforsecurity=False).digest() in self.digests

    def why_certificate(self, ca: str, serial: int, key_id: str) -> str:
        """By what a certificate of that CA is revoked; empty if it is not. Certificates without a serial have 0."""
        if any(one.has(ca, serial) for one in self.serials):
            return f"serial {serial}"
        return f"id {key_id}" if {(ca, key_id), ("", key_id)} & self.ids else ""


def read_revocations(content: bytes) -> Revocations:
    """The list in a file. Raises `ValueError` for what is damaged or not understood; nothing is left out."""
    if not content:
        raise ValueError("it is empty; a list without an entry has at least a comment")
    if len(content) > LONGEST:
        raise ValueError(f"it is longer than {LONGEST} bytes")
    found = Krl()
    if content.startswith(MAGIC):
        found.read(content)
    else:
        _read_lines(content, found)
    return Revocations(frozenset(found.keys), frozenset(found.digests), tuple(found.serials), frozenset(found.ids))


def _read_lines(content: bytes, found: Krl) -> None:
    for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), 1):
        try:
            _read_line(line.strip(), found)
        except ValueError:
            raise ValueError(f"its line {number} is not understood") from None


def _read_line(line: str, found: Krl) -> None:
    """One entry of the text that `ssh-keygen -k` reads, too, or a fingerprint. Raises `ValueError`."""
    if not line or line.startswith("#"):
        return
    if span := _SERIAL.fullmatch(line):
        found.serials.append(Serials("", int(span[1]), int(span[2] or span[1])))
    elif named := _ID.fullmatch(line):
        found.ids.add(("", named[1]))
    elif printed := _FINGERPRINT.fullmatch(line):
        found.keys.add(printed[1])
    elif key := _KEY.fullmatch(line):
        found.keys.add(_fingerprint(key[1], key[2]))
    else:
        raise ValueError(DAMAGED)


def _fingerprint(kind: str, text: str) -> str:
    """Raises `ValueError` for what is no public key, and for a certificate, of which it is not said what is meant."""
    blob = base64.b64decode(text, validate=True)
    named, *parts = Strings(blob).rest()
    if named != kind.encode() or not parts or "-cert-" in kind:
        raise ValueError(DAMAGED)
    return fingerprint_of(blob)
