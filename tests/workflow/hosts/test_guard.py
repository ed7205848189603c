"""The guard on a real host: the bot does all that it does anywhere, and its key opens nothing else."""

import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import pytest

from bot.core.requests import Outcome, Stage
from bot.core.systemd.guard import PATH, guard, token
from bot.doctor.hosts import examine_host
from bot.edges.ssh.hosts import SshHosts
from tests.lab.hosts import LabHost
from tests.workflow.fleet import AnyHost, Fleet
from tests.workflow.hands import cut_off, let_in
from tests.workflow.hosts.test_quarantine import AUTHORIZED
from tests.workflow.lifecycle.test_outcome_unknown import is_masked, is_untouched
from tests.workflow.world import CRITICAL, World, inventory


@pytest.fixture(scope="module")
def fleet(real_fleet: Fleet) -> Fleet:
    """Systemd itself is the subject."""
    return real_fleet


pytestmark = pytest.mark.ssh
OWN_LIST = ("tuned.*", "metrics.service")


@contextmanager
def guarded(host: AnyHost, text: str = "", *, is_there: bool = True) -> Iterator[None]:
    """The host has its guard, and the bot's key leads to nothing else."""
    patterns = [listed.pattern for listed in CRITICAL]
    host.write(PATH, text or guard([*patterns, *OWN_LIST]), 0o755)
    if not is_there:
        host.run("rm", PATH)
    key = host.run("cat", AUTHORIZED).stdout
    host.run("sh", "-c", f"sed -i 's|^|restrict,command=\"{PATH}\" |' {AUTHORIZED}")
    cut_off(host)
    let_in(host)
    try:
        yield
    finally:
        host.run("sh", "-c", f"cat >{AUTHORIZED}", given=key)
        cut_off(host)
        let_in(host)


def run_with_bot_key(hosts: Mapping[str, LabHost], *command: str) -> subprocess.CompletedProcess[str]:
    """With the bot's own key, past the bot, on web-01."""
    return subprocess.run(hosts["web-01"].ssh(*command), capture_output=True, text=True, check=False)


@pytest.mark.fault("F18", how="a guard on a real host whose critical list is longer than the bot's")
def test_a_host_with_its_guard_does_what_the_bot_says_and_spares_what_it_spares(
    shared_world: World, lab_hosts: Mapping[str, LabHost], saw: Callable[[str], str]
) -> None:
    world, host = shared_world, shared_world.hosts["web-01"]
    with guarded(host):
        done = world.masked("restless")
        assert done.target.outcome is Outcome.PROVEN, (done.because, done.target.note)
        assert is_masked(host, "restless.service")
        assert world.undo(done).target.outcome is Outcome.RESTORED

        refused = world.mask("tuned")
        assert (refused.stage, "itself refuses this unit (host policy)" in saw(refused.because)) == (
            Stage.REFUSED,
            True,
        )
        stop = run_with_bot_key(
            lab_hosts, "sudo -n /usr/bin/systemctl --no-ask-password stop --no-block -- tuned.service"
        )
        assert (stop.returncode, "tuned.service is critical on this host" in stop.stderr) == (64, True)
        kill = run_with_bot_key(
            lab_hosts, "sudo -n /usr/bin/systemctl --no-ask-password kill --signal=SIGKILL -- tuned.service"
        )
        assert (kill.returncode, "tuned.service is critical on this host" in kill.stderr) == (64, True)
        alias = host.run(
            "sh", "-c", "ln -s tuned.service /usr/lib/systemd/system/harmless.service; systemctl daemon-reload"
        )
        assert alias.returncode == 0
        stop = run_with_bot_key(
            lab_hosts, "sudo -n /usr/bin/systemctl --no-ask-password stop --no-block -- harmless.service"
        )
        host.run("sh", "-c", "rm /usr/lib/systemd/system/harmless.service; systemctl daemon-reload")
        assert stop.returncode == 64
        for line in ("id", "", "sudo -n -l", "cat /etc/passwd"):
            assert run_with_bot_key(lab_hosts, *([line] if line else [])).returncode == 64
        assert is_untouched(host, "tuned.service")


@pytest.mark.parametrize("is_there", [True, False], ids=["of another version", "missing"])
@pytest.mark.fault("F19", how="the guard of another version on a real host, and one that is missing")
def test_a_guard_that_does_not_fit_is_said_before_anything_is_asked_of_people(
    shared_world: World, ways: SshHosts, *, is_there: bool, saw: Callable[[str], str]
) -> None:
    world, host = shared_world, shared_world.hosts["web-02"]
    older = guard([]).replace(token(), "0123456789ab").replace("@maskbot-look 1", "@maskbot-look 0")
    with guarded(host, older, is_there=is_there):
        refused = world.mask("tuned", host="web-02")
        findings, _ = examine_host(ways, inventory({"web-02": host}).hosts[0], deadline=10)
    assert refused.stage is Stage.REFUSED
    assert "0123456789ab" in refused.because if is_there else "is missing" in saw(refused.because), refused.because
    saw(refused.because)
    (record,) = [
        one for one in world.store.records() if one["request_id"] == refused.id and one["type"] == "request.refused"
    ]
    assert record["reason_code"] == "host_not_ready"
    assert [one.what for one in findings if not one.is_ok]
    assert is_untouched(host, "tuned.service")


@pytest.mark.parametrize("has_guard", [True, False])
def test_the_doctor_tries_what_no_guard_admits(shared_world: World, ways: SshHosts, *, has_guard: bool) -> None:
    host = shared_world.hosts["db-01"]
    known = inventory({"db-01": host}).hosts[0]
    if has_guard:
        with guarded(host):
            findings, _ = examine_host(ways, known, deadline=10)
    else:
        findings, _ = examine_host(ways, known, deadline=10)
    (found,) = [one for one in findings if one.check == "guard"]
    assert (found.is_ok, bool(found.what)) == (True, not has_guard)
    assert all(one.is_ok for one in findings), [one for one in findings if not one.is_ok]
