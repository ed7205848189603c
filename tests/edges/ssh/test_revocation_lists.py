"""Revocation lists of a CA: each kind that ssh-keygen(1) writes, read again when it changes, and never half."""

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.hosts.inventory import Host
from bot.edges.ssh.host_certificate import Distrust, distrust
from bot.edges.ssh.hosts import SshHosts
from bot.errors import HostError
from tests.edges.ssh.test_host_certificates import NOW, SHORT, WEB, Ca, reread, shown
from tests.edges.ssh_server import Sshd, make_key, sshd


class Signed:
    """A host with a certificate of serial 7 and id x, and the list that its CA refers to."""

    def __init__(self, folder: Path) -> None:
        self.ca = Ca(folder)
        make_key(folder / "key")
        self.public = folder / "key.pub"
        self.key = shown(self.ca.sign(self.public))
        self.list = folder / "revoked"
        self.host = replace(WEB, authorities=(replace(self.ca.authority, revocations=str(self.list)),))

    def write(self, *lines: str, ca: Path | None = None) -> None:
        """Let ssh-keygen write a KRL of these entries."""
        entries = self.list.with_suffix(".entries")
        entries.write_text("".join(f"{line}\n" for line in lines))
        signer = ca or self.ca.key.with_suffix(".pub")
        subprocess.run(["ssh-keygen", "-q", "-k", "-f", self.list, "-s", signer, entries], check=True)

    def judged(self, host: Host | None = None) -> Distrust | None:
        return distrust(host or self.host, self.key, NOW)


@pytest.fixture
def signed(tmp_path: Path) -> Signed:
    return Signed(tmp_path)


@pytest.mark.parametrize(
    ("entries", "why"),
    [
        (["serial: 7"], "its certificate is revoked (serial 7)"),
        (["serial: 3-9"], "its certificate is revoked (serial 7)"),
        ([f"serial: {serial}" for serial in range(1, 600, 2)], "its certificate is revoked (serial 7)"),
        (["id: x"], "its certificate is revoked (id x)"),
        (["key: {key}"], "its host key is revoked"),
        (["sha1: {key}"], "its host key is revoked"),
        (["sha256: {key}"], "its host key is revoked"),
        (["sha256: {ca}"], "its certificate is signed by a CA that is revoked"),
        (["serial: 6", "serial: 8-20", "id: y", "key: {other}", "sha1: {other}", "sha256: {other}"], ""),
        ([f"serial: {serial}" for serial in range(2, 600, 2)], ""),
    ],
)
def test_what_ssh_keygen_lists_is_revoked_and_nothing_else(
    signed: Signed, tmp_path: Path, entries: list[str], why: str
) -> None:
    texts = {
        "key": signed.public.read_text().strip(),
        "ca": signed.ca.key.with_suffix(".pub").read_text().strip(),
        "other": make_key(tmp_path / "other"),
    }
    signed.write(*(entry.format(**texts) for entry in entries))
    found = signed.judged()
    assert (found.why if found else "", found.code if found else "host_key_mismatch") == (why, "host_key_mismatch")
    known = subprocess.run(
        ["ssh-keygen", "-Q", "-f", signed.list, signed.public.with_name("key-cert.pub")],
        capture_output=True,
        check=False,
    )
    assert (known.returncode != 0) == bool(why)  # OpenSSH says the same


def test_serials_of_another_ca_do_not_count(signed: Signed, tmp_path: Path) -> None:
    make_key(tmp_path / "another")
    signed.write("serial: 7", "id: x", ca=tmp_path / "another.pub")
    assert signed.judged() is None


def test_a_list_is_read_again_when_it_has_changed_and_one_that_cannot_be_used_lets_nobody_in(signed: Signed) -> None:
    pinned = replace(signed.host, pins=frozenset({"SHA256:x"}))
    signed.write("serial: 6")
    assert signed.judged() is None
    signed.write("serial: 7")
    assert signed.judged() is not None
    whole = signed.list.read_bytes()
    signed.list.unlink()
    for content, why in (
        (None, "cannot be read: No such file or directory"),
        (b"", "cannot be used: it is empty"),
        (whole[:-1], "cannot be used: it is damaged"),
        (b"# text\nweb-01\n", "cannot be used: its line 2 is not understood"),
    ):
        if content is not None:
            signed.list.write_bytes(content)
        for host in (signed.host, pinned):
            found = signed.judged(host)
            assert found
            assert (found.code, why in found.why, str(signed.list) in found.why) == ("host_revocations", True, True)
    signed.list.write_bytes(b"# none\n")
    assert signed.judged() is None
    signed.list.chmod(0o666)
    found = signed.judged()
    assert found
    assert found.why.endswith("everybody on this machine can write to it")
    signed.list.unlink()
    signed.list.mkdir()
    found = signed.judged()
    assert found
    assert found.why.endswith("it is not a file")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Sshd]:
    (tmp_path / "sshd").mkdir()
    with sshd(tmp_path / "sshd", f"HostCertificate {tmp_path}/sshd/host_key-cert.pub") as one:
        yield one


def test_a_bot_that_runs_asks_the_list_at_each_login(server: Sshd, tmp_path: Path) -> None:
    ca, listed = Ca(tmp_path), tmp_path / "revoked"
    ca.sign(server.folder / "host_key.pub")
    reread(server)
    host = replace(server.host, pins=frozenset(), authorities=(replace(ca.authority, revocations=str(listed)),))
    ours = SshHosts(server.key_file, SHORT)
    listed.write_text("# none\n")
    assert ours.run(host, ("true",), deadline=10).exit_code == 0
    ours.close()
    listed.write_text("serial: 7\n")
    with pytest.raises(HostError, match=r"its certificate is revoked \(serial 7\), so the bot did not log in"):
        ours.run(host, ("true",), deadline=10)
    listed.unlink()
    with pytest.raises(HostError, match="the revocation list .* cannot be read: No such file") as refused:
        ours.run(host, ("true",), deadline=10)
    assert (refused.value.code, refused.value.passing) == ("host_revocations", False)
