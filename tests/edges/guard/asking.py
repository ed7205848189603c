"""Ask the guard of a real host with the bot's own key, past the bot."""

import json
import secrets
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from bot.core.systemd.host_rules import GUARD
from tests.lab.hosts import LabHost

NOTE = {
    "request": "R-7",
    "asked_by": "alice",
    "approved_by": "bob",
    "reason": "runaway job, INC-2041",
    "until": "2026-11-29 02:00 UTC",
}


@dataclass(frozen=True, slots=True)
class Said:
    """The guard's answer, taken out of its frame."""

    code: int
    out: str
    err: str
    look: str
    asked: str  # the id of the request

    @property
    def is_refused(self) -> bool:
        """Whether the guard did nothing."""
        return self.code == 64 and self.err.startswith("maskbot-guard: ")


def request(*words: str, user: str = "", **more: object) -> bytes:
    """One request, as one line."""
    asked = {"protocol": 1, "id": secrets.token_hex(8), "do": list(words), "user": user, "note": NOTE, **more}
    return json.dumps(asked).encode() + b"\n"


def asked_through(client: Sequence[str], *words: str, user: str = "", **more: object) -> Said:
    """One request in words, over a connection of its own."""
    given = request(*words, user=user, **more)
    return read(subprocess.run(client, input=given, capture_output=True, check=False, timeout=60))


def sent(host: LabHost, given: bytes) -> subprocess.CompletedProcess[bytes]:
    """Whatever bytes, as the bot's login would send them."""
    return subprocess.run(host.ssh(GUARD), input=given, capture_output=True, check=False, timeout=60)


def read(answer: subprocess.CompletedProcess[bytes]) -> Said:
    """The frame must be whole, and nothing may stand beside it."""
    first, _, rest = answer.stdout.partition(b"\n")
    assert b"Traceback" not in answer.stdout + answer.stderr
    said = parse_answer(first.decode(), rest)
    assert said.code == answer.returncode, answer
    return said


def parse_answer(first: str, rest: bytes) -> Said:
    """An answer from its first line and what follows it."""
    name, protocol, _, asked, code, *lengths = first.split(" ")
    out, err, look = map(int, lengths)
    assert (name, protocol, len(rest)) == ("maskbot-guard", "1", out + err + look), (first, rest)
    said, complained, seen = (part.decode() for part in (rest[:out], rest[out : out + err], rest[out + err :]))
    return Said(int(code), said, complained, seen, asked)


def identity(host: LabHost, path: str) -> str:
    """Inode and change time of a link, as a look sees them."""
    return host.run("stat", "-c", "%i:%.9Z", path).stdout.strip()
