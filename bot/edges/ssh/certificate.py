"""Certificates of OpenSSH (PROTOCOL.certkeys): validity and signer, and why a host may refuse the bot's own one."""

import math
from datetime import UTC, datetime, timedelta

import paramiko
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from paramiko.pkey import PublicBlob

CERTIFICATE = "-cert-v01@openssh.com"
DAMAGED = (
    ValueError,
    TypeError,
    IndexError,
    AssertionError,
    NotImplementedError,
    OverflowError,
    InvalidSignature,
    UnsupportedAlgorithm,
    paramiko.SSHException,
)
"""What the libraries raise for keys and certificates that are damaged, or that one of them cannot read (fuzzed)."""

_FIELDS = {"ssh-ed25519": 1}  # fields of the key; other key types have two
_NEAR = timedelta(hours=1)  # a host's clock may differ by this much, and the host decides


def why_refused(key: paramiko.PKey, now: datetime) -> str:
    """Why the certificate is not valid by our clock, or may not be by the host's; empty if it is.

    One that is valid for a short time is always near its end, which says nothing.
    """
    blob = key.public_blob
    if blob is None or not is_certificate(blob):
        return ""
    since, until = validity(blob)
    near = _NEAR if until - since > 2 * _NEAR else timedelta(0)
    if since + near <= now <= until - near:
        return ""
    span = f"{since:%Y-%m-%d %H:%M} UTC to {until:%Y-%m-%d %H:%M} UTC"
    return (
        f"it refused the bot's certificate, which is valid from {span}; here it is {now:%H:%M} UTC. Compare the clocks"
    )


def has_certificate(key: paramiko.PKey) -> bool:
    """Whether it would be shown with a certificate."""
    return key.public_blob is not None and is_certificate(key.public_blob)


def seconds_left(key: paramiko.PKey, now: datetime) -> float:
    """How long its certificate is valid yet, by our clock; without one there is no end."""
    if key.public_blob is None or not is_certificate(key.public_blob):
        return math.inf
    return (validity(key.public_blob)[1] - now).total_seconds()


def is_certificate(blob: PublicBlob) -> bool:
    """Whether it is a certificate, and not a plain public key."""
    return str(blob.key_type).endswith(CERTIFICATE)


def validity(blob: PublicBlob) -> tuple[datetime, datetime]:
    """From when until when the certificate is valid."""
    message = _after_principals(blob)
    return _time(message.get_int64()), _time(message.get_int64())


def shown_with(key: paramiko.PKey) -> str:
    """The serial number of its certificate, for the audit log, after the algorithms; empty without one."""
    blob = key.public_blob
    return f", certificate {_after_key(blob).get_int64()}" if blob and is_certificate(blob) else ""


def signer(blob: PublicBlob) -> tuple[bytes, str]:
    """The public key of its CA, and the algorithm of the CA's signature."""
    message = _after_principals(blob)
    message.get_int64()  # valid after
    message.get_int64()  # valid before
    for _ in range(3):  # critical options, extensions, reserved
        message.get_string()
    key = message.get_string()
    return key, paramiko.Message(message.get_string()).get_string().decode("ascii", "replace")


def _after_key(blob: PublicBlob) -> paramiko.Message:
    message = paramiko.Message(blob.key_blob)
    for _ in range(2 + _FIELDS.get(blob.key_type.removesuffix(CERTIFICATE), 2)):  # type, nonce, key
        message.get_string()
    return message


def _after_principals(blob: PublicBlob) -> paramiko.Message:
    message = _after_key(blob)
    message.get_int64()  # serial
    message.get_int()  # type: user or host
    message.get_string()  # key id
    message.get_string()  # principals
    return message


def _time(seconds: int) -> datetime:
    """A time of the certificate; `always` and `forever` do not fit into a datetime."""
    return datetime.fromtimestamp(min(seconds, 253_402_300_799), UTC)
