"""Log in to a host: exchange keys, compare the host's key with the pins, and only then say who we are."""

import socket
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NoReturn, cast

import paramiko
from paramiko.ssh_exception import IncompatiblePeer

from bot.core.hosts.fingerprint import fingerprint_of
from bot.core.hosts.inventory import Host
from bot.edges import metrics
from bot.edges.ssh.bounds import LARGEST_KEY, MOST_EXTENSIONS, WINDOW, BoundedPackets, Wire
from bot.edges.ssh.certificate import CERTIFICATE, has_certificate, why_refused
from bot.edges.ssh.host_certificate import distrust
from bot.errors import HostError
from bot.ports import NOT_STRICT

# Our offer, of all that the library knows: no CBC, no SHA-1, no MD5, no shortened MACs. Diffie-Hellman groups
# are left out: they cost up to 100 ms per connection (measured), and OpenSSH has had better ones for a decade.
_CIPHERS = ("aes128-ctr", "aes192-ctr", "aes256-ctr", "aes128-gcm@openssh.com", "aes256-gcm@openssh.com")
_MACS = ("hmac-sha2-",)
_KEX = ("mlkem768x25519-", "sntrup761x25519-", "curve25519-", "ecdh-sha2-")
_STRICT = "strict key exchange"
_HOST_KEYS = ("ssh-ed25519", "ecdsa-sha2-", "rsa-sha2-")


@dataclass(frozen=True, slots=True)
class SshLimits:
    """Time limits of each phase in seconds, and limits for an answer in bytes of each stream.

    A full look at a host with three thousand units has some 200 KiB, with names of the greatest length a megabyte;
    answers for people are cut shorter.
    """

    resolve: float = 5.0
    connect: float = 5.0
    banner: float = 5.0
    key_exchange: float = 5.0
    auth: float = 10.0
    channel: float = 10.0
    idle: float = 60.0
    lifetime: float = 300.0
    output: int = 4 * 1024 * 1024


class ClientTransport(paramiko.Transport):
    """Remembers which key exchange was agreed on: the library forgets it as soon as that is over.

    And works on no message for longer than an ordinary one takes: closing a connection does not end that.
    """

    kex = ""

    def _parse_kex_init(self, message: paramiko.Message) -> None:
        super()._parse_kex_init(message)  # type: ignore[misc]
        kinds = vars(paramiko.Transport)["_kex_info"]
        self.kex = next(name for name, kind in kinds.items() if type(self.kex_engine) is kind)

    def get_exception(self) -> Exception | None:
        """What has ended it. The library raises it wherever somebody waits, whatever a host has made its thread do."""
        error = super().get_exception()
        if error is None or isinstance(error, (paramiko.SSHException, EOFError, OSError)):
            return error
        return paramiko.SSHException(f"it did not keep to the protocol ({type(error).__name__})")

    def _parse_ext_info(self, message: paramiko.Message) -> None:
        """The library reads as many extensions as a message says it has, also past its end."""
        if (count := message.get_int()) > MOST_EXTENSIONS:
            self._refuse(f"{count} extensions")
        message.rewind()
        super()._parse_ext_info(message)  # type: ignore[misc]

    def _verify_key(self, host_key: bytes, signature: bytes) -> None:
        """The library reads a number in a time that grows with the square of its length."""
        if max(len(host_key), len(signature)) > LARGEST_KEY:
            self._refuse(f"a key of {len(host_key)} bytes, with a signature of {len(signature)}")
        super()._verify_key(host_key, signature)  # type: ignore[misc]

    def _refuse(self, why: str) -> NoReturn:
        cast(Wire, self.sock).refuse(why)


class _CertificatesFirst(ClientTransport):
    """Asks a host for its certificate, and for a plain key only if it has none."""

    @property
    def preferred_keys(self) -> tuple[str, ...]:
        """The library would ask for a certificate last."""
        return tuple(sorted(super().preferred_keys, key=lambda name: not name.endswith(CERTIFICATE)))


def new_transport(host: Host, wire: Wire, limits: SshLimits) -> ClientTransport:
    """An SSH client on a wire; it has not sent anything yet."""
    kind = _CertificatesFirst if host.authorities else ClientTransport
    transport = kind(cast(socket.socket, wire), default_window_size=WINDOW, packetizer_class=BoundedPackets)
    transport.banner_timeout = limits.banner
    transport.channel_timeout = transport.clear_to_send_timeout = limits.channel
    options = transport.get_security_options()
    options.ciphers = tuple(name for name in options.ciphers if name in _CIPHERS)
    options.digests = tuple(name for name in options.digests if name.startswith(_MACS) and "-96" not in name)
    options.kex = tuple(name for name in options.kex if name.startswith(_KEX))
    options.key_types = tuple(name for name in options.key_types if name.startswith(_HOST_KEYS))
    return transport


