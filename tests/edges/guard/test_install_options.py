"""What the script for a host is made from: what is no key, address or login is refused before anything is printed."""

import hashlib
import re
import shlex
from pathlib import Path

import paramiko
import pytest

from bot.edges.guard.install import (
    Setup,
    checked_addresses,
    checked_key,
    checked_setup_login,
    install_script,
    key_line,
    written_addresses,
)
from bot.edges.guard.text import guard
from bot.errors import UsageError

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINjiING7hqSPRU+3+6FuEuBxxHxhG8VrTqjewyMyYThy"


@pytest.mark.parametrize("text", [KEY, f"{KEY} me@here", f"# the bot's\n{KEY} me@here\n  \n"])
def test_a_public_key_is_taken_without_its_comment(text: str) -> None:
    assert checked_key(text) == KEY


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "One public key is needed"),
        (KEY.replace("AAAAC3", "AAAA!C3"), f"`{KEY[:16]}!{KEY[16:39]}` is no public key"),
        (f"{KEY}\n{KEY}", "One public key is needed"),
        (f"{KEY} a\x07b", "One public key is needed"),
        ("ssh-ed25519", "is no public key"),
        ("ssh-ed25519 AAAA", "is no public key"),
        ("ssh-ed25519 %%%%", "is no public key"),
        (KEY.replace("ed25519 ", "rsa "), "is no public key"),
        (KEY[:-4], f"`{KEY[:40]}` is damaged"),
        ("ssh-rsa AAAAB3NzaC1yc2EAAAAByQAAAAEA", "is no public key"),  # its exponent is below zero
        (f"restrict {KEY}", "is no public key"),
        (f"ssh-ed25519-cert-v01@openssh.com {KEY.split()[1]}", "is no public key"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA", "That is a private key"),
    ],
)
def test_what_is_no_public_key_is_refused(text: str, why: str) -> None:
    with pytest.raises(UsageError, match=re.escape(why)):
        checked_key(text)


def test_a_key_of_another_kind_than_it_says_is_refused() -> None:
    key = paramiko.ECDSAKey.generate(bits=384)
    with pytest.raises(UsageError, match="is damaged"):
        checked_key(f"ecdsa-sha2-nistp256 {key.get_base64()}")


def test_a_name_of_its_own_is_a_login() -> None:
    assert checked_setup_login("mask-bot") == "mask-bot"


@pytest.mark.parametrize("name", ["root", "", "Mask", "a b", "a;reboot", "-u", "a\n", "$(id)", "x" * 40, "../a"])
def test_root_and_odd_names_are_no_login(name: str) -> None:
    with pytest.raises(UsageError):
        checked_setup_login(name)


def test_addresses_and_networks_are_taken() -> None:
    assert checked_addresses("*") == ("*",)
    assert checked_addresses("192.0.2.5, 10.0.0.0/8 2001:db8::5") == ("192.0.2.5", "10.0.0.0/8", "2001:db8::5")


@pytest.mark.parametrize(
    "text", ["bot.example.net", "10.0.0.1/8", '1.2.3.4"', "* 192.0.2.5", "!192.0.2.5", "300.1.1.1"]
)
def test_what_sshd_would_not_match_is_no_address(text: str) -> None:
    with pytest.raises(UsageError, match="is neither an address nor a network"):
        checked_addresses(text)


def test_of_what_is_no_address_the_beginning_is_named() -> None:
    with pytest.raises(UsageError, match=f"^`{'x' * 40}` is neither"):
        checked_addresses("x" * 60)


def test_the_key_line_opens_the_guard_alone_from_the_addresses_alone() -> None:
    line = 'restrict,command="/usr/local/libexec/maskbot-guard",from="192.0.2.5,10.0.0.0/8" '
    assert key_line(Setup("maskbot", KEY, ("192.0.2.5", "10.0.0.0/8"))) == f"{line}{KEY} maskbot"
    assert 'guard" ssh-ed25519' in key_line(Setup("maskbot", KEY))


@pytest.mark.parametrize("addresses", [(), ("192.0.2.5", "10.0.0.0/8"), ("*",)])
def test_the_addresses_in_a_script_are_read_again(tmp_path: Path, addresses: tuple[str, ...]) -> None:
    assert written_addresses(tmp_path / "none") == ""
    (tmp_path / "script").write_text(install_script(Setup("maskbot", KEY, addresses), []))
    assert checked_addresses(written_addresses(tmp_path / "script")) == addresses


def test_what_is_no_text_has_no_addresses(tmp_path: Path) -> None:
    (tmp_path / "script").write_bytes(b"\xff\xfe")
    assert written_addresses(tmp_path / "script") == ""


def settings(script: str) -> dict[str, str]:
    """What a script says at its beginning, as a shell reads it."""
    return dict(word.split("=", 1) for word in shlex.split(script.split("\n\n")[1]))


def test_the_script_says_at_its_beginning_what_is_special() -> None:
    places = ("10.0.0.0/8", "*", "192.0.2.5", "192.0.2.6")
    setup = Setup("mask-bot", KEY, places, users=("deploy", "app"), is_doas=True, has_control=False)
    script = install_script(setup, ["ssh*"])
    said = settings(script)
    assert said.pop("WAYS").split()[0] == "/usr/bin/sudo"
    assert said == {
        "LOGIN": "mask-bot",
        "KEY": key_line(setup),
        "BLOB": KEY.split()[1],
        "USERS": "deploy app",
        "DOAS": "yes",
        "WITH_CONTROL": "",
        "FROM": "192.0.2.5",
        "SUDOERS_LINE": 'mask-bot ALL=(root) NOPASSWD: /usr/local/libexec/maskbot-guard ""',
        "TERMINAL_LINE": "Defaults!/usr/local/libexec/maskbot-guard !requiretty",
        "DOAS_LINE": "permit nopass mask-bot as root cmd /usr/local/libexec/maskbot-guard args",
        "QUESTION": '{"protocol": 1, "id": "0", "do": ["rules"]}',
        "GUARD_SUM": hashlib.sha256(guard(["ssh*"]).encode()).hexdigest(),
    }
    assert {"users: deploy app", "become: doas"} <= {*script.splitlines()}
    assert script.splitlines().count("END OF THE GUARD") == 2  # of two texts, and neither has it in itself
    assert script.endswith('main "$@" </dev/null\n')


@pytest.mark.parametrize("addresses", [(), ("*",), ("10.0.0.0/8",)])
def test_what_is_not_given_is_as_on_most_hosts(addresses: tuple[str, ...]) -> None:
    script = install_script(Setup("maskbot", KEY, addresses), [])
    special = {"USERS": "", "DOAS": "", "WITH_CONTROL": "yes", "FROM": ""}
    assert special.items() <= settings(script).items()
    assert "#users: deploy" in script.splitlines()
    assert "become: doas" not in script.splitlines()
