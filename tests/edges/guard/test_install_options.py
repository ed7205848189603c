"""What the script for a host is made from: what is no key, address or login is refused before anything is printed."""

import re
from pathlib import Path

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
from bot.errors import UsageError

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINjiING7hqSPRU+3+6FuEuBxxHxhG8VrTqjewyMyYThy"


@pytest.mark.parametrize("text", [KEY, f"{KEY} me@here", f"# the bot's\n{KEY} me@here\n\n"])
def test_a_public_key_is_taken_without_its_comment(text: str) -> None:
    assert checked_key(text) == KEY


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "One public key is needed"),
        (f"{KEY}\n{KEY}", "One public key is needed"),
        (f"{KEY} a\x07b", "One public key is needed"),
        ("ssh-ed25519", "is no public key"),
        ("ssh-ed25519 AAAA", "is no public key"),
        ("ssh-ed25519 %%%%", "is no public key"),
        (KEY.replace("ed25519 ", "rsa "), "is no public key"),
        (KEY[:-4], "is damaged"),
        ("ssh-rsa AAAAB3NzaC1yc2EAAAAByQAAAAEA", "is no public key"),  # its exponent is below zero
        (f"restrict {KEY}", "is no public key"),
        (f"ssh-ed25519-cert-v01@openssh.com {KEY.split()[1]}", "is no public key"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA", "That is a private key"),
    ],
)
def test_what_is_no_public_key_is_refused(text: str, why: str) -> None:
    with pytest.raises(UsageError, match=re.escape(why)):
        checked_key(text)


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


def test_the_key_line_opens_the_guard_alone_from_the_addresses_alone() -> None:
    line = 'restrict,command="/usr/local/libexec/maskbot-guard",from="192.0.2.5,10.0.0.0/8" '
    assert key_line(Setup("maskbot", KEY, ("192.0.2.5", "10.0.0.0/8"))) == f"{line}{KEY} maskbot"
    assert 'guard" ssh-ed25519' in key_line(Setup("maskbot", KEY))


@pytest.mark.parametrize("addresses", [(), ("192.0.2.5", "10.0.0.0/8"), ("*",)])
def test_the_addresses_in_a_script_are_read_again(tmp_path: Path, addresses: tuple[str, ...]) -> None:
    assert written_addresses(tmp_path / "none") == ""
    (tmp_path / "script").write_text(install_script(Setup("maskbot", KEY, addresses), []))
    assert checked_addresses(written_addresses(tmp_path / "script")) == addresses


def test_the_script_says_at_its_beginning_what_is_special() -> None:
    script = install_script(Setup("mask-bot", KEY, users=("deploy", "app"), is_doas=True), ["ssh*"])
    head = script.partition("# Everything below is the same for all hosts")[0]
    assert {"LOGIN=mask-bot", "USERS='deploy app'", "DOAS=yes"} <= set(head.splitlines())
    assert "\nbecome: doas\n" in script
    assert script.endswith('main "$@" </dev/null\n')
