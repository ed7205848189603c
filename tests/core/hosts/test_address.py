"""Addresses and names are told apart."""

import pytest

from bot.core.hosts.address import is_ip_address


@pytest.mark.parametrize("text", ["192.0.2.1", "2001:db8::1", "::1"])
def test_an_address_needs_no_resolver(text: str) -> None:
    assert is_ip_address(text)


@pytest.mark.parametrize("text", ["", "web-01", "192.0.2", "192.0.2.1 ", "192.0.2.256", "web-01.example.org"])
def test_everything_else_is_a_name(text: str) -> None:
    assert not is_ip_address(text)
