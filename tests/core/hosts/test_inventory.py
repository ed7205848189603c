"""The inventory: hosts by name, and the hosts on the way to them."""

from dataclasses import replace

from bot.core.hosts.inventory import Host

BASTION = Host("bastion", "192.0.2.1", 22, "maskbot", "edge")
INNER = replace(BASTION, name="inner", via=BASTION)


def test_the_way_to_a_host_begins_with_the_one_that_is_reached_directly() -> None:
    assert replace(BASTION, name="web-01", via=INNER).hops == (BASTION, INNER)
    assert BASTION.hops == ()


def test_a_host_with_another_way_to_it_is_another_host() -> None:
    assert replace(BASTION, via=INNER) != BASTION
