"""The validity of the bot's SSH user certificate (`KEY-cert.pub` beside its key), if it has one."""

from datetime import UTC, datetime, timedelta

import paramiko

CERTIFICATE = "-cert-v01@openssh.com"
_FIELDS = {"ssh-ed25519": 1}  # fields of the key; other key types have two
_NEAR = timedelta(hours=1)  # a host's clock may differ by this much, and the host decides


def why_refused(key: paramiko.PKey, now: datetime) -> str:
    """Why the certificate is not valid by our clock, or may not be by the host's; empty if it is."""
    span = _span(key)
    if span is None or span[0] + _NEAR <= now <= span[1] - _NEAR:
        return ""
    since, until = (f"{time:%Y-%m-%d %H:%M} UTC" for time in span)
    return (
        f"it refused the bot's certificate, which is valid from {since} to {until}; here it is {now:%H:%M} UTC. Compare"
        " the clocks"
    )


def _span(key: paramiko.PKey) -> tuple[datetime, datetime] | None:
    """The validity period (OpenSSH, PROTOCOL.certkeys); None if there is no certificate."""
    blob = getattr(key, "public_blob", None)
    if blob is None or not blob.key_type.endswith(CERTIFICATE):
        return None
    message = paramiko.Message(blob.key_blob)
    for _ in range(2 + _FIELDS.get(blob.key_type.removesuffix(CERTIFICATE), 2)):  # type, nonce, key
        message.get_string()
    message.get_int64()  # serial
    message.get_int()  # type: user
    message.get_string()  # key id
    message.get_string()  # principals
    return _time(message.get_int64()), _time(message.get_int64())


def _time(seconds: int) -> datetime:
    """A time of the certificate; `always` and `forever` do not fit into a datetime."""
    return datetime.fromtimestamp(min(seconds, 253_402_300_799), UTC)
