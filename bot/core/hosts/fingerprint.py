"""Fingerprints of public keys, as ssh-keygen(1) writes them."""

import base64
import hashlib


def fingerprint_of(key: bytes) -> str:
    """The SHA-256 fingerprint of a public key."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(key).digest()).decode().rstrip("=")
