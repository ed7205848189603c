"""The guard on a real host: the bot does all that it does anywhere, and its key opens nothing else."""

import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import pytest

from bot.core.requests import Outcome, Stage
from bot.core.systemd.host_rules import GUARD
from bot.doctor.hosts import examine_host
from bot.edges.guard.settings import CONFIGURATION
from bot.edges.ssh.guarded import GuardedHosts
from tests.edges.guard.asking import read
from tests.lab.hosts import CRITICAL, LabHost
from tests.workflow.fleet import AnyHost, Fleet
from tests.workflow.hands import cut_off, let_in
from tests.workflow.hosts.test_quarantine import AUTHORIZED
from tests.workflow.lifecycle.test_outcome_unknown import is_masked, is_untouched
from tests.workflow.world import World, inventory


@pytest.fixture(scope="module")
def fleet(real_fleet: Fleet) -> Fleet:
    """Systemd itself is the subject."""
    return real_fleet


pytestmark = pytest.mark.ssh
PATTERNS = [unit.pattern for unit in CRITICAL]
NOTHING_MORE = "login: nothing but the guard"
MORE = "the bot's login may do more as root than call the guard"
OF_ANOTHER_PROTOCOL = "#!/bin/sh\nread -r _\necho maskbot-guard 9 7.0.0 - 64 0 0 0\nexit 64\n"


@contextmanager
def guarded(host: AnyHost, *, own: str = "", program: str = "", is_there: bool = True) -> Iterator[None]:
    """The bot's key leads to the guard alone; `own` are patterns of the host itself."""
    found = {path: host.run("cat", path).stdout for path in (GUARD, CONFIGURATION)}
    host.write(CONFIGURATION, found[CONFIGURATION] + (f"critical: {own}\n" if own else ""))
    host.write(GUARD, program or found[GUARD], 0o755)
    if not is_there:
        host.run("rm", GUARD)
    key = host.run("cat", AUTHORIZED).stdout
    host.run("sh", "-c", f"sed -i 's|^|restrict,command=\"{GUARD}\" |' {AUTHORIZED}")
    cut_off(host)
    let_in(host)
    try:
        yield
    finally:
        host.run("sh", "-c", f"cat >{AUTHORIZED}", given=key)
        for path, text in found.items():
            host.write(path, text, 0o755 if path == GUARD else 0o644)
        cut_off(host)
        let_in(host)


@pytest.mark.fault("F18", how="a guard on a real host whose critical list is longer than the bot's")
def test_a_host_with_its_guard_does_what_the_bot_says_and_spares_what_it_spares(
    shared_world: World, lab_hosts: Mapping[str, LabHost], saw: Callable[[str], str]
) -> None:
    world, host = shared_world, shared_world.hosts["web-01"]
    with guarded(host, own="tuned.* metrics.service"):
        done = world.masked("restless")
        assert done.target.outcome is Outcome.PROVEN, (done.because, done.target.note)
        assert is_masked(host, "restless.service")
        assert world.undo(done).target.outcome is Outcome.RESTORED

        refused = world.mask("tuned")
        assert (refused.stage, "itself refuses this unit (host policy)" in saw(refused.because)) == (
            Stage.REFUSED,
            True,
        )
        for command in ("id", "", "sudo -n -l", "cat /etc/passwd"):
            client = lab_hosts["web-01"].ssh(*([command] if command else []))
            answer = subprocess.run(client, capture_output=True, stdin=subprocess.DEVNULL, check=False)
            assert read(answer).is_refused
        assert is_untouched(host, "tuned.service")


