"""The certificate of the bot's key, if it has one (`KEY-cert.pub` beside it): until when it is good."""

from datetime import UTC, datetime, timedelta

import paramiko

CERTIFICATE = "-cert-v01@openssh.com"
_FIELDS = {"ssh-ed25519": 1}  # of a key; those of other kinds have two
_NEAR = timedelta(hours=1)  # a host's clock may differ by as much, and it is the host that judges


def why_refused(key: paramiko.PKey, now: datetime) -> str:
    """What speaks against the certificate by our clock, or may do so by the host's; empty if nothing does."""
    span = _span(key)
    if span is None or span[0] + _NEAR <= now <= span[1] - _NEAR:
        return ""
    since, until = (f"{time:%Y-%m-%d %H:%M} UTC" for time in span)
    return (
        f"it refused the bot's certificate, which is good from {since} to {until}; here it is {now:%H:%M} UTC. Compare"
        " the clocks"
    )


def _span(key: paramiko.PKey) -> tuple[datetime, datetime] | None:
    """From when until when (OpenSSH, PROTOCOL.certkeys); None where there is no certificate."""
    blob = getattr(key, "public_blob", None)
    if blob is None or not blob.key_type.endswith(CERTIFICATE):
        return None
    message = paramiko.Message(blob.key_blob)
    for _ in range(2 + _FIELDS.get(blob.key_type.removesuffix(CERTIFICATE), 2)):  # its type, a nonce, the key
        message.get_string()
    message.get_int64()  # serial
    message.get_int()  # for a user
    message.get_string()  # whose
    message.get_string()  # principals
    return _time(message.get_int64()), _time(message.get_int64())


def _time(seconds: int) -> datetime:
    """`Always` and `forever` are further away than a datetime goes."""
    return datetime.fromtimestamp(min(seconds, 253_402_300_799), UTC)
