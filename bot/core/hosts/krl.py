"""Read an OpenSSH KRL, as `ssh-keygen -k` writes it (PROTOCOL.krl). What is not understood is an error."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass, field

from bot.core.hosts.fingerprint import fingerprint_of

MAGIC = b"SSHKRL\n\0"
DAMAGED = "it is damaged"
_CERTIFICATES, _KEYS, _SHA1, _SHA256, _EXTENSION = 1, 2, 3, 5, 255
_LIST, _RANGE, _BITMAP, _IDS, _MORE = 0x20, 0x21, 0x22, 0x23, 0x39


@dataclass(frozen=True, slots=True)
class Serials:
    """Serial numbers of certificates: from the first on, each whose bit is set; without bits, all up to the last."""

    ca: str  # the fingerprint of the CA that has signed them; empty for any
    first: int
    last: int
    bits: int = -1

    def __post_init__(self) -> None:
        if not 0 < self.first <= self.last < 2**64:  # 0 is that of certificates without one
            raise ValueError(DAMAGED)

    def has(self, ca: str, serial: int) -> bool:
        """Whether this one is among them."""
        is_near = self.ca in ("", ca) and self.first <= serial <= self.last
        return is_near and bool(self.bits >> (serial - self.first) & 1)


@dataclass(slots=True)
class Krl:
    """What a KRL revokes."""

    keys: set[str] = field(default_factory=set)  # by their fingerprints, as `SHA256:...`
    digests: set[bytes] = field(default_factory=set)  # SHA-1 of keys
    serials: list[Serials] = field(default_factory=list)
    ids: set[tuple[str, str]] = field(default_factory=set)  # of certificates, each with its CA as in `Serials`

    def read(self, content: bytes) -> None:
        """Take it all. Raises `ValueError`."""
        whole = Strings(content.removeprefix(MAGIC))
        if (version := whole.number(4)) != 1:
            raise ValueError(f"it is a KRL of version {version}, and the bot knows 1")
        whole.take(24)  # its own version, date, flags
        whole.string()  # reserved
        whole.string()  # a comment
        for kind, section in whole.sections():
            self._section(kind, section)

    def _section(self, kind: int, section: "Strings") -> None:
        if kind == _CERTIFICATES:
            key = section.string()
            section.string()  # reserved
            for part, content in section.sections():
                self._certificates(fingerprint_of(key) if key else "", part, content)
        elif kind == _KEYS:
            self.keys |= {fingerprint_of(key) for key in section.rest()}
        elif kind == _SHA256:
            self.keys |= {_written(_of_size(digest, 32)) for digest in section.rest()}
        elif kind == _SHA1:
            self.digests |= {_of_size(digest, 20) for digest in section.rest()}
        elif kind != _EXTENSION or _is_critical(section):
            raise ValueError(f"it has a section that the bot does not know ({kind})")

    def _certificates(self, ca: str, kind: int, part: "Strings") -> None:
        if kind == _LIST:
            self.serials += [Serials(ca, serial, serial) for serial in part.numbers()]
        elif kind == _RANGE:
            self.serials.append(Serials(ca, part.number(8), part.number(8)))
        elif kind == _BITMAP:
            first, bits = part.number(8), int.from_bytes(part.string(), "big")
            self.serials.append(Serials(ca, first, first + max(0, bits.bit_length() - 1), bits))
        elif kind == _IDS:
            self.ids |= {(ca, one.decode("utf-8", "replace")) for one in part.rest()}
        elif kind != _MORE or _is_critical(part):
            raise ValueError(f"it has a part about certificates that the bot does not know ({kind})")
        if part:
            raise ValueError(DAMAGED)


class Strings:
    """Takes numbers and strings from bytes, as SSH writes them (RFC 4251). Raises `ValueError` where they end early."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 0

    def __bool__(self) -> bool:
        return self._at < len(self._content)

    def take(self, size: int) -> bytes:
        """So many bytes."""
        self._at += size
        if self._at > len(self._content):
            raise ValueError(DAMAGED)
        return self._content[self._at - size : self._at]

    def number(self, size: int) -> int:
        """A number of so many bytes."""
        return int.from_bytes(self.take(size), "big")

    def string(self) -> bytes:
        """A string with its length before it."""
        return self.take(self.number(4))

    def numbers(self) -> Iterator[int]:
        """Numbers of eight bytes to the end."""
        while self:
            yield self.number(8)

    def rest(self) -> Iterator[bytes]:
        """Strings to the end."""
        while self:
            yield self.string()

    def sections(self) -> Iterator[tuple[int, "Strings"]]:
        """Kinds and contents to the end."""
        while self:
            yield self.number(1), Strings(self.string())


def _is_critical(extension: Strings) -> bool:
    extension.string()  # its name
    is_critical = extension.number(1) != 0
    extension.string()  # its content
    return is_critical


def _of_size(digest: bytes, size: int) -> bytes:
    if len(digest) != size:
        raise ValueError(DAMAGED)
    return digest


def _written(digest: bytes) -> str:
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")
