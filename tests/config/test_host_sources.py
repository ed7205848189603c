"""Inventories that people have, as their own programs write them."""

import hashlib
import hmac
import json
from base64 import b64decode, b64encode
from pathlib import Path

import pytest

from bot.core.hosts.inventory import Host, Inventory
from bot.errors import UsageError
from config.host_sources import SourceHost, read_source
from config.hosts_import import take
from config.known_hosts import KnownHosts
from tests.edges.ssh_server import make_key

EMPTY = Inventory(())
NO_KEYS = KnownHosts("")

ANSIBLE = {
    "_meta": {
        "hostvars": {
            "web-01.example": {"ansible_host": "192.0.2.11", "ansible_port": 2222},
            "db_01": {
                "ansible_host": "10.0.0.5",
                "env": "staging",
                "ansible_ssh_common_args": "-o ProxyJump=ops@bastion.example:22 -o X=y",
            },
        }
    },
    "all": {"children": ["ungrouped", "prod"]},
    "prod": {"children": ["web", "db"]},
    "web": {"hosts": ["web-01.example"]},
    "db": {"hosts": ["db_01"]},
    "ungrouped": {"hosts": ["bastion.example"]},
}


def test_ansible_names_hosts_with_their_address_port_groups_and_way() -> None:
    found = {one.name: one for one in read_source(json.dumps(ANSIBLE))}
    web, db = found["web-01.example"], found["db_01"]
    assert (web.address, web.port, web.groups, web.environment) == ("192.0.2.11", 2222, frozenset({"web", "prod"}), "")
    assert (db.address, db.groups, db.environment, db.via) == (
        "10.0.0.5",
        frozenset({"db", "prod"}),
        "staging",
        "bastion.example",
    )
    assert found["bastion.example"].address == "bastion.example"
    assert not found["bastion.example"].address_is_said


