"""What goes down with a unit, and what it was called before: asked on a real host, of the guard alone."""

import pytest

from bot.core.systemd.host_rules import GUARD
from tests.edges.guard.asking import identity
from tests.edges.guard.talking import ask, stop, talking
from tests.edges.guard.test_attacks import OWN, configured, with_units
from tests.edges.guard.test_changes import CONTROL, ETC, masked
from tests.edges.guard.test_own_login import CARRIED, ONE, is_spared, relays, through
from tests.edges.ssh.looking import until
from tests.lab.hosts import LabHost

__all__ = ["relays"]  # a fixture
pytestmark = pytest.mark.ssh
ENDS = ["OnFailure=systemd-reboot.service", "OnSuccess=poweroff.target", "StartLimitAction=reboot"]
DOES = ["mask", "unmask", "stop", "start", "reset-failed", "reload", "kill"]


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("has_end", ["metrics.service", "worker.service"])
def test_a_unit_is_spared_whose_end_or_that_of_a_neighbour_would_end_the_host(
    host: LabHost, has_end: str, end: str
) -> None:
    more = {f"{has_end}.d/more.conf": f"[Unit]\n{end}\n"}
    with with_units(host, **more):
        said = ask(host, "link", "runtime", "worker.service")
        assert (said.is_refused, f"{has_end} has {end}" in said.err) == (True, True), said
    host.run("systemctl", "stop", has_end)
    with with_units(host, **more):
        assert ask(host, "link", "runtime", "worker.service").code == 0, "it does not run, so it does not end"


@pytest.mark.usefixtures("relays")
def test_a_unit_is_spared_with_which_the_way_in_would_go_down(host: LabHost) -> None:
    with with_units(host, **{"one.service.d/more.conf": "[Unit]\nBindsTo=worker.service\nAfter=worker.service\n"}):
        with talking(host, client=through(host, ONE, GUARD)) as talk:
            assert [is_spared(talk, unit) for unit in ("worker.service", "cron.service")] == [True, False]
            assert CARRIED in talk.ask("stop", "worker.service").err
        stop(host, "worker.service")  # from elsewhere nothing of it carries us


def test_a_name_from_before_the_mask_still_counts(host: LabHost) -> None:
    """A masked unit says nothing of its other names, and the link that gave it one may be gone."""
    alias = "/run/systemd/system/harmless.service"
    host.run("ln", "-s", "/usr/lib/systemd/system/tuned.service", alias)
    host.run("systemctl", "daemon-reload")
    masked(host, "tuned.service")
    host.run("rm", alias)
    with configured(host, f"{OWN}critical: harmless.*\n"):
        said = ask(host, "link", "runtime", "tuned.service")
    assert (said.is_refused, "tuned.service is harmless.service, which is critical" in said.err) == (True, True), said


def test_root_s_mask_stays_on_a_unit_that_is_critical_by_another_name(host: LabHost) -> None:
    """Also where masks of others may be removed."""
    alias = "/run/systemd/system/harmless.service"
    host.run("ln", "-s", "/usr/lib/systemd/system/tuned.service", alias)
    host.run("ln", "-s", "/dev/null", f"{ETC}/tuned.service")
    host.run("systemctl", "daemon-reload")
    seen = identity(host, f"{ETC}/tuned.service")
    with configured(host, f"{OWN}foreign-masks: yes\ncritical: harmless.*\n"):
        said = ask(host, "unlink-foreign", "persistent", "tuned.service", seen)
    assert (said.is_refused, "tuned.service is harmless.service, which is critical" in said.err) == (True, True), said
    with configured(host, f"{OWN}foreign-masks: yes\n"):
        assert ask(host, "unlink-foreign", "persistent", "tuned.service", seen).code == 0
    host.run("rm", alias)


@pytest.mark.parametrize(("unit", "beside"), [("beat.service", "beat.timer"), ("worker.service", "partof.service")])
def test_what_may_fail_with_a_unit_is_brought_back_once(host: LabHost, unit: str, beside: str) -> None:
    stop(host, unit)
    host.run("systemctl", "stop", beside)
    assert ask(host, "start", beside).code == 0
    host.run("systemctl", "stop", beside)
    assert ask(host, "start", beside).is_refused


