"""hosts.yaml: what is read from it, and every way to get it wrong."""

import base64
import hashlib
from pathlib import Path

import pytest

from bot.core.hosts.inventory import Host
from tests.config.folder import HOSTS, KEY, Folder

# RFC 8032, 7.1, test 1: a public key whose private half everybody has.
RAW = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
BLOB = b"\0\0\0\x0bssh-ed25519\0\0\0\x20" + RAW
PUBLIC = f"ssh-ed25519 {base64.b64encode(BLOB).decode()} root@web-01"


def test_a_host_is_read_with_everything_that_is_said_of_it(folder: Folder) -> None:
    folder.hosts += "    port: 2222\n    login: ops\n    machine_id: '00000000000000000000000000000001'\n"
    assert folder.load().inventory.hosts == (
        Host(
            name="web-01",
            address="192.0.2.11",
            port=2222,
            login="ops",
            environment="prod",
            groups=frozenset({"web"}),
            pins=frozenset({KEY}),
            machine_id="00000000000000000000000000000001",
        ),
    )


def test_what_is_not_said_of_a_host_is_the_usual(folder: Folder) -> None:
    (host,) = folder.load().inventory.hosts
    assert (host.port, host.login, host.machine_id) == (22, "maskbot", "")


def test_a_public_key_is_pinned_by_its_fingerprint(folder: Folder) -> None:
    folder.hosts = HOSTS.replace(f"[{KEY}]", f"['{PUBLIC}', {KEY}]")
    fingerprint = "SHA256:" + base64.b64encode(hashlib.sha256(BLOB).digest()).decode().rstrip("=")
    assert folder.load().inventory.hosts[0].pins == {fingerprint, KEY}


NO_NUMBER = "looks like a number or a date, and is none; put text into quotes"
WRONG = {
    "an unknown key": ("name: web-01", "nam: web-01", "hosts.yaml:2: hosts[0].nam: unknown key. Did you mean `name`?"),
    "no address": ("    address: 192.0.2.11\n", "", "hosts.yaml:2: hosts[0].address: is missing"),
    "an address that is none": (
        "192.0.2.11",
        "192.0.2.256",
        "hosts.yaml:3: hosts[0].address: `192.0.2.256` is neither an IP address nor a DNS name",
    ),
    "an address in short": ("192.0.2.11", "'127.1'", "hosts.yaml:3: hosts[0].address: `127.1` is neither"),
    "an address in hexadecimal": ("192.0.2.11", "'0x7f000001'", "hosts.yaml:3: hosts[0].address: `0x7f000001` is"),
    "a name with an option": ("192.0.2.11", "-oProxy", "hosts.yaml:3: hosts[0].address: `-oProxy` is neither"),
    "a name with an underscore": ("192.0.2.11", "web_01.example", "hosts.yaml:3: hosts[0].address: `web_01.example`"),
    "a name that is too long": ("192.0.2.11", ".".join(["a" * 60] * 5), "hosts.yaml:3: hosts[0].address: `aaaa"),
    "a command word": ("web-01", "status", "hosts.yaml:2: hosts[0].name: `status` is a command word"),
    "the word of an enrolment": ("web-01", "enrol", "hosts.yaml:2: hosts[0].name: `enrol` is a command word"),
    "a name nobody can type": ("web-01", "Web_01", "hosts.yaml:2: hosts[0].name: `Web_01` is not a valid host name"),
    "a number for a word": (
        "prod",
        "1",
        "hosts.yaml:4: hosts[0].environment: has to be text; write numbers, yes and no in quotes",
    ),
    "no environment in small letters": (
        "prod",
        "PROD",
        "hosts.yaml:4: hosts[0].environment: `PROD` is not a valid name",
    ),
    "no key": (f"    host_keys: [{KEY}]\n", "", "hosts.yaml:2: hosts[0].host_keys: is missing"),
    "half a fingerprint": (KEY, KEY[:-1], "hosts.yaml:6: hosts[0].host_keys[0]: is a damaged fingerprint"),
    "an old kind of key": (KEY, "ssh-dss AAAA", "hosts.yaml:6: hosts[0].host_keys[0]: is neither a fingerprint"),
    "a damaged key": (KEY, "ssh-ed25519 AAA", "hosts.yaml:6: hosts[0].host_keys[0]: is a public key with damaged"),
    "a key under another name": (KEY, PUBLIC.replace("ssh-ed25519", "ssh-rsa"), "is damaged: it says ssh-rsa"),
    "no YAML": ("hosts:", "hosts: [", "hosts.yaml:2: is not valid YAML"),
    "an open bracket": ("[web]", "[web", "hosts.yaml:6: is not valid YAML: expected ',' or ']', but got ':', while "),
    "where it begins": ("[web]", "[web", "parsing a flow sequence that begins on line 5"),
    "a tab": ("    groups", "\tgroups", "cannot start any token; indent with spaces, not tabs"),
    "text for a list": ("[web]", "web", "hosts.yaml:5: hosts[0].groups: has to be a list, like [a, b]"),
    "an alias": ("[web]", "*web", "hosts.yaml:5: aliases (`*name`) are not allowed; write the value again"),
    "a tag": ("[web]", "!!python/name:os.system x", "hosts.yaml:5: is not valid YAML"),
    "signs that YAML does not have": ("[web]", "['\0']", "hosts.yaml: contains characters that YAML does not allow"),
    "no end of brackets": ("[web]", "[" * 500_000, "hosts.yaml:5: lists and mappings are nested more than 50 deep"),
    "no end of dashes": (
        "[web]",
        "\n" + "- " * 500_000,
        "hosts.yaml:6: lists and mappings are nested more than 50 deep",
    ),
    "a day that there is not": ("[web]", "2026-02-30", f"hosts.yaml:5: {NO_NUMBER}"),
    "a zone that there is not": ("[web]", "2026-02-03T00:00:00+99:00", f"hosts.yaml:5: {NO_NUMBER}"),
    "a tag that does not fit": ("[web]", "!!timestamp web", f"hosts.yaml:5: {NO_NUMBER}"),
    "no end of digits": ("[web]", "1" * 500_000, f"hosts.yaml:5: {NO_NUMBER}"),
    "no end of minutes": ("[web]", "1" + ":59" * 300_000, f"hosts.yaml:5: {NO_NUMBER}"),
    "a key that is no word": ("[web]", "{[a]: b}", "hosts.yaml:5: a key must be"),
}


