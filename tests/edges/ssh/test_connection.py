"""The way to a host, against a real sshd: what runs there, what is never tried, and how every phase ends."""

import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import paramiko
import pytest

from bot.edges.ssh.bounds import Wire
from bot.edges.ssh.connection import connect
from bot.edges.ssh.hosts import SshHosts, SshLimits
from bot.edges.ssh.login import agreed, exchange_keys, new_transport
from bot.edges.ssh.names import Names
from bot.errors import ConfigError, OutcomeUnknown
from bot.ports import NOT_STRICT
from config.host_keys import read_public_key
from tests.edges.descriptors import open_here
from tests.edges.ssh import attacker
from tests.edges.ssh_server import NEWKEYS, Cable, Sshd, eventually, fails, free_port, make_key, sshd
from tests.plugins.fault_table import was_read

SHORT = SshLimits(connect=2.0, banner=2.0, key_exchange=4.0, auth=6.0, channel=2.0)
STRONG = ("-t rsa -b 2048", "-t ecdsa", "-t ed25519")  # kinds of keys
Starting = Callable[..., Sshd]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """One sshd for the tests that need nothing special of it."""
    with sshd(tmp_path_factory.mktemp("sshd")) as running:
        yield running


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Starting]:
    """An sshd for one test, with settings of its own."""
    with ExitStack() as stack:
        yield lambda *settings: stack.enter_context(sshd(tmp_path, *settings))


@pytest.fixture
def hosts(server: Sshd) -> Iterator[SshHosts]:
    with reaching(server) as ours:
        yield ours


@pytest.fixture
def cable(server: Sshd) -> Iterator[Cable]:
    laid = Cable(server.host.port)
    yield laid
    laid.close()


class Clock:
    """A clock that stands still."""

    time = 0.0

    def __call__(self) -> float:
        return self.time


@contextmanager
def reaching(server: Sshd, limits: SshLimits = SHORT, key_file: Path | None = None) -> Iterator[SshHosts]:
    ours = SshHosts(key_file or server.key_file, limits)
    try:
        yield ours
    finally:
        ours.close()


def test_a_command_answers_with_its_exit_code_and_both_streams(hosts: SshHosts, server: Sshd) -> None:
    reply = hosts.run(server.host, ("sh", "-c", "echo out; echo err >&2; exit 3"), deadline=10)
    assert (reply.exit_code, reply.stdout, reply.stderr) == (3, "out\n", "err\n")
    assert reply.argv == ("sh", "-c", "echo out; echo err >&2; exit 3")
    assert 0 <= reply.millis < 10_000


def test_no_word_of_a_command_is_ever_read_by_the_shell(hosts: SshHosts, server: Sshd) -> None:
    words = ("$(id)", "`id`", "a;id", "a|id", "a&&id", "*", "'", '"', "a b", "a\nb", "-x", "$HOME", "\\", "#", "~", "")
    reply = hosts.run(server.host, ("printf", "[%s]", *words), deadline=10)
    assert reply.stdout == "".join(f"[{word}]" for word in words)


def test_what_is_not_text_is_still_an_answer(hosts: SshHosts, server: Sshd) -> None:
    assert hosts.run(server.host, ("printf", r"a\377b"), deadline=10).stdout == "a\ufffdb"


def test_a_command_that_reads_finds_nothing_to_read(hosts: SshHosts, server: Sshd) -> None:
    assert hosts.run(server.host, ("cat",), deadline=10).stdout == ""


@pytest.mark.parametrize("full", ["/dev/stdout", "/dev/stderr"])
def test_both_streams_are_read_to_their_end_and_a_host_that_says_more_is_cut_off(
    own_server: Starting, full: str
) -> None:
    server = own_server()
    floods = "head -c {} /dev/zero >{} & head -c 65536 /dev/zero & head -c 65536 /dev/zero >&2; wait; exit 7"
    with reaching(server, replace(SHORT, output=200_000)) as hosts:
        reply = hosts.run(server.host, ("sh", "-c", floods.format(100_000, full)), deadline=30)
        assert (reply.exit_code, len(reply.stdout + reply.stderr)) == (7, 231_072)
        with pytest.raises(OutcomeUnknown, match="answered with more than 195 KiB") as unknown:
            hosts.run(server.host, ("sh", "-c", floods.format(200_000, full)), deadline=30)
        assert str(unknown.value).startswith("web-01: the command was sent and")
        assert unknown.value.__context__ is None
        assert hosts.run(server.host, ("true",), deadline=10).exit_code == 0
    assert server.logins() == 2