@pytest.mark.parametrize("down", ["worker.service", "partof.service"])
def test_what_was_down_already_is_not_brought_back(host: LabHost, down: str) -> None:
    host.run("systemctl", "stop", down)
    stop(host, "worker.service")
    assert ask(host, "start", down).is_refused
    assert host.show(down, "ActiveState") == {"ActiveState": "inactive"}


def test_a_neighbour_is_as_critical_by_another_name(host: LabHost) -> None:
    alias = "/run/systemd/system/harmless.service"
    host.run("ln", "-s", "/usr/lib/systemd/system/metrics.service", alias)
    host.run("systemctl", "daemon-reload")
    with configured(host, f"{OWN}critical: harmless.*\n"):
        said = ask(host, "stop", "worker.service")
    host.run("rm", alias)
    assert (said.is_refused, "harmless.service depends on worker.service" in said.err) == (True, True), said


def test_nothing_is_started_that_brings_up_an_end_of_the_host_by_another_name(host: LabHost) -> None:
    stop(host, "cron.service")
    alias = "/run/systemd/system/systemd-suspend-soon.service"
    host.run("ln", "-s", "/run/systemd/system/dozes.service", alias)
    dozes = {"dozes.service": "[Service]\nExecStart=/bin/sleep 9\n"}
    with with_units(host, **dozes, **{"cron.service.d/more.conf": "[Unit]\nWants=dozes.service\n"}):
        said = ask(host, "start", "cron.service")
        host.run("rm", alias)
    assert (said.is_refused, "would bring up systemd-suspend-soon.service" in said.err) == (True, True), said


def test_nothing_is_started_with_which_another_stops_a_critical_unit(host: LabHost) -> None:
    stop(host, "cron.service")
    rival = {"rival.service": "[Unit]\nConflicts=restless.service\n[Service]\nExecStart=/bin/sleep 9\n"}
    with (
        with_units(host, **rival, **{"cron.service.d/more.conf": "[Unit]\nWants=rival.service\n"}),
        configured(host, f"{OWN}critical: restless.*\n"),
    ):
        said = ask(host, "start", "cron.service")
    assert (said.is_refused, "would stop restless.service, which is critical" in said.err) == (True, True), said


TILL = "[Service]\nExecStart=/bin/sleep 99\n"


@pytest.mark.parametrize(
    "units",
    [
        {"till.service": f"[Unit]\nConflicts=cron.service\n{TILL}"},
        {
            "till.service": f"[Unit]\nRequires=rival.service\nAfter=rival.service\n{TILL}",
            "rival.service": f"[Unit]\nConflicts=cron.service\n{TILL}",
        },
    ],
    ids=["it conflicts itself", "what it requires does"],
)
def test_nothing_is_started_for_which_systemd_stops_a_critical_unit(host: LabHost, units: dict[str, str]) -> None:
    """Conflicts= counts on both sides, and a stop takes along what depends on the unit."""
    stop(host, "cron.service")
    with with_units(host, **units), configured(host, f"{OWN}critical: till.*\n"):
        host.run("systemctl", "start", "till.service")
        said = ask(host, "start", "cron.service")
        assert (said.is_refused, "would stop till.service, which is critical" in said.err) == (True, True), said
        assert host.show("till.service", "ActiveState") == {"ActiveState": "active"}
        host.run("systemctl", "stop", "till.service", "rival.service")


def test_a_critical_unit_that_nothing_else_needs_is_spared(host: LabHost) -> None:
    front = f"[Unit]\nRequires=till.service\nAfter=till.service\n{TILL}"
    units = {"front.service": front, "till.service": f"[Unit]\nStopWhenUnneeded=yes\n{TILL}"}
    with with_units(host, **units, **{"other.service": front}), configured(host, f"{OWN}critical: till.*\n"):
        host.run("systemctl", "start", "front.service")
        said = ask(host, "stop", "front.service")
        assert (said.is_refused, "till.service stops with front.service" in said.err) == (True, True), said
        host.run("systemctl", "start", "other.service")
        stop(host, "front.service")
        assert host.show("till.service", "ActiveState") == {"ActiveState": "active"}
        host.run("systemctl", "stop", "other.service")