@pytest.mark.parametrize(("right", "wrong", "said"), WRONG.values(), ids=WRONG)
def test_refused_with_file_and_line(right: str, wrong: str, said: str, folder: Folder) -> None:
    assert right in HOSTS
    folder.hosts = HOSTS.replace(right, wrong, 1)
    assert any(said in line for line in folder.complaints())


ADDED = {
    "a login": ("login: --oProxyCommand", "hosts.yaml:7: hosts[0].login: `--oProxyCommand` is not a login name"),
    "a port": ("port: 65536", "hosts.yaml:7: hosts[0].port: has to be less than or equal to 65535"),
    "a machine-id": ("machine_id: 4c1f", "hosts.yaml:7: hosts[0].machine_id: is not a machine-id"),
    "a key twice": ("name: web-02", "hosts.yaml:7: `name` is given twice"),
}


@pytest.mark.parametrize(("line", "said"), ADDED.values(), ids=ADDED)
def test_refused_with_file_and_line_when_wrong_is(line: str, said: str, folder: Folder) -> None:
    folder.hosts += f"    {line}\n"
    (complaint,) = folder.complaints()
    assert complaint.startswith(said)


SECOND = f"""\
  - name: web-02
    address: 192.0.2.12
    environment: prod
    host_keys: [{KEY}]
    machine_id: 4c1f0b6f3a5d4e0f9a7b2d8c6e5f4a3b
"""
DOUBLED = {
    "name": (SECOND.replace("web-02", "web-01"), "hosts.yaml:7: hosts[1].name: already used by host web-01"),
    "address": (SECOND.replace(".12", ".11"), "hosts.yaml:8: hosts[1].address: already used by host web-01"),
    "machine-id": (
        SECOND + SECOND.replace("web-02", "web-03").replace(".12", ".13"),
        "hosts.yaml:16: hosts[2].machine_id: already used by host web-02",
    ),
}