def test_the_host_s_journal_says_who_wanted_and_approved_it(shared_world: World) -> None:
    world, host = shared_world, shared_world.hosts["web-01"]
    done = world.masked("restless")
    journal = host.run("journalctl", "--no-pager", "-u", "restless.service", "-t", "maskbot-guard").stdout
    assert f"restless.service is masked (persistent), request {done.id}, asked by alice, approved by bob" in journal
    world.undo(done)
    journal = host.run("journalctl", "--no-pager", "-u", "restless.service", "-t", "maskbot-guard").stdout
    assert "restless.service is not masked any more (persistent)" in journal

    forged = "restless.service is masked (persistent), asked by nobody at all"
    assert (
        host.run("runuser", "-u", "nobody", "--", "systemd-cat", "-t", "maskbot-guard", "echo", forged).returncode == 0
    )
    host.run("journalctl", "--sync")
    assert forged in host.run("journalctl", "--no-pager", "-t", "maskbot-guard").stdout
    by_root = host.run("journalctl", "--no-pager", "-t", "maskbot-guard", "_UID=0").stdout  # as operations.md says
    assert (forged in by_root, "restless.service is not masked any more" in by_root) == (False, True)


@pytest.mark.parametrize("is_there", [True, False], ids=["of another protocol", "missing"])
@pytest.mark.fault("F19", how="the guard of another protocol on a real host, and one that is missing")
def test_a_guard_that_does_not_fit_is_said_before_anything_is_asked_of_people(
    shared_world: World, ways: GuardedHosts, *, is_there: bool, saw: Callable[[str], str]
) -> None:
    world, host = shared_world, shared_world.hosts["web-02"]
    with guarded(host, program=OF_ANOTHER_PROTOCOL, is_there=is_there):
        refused = world.mask("tuned", host="web-02")
        findings, _ = examine_host(ways, inventory({"web-02": host}).hosts[0], [], deadline=10)
    assert refused.stage is Stage.REFUSED
    assert "speaks protocol 9" in refused.because if is_there else "is missing" in saw(refused.because), refused.because
    saw(refused.because)
    (record,) = [
        one for one in world.store.records() if one["request_id"] == refused.id and one["type"] == "request.refused"
    ]
    assert record["reason_code"] == "host_not_ready"
    assert [one.what for one in findings if not one.is_ok]
    assert is_untouched(host, "tuned.service")


def test_the_doctor_names_the_guard_and_what_it_may_do(shared_world: World, ways: GuardedHosts) -> None:
    host = shared_world.hosts["db-01"]
    findings, _ = examine_host(ways, inventory({"db-01": host}).hosts[0], PATTERNS, deadline=10)
    assert [one.check for one in findings if one.check.startswith("guard ")] == ["guard 0.1.0, protocol 1"]
    assert all(one.is_ok for one in findings), [one for one in findings if not one.is_ok]
    said = {one.check: one.what for one in findings}
    sudo = host.run("sudo", "-V").stdout.split()[2]
    assert f"root through sudo {sudo}" in said
    assert float(said["clock"].split()[0]) < 5
    shells = "the key in line 1 of /home/maskbot/.ssh/authorized_keys; the key that the bot uses"
    assert said[NOTHING_MORE] == f"warning: a shell opens, not the guard alone, with {shells}"
    with guarded(host):
        findings, _ = examine_host(ways, inventory({"db-01": host}).hosts[0], PATTERNS, deadline=10)
    assert [one.what for one in findings if one.check == NOTHING_MORE] == [""]


