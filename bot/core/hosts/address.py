"""Addresses of hosts."""

from ipaddress import ip_address


def is_ip_address(text: str) -> bool:
    """Whether the address is an IP address, which needs no resolver."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