def test_a_connection_is_used_again(own_server: Starting) -> None:
    server = own_server()
    with reaching(server) as hosts:
        for _ in range(5):
            hosts.run(server.host, ("true",), deadline=10)
    assert server.logins() == 1


def test_a_connection_that_is_not_used_is_closed(own_server: Starting) -> None:
    server = own_server()
    with reaching(server, replace(SHORT, idle=0.1)) as hosts:
        hosts.run(server.host, ("true",), deadline=10)
        eventually(lambda: "Disconnected from user" in server.log or "Connection closed by" in server.log)
        hosts.run(server.host, ("true",), deadline=10)
    assert server.logins() == 2


@pytest.mark.fault("F07", how="the bot's key taken out of authorized_keys while its connection is in use")
def test_a_key_that_was_revoked_binds_a_connection_that_is_never_idle(own_server: Starting) -> None:
    server, clock = own_server(), Clock()
    hosts = SshHosts(server.key_file, SHORT, now=clock)
    try:
        hosts.run(server.host, ("true",), deadline=10)
        (server.folder / "authorized_keys").write_text("")
        for _ in range(9):
            clock.time += 30
            hosts.run(server.host, ("true",), deadline=10)
        assert server.logins() == 1
        clock.time += 30
        assert fails(hosts, server.host).code == "ssh_auth_refused"
    finally:
        hosts.close()


def test_a_command_that_outlasts_its_connection_is_the_last_one_on_it(own_server: Starting) -> None:
    server, clock = own_server(), Clock()
    gate, began = server.folder / "gate", server.folder / "began"
    waits = ("sh", "-c", f"touch {began}; until [ -e {gate} ]; do sleep 0.05; done; echo done")
    hosts = SshHosts(server.key_file, SHORT, now=clock)
    try:
        with ThreadPoolExecutor() as threads:
            running = threads.submit(hosts.run, server.host, waits, deadline=10)
            eventually(began.exists)
            clock.time += 400
            gate.touch()
            assert running.result().stdout == "done\n"
        eventually(lambda: "Disconnected from user" in server.log or "Connection closed by" in server.log)
        hosts.run(server.host, ("true",), deadline=10)
        assert server.logins() == 2
    finally:
        hosts.close()


def test_a_connection_is_closed_at_the_end_of_its_life_though_nobody_asks_for_it(own_server: Starting) -> None:
    server = own_server()
    with reaching(server, replace(SHORT, lifetime=0.5)) as hosts:
        hosts.run(server.host, ("true",), deadline=10)
        eventually(lambda: "Disconnected from user" in server.log or "Connection closed by" in server.log)
    assert SshLimits().lifetime == 300


def test_commands_run_side_by_side_on_connections_of_their_own(own_server: Starting) -> None:
    server = own_server("MaxSessions 1")
    gate = server.folder / "gate"
    waits = ("sh", "-c", f"until [ -e {gate} ]; do sleep 0.05; done")
    with reaching(server) as hosts, ThreadPoolExecutor() as threads:
        waiting = [threads.submit(hosts.run, server.host, waits, deadline=10) for _ in range(4)]
        eventually(lambda: server.logins() == 4)
        gate.touch()
        assert [call.result().exit_code for call in waiting] == [0] * 4


def test_a_host_whose_pins_changed_is_another_host(hosts: SshHosts, server: Sshd) -> None:
    hosts.run(server.host, ("true",), deadline=10)
    assert fails(hosts, replace(server.host, pins=frozenset({"SHA256:other"}))).code == "host_key_mismatch"