def test_ssh_config_takes_the_first_value_of_each_option_and_no_patterns() -> None:
    text = """\
# ours
Host web-01 web-02
    HostName %h.example
    Port 2222
Host db-? !db-2
    ProxyJump first,ops@bastion:22
Host db-1 db-2
    HostName=10.0.0.1
Host bastion
Host *
    Port 2200
    ProxyJump none
"""
    found = {one.name: one for one in read_source(text)}
    assert set(found) == {"web-01", "web-02", "db-1", "db-2", "bastion"}
    assert (found["web-02"].address, found["web-02"].port, found["web-02"].via) == ("web-02.example", 2222, "")
    assert (found["db-1"].address, found["db-1"].via, found["db-1"].port) == ("10.0.0.1", "bastion", 2200)
    assert found["db-2"].via == ""
    assert found["bastion"] == SourceHost("bastion", "bastion", 2200, address_is_said=False)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "This is not what `ansible-inventory --list` prints."),
        ('{"all": {"hosts": ["a"]}}', "This is not what `ansible-inventory --list` prints."),
        ('{"_meta": {"hostvars": {"a": 1}}}', "This is not what `ansible-inventory --list` prints."),
        ('{"_meta": {"hostvars": {}}, "g": []}', "This is not what `ansible-inventory --list` prints."),
        ("Host a\nMatch exec true\n", "Line 2: `Match` is not supported."),
        ("Host a\n  Include other\n", "Line 2: `Include` is not supported."),
        ("Host a\n  Port ssh\n", "a: its port is not a number."),
    ],
)
def test_what_is_not_understood_is_refused_and_never_guessed(text: str, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        read_source(text)
    assert str(refused.value).startswith(said)


@pytest.fixture
def key(tmp_path: Path) -> tuple[str, str]:
    """A public key line without its comment, and its fingerprint."""
    line = " ".join(make_key(tmp_path / "key").split()[:2])
    digest = hashlib.sha256(b64decode(line.split()[1])).digest()
    return line, "SHA256:" + b64encode(digest).decode().rstrip("=")


def test_known_hosts_names_hosts_and_their_keys(key: tuple[str, str]) -> None:
    line, pin = key
    salt = b"0123456789abcdefghij"
    hashed = "|".join(
        ("", "1", b64encode(salt).decode(), b64encode(hmac.new(salt, b"db-01", hashlib.sha1).digest()).decode())
    )
    known = KnownHosts(
        f"# comment\nweb-01,192.0.2.11 {line}\n[edge.example]:2222 {line} c\n{hashed} {line}\n192.0.2.99 {line}\n"
        f"*.example {line}\n@cert-authority * {line}\nold ssh-dss AAAA\nbroken\n|1|x|y {line}\n"
    )
    assert [(one.name, one.address, one.port) for one in known.named()] == [
        ("web-01", "192.0.2.11", 22),
        ("edge.example", "edge.example", 2222),
    ]
    assert known.pins("web-01", port=22) == (pin,)
    assert known.pins("192.0.2.11", port=22) == (pin,)
    assert known.pins("edge.example", port=2222) == (pin,)
    assert known.pins("edge.example", port=22) == ()
    assert known.pins("db-01", port=22) == (pin,), "a hashed name is found by the name"
    assert read_source(f"host {line}\n") == [SourceHost("host", "host")], "it is no ssh_config"
    assert KnownHosts(f"web-01 {line}\n@revoked * {line}\n").pins("web-01", port=22) == ()


def test_a_source_becomes_entries_under_names_that_people_can_type(key: tuple[str, str]) -> None:
    line, pin = key
    found = read_source(json.dumps(ANSIBLE))
    taken = take(found, EMPTY, KnownHosts(f"[192.0.2.11]:2222 {line}\n"), environment="prod")
    entries = {one.name: one for one in taken.entries}
    assert (taken.notes, set(entries)) == ([], {"web-01", "db-01", "bastion"})
    assert (entries["db-01"].fields["via"], entries["db-01"].fields["environment"]) == ("bastion", "staging")
    web = entries["web-01"]
    assert {name: text for name, text in web.fields.items() if text} == {
        "address": "192.0.2.11",
        "port": "2222",
        "environment": "prod",
        "groups": "[prod, web]",
    }
    assert (web.keys, entries["bastion"].keys) == ((pin,), ())


def test_two_names_with_one_first_label_keep_all_their_labels() -> None:
    found = [SourceHost("web.eu.example", "192.0.2.1"), SourceHost("web.us.example", "192.0.2.2")]
    assert [one.name for one in take(found, EMPTY, NO_KEYS, environment="prod").entries] == [
        "web-eu-example",
        "web-us-example",
    ]


@pytest.mark.parametrize(
    ("host", "environment", "why"),
    [
        (SourceHost("192.0.2.1", "192.0.2.1"), "prod", "it has an address but no name"),
        (SourceHost("web#1", "192.0.2.1"), "prod", "`web#1` is not a valid host name"),
        (SourceHost("status", "192.0.2.1"), "prod", "`status` is a command word"),
        (SourceHost("web-01", "-oProxyCommand=x"), "prod", "`-oProxyCommand=x` is neither an IP address nor"),
        (SourceHost("web-01", "192.0.2.1"), "", "no environment is given for it"),
        (SourceHost("web-01", "192.0.2.1", environment="Prod: x"), "", "Prod: x is not one word"),
        (SourceHost("web-01", "192.0.2.1", via="gone"), "prod", "its jump host gone is not among"),
        (SourceHost("web-01", "192.0.2.9"), "prod", "192.0.2.9 is the address of db-01"),
    ],
)
def test_what_cannot_be_taken_over_is_named_with_the_reason(host: SourceHost, environment: str, why: str) -> None:
    inventory = Inventory((Host("db-01", "192.0.2.9", 22, "maskbot", "prod"),))
    taken = take([host], inventory, NO_KEYS, environment=environment)
    assert taken.entries == []
    assert taken.notes[0].startswith(f"{host.name}: left out: {why}")


def test_a_host_that_is_there_is_changed_only_in_what_the_source_says(key: tuple[str, str]) -> None:
    line, pin = key
    old = Host("web-01", "192.0.2.1", 2200, "maskbot", "prod", frozenset({"web"}), frozenset({pin}))
    same = SourceHost("web-01", "web-01", 2200, frozenset({"web"}), address_is_said=False)
    (entry,) = take([same], Inventory((old,)), KnownHosts(f"[web-01]:2200 {line}\n")).entries
    assert (set(entry.fields.values()), entry.keys) == ({""}, ())
    other = SourceHost("web-01", "192.0.2.2", 22, frozenset({"eu"}))
    (entry,) = take([other], Inventory((old,)), NO_KEYS).entries
    said = {name: text for name, text in entry.fields.items() if text}
    assert said == {"address": "192.0.2.2", "port": "22", "groups": "[eu, web]"}
