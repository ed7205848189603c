"""Units that the guard spares because of what systemd says of them on that host, and what it remembers for too long."""

import re
import time

import pytest

from bot.core.systemd.host_rules import GUARD
from tests.edges.guard.talking import ask, stop
from tests.edges.guard.test_attacks import OWN, configured, with_units
from tests.edges.guard.test_changes import ETC, masked
from tests.edges.ssh.looking import until
from tests.lab.hosts import LabHost

pytestmark = pytest.mark.ssh
RECORD = "/var/lib/maskbot-guard/:cron.service"


def drop_in(text: str) -> dict[str, str]:
    return {"cron.service.d/more.conf": f"[Unit]\n{text}\n"}


@pytest.mark.parametrize(
    "name", ["template@.service", "a@b.target", "cron", "../cron.service", "-a.service", "x" * 300]
)
@pytest.mark.parametrize("verb", ["check", "stop", "kill", "start", "try-start", "reset-failed"])
def test_what_is_not_the_name_of_one_unit_is_refused_by_its_name(host: LabHost, verb: str, name: str) -> None:
    """Before systemd is asked, which knows no template either."""
    said = ask(host, verb, name)
    assert "is not the name of a unit that the bot handles" in said.out + said.err
    assert said.is_refused or said.out.splitlines()[-1].startswith("never ")


@pytest.mark.parametrize("action", ["SuccessAction=reboot", "FailureAction=poweroff", "JobTimeoutAction=reboot-force"])
def test_a_unit_whose_end_may_take_the_host_down_is_left_running(host: LabHost, action: str) -> None:
    with with_units(host, **drop_in(action)):
        for words in (("stop", "cron.service"), ("link", "persistent", "cron.service")):
            said = ask(host, *words)
            assert (said.is_refused, f"cron.service has {action}" in said.err) == (True, True), said
    assert "never" not in ask(host, "check", "cron.service").out


@pytest.mark.parametrize("end", ["Wants=reboot.target", "Requires=systemd-poweroff.service", "Wants=tuned.service"])
def test_nothing_is_started_that_would_take_the_host_down_with_it(host: LabHost, end: str) -> None:
    """Also by way of another unit, which is started with it."""
    stop(host, "cron.service")
    between = {"tuned.service.d/more.conf": "[Unit]\nWants=reboot.target\n"} if "tuned" in end else {}
    with with_units(host, **drop_in(end), **between):
        if between:
            host.run("systemctl", "stop", "tuned.service")
        said = ask(host, "start", "cron.service")
        assert (said.is_refused, "a start of cron.service would bring up" in said.err) == (True, True), said
    host.run("systemctl", "start", "tuned.service")
    assert ask(host, "start", "cron.service").code == 0


def test_nothing_is_started_that_would_stop_a_critical_unit(host: LabHost) -> None:
    stop(host, "cron.service")
    with with_units(host, **drop_in("Conflicts=tuned.service")), configured(host, f"{OWN}critical: tuned.*\n"):
        said = ask(host, "start", "cron.service")
        assert (said.is_refused, "would stop tuned.service, which is critical" in said.err) == (True, True), said
    assert host.show("tuned.service", "ActiveState") == {"ActiveState": "active"}
    assert ask(host, "start", "cron.service").code == 0


@pytest.mark.parametrize("unit", ["echo.socket", "beat.timer", "watched.path"])
def test_of_a_unit_that_somebody_else_masked_nobody_can_tell_what_it_starts(host: LabHost, unit: str) -> None:
    stop(host, unit)  # which makes a later mask by somebody else none of the bot's
    host.run("systemctl", "mask", unit)
    try:
        said = ask(host, "link", "runtime", unit)
    finally:
        host.run("systemctl", "unmask", unit)
        host.run("systemctl", "restart", unit)  # a socket that was masked while it listened is deaf
    assert (said.is_refused, "is masked by somebody else" in said.err) == (True, True), said


def test_the_way_in_is_spared_by_its_names_too(host: LabHost) -> None:
    """By a guard without any critical list."""
    program = host.run("cat", GUARD).stdout
    without = re.sub(r"^FLOOR = .*$", "FLOOR = ()", program, flags=re.MULTILINE)
    assert without != program
    host.write(GUARD, without, 0o755)
    try:
        for unit in ("ssh.socket", "ssh.service"):
            assert f"never {unit} carries the bot's login" in ask(host, "check", unit).out
    finally:
        host.write(GUARD, program, 0o755)


@pytest.mark.parametrize(("hours", "may_start"), [(23, True), (25, False), (-1, False)])
def test_what_stopped_with_a_mask_can_be_started_for_a_day_after_it(
    host: LabHost, hours: int, *, may_start: bool
) -> None:
    made = masked(host)
    assert ask(host, "unlink", "persistent", "cron.service", made).code == 0
    assert ask(host, "reload").code == 0
    ended = int(time.time()) - hours * 3600
    assert host.run("sed", "-i", f"s/^ended .*/ended {ended}/", RECORD).returncode == 0
    assert (ask(host, "start", "cron.service").code == 0) is may_start


@pytest.mark.parametrize(("seconds", "is_refused"), [(500, False), (601, True)])
def test_a_start_in_vain_is_made_once_more_only_if_it_was_not_long_ago(
    host: LabHost, seconds: int, *, is_refused: bool
) -> None:
    unit = "[Unit]\nStartLimitBurst=1\nStartLimitIntervalSec=600\n[Service]\nExecStart=/bin/sleep 1000\n"
    keeper = "[Unit]\nAfter=seldom.service\n[Service]\nExecStart=/bin/sleep 1000\n"  # systemd forgets no starts of it
    with with_units(host, **{"seldom.service": unit, "keeper.service": keeper}):
        host.run("systemctl", "start", "seldom.service", "keeper.service")
        stop(host, "seldom.service")
        assert ask(host, "start", "seldom.service").code == 0
        until(lambda: host.show("seldom.service", "Result") == {"Result": "start-limit-hit"})
        record, ago = "/var/lib/maskbot-guard/:seldom.service", int(time.time()) - seconds
        assert host.run("grep", "-c", "^tried seldom.service", record).stdout == "1\n"
        host.run("sed", "-i", f"s/^\\(tried .*\\) [0-9]*$/\\1 {ago}/", record)
        assert ask(host, "reset-failed", "seldom.service").is_refused is is_refused
        host.run("systemctl", "stop", "keeper.service")


def test_a_mask_of_the_bot_s_is_known_by_its_file_and_by_nothing_else(host: LabHost) -> None:
    """A link to elsewhere, and a file, are no masks, whoever names them."""
    made = masked(host)
    for spoil in (f"ln -sf /dev/zero {ETC}/cron.service", f"rm {ETC}/cron.service; touch {ETC}/cron.service"):
        host.run("sh", "-c", spoil)
        seen = host.run("stat", "-c", "%i:%.9Z", f"{ETC}/cron.service").stdout.strip()
        host.run("sed", "-i", f"s/^link persistent [^ ]*/link persistent {seen}/", RECORD)
        assert ask(host, "unlink", "persistent", "cron.service", seen).is_refused
        assert ask(host, "unlink-foreign", "persistent", "cron.service", seen).is_refused
    assert made
