"""Fingerprints of public keys, as ssh-keygen(1) writes them."""

import base64
import binascii

from bot.core.hosts.fingerprint import fingerprint_of


def fingerprint(public_key: str) -> str:
    """The SHA-256 fingerprint of a public key line, as `ssh-keygen -l` writes it. Raises `ValueError`."""
    words = public_key.split()
    try:
        key = base64.b64decode(words[1], validate=True)
    except (IndexError, binascii.Error):
        raise ValueError("not a public key: a type and a key in base64 are expected") from None
    # The key repeats its type (RFC 4253, 6.6).
    if key[4 : 4 + len(words[0])] != words[0].encode():
        raise ValueError("not a public key: its type is not what its first word says")
    return fingerprint_of(key)