AFTER = {"worker.service.d/more.conf": "[Unit]\nOnSuccess=after.service\n"}


@pytest.mark.parametrize(
    ("units", "why"),
    [
        (
            {"after.service": f"[Unit]\nConflicts=restless.service\n{TILL}"},
            "a start of after.service would stop restless.service",
        ),
        (
            {
                "after.service": f"[Unit]\nWants=later.service\n{TILL}",
                "later.service": f"[Unit]\nWants=poweroff.target\n{TILL}",
            },
            "a start of after.service would bring up poweroff.target",
        ),
    ],
    ids=["it stops a critical unit", "it ends the host at last"],
)
def test_what_systemd_starts_at_the_end_of_a_unit_counts_too(host: LabHost, units: dict[str, str], why: str) -> None:
    with with_units(host, **AFTER, **units), configured(host, f"{OWN}critical: restless.*\n"):
        said = ask(host, "stop", "worker.service")
    assert (said.is_refused, f"worker.service has OnSuccess=after.service, and {why}" in said.err) == (True, True), said


@pytest.mark.parametrize(
    ("setting", "critical", "why"),
    [
        ("", "gate.*", "gate.socket starts worker.service and is critical"),
        ("[Unit]\nFailureAction=reboot\n", "", "gate.socket has FailureAction=reboot, so the host may go down"),
    ],
)
def test_what_starts_a_unit_fails_with_its_mask(host: LabHost, setting: str, critical: str, why: str) -> None:
    gate = {"gate.socket": f"{setting}[Socket]\nListenStream=/run/gate\nService=worker.service\n"}
    with with_units(host, **gate), configured(host, f"{OWN}critical: {critical or 'other.*'}\n"):
        host.run("systemctl", "stop", "worker.service", "gate.service")
        host.run("systemctl", "start", "gate.socket")
        said = ask(host, "link", "runtime", "worker.service")
        host.run("systemctl", "stop", "gate.socket")
    assert (said.is_refused, why in said.err) == (True, True), said


def test_a_check_says_what_root_would_do_and_nothing_else(host: LabHost) -> None:
    assert ask(host, "check", "cron.service").out.split("\n") == [*DOES, "foreign-masks", "control", ""]
    host.run("chmod", "777", CONTROL)
    assert "control" not in ask(host, "check", "cron.service").out.split("\n")
    host.run("chmod", "755", CONTROL)
    with configured(host, OWN):
        assert ask(host, "check", "cron.service").out.split("\n") == [*DOES, "control", ""]
        masked(host)
        theirs = identity(host, f"{ETC}/cron.service")
        *does, remembered, _ = ask(host, "check", "cron.service").out.split("\n")
        assert does == [*DOES, "control", "foreign-masks"]
        assert remembered.startswith(f"mask cron.service - persistent {theirs} ")
        assert ask(host, "unlink-foreign", "persistent", "cron.service", theirs).code == 0, "it is one of its own"


def test_a_unit_whose_file_systemd_does_not_take_is_handled_like_any_other(host: LabHost) -> None:
    """What depends on it is still known."""
    with with_units(host, **{"broken.service": "[Unit]\nDescription=Without a program\n"}):
        assert host.show("broken.service", "LoadState") == {"LoadState": "bad-setting"}
        assert ask(host, "link", "persistent", "broken.service").code == 0


def test_a_unit_that_is_gone_once_it_is_stopped_can_still_be_masked(host: LabHost) -> None:
    assert ask(host, "stop", "transient-one.service").code == 0
    until(lambda: host.show("transient-one.service", "LoadState") == {"LoadState": "not-found"})
    assert ask(host, "link", "persistent", "transient-one.service").code == 0
