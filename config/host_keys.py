"""Public keys of hosts and CAs in `hosts.yaml`: as a fingerprint, or as the line of a public key file."""

import base64
import binascii
import re

from bot.core.hosts.fingerprint import fingerprint_of

FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}", re.ASCII)
_MD5 = re.compile(r"(?:MD5:)?[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2})+", re.ASCII)
_KEY_TYPES = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa")


def read_host_key(typed: str) -> str:
    """A key's SHA-256 fingerprint, given as such or as the line of a public key file (sshd(8)). Raises `ValueError`."""
    if FINGERPRINT.fullmatch(typed):
        return typed
    if typed.partition(" ")[0] not in _KEY_TYPES:
        raise ValueError(_not_a_key(typed))
    return read_public_key(typed)


def _not_a_key(typed: str) -> str:
    """What people give instead of a key."""
    kind, _, rest = typed.partition(":")
    if kind == "SHA256":
        return f"is a damaged fingerprint: `SHA256:` must be followed by 43 characters, and here there are {len(rest)}"
    if _MD5.fullmatch(typed):
        return "is an MD5 fingerprint; `ssh-keygen -lf FILE` shows the one that begins with SHA256:"
    if any(word in _KEY_TYPES for word in typed.split()[1:]):
        return "is a line of known_hosts; leave out everything before the key type"
    return "is neither a fingerprint (SHA256:...) nor a public key (ssh-ed25519 AAAA...)"


def read_fingerprint(typed: str) -> str:
    """A SHA-256 fingerprint. Raises `ValueError`."""
    if not FINGERPRINT.fullmatch(typed):
        raise ValueError("is not a fingerprint (SHA256:...)")
    return typed


def read_public_key(typed: str) -> str:
    """The fingerprint of the line of a public key file. Raises `ValueError`."""
    kind, _, rest = typed.partition(" ")
    if kind not in _KEY_TYPES:
        raise ValueError("is not a public key (ssh-ed25519 AAAA...)")
    try:
        blob = base64.b64decode(rest.split(" ")[0], validate=True)
    except binascii.Error:
        raise ValueError("is a public key with damaged base64 text") from None
    if not blob.startswith(len(kind).to_bytes(4, "big") + kind.encode()):
        raise ValueError(f"is damaged: it says {kind} but contains something else")
    return fingerprint_of(blob)
