"""The pager over real HTTP: what arrives, what is refused, and that no receiver holds the bot up."""

import datetime as dt
import hashlib
import hmac
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bot.core.paging import Alert, Format
from bot.edges.outbound.paging import Receiver, Webhook
from bot.errors import ConfigError, PagerError
from tests.core.situations import NOW
from tests.edges.receiver import PageReceiver, receiving

PAGE = Alert("maskbot-r1", "Not approved yet: the mask of cron.service on web-01", NOW, "web-01")


@pytest.fixture
def receiver() -> Iterator[PageReceiver]:
    with receiving() as one:
        yield one


def pager(receiver: PageReceiver, form: Format = Format.GENERIC, *, deadline: float = 20.0) -> Webhook:
    return Webhook(Receiver(receiver.url, form, "K3Y", "s3cret"), now=lambda: NOW, deadline=deadline)


def test_a_page_arrives_signed_and_can_be_checked(receiver: PageReceiver) -> None:
    pager(receiver).page(PAGE)

    (call,) = receiver.calls
    assert call.path == "/page?team=sre"
    assert call.event["summary"] == PAGE.summary
    assert call.headers["Content-Type"] == "application/json"
    signed = b"v1:" + call.headers["X-Maskbot-Timestamp"].encode() + b":" + call.body
    digest = hmac.new(b"s3cret", signed, hashlib.sha256).hexdigest()
    assert call.headers["X-Maskbot-Signature"] == f"v1={digest}"
    assert "s3cret" not in str(call)


def test_a_receiver_with_a_key_of_its_own_needs_no_signature(receiver: PageReceiver) -> None:
    Webhook(Receiver(receiver.url, Format.OPSGENIE, "K3Y"), now=lambda: NOW).page(PAGE)

    (call,) = receiver.calls
    assert call.headers["Authorization"] == "GenieKey K3Y"
    assert "X-Maskbot-Signature" not in call.headers


@pytest.mark.parametrize(
    ("answer", "retry_after"),
    [
        ((500, {}), None),
        ((429, {"Retry-After": "7"}), 7.0),
        ((503, {"Retry-After": "86400"}), 300.0),
        ((503, {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}), None),
        ((302, {"Location": "http://pager.example.com/"}), None),  # nobody is led elsewhere
        ((404, {}), None),
    ],
)
def test_what_is_not_accepted_is_an_error_that_says_when_to_try_again(
    receiver: PageReceiver, answer: tuple[int, dict[str, str]], retry_after: float | None
) -> None:
    receiver.answers.append(answer)

    with pytest.raises(PagerError, match=f"The pager answered {answer[0]}.") as raised:
        pager(receiver).page(PAGE)

    assert raised.value.retry_after == retry_after
    pager(receiver).page(PAGE)
    assert len(receiver.calls) == 1


def test_a_receiver_that_hangs_is_left_at_the_deadline_and_holds_up_nobody_else(receiver: PageReceiver) -> None:
    receiver.goes_on.clear()
    one, failed = pager(receiver, deadline=1.0), threading.Event()

    def hang() -> None:
        with pytest.raises(PagerError, match="could not be reached"):
            one.page(PAGE)
        failed.set()

    began = time.monotonic()
    hanging = threading.Thread(target=hang)
    hanging.start()
    try:
        assert receiver.has_arrived.wait(20)
        with pytest.raises(PagerError, match="Another alert is being sent"):
            one.page(PAGE)
        assert failed.wait(20)
        assert time.monotonic() - began >= 1.0
    finally:
        receiver.goes_on.set()
        hanging.join()


def test_a_receiver_that_drips_is_left_also_where_its_name_was_found_only_at_the_deadline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    find, deadline = socket.getaddrinfo, 0.3

    def find_late(*asked: Any, **how: Any) -> Any:
        threading.Event().wait(2 * deadline)
        return find(*asked, **how)

    def drip(listening: socket.socket) -> None:
        with listening.accept()[0] as asking, suppress(OSError):
            while not is_over.wait(deadline / 3):
                asking.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            asking.recv(10_000)
            asking.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    is_over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=drip, args=(listening,), daemon=True).start()
        (end := threading.Timer(10, is_over.set)).start()  # then it is taken, where nobody has left it
        monkeypatch.setattr(socket, "getaddrinfo", find_late)
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        with pytest.raises(PagerError, match="could not be reached"):
            Webhook(Receiver(url, Format.GENERIC), now=lambda: NOW, deadline=deadline).page(PAGE)
    end.cancel()
    is_over.set()


def test_a_receiver_that_is_not_there_is_an_error_without_its_address(receiver: PageReceiver) -> None:
    nobody = Webhook(Receiver("http://127.0.0.1:1/s3cret", Format.GENERIC), now=lambda: NOW)

    with pytest.raises(PagerError) as raised:
        nobody.page(PAGE)

    assert "s3cret" not in str(raised.value)
    assert "s3cret" not in repr(Receiver("https://pager.example.com/s3cret", Format.GENERIC, "s3cret", "s3cret"))


def test_pages_go_nowhere_in_the_clear() -> None:
    with pytest.raises(ConfigError, match="has to begin with https://"):
        Webhook(Receiver("http://pager.example.com/", Format.GENERIC), now=lambda: NOW)


def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    certificate = self_signed(tmp_path)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(certificate)
    with receiving(serving) as receiver:
        with pytest.raises(PagerError, match="could not be reached"):
            pager(receiver).page(PAGE)
        assert receiver.calls == []

        vouched = ssl.create_default_context(cafile=str(certificate))
        Webhook(Receiver(receiver.url, Format.GENERIC, secret="s3cret"), now=lambda: NOW, context=vouched).page(PAGE)
        assert len(receiver.calls) == 1


def test_a_proxy_is_asked_for_what_is_elsewhere_and_never_for_this_machine(
    receiver: PageReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", receiver.url)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)

    pager(receiver).page(PAGE)
    with pytest.raises(PagerError, match="could not be reached"):
        Webhook(Receiver("https://pager.example.com/", Format.GENERIC), now=lambda: NOW).page(PAGE)

    assert (len(receiver.calls), receiver.tunnels) == (1, ["pager.example.com:443"])


def self_signed(folder: Path) -> Path:
    """A certificate for localhost and its key, in one file."""
    key, now = ec.generate_private_key(ec.SECP256R1()), dt.datetime.now(dt.UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=5))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    kind, open_ = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    path = folder / "localhost.pem"
    path.write_bytes(key.private_bytes(pem, kind, open_) + built.public_bytes(pem))
    return path
