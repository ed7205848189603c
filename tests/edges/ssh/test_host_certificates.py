"""Hosts that a CA vouches for: a real sshd with a HostCertificate, and every certificate that is not to be believed."""

import base64
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import paramiko
import pytest

from bot.core.hosts.inventory import Authority, Host
from bot.edges.ssh.host_certificate import distrust
from bot.edges.ssh.hosts import SshHosts
from bot.edges.ssh.login import SshLimits
from bot.errors import HostError
from config.host_keys import read_public_key
from tests.edges.ssh_server import Sshd, eventually, make_key, sshd
from tests.plugins.fault_table import was_read

SHORT = SshLimits(connect=2.0, banner=2.0, key_exchange=4.0, auth=4.0, channel=2.0)
NOW = datetime.now(UTC)


class Ca:
    """A CA of hosts, made by ssh-keygen(1)."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.key = folder / "ca"
        self.authority = Authority(read_public_key(make_key(self.key, *options)))

    def sign(
        self, public: Path, *options: str, host: bool = True, names: str = "web-01", valid: str = "-1h:+1h"
    ) -> Path:
        """Sign the key of a host; the certificate stands beside it."""
        kind = ["-h"] if host else []
        who = ["-n", names] if names else []
        command: list[str | Path] = [
            "ssh-keygen",
            "-q",
            "-s",
            self.key,
            "-I",
            "x",
            "-z",
            "7",
            *kind,
            *who,
            "-V",
            valid,
            *options,
            public,
        ]
        subprocess.run(command, check=True)
        return public.with_name(f"{public.stem}-cert.pub")


@pytest.fixture
def ca(tmp_path: Path) -> Ca:
    (tmp_path / "authority").mkdir()
    return Ca(tmp_path / "authority")


@pytest.fixture(scope="module")
def rsa(tmp_path_factory: pytest.TempPathFactory) -> Ca:
    """A CA with a key of RSA, and a host's `key` beside it: they take seconds to make."""
    folder = tmp_path_factory.mktemp("rsa")
    make_key(folder / "key", "-t", "rsa", "-b", "2048")
    return Ca(folder, "-t", "rsa", "-b", "2048")


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Callable[[Callable[[Path], object]], Sshd]]:
    """An sshd whose host key somebody signs once it is made; sshd reads the certificate at its SIGHUP."""
    with ExitStack() as stack:

        def start(sign: Callable[[Path], object]) -> Sshd:
            (tmp_path / "sshd").mkdir()
            setting = f"HostCertificate {tmp_path}/sshd/host_key-cert.pub"
            server = stack.enter_context(sshd(tmp_path / "sshd", setting))
            sign(server.folder / "host_key.pub")
            reread(server)
            return server

        yield start


def reread(server: Sshd) -> None:
    """Let sshd read its configuration and certificate anew."""
    before = server.log.count("Server listening")
    os.kill(server.pid, signal.SIGHUP)
    eventually(lambda: server.log.count("Server listening") > before)


def ask(server: Sshd, host: Host) -> HostError | None:
    """Run a command there; the error if it is refused, and then nobody has tried to log in."""
    before = server.log
    ours = SshHosts(server.key_file, SHORT)
    try:
        ours.run(host, ("true",), deadline=10)
    except HostError as error:
        was_read(str(error))
        assert "userauth-request" not in server.log[len(before) :]
        return error
    finally:
        ours.close()
    return None


def by(ca: Ca, server: Sshd, *, keys: frozenset[str] = frozenset(), serials: frozenset[int] = frozenset()) -> Host:
    """The host, trusted by its certificate alone, and what the CA has revoked."""
    authority = replace(ca.authority, revoked_keys=keys, revoked_serials=serials)
    return replace(server.host, pins=frozenset(), authorities=(authority,))


