"""The inventory: hosts by name, and the hosts on the way to them."""

from dataclasses import replace

import pytest

from bot.core.hosts.inventory import Authority, Host, Inventory
from bot.errors import UsageError

BASTION = Host("bastion", "192.0.2.1", 22, "maskbot", "edge")
INNER = replace(BASTION, name="inner", via=BASTION)


def test_the_way_to_a_host_begins_with_the_one_that_is_reached_directly() -> None:
    assert replace(BASTION, name="web-01", via=INNER).hops == (BASTION, INNER)
    assert BASTION.hops == ()


def test_a_host_with_another_way_to_it_is_another_host() -> None:
    assert replace(BASTION, via=INNER) != BASTION


def test_a_certificate_has_to_be_for_the_names_that_are_given_or_else_for_its_own() -> None:
    assert BASTION.certificate_names == {"bastion", "192.0.2.1"}
    assert replace(BASTION, principals=frozenset({"edge.example"})).certificate_names == {"edge.example"}


def test_what_a_host_is_trusted_by_changes_with_its_pins_its_cas_and_what_they_have_revoked() -> None:
    pinned = replace(BASTION, pins=frozenset({"SHA256:a"}))
    assert pinned.trusted == {"SHA256:a"}
    signed = replace(pinned, authorities=(Authority("SHA256:ca"),))
    assert signed.trusted == {"SHA256:a", "ca:SHA256:ca", "name:bastion", "name:192.0.2.1"}
    revoked = Authority("SHA256:ca", frozenset({"SHA256:b"}), frozenset({7}))
    assert "ca:SHA256:ca without SHA256:b,7" in replace(signed, authorities=(revoked,)).trusted


def test_a_group_has_its_hosts_in_the_order_of_the_file() -> None:
    inner, edge = (replace(one, groups=frozenset({"edge"})) for one in (INNER, BASTION))
    inventory = Inventory((inner, replace(BASTION, name="web-01"), edge))
    assert inventory.in_group("@edge") == inventory.in_group("edge") == (inner, edge)
    assert inventory.in_group("@web") == ()


def test_a_host_that_is_not_in_the_inventory_is_a_mistake_of_whoever_names_it() -> None:
    inventory = Inventory((BASTION, INNER))
    assert inventory.host("inner") is INNER
    assert inventory.get("web-01") is None
    with pytest.raises(UsageError, match="There is no host `web-01` in hosts.yaml."):
        inventory.host("web-01")
