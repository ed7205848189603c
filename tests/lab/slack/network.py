"""Move a thread into a network namespace of its own, with loopback alone."""

import ctypes
import fcntl
import os
import socket
import struct

from tests.lab.machine import NotHereError

CLONE_NEWNET = 0x40000000  # unshare(2); os.unshare comes with Python 3.12
SIOCSIFFLAGS = 0x8914  # netdevice(7)
IFF_UP = 0x1


def require() -> None:
    """Raise `NotHereError` if this process may not make a network namespace."""
    if os.geteuid() != 0:
        raise NotHereError("The Slack stand-in needs a network of its own, and only root can make one.")


def leave_for_a_network_of_our_own() -> None:
    """Move the calling thread alone into a new network namespace (network_namespaces(7)) with loopback up.

    Its earlier sockets stay in the old namespace, so one thread can listen outside and connect inside.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) != 0:
        why = os.strerror(ctypes.get_errno())
        raise NotHereError(f"The Slack stand-in needs a network of its own, and there is none to be had here: {why}.")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", IFF_UP))
