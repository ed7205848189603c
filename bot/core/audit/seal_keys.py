"""The seal keys: what the bot recorded itself is told from what somebody else wrote into its database.

The keys are secrets that the database never holds. The first of them seals, and all of them verify, so that a key can
be replaced while records that it sealed are still there.
"""

import base64
import binascii
import hmac
import re
from dataclasses import dataclass, field
from functools import lru_cache

KEY_BYTES = 32
LOST_KEY = "if it is lost for good: docs/operations.md, *A lost seal key*"
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,31}", re.ASCII)
_SHAPE = "has to be a line `ID:KEY` for each key: a short name in small letters, and 32 bytes in base64"


@dataclass(frozen=True, slots=True)
class SealKey:
    """A key and its name, which stands beside every seal made with it."""

    id: str
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Seal:
    """A keyed seal: the id of its key, and an HMAC-SHA256 in hexadecimal digits."""

    kid: str
    mac: str


@dataclass(frozen=True, slots=True)
class KeyRing:
    """All keys of an installation; the first one seals."""

    keys: tuple[SealKey, ...]

    def seal(self, domain: str, text: str) -> Seal:
        """Seal a text. A seal of one domain (`event`, `request`, ...) is none in another."""
        key = self.keys[0]
        return Seal(key.id, _mac(key.secret, domain, text))

    def derive(self, kid: str, domain: str, text: str) -> bytes | None:
        """A secret of our own for this text, which nobody can tell without the key; None if that key is not here."""
        key = next((key for key in self.keys if key.id == kid), None)
        return hmac.digest(_key_of(key.secret, domain), text.encode(), "sha256") if key else None

    def fault(self, domain: str, text: str, kid: str | None, mac: str | None) -> str:
        """What is wrong with a seal; empty if we made it for this text."""
        if not kid or not mac:
            return "it has no seal"
        key = next((key for key in self.keys if key.id == kid), None)
        if key is None:
            return f"it was sealed with a key that is not known ({kid[:32]!r})"
        right = _mac(key.secret, domain, text)
        return "" if hmac.compare_digest(right.encode(), mac.encode()) else "its seal is wrong"


def parse_keys(text: str) -> KeyRing:
    """Parse the setting. Raises `ValueError`, which never contains a key."""
    lines = [line.strip() for line in text.splitlines()]
    keys = tuple(_parse_key(line) for line in lines if line and not line.startswith("#"))
    if not keys:
        raise ValueError(_SHAPE)
    if len({key.id for key in keys}) < len(keys):
        raise ValueError("names two keys alike")
    return KeyRing(keys)


def as_line(key: SealKey) -> str:
    """A key as a line of the setting."""
    return f"{key.id}:{base64.b64encode(key.secret).decode()}"


def _parse_key(line: str) -> SealKey:
    name, _, encoded = line.partition(":")
    try:
        secret = base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(_SHAPE) from None
    if not _ID.fullmatch(name) or len(secret) != KEY_BYTES:
        raise ValueError(_SHAPE)
    return SealKey(name, secret)


def _mac(secret: bytes, domain: str, text: str) -> str:
    return hmac.digest(_key_of(secret, domain), text.encode("utf-8", "surrogatepass"), "sha256").hex()


@lru_cache(maxsize=64)
def _key_of(secret: bytes, domain: str) -> bytes:
    """Each domain has a key of its own, so that no text can be taken for one of another domain."""
    return hmac.digest(secret, f"maskbot 1 {domain}".encode(), "sha256")