Serving = Callable[[Callable[[Path], object]], Sshd]


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_a_host_is_trusted_by_a_certificate_for_its_name_or_address(
    serving: Serving, tmp_path: Path, kind: str
) -> None:
    ca = Ca(tmp_path, "-t", kind)
    server = serving(lambda key: ca.sign(key, names="other,web-01"))
    assert ask(server, by(ca, server)) is None
    assert ask(server, replace(by(ca, server), name="web-02", principals=frozenset({"other"}))) is None
    assert ask(server, replace(by(ca, server), name="other", address="localhost")) is None


@pytest.mark.parametrize(
    ("signed", "code", "said"),
    [
        ({"valid": "-2h:-1h"}, "host_cert_time", "its certificate is valid from"),
        ({"valid": "+1h:+2h"}, "host_cert_time", "its certificate is valid from"),
        ({"names": "web-02,*"}, "host_key_mismatch", "its certificate is for *, web-02, not 127.0.0.1 or web-01"),
        ({"names": ""}, "host_key_mismatch", "its certificate is for no name, not 127.0.0.1 or web-01"),
        ({"host": False}, "host_key_mismatch", "its certificate is one for users"),
    ],
)
@pytest.mark.fault("F91", how="a real sshd whose certificate is over, not valid yet, for another name, or for users")
def test_a_certificate_that_does_not_fit_is_refused_before_the_login(
    serving: Serving, ca: Ca, signed: dict[str, str], code: str, said: str
) -> None:
    server = serving(lambda key: ca.sign(key, **signed))  # type: ignore[arg-type]
    error = ask(server, by(ca, server))
    assert error is not None
    assert (error.code, error.passing) == (code, False)
    assert str(error).startswith(f"web-01: {said}")
    assert str(error).endswith(", so the bot did not log in. Nothing was sent.")


@pytest.mark.fault("F91", how="a certificate of another CA, and a host without one")
def test_only_a_ca_that_is_for_this_host_counts(serving: Serving, ca: Ca, tmp_path: Path) -> None:
    other = Ca(tmp_path)
    server = serving(other.sign)
    error = ask(server, by(ca, server))
    assert error is not None
    assert "which is no CA for this host" in str(error)
    assert error.code == "host_key_mismatch"
    (server.folder / "host_key-cert.pub").unlink()
    reread(server)
    error = ask(server, by(ca, server))
    assert error is not None
    assert str(error).startswith("web-01: it showed a key without a certificate")


@pytest.mark.fault("F91", how="a revoked certificate, and a revoked key, also one that is pinned")
def test_what_is_revoked_is_refused_also_where_it_is_pinned(serving: Serving, ca: Ca) -> None:
    server = serving(ca.sign)
    assert ask(server, by(ca, server)) is None
    error = ask(server, by(ca, server, serials=frozenset({6, 7})))
    assert error is not None
    assert str(error).startswith("web-01: its certificate is revoked (serial 7)")
    gone = by(ca, server, keys=server.host.pins)
    for host in (gone, replace(gone, pins=server.host.pins)):
        error = ask(server, host)
        assert error is not None
        assert str(error).startswith("web-01: its host key is revoked")
        assert error.code == "host_key_mismatch"


def test_a_pinned_key_needs_no_certificate(serving: Serving, ca: Ca) -> None:
    server = serving(lambda key: ca.sign(key, valid="-2h:-1h"))
    assert ask(server, replace(by(ca, server), pins=server.host.pins)) is None


def test_a_certificate_that_is_renewed_is_believed_without_a_restart_of_the_bot(serving: Serving, ca: Ca) -> None:
    server = serving(lambda key: ca.sign(key, valid="-2h:-1h"))
    ours = SshHosts(server.key_file, SHORT)
    with pytest.raises(HostError, match="its certificate is valid from"):
        ours.run(by(ca, server), ("true",), deadline=10)
    ca.sign(server.folder / "host_key.pub")
    reread(server)
    assert ours.run(by(ca, server), ("true",), deadline=10).exit_code == 0
    ours.close()


WEB = Host("web-01", "192.0.2.1", 22, "maskbot", "prod")


