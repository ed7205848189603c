"""Host certificates: whether a CA of the inventory vouches for the key that a host has shown."""

import base64
from dataclasses import dataclass
from datetime import datetime

import paramiko
from cryptography.hazmat.primitives.serialization import SSHCertificate, SSHCertificateType, load_ssh_public_identity
from paramiko.pkey import PublicBlob

from bot.core.hosts.fingerprint import fingerprint_of
from bot.core.hosts.inventory import Authority, Host
from bot.edges.ssh.certificate import DAMAGED, is_certificate, signer, validity
from bot.edges.ssh.revocations import UnreadError, is_revoked, revocations

# The signatures of a CA that are accepted: OpenSSH's CASignatureAlgorithms without security keys. None has SHA-1.
_SIGNED_BY = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "rsa-sha2-256",
              "rsa-sha2-512")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Distrust:
    """Why a key or its certificate is not trusted, and the code of that error."""

    why: str
    code: str = "host_key_mismatch"


def distrust(host: Host, shown: paramiko.PKey, now: datetime) -> Distrust | None:
    """Why this is not the key of the host; None if it is pinned, or a CA vouches for it, and none has revoked it."""
    key = shown.asbytes()
    try:
        if any(is_revoked(one, key) for one in host.authorities):
            return Distrust("its host key is revoked")
        if fingerprint_of(key) in host.pins:
            return None
        return (
            _of_certificate(host, shown, now) if host.authorities else Distrust("its host key does not match the pin")
        )
    except UnreadError as why:  # no sign of an attack, but nobody can tell
        return Distrust(f"the revocation list {why}", code="host_revocations")


def _of_certificate(host: Host, shown: paramiko.PKey, now: datetime) -> Distrust | None:
    blob = shown.public_blob
    if blob is None or not is_certificate(blob):
        return Distrust("it showed a key without a certificate")
    try:
        certificate, authority = _verified(blob, host)
    except _Wrong as wrong:
        return Distrust(str(wrong))
    # The bot's own parts may not read what the CA has signed; nothing of it has decided anything yet.
    except DAMAGED:
        return Distrust("its certificate is damaged, or its signature is wrong")
    if why := _unfit(certificate, authority, host):
        return Distrust(why)
    since, until = validity(blob)
    if since <= now < until:
        return None
    span = f"{since:%Y-%m-%d %H:%M} to {until:%Y-%m-%d %H:%M} UTC"
    return Distrust(f"its certificate is valid from {span}; here it is {now:%Y-%m-%d %H:%M} UTC", code="host_cert_time")


class _Wrong(Exception):
    """A certificate that no CA of the host has signed."""


def _verified(blob: PublicBlob, host: Host) -> tuple[SSHCertificate, Authority]:
    """The certificate, and the CA of this host that has signed it."""
    key, algorithm = signer(blob)
    authority = next((one for one in host.authorities if one.fingerprint == fingerprint_of(key)), None)
    if authority is None:
        raise _Wrong(f"its certificate is signed by {fingerprint_of(key)}, which is no CA for this host")
    if revocations(authority).has_key(key):
        raise _Wrong("its certificate is signed by a CA that is revoked")
    if algorithm not in _SIGNED_BY:
        raise _Wrong("its certificate is signed with a weak algorithm")
    line = f"{blob.key_type} {base64.b64encode(blob.key_blob).decode()}"
    certificate = load_ssh_public_identity(line.encode())
    if not isinstance(certificate, SSHCertificate):
        raise _Wrong("its certificate is damaged")
    certificate.verify_cert_signature()
    return certificate, authority


def _unfit(certificate: SSHCertificate, authority: Authority, host: Host) -> str:
    """What the CA's own words say against it."""
    names = {name.decode("utf-8", "replace") for name in certificate.valid_principals}
    if certificate.type is not SSHCertificateType.HOST:
        return "its certificate is one for users"
    if certificate.critical_options:
        return "its certificate has a critical option, and the bot knows none"
    if not names & host.certificate_names:
        wanted = " or ".join(sorted(host.certificate_names))
        return f"its certificate is for {', '.join(sorted(names)) or 'no name'}, not {wanted}"
    serial, key_id = certificate.serial, certificate.key_id.decode("utf-8", "replace")
    if serial in authority.revoked_serials:
        return f"its certificate is revoked (serial {serial})"
    listed = revocations(authority).why_certificate(authority.fingerprint, serial, key_id)
    return f"its certificate is revoked ({listed})" if listed else ""
