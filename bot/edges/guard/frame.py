"""The frame around an answer: one line with lengths, and then the texts."""

from bot.edges.guard.process import REFUSED, Ended, write_all
from bot.edges.guard.requests import PROTOCOL

VERSION = ""
NAME = "maskbot-guard"
AGAIN = 75
"""The exit code of root's half for a request that it has not begun: another one is to be started for it."""


def write_answer(done: Ended, asked: str) -> None:
    """Protocol, version, the id of the request, exit code, and three lengths; then output, complaint, and a look."""
    parts = [part.decode("utf-8", "replace").encode() for part in (done.out, done.err, done.look)]
    lengths = " ".join(str(len(part)) for part in parts)
    write_all(1, f"{NAME} {PROTOCOL} {VERSION} {asked} {done.code} {lengths}\n".encode() + b"".join(parts))


def read_answer(said: bytes) -> "Ended | None":
    """The answer of root's half, once all of it has come. Raises `ValueError` for what is none."""
    line, newline, rest = said.partition(b"\n")
    if not newline:
        return None
    words = line.decode().split(" ")
    if words[0] != NAME:
        raise ValueError
    code, out, err, look = map(int, words[4:])  # after protocol, version and id
    if len(rest) > out + err + look:
        raise ValueError
    if len(rest) < out + err + look:
        return None
    return Ended(code, rest[:out], rest[out : out + err], rest[out + err :])


def refusal(why: object) -> Ended:
    """Nothing was done."""
    return Ended(REFUSED, b"", f"{NAME}: {why}\n".encode())