@pytest.mark.fault("F08", how="a real sshd with another key than the pinned one")
def test_nothing_is_said_to_a_host_with_another_key_not_even_a_name(own_server: Starting) -> None:
    server = own_server()
    pinned = replace(server.host, pins=frozenset({"SHA256:other"}))
    with reaching(server) as hosts:
        error = fails(hosts, pinned)
        eventually(lambda: "Connection closed by" in server.log or "Connection reset by" in server.log)
        assert "userauth-request" not in server.log
        assert (error.code, error.passing) == ("host_key_mismatch", False)
        assert "SHA256" not in str(error)
        assert next(iter(server.host.pins)) in " ".join(error.__notes__)

        hosts.run(server.host, ("true",), deadline=10)
        assert "userauth-request" in server.log, "the log would have shown an attempt"


def test_a_host_without_a_pin_is_not_even_connected_to(own_server: Starting) -> None:
    server = own_server()
    with reaching(server) as hosts:
        error = fails(hosts, replace(server.host, pins=frozenset()))
    assert (error.code, error.passing) == ("ssh_no_pin", False)
    assert "Connection from" not in server.log


@pytest.mark.fault("F09", how="two pins, one of them the key of the sshd", saw="nothing: the host works as before")
def test_either_of_two_pins_lets_a_key_be_replaced(hosts: SshHosts, server: Sshd) -> None:
    both = replace(server.host, pins=server.host.pins | {"SHA256:other"})
    assert hosts.run(both, ("true",), deadline=10).exit_code == 0


@pytest.mark.parametrize(
    "setting",
    [
        "Ciphers aes128-cbc,3des-cbc",
        "MACs hmac-sha1,hmac-md5-96",
        "KexAlgorithms diffie-hellman-group14-sha1,diffie-hellman-group14-sha256",
    ],
)
@pytest.mark.fault("F10", how="a real sshd limited to CBC, MD5 and SHA-1")
def test_a_host_that_offers_only_weak_algorithms_is_refused(own_server: Starting, setting: str) -> None:
    # An AEAD cipher brings its own MAC, so the weak MACs are met only without one.
    server = own_server(setting, *(["Ciphers aes256-ctr"] if setting.startswith("MACs") else []))
    with reaching(server) as hosts:
        error = fails(hosts, server.host)
    assert (error.code, error.passing) == ("ssh_weak_crypto", False)
    assert "userauth-request" not in server.log


def test_what_was_agreed_on_is_in_the_answer(own_server: Starting) -> None:
    server = own_server("KexAlgorithms ecdh-sha2-nistp256", "Ciphers aes256-ctr", "MACs hmac-sha2-256")
    with reaching(server) as hosts:
        reply = hosts.run(server.host, ("true",), deadline=10)
    assert reply.ssh == "ecdh-sha2-nistp256, ssh-ed25519, aes256-ctr, hmac-sha2-256, strict key exchange"


def test_a_host_of_old_whose_key_exchange_is_not_strict_is_known(server: Sshd) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        near = socket.create_connection(listening.getsockname())
        far, _ = listening.accept()
    old = paramiko.Transport(far, strict_kex=False)
    old.add_server_key(paramiko.ECDSAKey.generate())
    transport = new_transport(server.host, wire := Wire(near), SshLimits())
    try:
        old.start_server(event=threading.Event(), server=paramiko.ServerInterface())
        exchange_keys(server.host, transport, wire, SshLimits())
        assert agreed(transport).endswith(f", {NOT_STRICT}")
    finally:
        transport.close()
        old.close()


@pytest.mark.parametrize("kind", STRONG)
def test_every_strong_kind_of_key_logs_in(own_server: Starting, kind: str) -> None:
    server = own_server()
    path = server.folder / "strong"
    with (server.folder / "authorized_keys").open("a") as authorized:
        authorized.write(make_key(path, *kind.split()))
    with reaching(server, key_file=path) as hosts:
        assert hosts.run(server.host, ("true",), deadline=10).exit_code == 0


