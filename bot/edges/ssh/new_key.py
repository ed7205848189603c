"""Make a key pair for the bot: ed25519, without a passphrase."""

import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from bot.errors import ConfigError


def make_key(path: Path) -> str:
    """Write a new private key, for its owner alone, and its public half beside it; return that.

    Raises `ConfigError`, also if there is a file already: a key that hosts know is not replaced.
    """
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    public = f"{key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode('ascii')} maskbot"
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(private)
        path.with_name(f"{path.name}.pub").write_text(f"{public}\n")
    except OSError as error:
        raise ConfigError(f"{path}: the bot's key cannot be written there: {error.strerror}") from None
    return public