@pytest.mark.parametrize(("more", "said"), DOUBLED.values(), ids=DOUBLED)
def test_two_hosts_do_not_share_their(more: str, said: str, folder: Folder) -> None:
    folder.hosts += more
    assert folder.complaints() == [said]


def test_a_host_whose_key_is_not_known_yet_is_a_warning(folder: Folder) -> None:
    folder.hosts += SECOND.replace(f"[{KEY}]", "[]")
    (warning,) = folder.load().warnings
    assert warning.text.endswith(
        "hosts.yaml:10: hosts[1].host_keys: no key of web-02 is pinned, so nothing is sent to it."
        " `maskbot hosts scan` shows its key"
    )


BASTION = f"""\
  - name: bastion
    address: 192.0.2.1
    environment: edge
    host_keys: [{KEY}]
"""


def test_a_host_is_reached_through_others(folder: Folder) -> None:
    second = SECOND.replace("192.0.2.12", "192.0.2.11") + "    via: bastion\n"
    folder.hosts += second + second.replace("web-02", "web-03").replace("machine_id", "#") + BASTION
    folder.hosts = folder.hosts.replace("name: web-03", "name: web-03\n    login: far").replace(
        "via: bastion\n  - name: bastion", "via: web-02\n  - name: bastion"
    )
    inventory = folder.load().inventory
    bastion, second_host = inventory.get("bastion"), inventory.get("web-02")
    third = inventory.get("web-03")
    assert third is not None
    assert third.hops == (bastion, second_host)
    assert third.via == second_host


CHAIN = "".join(
    f"  - name: hop-{n}\n    address: 192.0.2.{n + 20}\n    via: hop-{n + 1}\n"
    f"    environment: edge\n    host_keys: [{KEY}]\n"
    for n in range(1, 6)
)
JUMPS = {
    "nobody": (
        "    via: bastoin\n" + BASTION,
        "hosts.yaml:7: hosts[0].via: no host has the name `bastoin`. Did you mean",
    ),
    "itself": ("    via: web-01\n", "hosts.yaml:7: hosts[0].via: leads in a circle: web-01, web-01"),
    "a circle": (
        "    via: bastion\n" + BASTION + "    via: web-01\n",
        "hosts.yaml:7: hosts[0].via: leads in a circle: web-01, bastion, web-01",
    ),
    "a command word": ("    via: status\n", "hosts.yaml:7: hosts[0].via: `status` is a command word"),
    "too many": (
        "    via: hop-1\n" + CHAIN + BASTION.replace("bastion", "hop-6"),
        "hosts.yaml:7: hosts[0].via: leads through more than 4 hosts",
    ),
}


@pytest.mark.parametrize(("more", "said"), JUMPS.values(), ids=JUMPS)
def test_refused_with_file_and_line_is_a_way_through(more: str, said: str, folder: Folder) -> None:
    folder.hosts += more
    assert folder.complaints()[0].startswith(said)


SIGNED = f"""\
hosts:
  - name: web-01
    address: web-01.example
    environment: prod
    principals: [web-01.internal]
  - name: db-01
    address: 192.0.2.21
    environment: prod
    host_keys: [{KEY}]
host_ca:
  - public_key: {PUBLIC}
    names: ["web-*", bastion]
    revoked_keys: [{KEY}]
    revoked_serials: [7, 18446744073709551615]
"""


def test_a_ca_may_vouch_for_hosts_instead_of_pins(folder: Folder) -> None:
    folder.hosts = SIGNED
    web, db = folder.load().inventory.hosts
    (authority,) = web.authorities
    assert (authority.revoked_keys, authority.revoked_serials) == (frozenset({KEY}), frozenset({7, 2**64 - 1}))
    assert authority.fingerprint == "SHA256:" + base64.b64encode(hashlib.sha256(BLOB).digest()).decode().rstrip("=")
    assert (web.pins, web.certificate_names) == (frozenset(), frozenset({"web-01.internal"}))
    assert (db.pins, db.authorities) == (frozenset({KEY}), ())