@pytest.mark.parametrize(
    ("damage", "mend", "check", "told"),
    [
        ("usermod -aG adm,games maskbot", "gpasswd -d maskbot adm; gpasswd -d maskbot games",
         NOTHING_MORE, ("is in groups that it does not need: adm; games", "gpasswd -d maskbot GROUP")),
        ("mv /etc/sudoers.d/maskbot /root", "mv /root/maskbot /etc/sudoers.d",
         "root", ("called as root: root was not reached: sudo: a password is required", "install-script")),
        ("echo Defaults requiretty >>/etc/sudoers", "sed -i /requiretty/d /etc/sudoers",
         "root", ("root was not reached: sudo: sorry, you must have a tty to run sudo", "install-script")),
        (f"cp -p {GUARD} /root; sed -i 's/{{time.time():/{{time.time() - 7200:/' {GUARD}",
         f"mv /root/maskbot-guard {GUARD}", "clock", ("7200.", "timedatectl set-ntp true")),
        (f"cp -p {GUARD} /root; sed -i 's/if not records:/if None:/; s/judge_start(self.manager, .*/pass/' {GUARD}",
         f"mv /root/maskbot-guard {GUARD}", "guard: refuses", ("it protects nothing", "install-script")),
        ("mv /etc/maskbot /root", "mv /root/maskbot /etc",
         "session", ("/etc/maskbot: No such file or directory", "install-script")),
    ],
    ids=["groups", "sudoers", "requiretty", "clock", "admits everything", "guard.conf"],
)  # fmt: skip
def test_the_doctor_names_what_is_wrong_and_the_command_that_mends_it(
    shared_world: World, ways: GuardedHosts, damage: str, mend: str, check: str, told: tuple[str, str]
) -> None:
    host = shared_world.hosts["db-01"]
    host.run("sh", "-c", damage)
    try:
        findings, _ = examine_host(ways, inventory({"db-01": host}).hosts[0], PATTERNS, deadline=10)
    finally:
        host.run("sh", "-c", mend)
    wrong = [one for one in findings if not one.is_ok]
    assert [one.check for one in wrong] == [check], wrong
    assert told[0] in wrong[0].what
    assert told[1] in wrong[0].fix


def test_the_doctor_finds_a_shorter_list_and_a_login_that_may_do_more(shared_world: World, ways: GuardedHosts) -> None:
    host = shared_world.hosts["db-01"]
    known = inventory({"db-01": host}).hosts[0]
    host.write("/etc/sudoers.d/more", "maskbot ALL=(ALL) NOPASSWD: ALL\n")
    doas = ["permit nopass maskbot as root", "permit nopass deploy as root", "deny maskbot", "permit :others"]
    doas += ["permit persist :maskbot", f"permit nopass maskbot as root cmd {GUARD} args"]
    host.write("/etc/doas.conf", "\n".join(doas) + "\n")
    try:
        findings, _ = examine_host(ways, known, [*PATTERNS, "payments*", "vault.*"], deadline=10)
    finally:
        host.run("rm", "/etc/sudoers.d/more", "/etc/doas.conf")
    assert [(one.check, one.what) for one in findings if not one.is_ok] == [
        ("guard: critical list", "2 entries of the bot's list are not in its guard's: payments*, vault.*"),
        ("login: nothing but the guard", f"{MORE}: (ALL) NOPASSWD: ALL; {doas[0]}; {doas[4]}"),
    ]
    with guarded(host):
        host.run("chmod", "777", GUARD)
        findings, _ = examine_host(ways, known, PATTERNS, deadline=10)
        host.run("chmod", "755", GUARD)
    assert [one.what for one in findings if not one.is_ok] == [
        f"db-01: its guard refused the look: {GUARD} is not root's alone."
    ]
    findings, _ = examine_host(ways, known, PATTERNS, deadline=10)
    assert [one.what for one in findings if not one.is_ok] == []


def test_the_doctor_does_not_take_a_list_of_rights_that_sudo_does_not_give_for_none(
    shared_world: World, ways: GuardedHosts
) -> None:
    host = shared_world.hosts["db-01"]
    assert host.run("mv", "/usr/bin/sudo", "/usr/bin/sudo.real").returncode == 0
    host.write("/usr/bin/sudo", '#!/bin/sh\n[ "$2" != -l ] || exit 1\nexec /usr/bin/sudo.real "$@"\n', 0o755)
    try:
        findings, _ = examine_host(ways, inventory({"db-01": host}).hosts[0], PATTERNS, deadline=10)
    finally:
        host.run("mv", "/usr/bin/sudo.real", "/usr/bin/sudo")
    assert [one.what for one in findings if not one.is_ok] == [
        "what else the bot's login may do as root is not known: sudo does not list it"
    ]
