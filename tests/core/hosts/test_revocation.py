"""A CA's revocation list: what it revokes, and that nothing of it is left out or guessed."""

import base64
import hashlib

import pytest

from bot.core.hosts.fingerprint import fingerprint_of
from bot.core.hosts.krl import MAGIC
from bot.core.hosts.revocation import LONGEST, Revocations, read_revocations


def string(content: bytes) -> bytes:
    return len(content).to_bytes(4, "big") + content


def number(value: int) -> bytes:
    return value.to_bytes(8, "big")


def key(text: bytes) -> bytes:
    return string(b"ssh-ed25519") + string(text.ljust(32))


HOST, OTHER, CA = key(b"host"), key(b"other"), key(b"ca")
OURS, ANOTHER = fingerprint_of(CA), fingerprint_of(key(b"another ca"))
CERTIFICATE = "ssh-ed25519-cert-v01@openssh.com"
LINE = f"ssh-ed25519 {base64.b64encode(HOST).decode()}"


def krl(*sections: tuple[int, bytes], version: int = 1) -> bytes:
    head = MAGIC + version.to_bytes(4, "big") + bytes(24) + string(b"") + string(b"a comment")
    return head + b"".join(bytes([kind]) + string(content) for kind, content in sections)


def certificates(*parts: tuple[int, bytes], ca: bytes = CA) -> tuple[int, bytes]:
    return 1, string(ca) + string(b"") + b"".join(bytes([kind]) + string(content) for kind, content in parts)


def revoked(found: Revocations, serials: range, ca: str = OURS) -> list[int]:
    return [serial for serial in serials if found.why_certificate(ca, serial, "")]


def test_serials_are_those_of_one_ca() -> None:
    found = read_revocations(
        krl(
            certificates(
                (0x20, number(3) + number(5)),
                (0x21, number(10) + number(12)),
                (0x22, number(20) + string(b"\x15")),
                (0x22, number(30) + string(b"")),
                (0x39, string(b"x@y") + b"\0" + string(b"")),
            )
        )
    )
    assert revoked(found, range(40)) == [3, 5, 10, 11, 12, 20, 22, 24]
    assert revoked(found, range(40), ca=ANOTHER) == []
    assert found.why_certificate(OURS, 11, "web-01") == "serial 11"
    for part in ((0x20, number(2**64 - 1)), (0x22, number(2**64 - 1) + string(b"\1"))):
        of_any = read_revocations(krl(certificates(part, ca=b"")))
        assert of_any.why_certificate(ANOTHER, 2**64 - 1, "") == "serial 18446744073709551615"


def test_ids_are_compared_whole() -> None:
    found = read_revocations(krl(certificates((0x23, string(b"web-01") + string(b"\xff")))))
    assert found.why_certificate(OURS, 0, "web-01") == "id web-01"
    assert [found.why_certificate(ca, 0, one) for ca, one in ((OURS, "web-011"), (ANOTHER, "web-01"))] == ["", ""]


@pytest.mark.parametrize(
    "section",
    [
        (2, string(OTHER) + string(HOST)),
        (3, string(hashlib.sha1(HOST, usedforsecurity=False).digest())),
        (5, string(hashlib.sha256(HOST).digest())),
    ],
)
def test_keys_are_revoked_whole_or_by_their_digests(section: tuple[int, bytes]) -> None:
    found = read_revocations(krl(section, (255, string(b"x@y") + b"\0" + string(b"more"))))
    assert (found.has_key(HOST), found.has_key(CA)) == (True, False)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "it is empty"),
        (b"#" * (LONGEST + 1), "it is longer than 8388608 bytes"),
        (krl(version=2), "a KRL of version 2, and the bot knows 1"),
        (krl((4, string(b"key") + string(b"signature"))), r"a section that the bot does not know \(4\)"),
        (krl((255, string(b"x@y") + b"\1" + string(b""))), r"a section that the bot does not know \(255\)"),
        (krl(certificates((0x24, b""))), r"a part about certificates that the bot does not know \(36\)"),
        (krl(certificates((0x39, string(b"x") + b"\1" + string(b"")))), r"does not know \(57\)"),
        (krl(certificates((0x20, number(0)))), "it is damaged"),
        (krl(certificates((0x21, number(9) + number(8)))), "it is damaged"),
        (krl(certificates((0x21, number(8) + number(9) + b"x"))), "it is damaged"),
        (krl(certificates((0x22, number(2**64 - 1) + string(b"\x03")))), "it is damaged"),
        (krl((3, string(b"short"))), "it is damaged"),
        (krl((5, string(b"short"))), "it is damaged"),
        (MAGIC[:7], "its line 1 is not understood"),
    ],
)
def test_what_is_damaged_or_not_understood_is_an_error(content: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read_revocations(content)


def test_a_krl_that_is_cut_anywhere_is_not_taken_for_a_shorter_one() -> None:
    whole = krl(certificates((0x20, number(3)), (0x23, string(b"web-01"))), (2, string(HOST)), (3, string(bytes(20))))
    is_whole = {len(krl()), len(krl(certificates((0x20, number(3)), (0x23, string(b"web-01"))))), len(whole)}
    is_whole.add(len(whole) - len(string(string(bytes(20)))) - 1)
    for end in range(1, len(whole)):
        if end in is_whole:
            continue  # a KRL has no length of its own, so OpenSSH cannot tell these either
        with pytest.raises(ValueError, match=r"damaged|line 1"):
            read_revocations(whole[:end])


def test_lines_of_text_name_keys_serials_and_ids() -> None:
    text = f"# revoked\n\n{LINE} root@web-01\nserial: 7\nserial:10-12\nid: web 02\nhash: {ANOTHER} # lost\n{OURS}\n"
    found = read_revocations(text.encode())
    assert (found.has_key(HOST), found.has_key(CA), found.has_key(OTHER)) == (True, True, False)
    assert revoked(found, range(20)) == [7, 10, 11, 12]
    assert ANOTHER in found.keys
    assert found.why_certificate(ANOTHER, 0, "web 02") == "id web 02"
    assert read_revocations(f"key: {LINE}\nsha256: {LINE}".encode()).has_key(HOST)
    assert read_revocations(b"# none yet\n") == Revocations()


@pytest.mark.parametrize(
    "line",
    [
        "serial: 0",
        "serial: 9-8",
        "serial: 99999999999999999999",
        "serial: x",
        "id:",
        "web-01",
        "SHA256:short",
        f"@revoked * {LINE}",
        LINE[:-4],
        LINE.replace("ed25519 ", "rsa "),
        f"{CERTIFICATE} {base64.b64encode(string(CERTIFICATE.encode()) + string(b'nonce')).decode()}",
        f"ssh-ed25519 {base64.b64encode(string(b'ssh-ed25519')).decode()}",
        "\xff\xfe",
    ],
)
def test_a_line_that_is_not_understood_is_named_and_nothing_is_left_out(line: str) -> None:
    with pytest.raises(ValueError, match="its line 2 is not understood"):
        read_revocations(f"# one\n{line}\n".encode("latin-1"))
