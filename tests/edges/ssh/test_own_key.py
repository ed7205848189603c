"""The bot's own key and certificate: replaced while it runs, also by something that cannot be used."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.edges.ssh.hosts import SshHosts
from bot.edges.ssh.login import SshLimits
from bot.errors import HostError
from tests.edges.ssh_server import Sshd, make_key, sshd

# A connection is closed after each command, so that each command is a login.
ONCE = SshLimits(lifetime=0.0)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Sshd]:
    authority = make_key(tmp_path / "authority")
    (tmp_path / "authorities").write_text(authority)
    with sshd(tmp_path, f"TrustedUserCAKeys {tmp_path}/authorities") as running:
        yield running


@pytest.fixture
def own(server: Sshd) -> Path:
    """The file of the bot's key: a copy, so that the other one stays."""
    path = server.folder / "own"
    shutil.copy(server.key_file, path)
    return path


@pytest.fixture
def hosts(own: Path) -> Iterator[SshHosts]:
    ours = SshHosts(own, ONCE)
    yield ours
    ours.close()


def log_in(hosts: SshHosts, server: Sshd) -> None:
    assert hosts.run(server.host, ("true",), deadline=10).exit_code == 0


def fails(hosts: SshHosts, server: Sshd) -> str:
    with pytest.raises(HostError) as failed:
        hosts.run(server.host, ("true",), deadline=10)
    return failed.value.code


def sign(server: Sshd, public: Path, valid: str) -> Path:
    about = ("-I", "bot", "-n", server.host.login, "-V", valid)
    subprocess.run(["ssh-keygen", "-q", "-s", server.folder / "authority", *about, public], check=True)
    return public.with_name(f"{public.stem}-cert.pub")


def test_a_key_that_was_replaced_is_used_at_the_next_login(hosts: SshHosts, server: Sshd, own: Path) -> None:
    log_in(hosts, server)
    (server.folder / "authorized_keys").write_text(make_key(server.folder / "new"))
    assert fails(hosts, server) == "ssh_auth_refused"
    os.replace(server.folder / "new", own)
    log_in(hosts, server)
    assert hosts.key.complaint() == ""


def test_a_certificate_is_renewed_without_a_restart(hosts: SshHosts, server: Sshd, own: Path) -> None:
    (server.folder / "authorized_keys").write_text("")
    public = own.with_suffix(".pub")
    shutil.copy(f"{server.key_file}.pub", public)
    assert fails(hosts, server) == "ssh_auth_refused"
    sign(server, public, "-3h:-2h")
    assert fails(hosts, server) == "cert_time"
    sign(server, public, "-2h:+2h")
    log_in(hosts, server)
    (server.folder / "own-cert.pub").unlink()
    assert fails(hosts, server) == "ssh_auth_refused"


@pytest.mark.parametrize("what", ["garbage", "empty", "open to others", "gone", "with a passphrase"])
def test_what_cannot_be_used_leaves_the_old_key_in_use_and_says_so(
    hosts: SshHosts, server: Sshd, own: Path, what: str
) -> None:
    log_in(hosts, server)
    match what:
        case "garbage" | "empty":
            own.write_text("no key" if what == "garbage" else "")
        case "open to others":
            own.chmod(0o644)
        case "gone":
            own.rename(server.folder / "away")
        case "with a passphrase":
            make_key(server.folder / "locked", "-N", "secret-canary")
            os.replace(server.folder / "locked", own)
    log_in(hosts, server)
    said = hosts.key.complaint()
    assert said.startswith(f"{own}: ")
    assert said.endswith(" The key that was read before stays in use.")
    assert "secret-canary" not in said
    own.unlink(missing_ok=True)
    shutil.copy(server.key_file, own)
    log_in(hosts, server)
    assert hosts.key.complaint() == ""


def test_a_certificate_of_another_key_is_not_used(hosts: SshHosts, server: Sshd, own: Path) -> None:
    log_in(hosts, server)
    make_key(server.folder / "other")
    other = sign(server, server.folder / "other.pub", "-2h:+2h")
    shutil.copy(other, server.folder / "own-cert.pub")
    log_in(hosts, server)
    assert f"{own}-cert.pub: not a certificate for the key" in hosts.key.complaint()
    (server.folder / "own-cert.pub").write_text("ssh-ed25519-cert-v01@openssh.com AAAA junk")
    log_in(hosts, server)
    assert "The key that was read before stays in use." in hosts.key.complaint()