def check_host(host: Host, transport: paramiko.Transport, wire: Wire, limits: SshLimits) -> None:
    """Exchange keys and check the host's key. Raises `HostError`, and leaves the transport to be closed."""
    with metrics.time_ssh("key_exchange"):
        exchange_keys(host, transport, wire, limits)
        _compare_host_key(host, transport)


def authenticate(host: Host, transport: paramiko.Transport, wire: Wire, key: paramiko.PKey, limits: SshLimits) -> None:
    """Log in to a host that was checked. Raises `HostError`, and leaves the transport to be closed."""
    with metrics.time_ssh("login"):
        _authenticate(host, transport, wire, key, limits)


def exchange_keys(host: Host, transport: paramiko.Transport, wire: Wire, limits: SshLimits) -> None:
    """Wait for the key exchange: the library's own wait returns without an error at its timeout, and fails later."""
    done = threading.Event()
    transport.start_client(event=done)
    in_time = done.wait(limits.banner + limits.key_exchange)
    if in_time and transport.is_active():
        return
    error = transport.get_exception()
    if isinstance(error, IncompatiblePeer):
        fail(host, "ssh_weak_crypto", "it offers no strong algorithm that the bot supports")
    _check_amount(host, wire)
    if not wire.received:
        fail(host, "ssh_banner_timeout", "it accepted the connection and sent nothing", passing=True)
    if isinstance(error, (EOFError, ConnectionError)):
        fail(host, "ssh_closed", "it broke off before a login", passing=True)
    fail(host, "ssh_kex_timeout", "it did not finish the key exchange in time", passing=True)


def agreed(transport: ClientTransport) -> str:
    """What was agreed on: key exchange, kind of the host's key, cipher, MAC, and whether the exchange was strict.

    In a strict one, a message that somebody puts in before the encryption begins ends the connection (Terrapin,
    CVE-2023-48795).
    """
    is_aead = "gcm" in transport.local_cipher
    parts = (transport.kex, transport.host_key_type, transport.local_cipher, "" if is_aead else transport.local_mac)
    is_strict = vars(transport)["agreed_on_strict_kex"]
    return ", ".join([*filter(None, parts), _STRICT if is_strict else NOT_STRICT])


def _check_amount(host: Host, wire: Wire) -> None:
    if wire.exceeded:
        fail(host, "ssh_too_much", "it sent more than a login needs, so the bot closed the connection")


def _compare_host_key(host: Host, transport: paramiko.Transport) -> None:
    shown = transport.get_remote_server_key()
    no = distrust(host, shown, datetime.now(UTC))
    if no is None:
        return
    error = HostError(f"{host.name}: {no.why}, so the bot did not log in. Nothing was sent.", code=no.code)
    seen = fingerprint_of(shown.asbytes())
    error.add_note(f"pinned: {', '.join(sorted(host.trusted)) or 'nothing'}; shown: {seen} ({shown.get_name()})")
    raise error


def _authenticate(host: Host, transport: paramiko.Transport, wire: Wire, key: paramiko.PKey, limits: SshLimits) -> None:
    done = threading.Event()
    try:
        transport.auth_publickey(host.login, key, event=done)
    except (paramiko.SSHException, EOFError):
        _check_amount(host, wire)
        fail(host, "ssh_closed", "it broke off before a login", passing=True)
    # Never retried, because repeated attempts lock an account.
    if not done.wait(limits.auth):
        fail(host, "ssh_auth_timeout", "it did not answer at login")
    if transport.is_authenticated():
        return
    _check_amount(host, wire)
    if not transport.is_active():
        fail(host, "ssh_auth_timeout", "it broke off at login")
    if why := why_refused(key, datetime.now(UTC)):
        fail(host, "cert_time", why)
    if has_certificate(key):
        why = f"it refused the bot's certificate for {host.login}: its CA, its principals, or the clocks"
        fail(host, "ssh_cert_refused", why)
    fail(host, "ssh_auth_refused", f"it refused the bot's key for {host.login}")


def fail(host: Host, code: str, why: str, *, passing: bool = False) -> NoReturn:
    """Raise a `HostError` that names the host."""
    raise HostError(f"{host.name}: {why}. Nothing was sent.", code=code, passing=passing) from None
