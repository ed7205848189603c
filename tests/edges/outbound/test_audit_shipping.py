"""Sinks over real sockets: what is taken and in which order, and that one that hangs is left at the deadline."""

import hashlib
import json
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bot.core.audit.audit_shipping import SinkNeed, SyslogAddress, SyslogTransport, read_address
from bot.core.audit.chain import SEALS, START, Event, Head, Origin, canonical, seal
from bot.edges.outbound.audit_shipping import SyslogSink, WebhookSink
from bot.errors import SinkError
from tests.core.situations import NOW
from tests.edges.documented import documented
from tests.edges.outbound.test_paging import self_signed
from tests.edges.receiver import PageReceiver, receiving
from tests.edges.syslog import LogReceiver, listening, tcp
from tests.lab.keys import KEY, KEYS, SETTING

SHORT = 0.5


def records(*numbers: int, size: int = 10) -> list[Mapping[str, Any]]:
    return [
        {"seq": seq, "ts": "2026-03-01T03:00:00.000Z", "type": "t", "hash": "h", "prev": "p", "data": "x" * size}
        for seq in numbers
    ]


def sealed(*words: str) -> list[dict[str, Any]]:
    """Records as the database returns them, sealed with the key of tests."""
    head, made = START, list[dict[str, Any]]()
    for word in words:
        event = Event("config.loaded", "success", data={"word": word, "again": 0.5})
        one = seal(event, after=head, at=NOW, event_id=word, origin=Origin("bot-1", "1.0"), keys=KEYS)
        head = Head(one.seq, one.hash)
        made.append(json.loads(one.body) | {"prev": one.prev, "hash": one.hash, "kid": one.kid, "mac": one.mac})
    return made


def syslog(receiver: LogReceiver, *, deadline: float = 20.0) -> SyslogSink:
    return SyslogSink(read_address(receiver.address), need=SinkNeed.REQUIRED, deadline=deadline)


def webhook(receiver: PageReceiver, *, deadline: float = 20.0) -> WebhookSink:
    return WebhookSink(receiver.url, "s3cret", need=SinkNeed.REQUIRED, now=lambda: NOW, deadline=deadline)


@pytest.fixture
def receiver() -> Iterator[LogReceiver]:
    with tcp() as one:
        yield one


@pytest.fixture
def hook() -> Iterator[PageReceiver]:
    with receiving() as one:
        yield one


def in_time(take: Callable[[Sequence[Mapping[str, Any]]], None], given: Sequence[Mapping[str, Any]]) -> str:
    """Why it was not taken, said about at its deadline and not much later."""
    began = time.monotonic()
    with pytest.raises(SinkError) as raised:
        take(given)
    assert time.monotonic() - began < SHORT + 5
    return str(raised.value)


def test_what_is_taken_has_been_read_by_the_receiver_in_its_order(receiver: LogReceiver) -> None:
    one = syslog(receiver)
    one.take(records(1, 2, 3))
    assert receiver.numbers == [1, 2, 3]
    one.take(records(4, size=300_000))
    assert receiver.numbers == [1, 2, 3, 4]
    assert json.loads(receiver.lines[0].partition("] ")[2])["seq"] == 1


@pytest.mark.fault("F59", how="a syslog receiver that accepts and never reads")
def test_a_syslog_receiver_that_never_reads_has_not_taken_it(receiver: LogReceiver, saw: Callable[[str], str]) -> None:
    """Also what fits into the buffers on the way there."""
    receiver.reads.clear()
    assert in_time(syslog(receiver, deadline=SHORT).take, records(1)) == "not taken within 0.5 s."
    why = in_time(syslog(receiver, deadline=SHORT).take, records(1, size=20_000_000))
    assert saw(why) == "not taken within 0.5 s."


@pytest.mark.fault("F59", how="a syslog receiver that is stopped")
def test_a_syslog_receiver_that_is_not_there(saw: Callable[[str], str]) -> None:
    with tcp() as receiver:
        one = syslog(receiver, deadline=SHORT)
    assert saw(in_time(one.take, records(1))) == "Connection refused."


