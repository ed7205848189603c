"""Server of the command line's Unix socket, on which the kernel says who is calling."""

import json
import os
import socket
import socketserver
import stat
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import structlog

from bot.edges.cli_socket.client import Words, login_of
from bot.errors import ConfigError

log = structlog.get_logger()
Serve = Callable[[Words, str], Iterator[Words]]
_LONGEST = 16_384  # bytes of one line; a reason has at most 500 characters
_CREDENTIALS = struct.Struct("3i")  # pid, uid, gid: unix(7), SO_PEERCRED
_REFUSED = 1
_ALWAYS = frozenset({0, os.geteuid()})  # user ids that are let in however many calls of others are open


@dataclass(frozen=True, slots=True)
class CallLimits:
    """Limits for calls, counted when they are accepted: whoever only connects has a call too."""

    per_user: int = 16  # so that nobody takes the others' share
    at_once: int = 64  # of everybody but root and the bot's own user, who are always let in
    patience: float = 5.0  # seconds for the whole command to arrive, and for each line of the answer to be read


class ShellServer:
    """Serves the command line on a socket file that everybody may open: the caller's identity decides what they may
    do.
    """

    def __init__(self, path: Path, serve: Serve, *, limits: CallLimits = CallLimits()) -> None:
        """Raises `ConfigError` if there is no directory for the file, or if another bot answers there."""
        _make_room(path)
        try:
            self._server = _Server(path, serve, limits)
        except OSError as error:
            raise ConfigError(f"The command line's socket {path} cannot be made: {error.strerror or error}.") from None
        path.chmod(0o666)
        self._path = path
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)

    def start(self) -> None:
        """Start serving."""
        self._thread.start()

    def close(self) -> None:
        """Stop serving, and tell waiting callers."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.hang_up()
        self._server.server_close()
        self._path.unlink(missing_ok=True)


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """One thread for each call; none of them keeps the process alive."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, path: Path, serve: Serve, limits: CallLimits) -> None:
        self._serve = serve
        self.limits = limits
        self._open: dict[socket.socket, int] = {}  # the user id of each caller
        self._lock = threading.Lock()
        super().__init__(str(path), _Handler)

    def verify_request(self, request: object, client_address: object) -> bool:
        """Count a call before it gets a thread, or refuse it with a sentence."""
        assert isinstance(request, socket.socket)  # noqa: S101 - for mypy: nothing else is accepted here
        if not (why_not := self._count(request, _user_id(request))):
            return True
        with suppress(OSError):
            request.settimeout(0)
            request.send(_line(_end(why_not)))
        return False

    def _count(self, connection: socket.socket, user: int) -> str:
        """Count the call; if there are too many, say why it is refused."""
        limits = self.limits
        with self._lock:
            if Counter(self._open.values())[user] >= limits.per_user:
                return f"You have too many open calls ({limits.per_user}). Wait for one of them, or end one."
            if user not in _ALWAYS and sum(one not in _ALWAYS for one in self._open.values()) >= limits.at_once:
                return f"The bot serves {limits.at_once} calls already, and no more at once. Try again in a moment."
            self._open[connection] = user
        return ""

    def answer(self, connection: socket.socket, line: bytes) -> Iterator[Words]:
        """The lines of an answer for one caller."""
        user = login_of(_user_id(connection))
        try:
            yield from self._serve(_parse(line), user)
        except Exception:  # the last resort: no traceback leaves the process
            log.exception("shell.failed", user=user)
            yield _end("Something went wrong in the bot. The error is in its log.")

    def shutdown_request(self, request: object) -> None:
        """The call is over, or was refused."""
        assert isinstance(request, socket.socket)  # noqa: S101 - for mypy: nothing else is accepted here
        with self._lock:
            self._open.pop(request, None)
        super().shutdown_request(request)

    def handle_error(self, request: object, client_address: object) -> None:
        """Log what went wrong with a call; the server goes on."""
        log.exception("shell.call_failed")

    def hang_up(self) -> None:
        """End every call."""
        with self._lock:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)


class _Handler(socketserver.BaseRequestHandler):
    """One call: a line in, lines out, until the answer is complete or nobody listens."""

    def handle(self) -> None:
        server, connection = self.server, self.request
        assert isinstance(server, _Server)  # noqa: S101 - for mypy: nobody else makes handlers of this kind
        patience = server.limits.patience
        with suppress(OSError):
            line = _first_line(connection, within=patience)
            connection.settimeout(patience)
            said = (
                [_end(f"No command came within {patience:g} s.")] if line is None else server.answer(connection, line)
            )
            for words in said:
                connection.sendall(_line(words))


def _first_line(connection: socket.socket, *, within: float) -> bytes | None:
    """What the caller sends, up to its first line break, its end or its longest; None if that takes too long.

    The time is for the whole line: somebody who sends a byte now and then gets no more of it.
    """
    read, until = b"", monotonic() + within
    while b"\n" not in read and len(read) < _LONGEST:
        left = until - monotonic()
        if left <= 0:
            return None
        connection.settimeout(left)
        try:
            more = connection.recv(_LONGEST - len(read))
        except TimeoutError:
            return None
        if not more:
            break
        read += more
    return read.partition(b"\n")[0]


def _parse(line: bytes) -> Words:
    try:
        words = json.loads(line)
        is_text = b"\\u0000" not in json.dumps(words, ensure_ascii=False).encode()  # no database keeps anything else
    except (ValueError, RecursionError):
        return {}
    return words if is_text and isinstance(words, dict) else {}


def _end(text: str) -> Words:
    return {"event": "end", "text": text, "exit": _REFUSED}


def _line(words: Words) -> bytes:
    return json.dumps(words).encode() + b"\n"


def _user_id(connection: socket.socket) -> int:
    """The operating-system user at the other end, as the kernel knows them."""
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, uid, _ = _CREDENTIALS.unpack(raw)
    return int(uid)


def _make_room(path: Path) -> None:
    """Remove the socket of a process that was killed; one that answers belongs to a running bot."""
    try:
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        if not path.exists():
            return
        if not stat.S_ISSOCK(path.stat().st_mode):
            raise ConfigError(f"{path} is not a socket, so the command line cannot be served there (MASKBOT_SOCKET).")
        with socket.socket(socket.AF_UNIX) as probe:
            if probe.connect_ex(str(path)) == 0:
                raise ConfigError(
                    f"Another bot serves the command line at {path}. Set MASKBOT_SOCKET to another place."
                )
        path.unlink()
    except OSError as error:
        raise ConfigError(f"The command line's socket {path} cannot be made: {error.strerror or error}.") from None