@pytest.mark.fault("F07", how="a key that the sshd does not know")
def test_a_key_that_is_not_known_there_is_refused_and_not_tried_again(own_server: Starting) -> None:
    server = own_server()
    make_key(server.folder / "other")
    with reaching(server, key_file=server.folder / "other") as hosts:
        error = fails(hosts, server.host)
    assert (error.code, error.passing) == ("ssh_auth_refused", False)
    assert server.log.count("Failed publickey") == 1
    assert server.logins() == 0


@pytest.mark.fault("F01", how="nobody listens at the port")
def test_a_refused_connection_says_so(hosts: SshHosts, server: Sshd) -> None:
    error = fails(hosts, replace(server.host, port=free_port()))
    assert (error.code, error.passing) == ("ssh_refused", True)
    assert str(error) == "web-01: connection refused. Nothing was sent."


@pytest.mark.fault("F02", how="an address without a route")
def test_an_address_without_a_way_to_it_says_so(hosts: SshHosts, server: Sshd) -> None:
    error = fails(hosts, replace(server.host, address="fe80::1"))
    assert (error.code, error.passing) == ("ssh_unreachable", True)


@contextmanager
def listening(speak: Callable[[socket.socket], None] | None) -> Iterator[int]:
    """Something that is no sshd: it accepts and says what it wants, or nothing; None does not even accept."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener, ExitStack() as stack:

        def serve() -> None:
            accepted, _ = listener.accept()
            stack.enter_context(accepted)
            if speak is not None:
                speak(accepted)

        if speak is None:
            stack.enter_context(socket.create_connection(listener.getsockname()))  # fills the queue
        else:
            threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]


def junk(to: socket.socket) -> None:
    try:
        while True:
            to.sendall(b"junk\n" * 10)
    except OSError:
        return


F03, F04, F05 = (
    pytest.mark.fault(row, how=how)
    for row, how in (
        ("F03", "a listener that accepts nobody any more"),
        ("F04", "a listener that says nothing, or hangs up"),
        ("F05", "a banner and then silence, endless lines of junk, a packet that is none"),
    )
)


@pytest.mark.parametrize(
    ("speak", "code"),
    [
        pytest.param(None, "ssh_connect_timeout", marks=F03, id="full queue"),
        pytest.param(lambda accepted: None, "ssh_banner_timeout", marks=F04, id="silent"),
        pytest.param(
            lambda accepted: accepted.shutdown(socket.SHUT_RDWR), "ssh_banner_timeout", marks=F04, id="closes"
        ),
        pytest.param(
            lambda accepted: accepted.sendall(b"SSH-2.0-Silent\r\n"), "ssh_kex_timeout", marks=F05, id="then silence"
        ),
        pytest.param(junk, "ssh_kex_timeout", marks=F05, id="endless junk"),
        pytest.param(
            lambda accepted: accepted.sendall(b"SSH-2.0-x\r\n" + bytes(64)),
            "ssh_kex_timeout",
            marks=F05,
            id="garbled packet",
        ),
    ],
)
def test_a_host_that_is_silent_or_talks_nonsense_ends_in_time(
    hosts: SshHosts, server: Sshd, speak: Callable[[socket.socket], None] | None, code: str
) -> None:
    began = time.monotonic()
    with listening(speak) as port:
        error = fails(hosts, replace(server.host, port=port))
    assert (error.code, error.passing) == (code, True)
    assert time.monotonic() - began < SHORT.banner + SHORT.key_exchange + 5


@pytest.mark.parametrize(
    "message",
    [bytes([192]), b"\x50" + b"\0\0\0\2\xff\xfe\1", bytes([NEWKEYS])],
    ids=["unknown", "no text", "new keys out of turn"],
)
def test_what_is_against_the_protocol_is_an_error_of_the_host(
    hosts: SshHosts, server: Sshd, tmp_path: Path, message: bytes
) -> None:
    pin = read_public_key(make_key(tmp_path / "host_key"))
    with attacker.attacking(attacker.says(attacker.server_key(tmp_path / "host_key"), message)) as port:
        error = fails(hosts, replace(server.host, port=port, pins=frozenset({pin})))
    assert (error.code, error.passing) == ("ssh_channel_timeout", True)


@pytest.mark.parametrize("valid", ["+2h:+3h", "-3h:-2h", "-2h:+2h"], ids=["not yet", "not any more", "now"])
@pytest.mark.fault("F32", how="a certificate for the bot's key that is not good yet, or not any more")
def test_a_certificate_that_is_not_good_now_is_told_from_a_key_that_is_not_known(
    own_server: Starting, tmp_path: Path, valid: str
) -> None:
    authority = make_key(tmp_path / "authority")
    (tmp_path / "authorities").write_text(authority)
    server = own_server(f"TrustedUserCAKeys {tmp_path}/authorities")
    make_key(tmp_path / "signed")
    about = ("-I", "bot", "-n", server.host.login, "-V", valid)
    subprocess.run(["ssh-keygen", "-q", "-s", tmp_path / "authority", *about, tmp_path / "signed.pub"], check=True)
    with reaching(server, key_file=tmp_path / "signed") as hosts:
        if valid.startswith("-2h"):
            assert hosts.run(server.host, ("true",), deadline=10).exit_code == 0
            return
        error = fails(hosts, server.host)
    assert (error.code, error.passing) == ("cert_time", False)
    assert "Compare the clocks" in str(error)


@pytest.mark.fault("F06", how="a cable that lets no login through")
def test_a_login_that_stalls_ends_in_time_and_is_not_tried_again(server: Sshd, cable: Cable) -> None:
    cable.login_passes = False
    with reaching(server, replace(SHORT, auth=0.3)) as hosts:
        error = fails(hosts, replace(server.host, port=cable.port))
    assert (error.code, error.passing) == ("ssh_auth_timeout", False)


@pytest.mark.fault("F11", how="MaxSessions 0")
def test_a_host_that_opens_no_session_says_so(own_server: Starting) -> None:
    server = own_server("MaxSessions 0")
    with reaching(server) as hosts:
        error = fails(hosts, server.host)
    assert (error.code, error.passing) == ("ssh_channel_refused", True)


@pytest.mark.fault("F12", how="a cable that loses every byte of the host after the login")
def test_a_session_that_is_never_opened_ends_in_time(server: Sshd, cable: Cable) -> None:
    host = replace(server.host, port=cable.port)
    connect(host, lambda _: paramiko.PKey.from_path(server.key_file), SHORT, names=Names()).close()
    cable.host_says = cable.heard
    with reaching(server) as hosts:
        began = time.monotonic()
        error = fails(hosts, host)
    assert (error.code, error.passing) == ("ssh_channel_timeout", True)
    assert time.monotonic() - began < SHORT.channel + 5


@pytest.mark.parametrize("ending", ["cut", "silent"])
@pytest.mark.fault(
    "F13",
    how="a cable that is cut, or goes silent, before the next request",
    saw="nothing: the command is sent on another connection",
)
def test_a_connection_that_died_while_idle_is_replaced_without_a_word(
    hosts: SshHosts, server: Sshd, cable: Cable, ending: str
) -> None:
    host = replace(server.host, port=cable.port)
    hosts.run(host, ("true",), deadline=10)
    if ending == "cut":
        cable.cut()
    else:
        cable.pass_only(0)
    assert hosts.run(host, ("echo", "again"), deadline=10).stdout == "again\n"


@pytest.mark.fault("F14", how="a cable that loses the request")
def test_a_request_that_is_lost_on_its_way_has_an_unknown_outcome(hosts: SshHosts, server: Sshd, cable: Cable) -> None:
    host = replace(server.host, port=cable.port)
    hosts.run(host, ("true",), deadline=10)
    cable.pass_only(1)  # the session is opened, and what should run in it never arrives
    with pytest.raises(OutcomeUnknown) as unknown:
        hosts.run(host, ("true",), deadline=0.3)
    assert was_read(str(unknown.value)) == "web-01: the command was sent and the host did not answer in 0.3 s."
    assert hosts.run(host, ("echo", "again"), deadline=10).stdout == "again\n"


@pytest.mark.fault("F15", how="a cable that is cut while the command runs")
def test_a_connection_that_is_cut_while_it_runs_has_an_unknown_outcome(
    hosts: SshHosts, server: Sshd, cable: Cable, tmp_path: Path
) -> None:
    began, gate = tmp_path / "began", tmp_path / "gate"
    os.mkfifo(gate)
    script = f"touch {began}; cat {gate}"
    with ThreadPoolExecutor() as threads:
        running = threads.submit(hosts.run, replace(server.host, port=cable.port), ("sh", "-c", script), deadline=10)
        eventually(began.exists)
        cable.cut()
        with pytest.raises(OutcomeUnknown, match="connection was lost after the command was sent") as unknown:
            running.result()
    was_read(str(unknown.value))
    gate.open("w").close()


@pytest.mark.fault("F16", how="kill -9 of the command itself")
def test_a_command_that_is_killed_has_an_unknown_outcome(hosts: SshHosts, server: Sshd) -> None:
    with pytest.raises(OutcomeUnknown, match="killed") as unknown:
        hosts.run(server.host, ("sh", "-c", "kill -9 $$"), deadline=10)
    was_read(str(unknown.value))


def test_a_deadline_ends_the_waiting_and_the_command_goes_on(hosts: SshHosts, server: Sshd, tmp_path: Path) -> None:
    gate, done = tmp_path / "gate", tmp_path / "done"
    os.mkfifo(gate)
    began = time.monotonic()
    with pytest.raises(OutcomeUnknown, match="did not answer in 0.3 s"):
        hosts.run(server.host, ("sh", "-c", f"cat {gate}; touch {done}"), deadline=0.3)
    assert time.monotonic() - began < 30
    gate.open("w").close()
    eventually(done.exists)


def test_nothing_is_left_open_by_what_failed(server: Sshd, tmp_path: Path) -> None:
    make_key(tmp_path / "other")
    with reaching(server, key_file=tmp_path / "other") as hosts:
        fails(hosts, server.host)
        eventually(lambda: _threads() == 0)
        before = open_here()
        for _ in range(5):
            fails(hosts, server.host)
            fails(hosts, replace(server.host, pins=frozenset({"SHA256:other"})))
        eventually(lambda: _threads() == 0)
        assert {*open_here()} <= {*before}


def _threads() -> int:
    return sum(thread.name.startswith("Thread-") and "paramiko" in repr(thread) for thread in threading.enumerate())


def test_after_it_was_closed_nothing_is_kept(own_server: Starting) -> None:
    server = own_server()
    hosts = SshHosts(server.key_file, SHORT)
    hosts.run(server.host, ("true",), deadline=10)
    hosts.close()
    hosts.close()
    for _ in range(2):
        hosts.run(server.host, ("true",), deadline=10)
    assert server.logins() == 3


def test_a_key_that_others_may_read_is_not_used(tmp_path: Path) -> None:
    make_key(tmp_path / "key")
    (tmp_path / "key").chmod(0o644)
    with pytest.raises(
        ConfigError, match=r"everybody on this machine can read it .chmod 600 .*; a private key is for its owner alone"
    ):
        SshHosts(tmp_path / "key")


@pytest.mark.parametrize("what", ["nothing", "garbage", "a passphrase", "a folder"])
def test_what_is_no_usable_key_is_said_at_the_start(tmp_path: Path, what: str) -> None:
    path = tmp_path / "key"
    match what:
        case "garbage":
            path.write_text("not a key\n")
            path.chmod(0o600)
        case "a passphrase":
            make_key(path, "-N", "secret-canary")
        case "a folder":
            path.mkdir(mode=0o700)
    with pytest.raises(ConfigError) as refused:
        SshHosts(path)
    assert str(path) in str(refused.value)


@pytest.mark.parametrize("kind", STRONG)
def test_a_fingerprint_is_what_ssh_keygen_says(tmp_path: Path, kind: str) -> None:
    line = make_key(tmp_path / "key", *kind.split())
    said = subprocess.run(["ssh-keygen", "-lf", tmp_path / "key.pub"], capture_output=True, text=True, check=True)
    assert read_public_key(line) == said.stdout.split()[1]