def test_a_receiver_on_this_machine_may_have_a_stream_or_datagrams(tmp_path: Path) -> None:
    stream, datagrams = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    stream.bind(str(tmp_path / "stream"))
    stream.listen()
    with listening(stream, f"unix:{tmp_path}/stream") as receiver:
        syslog(receiver).take(records(1, 2))
        assert receiver.numbers == [1, 2]
    with datagrams:
        datagrams.bind(str(tmp_path / "datagrams"))
        one = SyslogSink(
            SyslogAddress(SyslogTransport.UNIX, path=f"{tmp_path}/datagrams"), need=SinkNeed.REQUIRED, deadline=SHORT
        )
        one.take(records(1, 2))
        assert b'seq="1"' in datagrams.recv(65536)
        assert b'seq="2"' in datagrams.recv(65536)
        assert in_time(one.take, records(*range(100_000))) == "not taken within 0.5 s."
    nowhere = SyslogSink(SyslogAddress(SyslogTransport.UNIX, path=f"{tmp_path}/nowhere"), need=SinkNeed.REQUIRED)
    assert "No such file" in in_time(nowhere.take, records(1))


def test_over_tls_a_receiver_whom_nobody_vouches_for_gets_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = self_signed(tmp_path)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(certificate)
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    with listening(serving.wrap_socket(listener, server_side=True), f"tls://localhost:{port}") as receiver:
        assert "certificate" in in_time(syslog(receiver, deadline=5).take, records(1)).lower()
        assert receiver.lines == []
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        syslog(receiver).take(records(1, 2))
        assert receiver.numbers == [1, 2]


def test_a_webhook_gets_each_delivery_signed(hook: PageReceiver) -> None:
    webhook(hook).take(records(1, 2))
    (call,) = hook.calls
    assert [record["seq"] for record in call.event["records"]] == [1, 2]
    assert call.headers["X-Maskbot-Signature"].startswith("v1=")


def test_a_receiver_with_the_key_for_events_verifies_each_record_alone(
    receiver: LogReceiver, hook: PageReceiver
) -> None:
    """With the code that operations.md shows, which knows nothing of the bot."""
    names = documented("import base64")
    is_genuine, keys = names["is_genuine"], {KEY.id: names["event_key"](SETTING)}
    given = sealed("one", 'a "quoted"\nword \u202e', "three")
    syslog(receiver).take(given)
    webhook(hook).take(given)
    (call,) = hook.calls
    for got in ([json.loads(line.partition("] ")[2]) for line in receiver.lines], call.event["records"]):
        assert [is_genuine(one, keys) for one in got] == [True] * 3
        assert [one["prev"] for one in got[1:]] == [one["hash"] for one in got[:2]]

    assert not is_genuine(given[0], {KEY.id: bytes(32)})
    assert not is_genuine(given[0], {"another": keys[KEY.id]})
    for part, wrong in {"seq": 2, "data": {}, "outcome": "failure", "prev": "1" * 64, "mac": given[1]["mac"]}.items():
        assert not is_genuine(given[0] | {part: wrong}, keys), part
    forged = json.loads(json.dumps(given[0]).replace("one", "two"))
    forged["hash"] = _hash_of(forged)
    assert not is_genuine(forged, keys)


def _hash_of(record: dict[str, Any]) -> str:
    """What anybody can compute, without a key."""
    body = {name: record[name] for name in record if name not in SEALS}
    return hashlib.sha256((record["prev"] + canonical(body)).encode()).hexdigest()


def test_the_webhooks_own_signature_is_verified_by_the_code_for_receivers(hook: PageReceiver) -> None:
    webhook(hook).take(sealed("one"))
    (call,) = hook.calls
    stamp, signature = call.headers["X-Maskbot-Timestamp"], call.headers["X-Maskbot-Signature"]

    def says(body: bytes, signature: str = signature) -> bool:
        now = SimpleNamespace(time=NOW.timestamp)
        given = {"timestamp": stamp, "body": body, "signature": signature, "secret": b"s3cret", "time": now}
        return bool(documented('wanted = "v1="', **given)["genuine"])

    assert says(call.body)
    assert not says(call.body.replace(b"one", b"two"))
    assert not says(call.body, signature.replace("v1=", "v1=0"))


@pytest.mark.fault("F59", how="a webhook that accepts and never answers")
def test_a_webhook_that_hangs_or_refuses_has_not_taken_it(hook: PageReceiver) -> None:
    hook.answers.append((503, {}))
    assert in_time(webhook(hook).take, records(1)) == "It answered 503."
    hook.goes_on.clear()
    in_time(webhook(hook, deadline=SHORT).take, records(1))
    hook.goes_on.set()
