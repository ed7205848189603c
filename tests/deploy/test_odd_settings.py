"""A host whose sudo wants a terminal, whose sshd reads keys elsewhere, and that labels files: set up, and cleared."""

from collections.abc import Iterator

import pytest

from bot.edges.guard.text import sudoers_line, terminal_line
from tests.deploy.setting_up import EVERYTHING, SUDOERS, answers, pictured, run
from tests.edges.guard.asking import asked_through
from tests.lab.hosts import LabHost

pytestmark = pytest.mark.ssh

RESTORECON, LABELLED = "/usr/local/sbin/restorecon", "/run/labelled"
SSHD = "/etc/ssh/sshd_config"


@pytest.fixture
def odd(bare: LabHost) -> Iterator[LabHost]:
    """`Defaults requiretty`, `AuthorizedKeysFile` outside of homes, and a restorecon(8) that says what it was given."""
    bare.run("sh", "-c", f"cp {SSHD} /run/sshd_config; cp /etc/sudoers /run/sudoers")
    bare.write(RESTORECON, f'#!/bin/sh\necho "$1" >>{LABELLED}\n', 0o755)
    bare.run("sh", "-c", "echo Defaults requiretty >>/etc/sudoers")
    read_keys_in(bare, ".ssh/authorized_keys2 /etc/ssh/keys/%u")
    yield bare
    bare.run("sh", "-c", f"cat /run/sshd_config >{SSHD}; cat /run/sudoers >/etc/sudoers; rm {RESTORECON} {LABELLED}")
    bare.run("systemctl", "reload", "ssh")


def read_keys_in(host: LabHost, files: str) -> None:
    host.run("sh", "-c", f"sed -i '/^AuthorizedKeysFile/d' {SSHD}; sed -i '1iAuthorizedKeysFile {files}' {SSHD}")
    host.run("systemctl", "reload", "ssh")


def test_the_key_goes_where_sshd_reads_it_and_the_guard_needs_no_terminal(odd: LabHost) -> None:
    before = pictured(odd)
    said = run(odd)
    assert said[2] == "/home/maskbot/.ssh/authorized_keys2: the bot's key, for the guard alone"
    assert odd.run("cat", SUDOERS).stdout == sudoers_line("maskbot") + terminal_line()
    assert run(odd) == ["nothing changed"]
    assert answers(odd)
    seen = asked_through(odd.ssh("x"), "rules").out.splitlines()
    assert [line for line in seen if line.startswith(("may", "unknown", "shell"))] == []
    labelled = odd.run("sort", "-u", LABELLED).stdout.split()
    assert {"/home/maskbot/.ssh/authorized_keys2", "/usr/local/libexec/maskbot-guard", SUDOERS} < {*labelled}
    assert run(odd, "--remove")[-1] == "8 changed"
    assert pictured(odd) == before


def test_a_key_outside_of_homes_is_root_s_and_goes_again(odd: LabHost) -> None:
    read_keys_in(odd, "/etc/ssh/everybody /etc/ssh/keys/%u")
    before = pictured(odd)
    assert run(odd, "--check")[-1] == "9 would be changed"
    said = run(odd)
    assert said[2:4] == ["/etc/ssh/keys: new folder", "/etc/ssh/keys/maskbot: the bot's key, for the guard alone"]
    assert answers(odd)
    assert run(odd) == ["nothing changed"]
    odd.run("sh", "-c", "echo 'ssh-ed25519 AAAA by hand' >>/etc/ssh/keys/maskbot")
    seen = asked_through(odd.ssh("x"), "rules").out.splitlines()
    assert "shell the key in line 2 of /etc/ssh/keys/maskbot" in seen
    odd.run("sed", "-i", "2d", "/etc/ssh/keys/maskbot")
    assert run(odd, "--remove")[0] == "/etc/ssh/keys/maskbot: without the bot's key"
    assert pictured(odd) == before


def test_a_file_of_keys_that_is_every_login_s_is_left_to_root(odd: LabHost) -> None:
    read_keys_in(odd, "/etc/ssh/everybody")
    said = run(odd)
    assert said[0].startswith(
        "note: sshd looks for keys in /etc/ssh/everybody, which is not the login's own. Put the key"
    )
    assert EVERYTHING[2] not in said
    assert not answers(odd)
