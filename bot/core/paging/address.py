"""Where pages may go: nobody on the way may read them, or the key that they carry."""

import ipaddress
from urllib.parse import urlsplit


def is_loopback(host: str) -> bool:
    """Whether it is this machine."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def why_not(url: str) -> str:
    """What is wrong with an address; empty if pages may go there. Never a part of it: it may hold a secret."""
    try:
        address = urlsplit(url)
        host, _ = address.hostname, address.port
    except ValueError:
        return "is no address"
    if not host or address.username:
        return "has to be an address with a host, and without a user"
    if address.scheme == "https" or (address.scheme == "http" and is_loopback(host)):
        return ""
    return "has to begin with https:// (http:// is for this machine itself)"
