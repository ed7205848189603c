"""hosts.yaml changed by a program: what is not changed stays byte for byte."""

from pathlib import Path

import pytest
import yaml

from bot.errors import ConfigError
from config.hosts import read_inventory
from config.hosts_edit import NO_KEY, Entry, edited, quoted
from config.strict_yaml import parse_document
from tests.config.folder import KEY

OTHER = KEY[:-1] + "A"
FILE = f"""\
# Ours.
hosts:
  # the first one
  - name: web-01   # it is old
    address: 192.0.2.11  # by hand
    environment: prod
    groups: [web]  # never more
    host_keys:
      # from its console
      - {KEY}  # 2024

  - name: db-01
    address: 192.0.2.21
    environment: prod
    host_keys: [{KEY}]
    machine_id: 4c1f0b6f3a5d4e0f9a7b2d8c6e5f4a3b  # pinned

# The end.
"""


def test_new_entries_stand_after_the_last_one_and_before_what_follows() -> None:
    new = Entry("web-02", {"address": "192.0.2.12", "port": "", "environment": "prod"}, (KEY, OTHER))
    none = Entry("web-03", {"address": "192.0.2.13", "environment": "prod"}, note="  # no key yet")
    after = edited(FILE, [new, none])
    added = f"""\
    machine_id: 4c1f0b6f3a5d4e0f9a7b2d8c6e5f4a3b  # pinned

  - name: web-02
    address: 192.0.2.12
    environment: prod
    host_keys:
      - {KEY}
      - {OTHER}
  - name: web-03
    address: 192.0.2.13
    environment: prod
    host_keys: []  # no key yet

# The end.
"""
    assert after == FILE[: FILE.index("    machine_id")] + added
    assert read_inventory(parse_document(Path("hosts.yaml"), after.encode())).names[-1] == "web-03"


def test_an_entry_is_changed_where_it_differs_and_nowhere_else() -> None:
    entry = Entry("web-01", {"address": "192.0.2.99", "port": "2222", "groups": "[eu, web]"}, (OTHER,))
    after = edited(FILE, [entry, Entry("db-01", {"address": "192.0.2.21", "via": "web-01"}, (OTHER,))])
    expected = FILE.replace("address: 192.0.2.11  # by hand", "address: 192.0.2.99  # by hand")
    expected = expected.replace("groups: [web]  # never", "groups: [eu, web]  # never")
    expected = expected.replace(f"host_keys: [{KEY}]", f"host_keys: [{KEY}, {OTHER}]")
    expected = expected.replace("# pinned\n", "# pinned\n    via: web-01\n")
    more = (f"      - {OTHER}\n", "    port: 2222\n")
    assert after in {expected.replace("# 2024\n", f"# 2024\n{one}{two}") for one, two in (more, tuple(reversed(more)))}
    inventory = read_inventory(parse_document(Path("hosts.yaml"), after.encode()))
    assert inventory.hosts[0].pins == {KEY, OTHER}


def test_a_change_of_the_last_entry_stands_before_new_ones() -> None:
    after = edited(
        FILE, [Entry("db-01", {"port": "2222"}), Entry("web-02", {"address": "192.0.2.12", "environment": "x"})]
    )
    inventory = read_inventory(parse_document(Path("hosts.yaml"), after.encode()))
    assert [(one.name, one.port) for one in inventory.hosts] == [("web-01", 22), ("db-01", 2222), ("web-02", 22)]


def test_the_first_key_of_a_host_without_one_is_written() -> None:
    text = FILE.replace(f"host_keys: [{KEY}]", "host_keys: []  # no key yet")
    assert edited(text, [Entry("db-01", {}, (OTHER,))]) == text.replace("host_keys: []", f"host_keys: [{OTHER}]")


def test_the_note_that_there_is_no_key_goes_with_the_first_one() -> None:
    text = FILE.replace(f"host_keys: [{KEY}]", f"host_keys: []{NO_KEY}")
    assert edited(text, [Entry("db-01", {}, (OTHER,))]) == FILE.replace(f"[{KEY}]", f"[{OTHER}]")


def test_words_that_yaml_takes_for_something_else_are_quoted() -> None:
    words = ["web-01", "no", "007", "1e3", "2024-01-01", "::1", "2001:db8::1", "192.0.2.1", "null", "~"]
    assert [yaml.safe_load(f"a: {quoted(word)}")["a"] for word in words] == words
    assert quoted("web-01") == "web-01"
    after = edited(FILE, [Entry("007", {"address": "192.0.2.7", "environment": quoted("on")}, (KEY,))])
    assert read_inventory(parse_document(Path("hosts.yaml"), after.encode())).names[0] == "007"


def test_a_file_without_a_line_end_is_completed() -> None:
    text = FILE[: FILE.index("\n\n# The end.")]
    after = edited(text, [Entry("web-02", {"address": "192.0.2.12", "environment": "prod"}, (KEY,))])
    assert read_inventory(parse_document(Path("hosts.yaml"), after.encode())).names == ("db-01", "web-01", "web-02")


@pytest.mark.parametrize(
    "text", ["hosts: [{name: a}]\n", "hosts:\n  - {name: a}\n", "hosts: []\n", "other: 1\n", "- 1\n"]
)
def test_a_form_that_cannot_be_changed_line_by_line_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"hosts\.yaml: maskbot can only edit"):
        edited(text, [Entry("b", {"address": "192.0.2.1"})])
