"""Ask a command that the operator has configured: no shell, a deadline, and a limit on its output."""

import os
import select
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import IO

from bot.core.people.on_call import LARGEST

_OURS = ("MASKBOT_", "SLACK_")  # the bot's own secrets are not passed to the command


def ask_command(
    argv: Sequence[str],
    *words: str,
    deadline: float,
    largest: int = LARGEST,
    given: str = "",
    environment: Mapping[str, str] | None = None,
) -> str:
    """The output of the command with these words, of at most `largest` bytes; `given` is on its standard input.

    The `environment` is the bot's own by default, without the bot's settings and secrets. Raises `ValueError` if the
    command fails or is late; its processes are then killed.
    """
    until = time.monotonic() + deadline
    try:
        process = subprocess.Popen(  # noqa: S603 - the argv is the operator's own, the words are those of the policy
            [*argv, *words],
            stdin=subprocess.PIPE if given else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(os.environ) if environment is None else environment,
            cwd="/",
            start_new_session=True,
        )
    except OSError as error:
        raise ValueError(f"its command could not be started: {error.strerror}") from error
    with process:
        try:
            _give(process.stdin, given)
            printed = _read_output(process.stdout, until, largest)
            code = process.wait(max(0.0, until - time.monotonic()))
        except (subprocess.TimeoutExpired, TimeoutError):
            raise ValueError(f"its command gave no answer within {deadline:g} s") from None
        finally:
            if process.returncode is None:  # not waited for yet, so the process id is still its own
                os.killpg(process.pid, signal.SIGKILL)
    if code != 0:
        raise ValueError(f"its command ended with {code}")
    return _text(printed)


def _give(stream: IO[bytes] | None, given: str) -> None:
    """Hand it over at once: less than a pipe holds, so that nobody waits for the command to read it."""
    words = given.encode()
    if len(words) > select.PIPE_BUF:
        raise ValueError("what it is asked is too long")
    with suppress(BrokenPipeError):  # a command that has ended already; its exit code says more
        if stream:
            stream.write(words)
            stream.close()


def _environment(ours: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in ours.items() if not name.startswith(_OURS)}


def _read_output(stream: IO[bytes] | None, until: float, largest: int) -> bytes:
    """The whole output, up to the end of the stream. Raises `TimeoutError`, and `ValueError` if it is too long."""
    printed = b""
    with selectors.DefaultSelector() as selector:
        fd = selector.register(stream, selectors.EVENT_READ).fd if stream else -1
        while len(printed) <= largest:
            left = until - time.monotonic()
            if left <= 0 or not selector.select(left):
                raise TimeoutError
            chunk = os.read(fd, largest)
            if not chunk:
                return printed
            printed += chunk
    raise ValueError(f"its answer is longer than {largest} bytes")


def _text(answer: bytes) -> str:
    try:
        return answer.decode()
    except UnicodeDecodeError:
        raise ValueError("its answer is not UTF-8 text") from None
