"""A login of the bot that runs nothing, on a real host: its cause is named, and it is not called a cut-off answer."""

import pytest

from bot.core.requests import Stage
from bot.doctor.hosts import examine_host
from bot.edges.ssh.guarded import GuardedHosts
from tests.lab.hosts import LabHost
from tests.workflow.fleet import Fleet
from tests.workflow.hands import cut_off, let_in
from tests.workflow.world import World, inventory

pytestmark = pytest.mark.ssh


@pytest.fixture(scope="module")
def fleet(real_fleet: Fleet) -> Fleet:
    """The login itself is the subject."""
    return real_fleet


@pytest.mark.parametrize(
    ("shell", "said"),
    [
        ("/usr/sbin/nologin", "and says: This account is currently not available."),
        ("/bin/false", "and says nothing (exit 1)"),
    ],
)
def test_a_login_without_a_shell_is_named_as_that(world: World, ways: GuardedHosts, shell: str, said: str) -> None:
    host = world.hosts["web-02"]
    assert isinstance(host, LabHost)
    host.run("usermod", "-s", shell, host.login)
    cut_off(host)  # sshd knows the shell of a connection from its beginning
    let_in(host)
    try:
        refused = world.mask("tuned", host="web-02")
        findings, _ = examine_host(ways, inventory({"web-02": host}).hosts[0], [], deadline=10)
    finally:
        host.run("usermod", "-s", "/bin/bash", host.login)
        cut_off(host)
        let_in(host)
    assert refused.stage is Stage.REFUSED
    assert f"web-02: the bot's login runs nothing there, {said}" in refused.because
    (broken,) = [one for one in findings if not one.is_ok]
    assert (broken.check, said in broken.what, "usermod" in broken.fix) == ("session", True, True)
