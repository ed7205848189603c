"""A certificate for each login: the operator's signer is asked for it, and its answer is checked before it is used."""

import base64
import copy
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import paramiko
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    SSHCertificate,
    SSHCertificateType,
    load_ssh_public_identity,
)
from paramiko.pkey import PublicBlob

from bot.core.hosts.inventory import Host
from bot.core.text.sanitize import clean
from bot.edges import metrics
from bot.edges.sources.command import ask_command
from bot.edges.ssh.certificate import CERTIFICATE, DAMAGED, validity
from bot.errors import HostError

LOOK = "look"  # stands for the request where a login is for none: looks, doctor, scans
_ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}
_LARGEST = 16 * 1024
_EARLIER = timedelta(minutes=2)  # `ssh-keygen -V +5m` lets it begin up to two minutes ago
_OPTIONS = frozenset({b"force-command", b"source-address"})  # they only take rights away
_WIDTH = 120


@dataclass(frozen=True, slots=True)
class Signer:
    """The command that signs, how long a certificate shall be valid, and how long it may take; both in seconds."""

    command: tuple[str, ...]
    valid: float = 300.0
    deadline: float = 10.0

    def certified(self, key: paramiko.PKey, host: Host, request: str) -> paramiko.PKey:
        """The key with a certificate for one host and one request, or for a look. Raises `HostError`."""
        asked = json.dumps(
            {
                "host": host.name,
                "login": host.login,
                "request": request or LOOK,
                "key_id": key_id(request),
                "public_key": _public(key),
                "seconds": round(self.valid),
            }
        )
        try:
            with metrics.time_ssh("certificate"):
                answer = ask_command(
                    self.command, deadline=self.deadline, largest=_LARGEST, given=f"{asked}\n", environment=_ENVIRONMENT
                )
        except ValueError as error:
            raise _no_certificate(host, str(error), passing=True) from None
        try:
            blob = _checked(answer, key, host, request, longest=timedelta(seconds=self.valid) + _EARLIER)
        except _Unfit as why:
            raise _no_certificate(host, f"what it printed is not used: {why}") from None
        certified = copy.copy(key)
        certified.public_blob = blob
        return certified


def key_id(request: str) -> str:
    """What the key id of a certificate has to contain; sshd logs it with the login."""
    return f"maskbot/{request or LOOK}"


class _Unfit(Exception):
    """A certificate that is not the one that was asked for, in words for people."""


def _no_certificate(host: Host, why: str, *, passing: bool = False) -> HostError:
    text = f"{host.name}: the signer gave no certificate for the login ({why}). Nothing was sent."
    return HostError(f"{text} Check what MASKBOT_SSH_SIGNER runs.", code="ssh_signer", passing=passing)


def _public(key: paramiko.PKey) -> str:
    return f"{key.get_name()} {key.get_base64()}"


def _checked(answer: str, key: paramiko.PKey, host: Host, request: str, *, longest: timedelta) -> PublicBlob:
    """The certificate in an answer of one line. Raises `_Unfit`."""
    line = re.fullmatch(r"([a-z0-9@.-]+) ([A-Za-z0-9+/]+={0,2})(?: [ -~]*)?\n?", answer)
    if line is None or not line[1].endswith(CERTIFICATE):
        raise _Unfit("it is not one line with a certificate")
    try:
        blob = PublicBlob(line[1], base64.b64decode(line[2], validate=True))
        certificate = load_ssh_public_identity(f"{line[1]} {line[2]}".encode())
        if not isinstance(certificate, SSHCertificate):
            raise _Unfit("it is no certificate")
        certificate.verify_cert_signature()
        public = certificate.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
        span = validity(blob)
    # What is damaged is refused in many ways; nothing of it has decided anything yet.
    except DAMAGED:
        raise _Unfit("it is damaged, or its signature is wrong") from None
    if public != _public(key):
        raise _Unfit("it is for another key")
    if why := _purpose(certificate, host, request) or _time(span, longest, datetime.now(UTC)):
        raise _Unfit(why)
    return blob


def _purpose(certificate: SSHCertificate, host: Host, request: str) -> str:
    """Why it is good for more than this login, or for another one."""
    fits = {host.login, host.name, f"{host.login}@{host.name}"}
    names = {name.decode("utf-8", "replace") for name in certificate.valid_principals}
    if certificate.type is not SSHCertificateType.USER:
        return "it is one for hosts"
    if not names or names - fits:
        return f"it is for {_words(names) or 'everybody'}, not for {' or '.join(sorted(fits))}"
    if unknown := certificate.critical_options.keys() - _OPTIONS:
        named = _words(name.decode("utf-8", "replace") for name in unknown)
        return f"it has a critical option that the bot does not know: {named}"
    given, wanted = certificate.key_id.decode("utf-8", "replace"), key_id(request)
    if not re.search(rf"{re.escape(wanted)}(?![\w-])", given):
        return f"its key id is `{_words([given])}`, without {wanted}"
    return ""


def _time(span: tuple[datetime, datetime], longest: timedelta, now: datetime) -> str:
    since, until = span
    if not since <= now < until:
        return f"it is valid from {since:%Y-%m-%d %H:%M:%S} to {until:%Y-%m-%d %H:%M:%S} UTC, and it is {now:%H:%M:%S}"
    if until - since > longest:
        most = longest.total_seconds()
        return f"it is valid for {(until - since).total_seconds():.0f} s, and {most:.0f} s are the most"
    return ""


def _words(names: Iterable[str]) -> str:
    return clean(", ".join(sorted(names)), lines=1, width=_WIDTH)
