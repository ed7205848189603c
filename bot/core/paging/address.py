"""Allowed addresses for alerts and sinks: nobody on the way may read what is sent, or the key in it."""

import ipaddress
from urllib.parse import urlsplit


def is_loopback(host: str) -> bool:
    """Whether the address is this machine."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def why_not(url: str) -> str:
    """Why nothing may be sent to an address; empty if it may. Never quotes the address: it may contain a secret."""
    try:
        address = urlsplit(url)
        host, _ = address.hostname, address.port
    except ValueError:
        return "is not an address"
    if not host or address.username:
        return "has to be an address with a host, and without a user"
    if address.scheme == "https" or (address.scheme == "http" and is_loopback(host)):
        return ""
    return "has to begin with https:// (http:// is for this machine itself)"
