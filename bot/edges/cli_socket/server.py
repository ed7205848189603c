"""Server of the command line's Unix socket, on which the kernel says who is calling."""

import json
import socket
import socketserver
import stat
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import structlog

from bot.edges.cli_socket.client import Words, login_of
from bot.errors import ConfigError

log = structlog.get_logger()
Serve = Callable[[Words, str], Iterator[Words]]
_LONGEST = 16_384  # bytes of one line; a reason has at most 500 characters
_PATIENCE = 5.0  # seconds for a caller to send the command, and to read the answer
_AT_ONCE = 16  # calls per user, so that nobody fills other users' share
_CREDENTIALS = struct.Struct("3i")  # pid, uid, gid: unix(7), SO_PEERCRED
_REFUSED = 1


class ShellServer:
    """Serves the command line on a socket file that everybody may open: the caller's identity decides what they may
    do.
    """

    def __init__(self, path: Path, serve: Serve) -> None:
        """Raises `ConfigError` if there is no directory for the file, or if another bot answers there."""
        _make_room(path)
        try:
            self._server = _Server(path, serve)
        except OSError as error:
            raise ConfigError(f"The command line's socket {path} cannot be made: {error.strerror}.") from None
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

    def __init__(self, path: Path, serve: Serve) -> None:
        self._serve = serve
        self._open: dict[socket.socket, str] = {}
        self._lock = threading.Lock()
        super().__init__(str(path), _Handler)

    def answer(self, connection: socket.socket, line: bytes) -> Iterator[Words]:
        """The lines of an answer for one caller."""
        user = _caller(connection)
        with self._lock:
            is_one_too_many = Counter(self._open.values())[user] >= _AT_ONCE
            if not is_one_too_many:
                self._open[connection] = user
        if is_one_too_many:
            yield _end("You have too many open calls. Wait for one of them, or end one.")
            return
        try:
            yield from self._serve(_parse(line), user)
        except Exception:  # the last resort: no traceback leaves the process
            log.exception("shell.failed", user=user)
            yield _end("Something went wrong in the bot. The error is in its log.")

    def forget(self, connection: socket.socket) -> None:
        """The call is over."""
        with self._lock:
            self._open.pop(connection, None)

    def hang_up(self) -> None:
        """End every call."""
        with self._lock:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)


class _Handler(socketserver.StreamRequestHandler):
    """One call: a line in, lines out, until the answer is complete or nobody listens."""

    timeout = _PATIENCE

    def handle(self) -> None:
        server = self.server
        assert isinstance(server, _Server)  # noqa: S101 - for mypy: nobody else makes handlers of this kind
        with suppress(OSError):
            for words in server.answer(self.request, self.rfile.readline(_LONGEST)):
                self.wfile.write(json.dumps(words).encode() + b"\n")

    def finish(self) -> None:
        with suppress(OSError):
            super().finish()
        server = self.server
        assert isinstance(server, _Server)  # noqa: S101 - the same
        server.forget(self.request)


def _parse(line: bytes) -> Words:
    try:
        words = json.loads(line)
    except ValueError:
        return {}
    return words if isinstance(words, dict) else {}


def _end(text: str) -> Words:
    return {"event": "end", "text": text, "exit": _REFUSED}


def _caller(connection: socket.socket) -> str:
    """The operating-system user at the other end, as the kernel knows them."""
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, uid, _ = _CREDENTIALS.unpack(raw)
    return login_of(uid)


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
        raise ConfigError(f"The command line's socket {path} cannot be made: {error.strerror}.") from None
