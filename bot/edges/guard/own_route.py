"""The programs that keep the way back to the bot open: those behind the tunnel through which its machine is reached."""

import _socket
import os
import sys

_GET_ROUTE, _IS_REQUEST, _IS_ERROR, _DESTINATION, _DEVICE = 26, 1, 2, 1, 4  # rtnetlink(7)
_NETLINK_HEADER, _ROUTE_HEADER, _ATTRIBUTE_HEADER, _MOST = 16, 12, 4, 8192
PROCESSES, _NETWORK_DEVICES = "/proc", "/sys/class/net"
_TUN, _PPP = "/dev/net/tun", "/dev/ppp"
_PPP_TYPE = "512"  # ARPHRD_PPP


def tunnel_processes(client: str) -> "list[str]":
    """The processes that hold the tunnel to this address open; none if the route is no tunnel of a program.

    A tunnel of the kernel alone, as WireGuard's, has no process. Raises `OSError` if the kernel does not answer.
    """
    device = route_device(client)
    kind = _tunnel(device) if device else ""
    if not kind:
        return []
    return [process for process in os.listdir(PROCESSES) if process.isdigit() and _holds(process, kind, device)]


def route_device(client: str) -> str:
    """The network device of the route to an address, as `ip route get` prints it; empty where there is none.

    sshd names the device of a link-local address itself. Raises `OSError` if the kernel does not answer.
    """
    plain, _, device = client.partition("%")
    try:
        family, address = _packed(plain)
    except OSError:  # no address: nothing leads there
        return ""
    return device or _asked_of_kernel(family, address)


def _asked_of_kernel(family: int, address: bytes) -> str:
    end = _socket.socket(_socket.AF_NETLINK, _socket.SOCK_RAW, 0)
    try:
        end.settimeout(1.0)
        end.send(route_question(family, address))
        index = device_of(end.recv(_MOST))
    finally:
        end.close()
    return _socket.if_indextoname(index) if index else ""


def _packed(client: str) -> "tuple[int, bytes]":
    plain = client.rpartition("::ffff:")[2] if "." in client else client
    family = _socket.AF_INET6 if ":" in plain else _socket.AF_INET
    return family, _socket.inet_pton(family, plain)


def route_question(family: int, address: bytes) -> bytes:
    """What the kernel is asked: the route to one address."""
    route = bytes([family, 8 * len(address)]) + b"\0" * (_ROUTE_HEADER - 2)
    attribute = _number(_ATTRIBUTE_HEADER + len(address), 2) + _number(_DESTINATION, 2) + address
    length = _NETLINK_HEADER + len(route) + len(attribute)
    head = _number(length, 4) + _number(_GET_ROUTE, 2) + _number(_IS_REQUEST, 2) + _number(1, 4) + _number(0, 4)
    return head + route + attribute


def device_of(answer: bytes) -> int:
    """The index of the device in the kernel's answer; 0 where it says that there is no route."""
    if _value(answer[4:6]) == _IS_ERROR:
        return 0
    at = _NETLINK_HEADER + _ROUTE_HEADER
    while at < len(answer):
        length, kind = _value(answer[at : at + 2]), _value(answer[at + 2 : at + 4])
        if kind == _DEVICE:
            return _value(answer[at + _ATTRIBUTE_HEADER : at + 8])
        at += max(_ATTRIBUTE_HEADER, (length + 3) & ~3)
    return 0


def _number(value: int, size: int) -> bytes:
    return value.to_bytes(size, sys.byteorder)


def _value(read: bytes) -> int:
    return int.from_bytes(read, sys.byteorder)


def _tunnel(device: str) -> str:
    """The file that a program has to hold open for this device; empty if it is no tunnel of a program."""
    folder = f"{_NETWORK_DEVICES}/{device}"
    if os.path.exists(f"{folder}/tun_flags"):
        return _TUN
    try:
        with open(f"{folder}/type") as file:
            return _PPP if file.read().strip() == _PPP_TYPE else ""
    except OSError:
        return ""


def _holds(process: str, kind: str, device: str) -> bool:
    folder = f"{PROCESSES}/{process}"
    try:
        numbers = os.listdir(f"{folder}/fd")
    except OSError:  # it has ended meanwhile
        return False
    return any(_is_held(folder, number, kind, device) for number in numbers)


def _is_held(folder: str, number: str, kind: str, device: str) -> bool:
    """Whether one of its open files is that of the device; a program may close others while it is looked at."""
    try:
        return os.readlink(f"{folder}/fd/{number}") == kind and (
            kind == _PPP or _is_of(f"{folder}/fdinfo/{number}", device)
        )
    except OSError:
        return False


def _is_of(path: str, device: str) -> bool:
    with open(path) as file:
        return any(line.split() == ["iff:", device] for line in file)