def shown(certificate: Path) -> paramiko.PKey:
    """The key of a host as the library has it after a key exchange."""
    kind, text = certificate.read_text().split()[:2]
    return key_of(kind, base64.b64decode(text))


def key_of(kind: str, blob: bytes) -> paramiko.PKey:
    reader = paramiko.RSAKey if kind.startswith("ssh-rsa") else paramiko.Ed25519Key
    return reader(msg=paramiko.Message(blob))


def test_every_byte_of_a_certificate_is_signed(ca: Ca, tmp_path: Path) -> None:
    make_key(tmp_path / "key")
    certificate = ca.sign(tmp_path / "key.pub")
    host = replace(WEB, authorities=(ca.authority,))
    assert distrust(host, shown(certificate), NOW) is None
    kind, text = certificate.read_text().split()[:2]
    blob = base64.b64decode(text)
    begin = blob.index(b"web-01")
    wrong = 0
    for position in range(4 + len(kind), len(blob)):
        changed = blob[:position] + bytes([blob[position] ^ 1]) + blob[position + 1 :]
        try:
            key = key_of(kind, changed)
        except (paramiko.SSHException, ValueError, UnicodeError):
            continue
        wrong += 1
        assert distrust(host, key, NOW) is not None, position
    assert wrong > len(blob) // 2
    assert distrust(host, key_of(kind, blob[:begin]), NOW) is not None


def test_a_key_that_only_one_of_the_libraries_can_read_is_refused(ca: Ca, tmp_path: Path) -> None:
    """A point of an elliptic curve in its short form (SEC 1, 2.3.3)."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ecdsa", "-N", "", "-f", tmp_path / "key"], check=True)
    blob = base64.b64decode(ca.sign(tmp_path / "key.pub").read_text().split()[1])
    begin, _, point = blob.partition(b"\0\0\0\x41\x04")
    short = begin + b"\0\0\0\x21" + bytes([2 + point[63] % 2]) + point[:32] + point[64:]
    found = distrust(replace(WEB, authorities=(ca.authority,)), paramiko.ECDSAKey(msg=paramiko.Message(short)), NOW)
    assert found is not None and found.why == "its certificate is damaged, or its signature is wrong"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("-O", "critical:force-command=true"), "its certificate has a critical option"),
        (("-t", "ssh-rsa"), "its certificate is signed with a weak algorithm"),
        (("-t", "rsa-sha2-256"), ""),
    ],
)
def test_weak_signatures_and_unknown_options_are_refused(rsa: Ca, options: tuple[str, ...], said: str) -> None:
    signed = rsa.sign(rsa.key.with_name("key.pub"), *options)
    found = distrust(replace(WEB, authorities=(rsa.authority,)), shown(signed), NOW)
    assert (found.why if found else "").startswith(said)
    assert (found is None) == (not said)


def test_a_certificate_is_valid_from_its_first_second_and_up_to_its_last(ca: Ca, tmp_path: Path) -> None:
    make_key(tmp_path / "key")
    key = shown(ca.sign(tmp_path / "key.pub", valid="20300101000000Z:20300102000000Z"))
    host = replace(WEB, authorities=(ca.authority,))
    since, until = datetime(2030, 1, 1, tzinfo=UTC), datetime(2030, 1, 2, tzinfo=UTC)
    second = timedelta(seconds=1)
    good = [distrust(host, key, now) is None for now in (since - second, since, until - second, until)]
    assert good == [False, True, True, False]
    forever = shown(ca.sign(tmp_path / "key.pub", valid="always:forever"))
    assert distrust(host, forever, since) is None


def test_a_host_without_pins_and_cas_has_no_key_that_is_trusted() -> None:
    """Connections are refused before that; here nothing may take an empty list for any key."""
    assert distrust(Host("web-01", "192.0.2.1", 22, "maskbot", "prod"), paramiko.ECDSAKey.generate(), NOW) is not None
