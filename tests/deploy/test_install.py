"""A host set up by the printed script and by the Ansible role, from nothing, and cleared again: on a real host."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from bot.core.systemd.host_rules import GUARD
from bot.edges.guard.install import key_line
from bot.edges.guard.settings import CONFIGURATION
from tests.deploy.setting_up import (
    ANOTHER,
    EVERYTHING,
    KEYS,
    SUDOERS,
    answers,
    pictured,
    run,
    script_for,
    setup_of,
)
from tests.edges.guard.asking import asked_through, identity
from tests.lab.hosts import ROOT, LabHost
from tests.lab.installation import Installation

pytestmark = pytest.mark.ssh


def test_from_nothing_to_a_host_that_works_and_back_without_a_trace(bare: LabHost) -> None:
    before = pictured(bare)
    said = run(bare, "--check")
    assert (said[0], said[-1]) == (EVERYTHING[0], "8 would be changed")
    assert pictured(bare) == before

    assert run(bare) == [*EVERYTHING, "8 changed"]
    after = pictured(bare)
    assert answers(bare)
    assert asked_through(bare.ssh(GUARD), "check", "cron.service").out.split()[:2] == ["mask", "unmask"]
    assert run(bare, by="bash") == ["nothing changed"]
    assert pictured(bare) == after

    with subprocess.Popen(bare.ssh(GUARD), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as connected:
        assert run(bare, "--remove", "--check")[-1] == "8 would be changed"
        assert pictured(bare) == after
        gone = run(bare, "--remove")
        assert connected.wait(10) != 0
    assert (len(gone), gone[0], gone[-1]) == (9, "login maskbot: removed, with its home", "8 changed")
    assert pictured(bare) == before
    assert not answers(bare)
    assert run(bare, "--remove") == ["nothing changed"]


def test_an_upgrade_replaces_the_guard_alone_and_a_list_of_the_host_s_own_stays(bare: LabHost) -> None:
    run(bare)
    own = "login: maskbot\ncritical: payments*\n"
    bare.write(CONFIGURATION, own)
    bare.write(GUARD, bare.run("cat", GUARD).stdout.replace("VERSION = '0.1.0'", "VERSION = '0.0.9'"), 0o755)
    before = set(pictured(bare))

    assert run(bare) == [
        f"note: {CONFIGURATION} is this host's own and stays as it is; it has no `users: deploy`",
        f"{GUARD}: version 0.1.0, was 0.0.9",
        "1 changed",
    ]
    assert set(pictured(bare)) == before
    assert "payments*" in asked_through(bare.ssh(GUARD), "rules").out

    said = run(bare, "--remove")
    assert f"note: {CONFIGURATION} was written by hand, and stays" in said
    assert bare.run("cat", CONFIGURATION).stdout == own
    assert run(bare)[-1] == "6 changed"
    assert bare.run("cat", CONFIGURATION).stdout == own


def test_the_key_opens_nothing_but_the_guard_and_a_new_key_takes_its_place(bare: LabHost) -> None:
    run(bare, script=script_for(bare, key=ANOTHER))
    by_hand = f"# by hand\n{setup_of(bare).key} a shell\nssh-rsa AAAA root"
    bare.run("sh", "-c", f"cat >>{KEYS}", given=f"{by_hand}\n")

    assert run(bare) == [EVERYTHING[2], "1 changed"]
    assert bare.run("cat", KEYS).stdout.splitlines() == [key_line(setup_of(bare)), "# by hand", "ssh-rsa AAAA root"]
    assert answers(bare)
    assert run(bare, script=script_for(bare, addresses=("192.0.2.5", "10.0.0.0/8")))[-1] == "1 changed"
    assert not answers(bare)


def test_what_the_login_put_into_its_home_leads_root_nowhere(bare: LabHost) -> None:
    run(bare)
    bare.run("sh", "-c", f"rm {KEYS}; ln -s /root/.ssh/authorized_keys {KEYS}; rm -rf /root/x")
    roots = bare.run("cat", "/root/.ssh/authorized_keys").stdout
    assert run(bare) == [EVERYTHING[2], "1 changed"]
    bare.run("sh", "-c", "rm -r /home/maskbot/.ssh; ln -s /root/.ssh /home/maskbot/.ssh")
    assert run(bare, code=1)[-1] == f"maskbot: FAILED: {EVERYTHING[2]}"
    assert bare.run("cat", "/root/.ssh/authorized_keys").stdout == roots


def test_a_login_that_was_there_before_stays_without_the_key(bare: LabHost) -> None:
    bare.run("useradd", "--create-home", "--shell", "/usr/sbin/nologin", "maskbot")
    assert "Do: usermod -s /bin/sh maskbot" in run(bare, code=1)[-1]
    bare.run("usermod", "--shell", "/bin/sh", "--password", "*", "maskbot")
    assert run(bare)[-1] == "7 changed"
    assert answers(bare)
    said = run(bare, "--remove")
    assert said[:2] == [f"{KEYS}: without the bot's key", "note: the login maskbot was here before, and stays"]
    assert bare.run("cat", KEYS).stdout == ""
    bare.run("userdel", "--remove", "maskbot")


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        ("chmod g+w /usr/local", "/usr/local is not root's alone"),
        ("mkdir -p /etc/maskbot; echo 'login: other' >/etc/maskbot/guard.conf", "is for the login other"),
        ("cd /usr/bin; mv sudo sudo.away; mv doas doas.away", "there is neither sudo nor doas here"),
        ("mv /usr/bin/python3 /usr/bin/python3.away", "the guard needs /usr/bin/python3"),
    ],
)
def test_a_host_that_is_not_fit_is_left_as_it_is(bare: LabHost, damage: str, why: str) -> None:
    bare.run("sh", "-c", damage)
    before = pictured(bare)
    try:
        said = run(bare, code=1)
        assert (len(said), why in said[0]) == (1, True), said
        assert pictured(bare) == before
    finally:
        bare.run(
            "sh", "-c", "chmod g-w /usr/local; for f in sudo doas python3; do mv /usr/bin/$f.away /usr/bin/$f; done"
        )


def test_a_script_that_did_not_arrive_whole_or_undamaged_does_nothing(bare: LabHost) -> None:
    before, script = pictured(bare), script_for(bare)
    for cut in (2000, len(script) // 2, len(script) - 200):
        assert bare.run("sh", "-s", given=script[:cut]).returncode != 0 or cut == 2000
    assert "is damaged" in run(bare, script=script.replace("def main()", "def  main()"), code=1)[0]
    assert run(bare, "--undo", code=2) == ["usage: sh install.sh [--check] [--remove [--leave-masks]]"]
    as_somebody = bare.run("setpriv", "--reuid=65534", "--clear-groups", "sh", "-s", given=script)
    assert (as_somebody.returncode, as_somebody.stderr) == (1, "maskbot: only root can do this\n")
    assert pictured(bare) == before


def test_sudo_that_does_not_know_the_line_is_told(bare: LabHost) -> None:
    bare.run("sed", "-i.kept", "/includedir/d", "/etc/sudoers")
    try:
        last = run(bare, code=1)[-1]
        assert "the guard does not work: maskbot-guard: root was not reached: sudo:" in last
    finally:
        bare.run("mv", "/etc/sudoers.kept", "/etc/sudoers")


def test_the_bot_masks_and_undoes_over_it_and_it_is_not_removed_meanwhile(
    bare: LabHost, installation: Installation
) -> None:
    printed = installation.maskbot("host", "install-script", "--from", "127.0.0.1")
    assert printed.returncode == 0, printed.stderr
    assert run(bare, script=printed.stdout)[-1] == "8 changed"
    before = bare.show("cron.service", "LoadState", "ActiveState", "UnitFileState")

    masked = installation.maskbot("mask", "web-01", "cron", "INC-1", "--carry-out")
    assert "MASKED AND PROVEN" in masked.stdout, masked.stderr

    refused = run(bare, "--remove", code=1)
    assert refused[0].startswith("cron.service is masked (persistent, request r")
    assert refused[1].startswith("maskbot: nothing was removed. Undo these first")
    assert answers(bare)

    undone = installation.maskbot("unmask", "web-01", "cron", "--carry-out", "--json")
    assert json.loads(undone.stdout)["outcome"] == "restored"
    assert bare.show("cron.service", "LoadState", "ActiveState", "UnitFileState") == before
    assert run(bare, "--remove")[-1] == "8 changed"


def test_masks_that_stay_are_named_also_those_of_a_user_and_one_that_was_not_made_yet(bare: LabHost) -> None:
    run(bare)
    for words in (("link", "runtime", "cron.service"), ("stop", "restless.service")):
        assert asked_through(bare.ssh(GUARD), *words).code == 0
    assert asked_through(bare.ssh(GUARD), "link", "persistent", "player.service", user="deploy").code == 0
    said = [
        "player.service of deploy is masked (persistent, request R-7)",
        "cron.service is masked (runtime, request R-7)",
        "restless.service is stopped for a mask that is not made yet",
    ]
    refused = run(bare, "--remove", code=1)
    assert sorted(refused[:3]) == sorted(said)
    link = identity(bare, "/run/systemd/system/cron.service")
    bare.run("sh", "-c", "rm /run/systemd/system/cron.service; ln -s /dev/null /run/systemd/system/cron.service")
    assert identity(bare, "/run/systemd/system/cron.service") != link  # root's own by now
    assert sorted(run(bare, "--remove", "--leave-masks")[:2]) == sorted([said[0], said[2]])
    assert bare.run("readlink", "/home/deploy/.config/systemd/user/player.service").stdout == "/dev/null\n"
    bare.run("rm", "/home/deploy/.config/systemd/user/player.service")


def test_doas_where_there_is_no_sudo(bare: LabHost) -> None:
    shutil.copy2(ROOT / "usr/bin/doas", bare.root / "usr/bin/doas")  # other hosts of the lab have sudo alone
    bare.run("mv", "/usr/bin/sudo", "/usr/bin/sudo.away")
    try:
        bare.write("/etc/doas.conf", "permit root", 0o600)
        assert f"/etc/doas.conf: {EVERYTHING[6].partition(': ')[2]}" in run(bare)
        assert run(bare) == ["nothing changed"]
        assert "mask" in asked_through(bare.ssh(GUARD), "check", "cron.service").out.split()
        assert "/etc/doas.conf: without our line" in run(bare, "--remove")
        assert bare.run("cat", "/etc/doas.conf").stdout == "permit root\n"
    finally:
        bare.run("mv", "/usr/bin/sudo.away", "/usr/bin/sudo")
    bare.run("rm", "/etc/doas.conf")
    before, by_doas = pictured(bare), script_for(bare, is_doas=True)
    assert run(bare, script=by_doas)[6].startswith("/etc/doas.conf: ")
    assert not Path(f"{bare.root}{SUDOERS}").exists()
    assert "way doas" in asked_through(bare.ssh(GUARD), "rules").out.splitlines()
    run(bare, "--remove", script=by_doas)
    assert pictured(bare) == before


def test_the_role_does_the_same_and_nothing_the_second_time(bare: LabHost, playbook: Any, tmp_path: Path) -> None:
    before, printed = pictured(bare), tmp_path / "printed"
    printed.write_text(script_for(bare, users=()))
    as_printed = ["sh", "-c", f"cat {printed}"]  # this takes less time than to print it each time
    recap, said = playbook("--check", maskbot_command=as_printed)
    assert (recap["failed"], recap["changed"]) == (0, 1), said
    assert "8 would be changed" in said
    assert pictured(bare) == before

    recap, said = playbook()
    assert (recap["failed"], recap["changed"]) == (0, 1), said
    assert EVERYTHING[2] in said
    assert answers(bare)
    recap, said = playbook(maskbot_command=as_printed)
    assert (recap["failed"], recap["changed"]) == (0, 0), said

    recap, said = playbook(maskbot_command=as_printed, maskbot_state="absent")
    assert (recap["failed"], recap["changed"]) == (0, 1), said
    assert pictured(bare) == before


def test_addresses_that_the_key_is_bound_to_stay_unless_others_are_named(bare: LabHost) -> None:
    """Also where the script is printed anew without them, and for the key that takes the place of the old one."""
    run(bare)
    assert run(bare, script=script_for(bare, addresses=())) == ["nothing changed"]
    run(bare, script=script_for(bare, addresses=(), key=ANOTHER))
    assert bare.run("cat", KEYS).stdout == f"{key_line(setup_of(bare, key=ANOTHER))}\n"
    run(bare, script=script_for(bare, addresses=("192.0.2.5",), key=ANOTHER))
    assert 'from="192.0.2.5"' in bare.run("cat", KEYS).stdout
    run(bare, script=script_for(bare, addresses=("*",)))
    assert bare.run("cat", KEYS).stdout == f"{key_line(setup_of(bare, addresses=('*',)))}\n"
    assert answers(bare)
