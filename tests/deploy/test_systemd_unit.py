"""The bot as a service of its own machine, by the unit that is shipped: it plays the main story from within a host."""

import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.lab.demo import Demo, workspace
from tests.lab.hosts import LabHost
from tests.lab.installation import ROOT, Bot, Installation
from tests.lab.machine import NotHereError
from tests.lab.pristine import Pristine
from tests.lab.slack.lab import SlackLab
from tests.stories.scene import MASKED, RUNS, Story

pytestmark = [pytest.mark.slack, pytest.mark.ssh]
DEPLOY = ROOT / "deploy/systemd"
UNIT = "/etc/systemd/system/maskbot.service"
EXPOSURE = 15  # of 100, in systemd-analyze(1)'s count; it prints a tenth of it
# What differs from a real machine: the checkout stands in for an environment in /opt/maskbot.
FROM_THE_CHECKOUT = f"""\
[Service]
BindReadOnlyPaths={ROOT}:/opt/checkout {ROOT}/.venv:/opt/maskbot
Environment=PYTHONPATH=/opt/checkout
ExecStartPre=
ExecStartPre=/opt/maskbot/bin/python -m bot check
ExecStart=
ExecStart=/opt/maskbot/bin/python -m bot run
"""


@pytest.fixture
def demo(lab_hosts: Mapping[str, LabHost], found: Mapping[str, Pristine], tmp_path: Path) -> Iterator[Demo]:
    """The bot as a service on web-02."""
    machine = lab_hosts["web-02"]
    try:
        slack = SlackLab().__enter__()
    except NotHereError as cannot:
        pytest.skip(str(cannot))
    try:
        written = Installation.write(tmp_path, [*lab_hosts.values()], workspace(slack))
        install(machine, written)
        started = machine.run("systemctl", "start", "maskbot.service", seconds=60)
        assert started.returncode == 0, journal(machine)
        yield Demo(dict(lab_hosts), slack, Bot(written))
    finally:
        clear(machine)
        for pristine in found.values():
            pristine.restore()
        slack.__exit__(None, None, None)


def install(machine: LabHost, written: Installation) -> None:
    """What operations.md tells root to do."""
    secrets = {"ssh_key": Path(written.environment["MASKBOT_SSH_KEY_FILE"]).read_text()}
    secrets |= {name.lower(): written.environment[name] for name in ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN")}
    for name, text in secrets.items():
        machine.write(f"/etc/maskbot/secrets/{name}", text, 0o600)
    for file in (written.folder / "config").iterdir():
        machine.write(f"/etc/maskbot/{file.name}", file.read_text())
    settings = (DEPLOY / "maskbot.env").read_text() + f"SLACK_API_URL={written.environment['SLACK_API_URL']}\n"
    machine.write("/etc/maskbot/maskbot.env", settings)
    machine.write(UNIT, (DEPLOY / "maskbot.service").read_text())
    machine.write(f"{UNIT}.d/checkout.conf", FROM_THE_CHECKOUT)
    machine.write("/etc/sysusers.d/maskbot.conf", (DEPLOY / "maskbot.sysusers").read_text())
    done = machine.run("sh", "-ec", "chmod 700 /etc/maskbot/secrets; systemd-sysusers; systemctl daemon-reload")
    assert done.returncode == 0, done.stderr


def clear(machine: LabHost) -> None:
    """Remove it again."""
    gone = f"{UNIT} {UNIT}.d /etc/sysusers.d/maskbot.conf /var/lib/maskbot"
    gone += " /etc/maskbot/*.yaml /etc/maskbot/maskbot.env /etc/maskbot/secrets"
    machine.run(
        "sh",
        "-c",
        f"systemctl stop maskbot; userdel maskbotd; rm -rf {gone}; systemctl daemon-reload",
        seconds=60,
    )


def journal(machine: LabHost) -> str:
    """What the service said."""
    return machine.run("journalctl", "-u", "maskbot.service", "-n", "40", "--no-pager", "-o", "cat").stdout


def says(story: Story, machine: LabHost, word: str, *, times: int = 1) -> None:
    """Wait until the service has said so, and so often."""
    story.until(lambda: journal(machine).split("\n").count(word) >= times, f"`{word}`, {times} times")


def test_the_main_story_is_played_by_a_service_that_may_do_nothing_else(demo: Demo) -> None:
    """It is killed in the middle, and systemd starts it again."""
    story, machine = Story(demo), demo.hosts["web-02"]
    says(story, machine, "ready")
    done = story.masked("web-01 cron")
    assert story.sees("cron.service") == MASKED
    machine.run("systemctl", "kill", "-s", "KILL", "maskbot.service")
    says(story, machine, "ready", times=2)
    story.presses("alice", "Unmask", done)
    story.card("UNMASKED, AS BEFORE · cron.service on web-01")
    assert story.sees("cron.service") == RUNS
    reloaded = machine.run("systemctl", "reload", "maskbot.service")
    assert reloaded.returncode == 0, reloaded.stderr
    kept = machine.run("sh", "-c", "stat -c '%U %a' /var/lib/maskbot /var/lib/maskbot/maskbot.sqlite /run/maskbot")
    assert kept.stdout.splitlines() == ["maskbotd 700", "maskbotd 600", "maskbotd 755"]
    secrets = machine.run("sh", "-c", "cat /proc/$(systemctl show -p MainPID --value maskbot.service)/environ").stdout
    assert "MASKBOT_SECRETS_DIR=/run/credentials/maskbot.service" in secrets
    assert "xapp-" not in secrets
    assert "xoxb-" not in secrets


def test_what_it_may_do_is_little() -> None:
    analyzed = subprocess.run(
        ("systemd-analyze", "security", "--offline=yes", f"--threshold={EXPOSURE}", DEPLOY / "maskbot.service"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert analyzed.returncode == 0, analyzed.stdout
