"""Audit shipping: sinks that send audit records to a syslog receiver or a webhook, within a deadline."""

import errno
import socket
import ssl
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, closing, suppress
from datetime import datetime
from time import monotonic
from typing import Any

from bot.core.audit.audit_shipping import (
    Record,
    SinkNeed,
    SyslogAddress,
    SyslogTransport,
    as_json_list,
    frame,
    syslog_lines,
)
from bot.core.paging import signature_headers
from bot.edges import metrics
from bot.edges.deadline import call_after
from bot.edges.http.post import Poster, ReceiverUnreachable
from bot.errors import SinkError


class SyslogSink:
    """Implements `ports.Sink`. A stream is closed after each delivery, which counts once the receiver closes it too.

    Syslog has no answers: what was sent may stay in the buffer of a receiver that never reads it. rsyslog and syslog-ng
    close a stream once they have read all of it, so the sink waits for that.
    """

    name = "syslog"

    def __init__(self, address: SyslogAddress, *, need: SinkNeed, deadline: float = 2.0) -> None:
        self.need = need
        self._address = address
        self._deadline = deadline
        self._host = socket.gethostname()

    def take(self, records: Sequence[Record]) -> None:
        """Raises `SinkError`."""
        end = monotonic() + self._deadline
        lines = syslog_lines(records, host=self._host)
        try:
            with closing(self._connect(end)) as receiver, _cut_at(receiver, end):
                if receiver.type == socket.SOCK_DGRAM:
                    for line in lines:
                        receiver.sendall(line)
                else:
                    receiver.sendall(b"".join(map(frame, lines)))
                    _require_close(receiver, end)
        except OSError as error:
            late = monotonic() >= end or isinstance(error, TimeoutError)
            why = f"not taken within {self._deadline:g} s" if late else error.strerror or type(error).__name__
            raise SinkError(f"{why}.") from error
        metrics.count_shipped(self.name, len(records))

    def _connect(self, end: float) -> socket.socket:
        to = self._address
        if to.way is SyslogTransport.UNIX:
            return _local(to.path, self._deadline)
        plain = socket.create_connection((to.host, to.port), timeout=self._deadline)
        if to.way is SyslogTransport.TCP:
            return plain
        try:
            plain.settimeout(max(0.01, end - monotonic()))
            return ssl.create_default_context().wrap_socket(plain, server_hostname=to.host)
        except BaseException:
            plain.close()
            raise


def _local(path: str, deadline: float) -> socket.socket:
    """A stream if the local receiver has one, because its end is confirmed; else datagrams, which are not."""
    try:
        return _connect_socket(path, socket.SOCK_STREAM, deadline)
    except OSError as error:
        if error.errno != errno.EPROTOTYPE:
            raise
    return _connect_socket(path, socket.SOCK_DGRAM, deadline)


def _connect_socket(path: str, kind: socket.SocketKind, deadline: float) -> socket.socket:
    receiver = socket.socket(socket.AF_UNIX, kind)
    receiver.settimeout(deadline)
    try:
        receiver.connect(path)
    except OSError:
        receiver.close()
        raise
    return receiver


def _require_close(receiver: socket.socket, end: float) -> None:
    """Make sure that the receiver closed the stream, and not our deadline."""
    receiver.shutdown(socket.SHUT_WR)
    while receiver.recv(4096):
        continue
    if monotonic() >= end:
        raise TimeoutError


def _cut_at(receiver: socket.socket, end: float) -> AbstractContextManager[None]:
    """End whatever waits on the socket at the deadline, however slowly data arrives."""
    return call_after(max(0.0, end - monotonic()), lambda: _cut(receiver))


def _cut(receiver: socket.socket) -> None:
    with suppress(OSError):
        receiver.shutdown(socket.SHUT_RDWR)


class WebhookSink:
    """Implements `ports.Sink`: each delivery is one signed POST, which counts if the receiver accepts it."""

    name = "webhook"

    def __init__(
        self, url: str, secret: str, *, need: SinkNeed, now: Callable[[], datetime], deadline: float = 2.0, **given: Any
    ) -> None:
        self.need = need
        self._url = url
        self._secret = secret
        self._now = now
        self._poster = Poster(deadline=deadline, **given)

    def take(self, records: Sequence[Record]) -> None:
        """Raises `SinkError`."""
        body = as_json_list(records)
        try:
            answer = self._poster.post(self._url, body, signature_headers(body, self._secret, self._now()))
        except ReceiverUnreachable as error:
            raise SinkError(f"{error}.") from error
        if not answer.is_accepted:
            raise SinkError(f"It answered {answer.status}.")
        metrics.count_shipped(self.name, len(records))
