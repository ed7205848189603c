"""`maskbot secret`: make a key for the seals, as a line of MASKBOT_SEAL_KEYS."""

import secrets
from datetime import UTC, datetime

import typer

from bot.core.audit.seal_keys import KEY_BYTES, SealKey, as_line


def make_secret() -> int:
    """Print a new key."""
    typer.echo(new_key())
    return 0


def new_key() -> str:
    """A new key. Its name is today's date, so that keys in a file stand apart."""
    name = f"{datetime.now(UTC):%Y-%m-%d}-{secrets.token_hex(2)}"
    return as_line(SealKey(name, secrets.token_bytes(KEY_BYTES)))
