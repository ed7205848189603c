"""Who holds the way back to the bot open, without a host: the kernel's own answers, and a /proc of the test."""

import ctypes
import os
import socket
import struct
import subprocess
from pathlib import Path

import pytest

from bot.edges.guard import own_route
from bot.edges.guard.own_route import device_of, route_device, route_question, tunnel_processes
from tests.edges.guard.processes_stand_in import Processes

CLONE_NEWNET = 0x40000000  # unshare(2)
TUN, PPP = "/dev/net/tun", "/dev/ppp"
RTM_NEWROUTE, RTM_GETROUTE, RTA_DST, RTA_OIF, RTA_PREFSRC, NLMSG_ERROR = 24, 26, 1, 4, 7, 2


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "::1", "192.0.2.77", "2001:db8::1", "2001:db8::ffff:1", "::ffff:127.0.0.1"]
)
def test_the_device_of_a_route_is_the_one_that_ip_says(address: str) -> None:
    plain = address.removeprefix("::ffff:")
    told = subprocess.run(["ip", "-o", "route", "get", plain], capture_output=True, text=True, check=False).stdout
    words = told.split()
    assert route_device(address) == (words[words.index("dev") + 1] if "dev" in words else "")


def test_what_is_no_address_has_no_route() -> None:
    assert route_device("") == route_device("web-01") == route_device("web-01%eth0") == ""


def test_in_a_network_without_any_route_there_is_no_device() -> None:
    child = os.fork()
    if not child:
        try:
            is_apart = ctypes.CDLL(None).unshare(CLONE_NEWNET) == 0
            os._exit(0 if is_apart and route_device("192.0.2.77") == "" else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_the_device_of_a_link_local_address_is_named_with_it() -> None:
    assert route_device("fe80::1%mesh0") == "mesh0"


@pytest.mark.parametrize("address", ["192.0.2.77", "2001:db8::1"])
def test_the_kernel_is_asked_for_the_route_to_that_address_alone(address: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    packed = socket.inet_pton(family, address)
    route = struct.pack("=8BI", family, 8 * len(packed), 0, 0, 0, 0, 0, 0, 0)
    attributes = struct.pack("=HH", 4 + len(packed), RTA_DST) + packed
    head = struct.pack("=IHHII", 16 + len(route) + len(attributes), RTM_GETROUTE, 1, 1, 0)
    assert route_question(family, packed) == head + route + attributes


def attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def answer(*attributes: bytes, kind: int = RTM_NEWROUTE, flags: int = 0) -> bytes:
    body = bytes(12) + b"".join(attributes)
    return struct.pack("=IHHII", 16 + len(body), kind, flags, 1, 0) + body


DEVICE = attribute(RTA_OIF, struct.pack("=I", 0x01020304))
OTHER, ODD = attribute(RTA_PREFSRC, bytes([9] * 4)), attribute(RTA_PREFSRC, b"\4\0\4\0\4")


@pytest.mark.parametrize(
    ("said", "device"),
    [
        (answer(DEVICE), 0x01020304),
        (answer(OTHER, DEVICE, attribute(RTA_OIF, bytes(4))), 0x01020304),
        (answer(ODD, DEVICE), 0x01020304),
        (answer(struct.pack("=HH", 0, 0), DEVICE), 0x01020304),
        (answer(struct.pack("=HH", 4, RTA_OIF)), 0),
        (answer(OTHER), 0),
        (answer(), 0),
        (answer(b"\x08\0\4"), 0),
        (answer(OTHER, DEVICE, flags=4), 0x01020304),
        (answer(DEVICE, kind=NLMSG_ERROR), 0),
        (answer(DEVICE, kind=NLMSG_ERROR, flags=0x101), 0),
        (answer(DEVICE)[:15], 0),
        (answer(DEVICE)[:16], 0),
        (b"", 0),
    ],
)
def test_the_device_is_read_from_the_kernel_s_answer(said: bytes, device: int) -> None:
    assert device_of(said) == device


@pytest.fixture
def lo(processes: Processes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The device by which this machine reaches itself, with whatever a test makes of it."""
    monkeypatch.setattr(own_route, "_NETWORK_DEVICES", str(tmp_path / "net"))
    (tmp_path / "net" / "lo").mkdir(parents=True)
    processes.folder.mkdir()
    (processes.folder / "self").symlink_to("70")
    (processes.folder / "loadavg").touch()
    return tmp_path / "net" / "lo"


def test_whoever_holds_this_tunnel_open_is_found(processes: Processes, lo: Path) -> None:
    (lo / "tun_flags").touch()
    for pid, file, device in ((70, TUN, "lo"), (71, TUN, "mesh0"), (72, TUN, ""), (73, PPP, "lo"), (74, "/x", "lo")):
        processes.has(pid, "")
        processes.hold(pid, 2, "/dev/null")
        processes.hold(pid, 3, file, device)
    processes.hold(71, 4, TUN, "lo")
    processes.has(75, "")
    assert sorted(tunnel_processes("127.0.0.1")) == ["70", "71"]
    (processes.folder / "70" / "fdinfo" / "3").unlink()
    assert tunnel_processes("127.0.0.1") == ["71"], "it has ended meanwhile"


@pytest.mark.parametrize("number", [2, 4])
def test_whatever_else_it_opens_and_closes_meanwhile(processes: Processes, lo: Path, number: int) -> None:
    (lo / "tun_flags").touch()
    processes.has(70, "")
    processes.hold(70, 3, TUN, "lo")
    (processes.folder / "70" / "fd" / str(number)).touch()  # listed, and no link any more
    processes.hold(70, number + 4, TUN)
    (processes.folder / "70" / "fdinfo" / str(number + 4)).unlink()
    assert tunnel_processes("127.0.0.1") == ["70"]


@pytest.mark.parametrize(("kind", "is_one"), [("512\n", True), ("512", True), ("1\n", False), (None, False)])
def test_whoever_holds_a_modem_s_line_open_is_found(
    processes: Processes, lo: Path, kind: str | None, *, is_one: bool
) -> None:
    if kind is not None:
        (lo / "type").write_text(kind)
    for pid, file in ((70, PPP), (71, TUN)):
        processes.has(pid, "")
        processes.hold(pid, 3, file, "lo" if file == TUN else "")
    processes.hold(70, 4, "/dev/null")
    assert tunnel_processes("127.0.0.1") == (["70"] if is_one else [])


def test_without_a_route_there_is_no_tunnel(processes: Processes, lo: Path) -> None:
    (lo.parent / "type").write_text("512\n")  # of no device
    processes.has(70, "")
    processes.hold(70, 3, PPP)
    assert tunnel_processes("web-01") == []