def test_a_revocation_list_is_part_of_what_a_host_is_trusted_by_and_one_that_cannot_be_used_is_a_warning(
    folder: Folder, tmp_path: Path
) -> None:
    listed = tmp_path / "revoked"
    listed.write_text("# none\n")
    folder.hosts = SIGNED + f"    revoked: {listed}\n"
    first = folder.load()
    listed.write_text("serial: 7\n")
    second = folder.load()
    assert first.inventory.hosts[0].trusted != second.inventory.hosts[0].trusted
    assert (first.warnings, second.inventory.hosts[0].authorities[0].revocations) == (second.warnings, str(listed))
    for damage, why in (
        (lambda: listed.write_text("web-01\n"), "its line 1 is not understood"),
        (listed.unlink, "No such"),
    ):
        damage()
        (warning,) = set(folder.load().warnings) - set(first.warnings)
        assert f"hosts.yaml:15: host_ca[0].revoked: {listed} cannot be used ({why}" in warning.text


CAS = {
    "for nobody": (
        '"web-*"',
        '"db-*"',
        "hosts.yaml:2: hosts[0].host_keys: is missing, and no host_ca covers this name",
    ),
    "a fingerprint": (PUBLIC, KEY, "hosts.yaml:11: host_ca[0].public_key: is not a public key"),
    "no names": ('["web-*", bastion]', "[]", "hosts.yaml:12: host_ca[0].names: has to have at least 1 item"),
    "a pattern that is none": ('"web-*"', '"web-[0-9]"', "hosts.yaml:12: host_ca[0].names[0]: `web-[0-9]` is not a"),
    "a revoked name": (
        f"[{KEY}]\n    revoked_s",
        "[web-01]\n    revoked_s",
        "hosts.yaml:13: host_ca[0].revoked_keys[0]: is",
    ),
    "a revoked text": ("[7,", "['7',", "hosts.yaml:14: host_ca[0].revoked_serials[0]: has to be a whole number"),
    "a list without a full path": (
        "revoked_serials: [7, 18446744073709551615]",
        "revoked: revoked.krl",
        "hosts.yaml:14: host_ca[0].revoked: has to be the full path of a file, like /etc/maskbot/revoked.krl",
    ),
    "a principal with a pattern": ("web-01.internal", "'*'", "hosts.yaml:5: hosts[0].principals[0]: `*` is not a name"),
}


@pytest.mark.parametrize(("right", "wrong", "said"), CAS.values(), ids=CAS)
def test_refused_with_file_and_line_is_a_ca(right: str, wrong: str, said: str, folder: Folder) -> None:
    assert right in SIGNED
    folder.hosts = SIGNED.replace(right, wrong)
    assert folder.complaints()[0].startswith(said)


def test_an_address_may_be_a_name(folder: Folder) -> None:
    folder.hosts = HOSTS.replace("192.0.2.11", "Web-01.prod.example")
    assert folder.load().inventory.hosts[0].address == "web-01.prod.example"


def test_two_hosts_may_share_an_address_under_different_ports(folder: Folder) -> None:
    folder.hosts += SECOND.replace(".12", ".11") + "    port: 2222\n"
    assert folder.load().inventory.names == ("web-01", "web-02")


def test_everything_that_is_wrong_is_said_at_once(folder: Folder) -> None:
    folder.hosts = HOSTS.replace("prod", "PROD").replace("192.0.2.11", "192.0.2.256")
    folder.policy = folder.policy.replace("approve: [sre]", "approve: [ser]")
    assert [line.partition(":")[0] for line in folder.complaints()] == ["hosts.yaml", "hosts.yaml", "policy.yaml"]


def test_a_file_with_nothing_in_it_is_told_what_it_needs(folder: Folder) -> None:
    folder.hosts = "# nothing yet\n"
    assert folder.complaints() == ["hosts.yaml:1: no hosts are given: list them under `hosts`, or name an `inventory`"]


def sourced(folder: Folder, answer: str, *, more: str = "") -> Folder:
    """A hosts.yaml with a source, whose last good answer this is."""
    kept = folder.path / "kept.json"
    kept.write_text(answer)
    folder.hosts = HOSTS + f"inventory:\n  command: [/bin/true]\n  keep: {kept}\n{more}"
    return folder


ANSWERED = (
    f'{{"hosts": [{{"name": "web-02", "address": "192.0.2.12", "environment": "prod", "host_keys": ["{KEY}"]}}]}}'
)


