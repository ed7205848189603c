"""known_hosts files (sshd(8)): host keys by name, address and port, hashed or not."""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.core.hosts.address import is_ip_address
from config.host_keys import read_public_key

_PLACE = re.compile(r"\[(?P<host>[^\]]+)\]:(?P<port>\d+)")


@dataclass(frozen=True, slots=True)
class NamedHost:
    """A host that the file names."""

    name: str
    address: str
    port: int


class KnownHosts:
    """The lines of a file. Lines of CAs, and keys of kinds that the bot does not use, are left out."""

    def __init__(self, text: str) -> None:
        self._lines: list[tuple[list[str], str]] = []
        revoked: set[str] = set()
        for line in text.splitlines():
            words = line.split()
            marker = words.pop(0) if words and words[0].startswith("@") else ""
            if len(words) < 3 or words[0].startswith("#"):  # noqa: PLR2004 - names, kind, key
                continue
            try:
                pin = read_public_key(f"{words[1]} {words[2]}")
            except ValueError:
                continue
            if marker == "@revoked":
                revoked.add(pin)
            elif not marker:
                self._lines.append((words[0].split(","), pin))
        self._lines = [(places, pin) for places, pin in self._lines if pin not in revoked]

    def named(self) -> Iterator[NamedHost]:
        """Every host that has a name in the file; addresses alone and hashed names name nobody."""
        seen = set()
        for places, _ in self._lines:
            split = [_split(place) for place in places if not place.startswith("|") and not set(place) & set("*?!")]
            names = [one for one in split if not is_ip_address(one[0])]
            if names and names[0] not in seen:
                seen.add(names[0])
                addresses = [host for host, port in split if is_ip_address(host) and port == names[0][1]]
                yield NamedHost(names[0][0], (addresses or [names[0][0]])[0], names[0][1])

    def pins(self, *hosts: str, port: int) -> tuple[str, ...]:
        """The fingerprints of the keys of a host, by any of its names or addresses."""
        wanted = [host if port == 22 else f"[{host}]:{port}" for host in hosts]  # noqa: PLR2004 - the port of ssh
        found = (pin for places, pin in self._lines if any(_is_for(place, one) for place in places for one in wanted))
        return tuple(dict.fromkeys(found))


def _split(place: str) -> tuple[str, int]:
    match = _PLACE.fullmatch(place)
    return (match["host"], int(match["port"])) if match else (place, 22)


def _is_for(place: str, wanted: str) -> bool:
    """Whether a name of the file, also a hashed one, is this one."""
    if not place.startswith("|1|"):
        return place == wanted
    try:
        salt, digest = (base64.b64decode(part, validate=True) for part in place[3:].split("|"))
    except (ValueError, binascii.Error):
        return False
    return hmac.compare_digest(hmac.new(salt, wanted.encode(), hashlib.sha1).digest(), digest)