def test_the_kept_answer_of_a_source_adds_hosts_and_counts_for_the_digest(folder: Folder) -> None:
    first = sourced(folder, ANSWERED, more="  every: 1m\n  deadline: 10s\n").load()
    assert first.inventory.names == ("web-01", "web-02")
    source = first.inventory.source
    assert source is not None
    assert (source.command, source.every.total_seconds(), source.deadline.total_seconds()) == (("/bin/true",), 60, 10)
    assert first.warnings == ()
    second = sourced(folder, ANSWERED.replace("192.0.2.12", "192.0.2.13")).load()
    assert first.policy.digest != second.policy.digest
    (folder.path / "kept.json").unlink()
    alone = folder.load()
    assert alone.inventory.names == ("web-01",)
    assert [one.text.partition(": ")[2] for one in alone.warnings] == [
        f"inventory.keep: {folder.path}/kept.json is not there yet, so its hosts are not known before the first answer"
    ]


def test_a_file_may_list_no_hosts_if_a_source_does(folder: Folder) -> None:
    sourced(folder, ANSWERED)
    folder.hosts = folder.hosts.replace(HOSTS, "")
    assert folder.load().inventory.names == ("web-02",)
    folder.hosts = "hosts: []\n"
    assert folder.complaints() == ["hosts.yaml:1: no hosts are given: list them under `hosts`, or name an `inventory`"]


ANSWERS = {
    "a name twice": (ANSWERED.replace("web-02", "web-01"), "kept.json:1: hosts[0].name: already used by host web-01"),
    "an unknown key": (ANSWERED.replace("name", "nam"), "kept.json:1: hosts[0].nam: unknown key. Did you mean `name`?"),
    "a CA": (ANSWERED.replace("}]}", '}], "host_ca": []}'), "kept.json:1: host_ca: unknown key"),
    "no key": (
        ANSWERED.replace("host_keys", "groups").replace(KEY, "a"),
        "kept.json:1: hosts[0].host_keys: is missing",
    ),
    "nothing": ("", "kept.json:1: hosts: is missing"),
    "no text": ("{", "kept.json:1: is not valid YAML"),
}


@pytest.mark.parametrize(("answer", "said"), ANSWERS.values(), ids=ANSWERS)
def test_an_answer_is_read_as_strictly_as_the_file(answer: str, said: str, folder: Folder) -> None:
    assert any(one.startswith(said) for one in sourced(folder, answer).complaints()), folder.complaints()


SOURCES = {
    "both": (
        "command: [/bin/true]",
        "command: [/bin/true]\n  url: https://a.example/",
        "hosts.yaml:7: inventory: needs either",
    ),
    "a relative program": (
        "[/bin/true]",
        "[lists]",
        "hosts.yaml:7: inventory: `command` has to begin with the full path",
    ),
    "no file to keep": ("keep: ", "keep: ./", "hosts.yaml:9: inventory.keep: has to be the full path of a file"),
    "a URL in the clear": (
        "command: [/bin/true]",
        "url: http://a.example/",
        "hosts.yaml:8: inventory.url: has to be an https",
    ),
    "a secret in the URL": (
        "command: [/bin/true]",
        "url: https://a:b@a.example/",
        "hosts.yaml:8: inventory.url: names a user; give",
    ),
    "too often": ("command:", "every: 9s\n  command:", "hosts.yaml:7: inventory: `every` has to be at least 10s"),
    "too slow": ("command:", "deadline: 61s\n  command:", "hosts.yaml:7: inventory: `deadline` has to be"),
}


@pytest.mark.parametrize(("right", "wrong", "said"), SOURCES.values(), ids=SOURCES)
def test_refused_with_file_and_line_is_a_source(right: str, wrong: str, said: str, folder: Folder) -> None:
    sourced(folder, ANSWERED)
    folder.hosts = folder.hosts.replace(right, wrong)
    assert folder.complaints()[0].startswith(said), folder.complaints()


def test_a_program_that_is_not_there_is_a_warning(folder: Folder) -> None:
    program = folder.path / "lists"
    program.write_text("#!/bin/sh\n")
    sourced(folder, ANSWERED)
    folder.hosts = folder.hosts.replace("/bin/true", str(program))
    (warning,) = folder.load().warnings
    assert "cannot be run on this machine, so the last good answer stays" in warning.text
    program.chmod(0o755)
    assert folder.load().warnings == ()
