"""The whole story on a host that the script or the role has set up, on each release and with each way to root.

`script/systemd-versions` runs it. Slack is the lab's own; bot, host, sshd and the way to root are real.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.setting_up import pictured, run, script_for
from tests.edges.guard.asking import asked_through
from tests.lab.demo import Demo, workspace
from tests.lab.hosts import LabHost
from tests.lab.installation import Bot, Installation
from tests.lab.rights import RIGHTS
from tests.lab.slack.lab import SlackLab
from tests.lab.story import play

pytestmark = pytest.mark.ssh

FURTHER = {
    "sudo": ("/etc/sudoers.d/more", "maskbot ALL=(root) NOPASSWD: /usr/bin/id\n", "(root) NOPASSWD: /usr/bin/id"),
    "sudo-rs": ("/etc/sudoers.d/more", "maskbot ALL=(root) NOPASSWD: /usr/bin/id\n", "(root) NOPASSWD: /usr/bin/id"),
    "doas": ("/etc/doas.conf", "permit nopass maskbot cmd id\n", "permit nopass maskbot cmd id"),
}


@pytest.fixture
def alone(bare: LabHost) -> Iterator[LabHost]:
    """The host with nothing but its way to root; sudo-rs of Debian brings no /etc/sudoers."""
    if RIGHTS.program == "sudo-rs":
        bare.run("sh", "-c", "mkdir -p /run/kept; mv /etc/sudoers /etc/sudoers.d /run/kept")
    yield bare
    bare.run("sh", "-c", "cd /run/kept && rm -rf /etc/sudoers /etc/sudoers.d && mv sudoers sudoers.d /etc")


@pytest.fixture
def as_on_ubuntu(bare: LabHost) -> Iterator[LabHost]:
    """The host as it is; sudo-rs is called sudo, as Ubuntu has it since 25.10, and finds /etc/sudoers."""
    moved = "mv /usr/bin/sudo{0} /usr/bin/sudo{1} && mv /usr/bin/visudo{0} /usr/bin/visudo{1}"
    if RIGHTS.program == "sudo-rs":
        assert bare.run("sh", "-c", moved.format("-rs", "")).returncode == 0
    yield bare
    bare.run("sh", "-c", moved.format("", "-rs") if RIGHTS.program == "sudo-rs" else ":")


def story(host: LabHost, folder: Path) -> int:
    """0 if the host was really masked and really restored."""
    with SlackLab() as slack:
        installation = Installation.write(folder, [host], workspace(slack))
        with Bot(installation) as bot:
            return play(Demo({host.name: host}, slack, bot))


def test_the_story_on_a_host_set_up_by_the_script(alone: LabHost, tmp_path: Path) -> None:
    before = pictured(alone)
    assert run(alone, "--check")[-1].endswith("would be changed")
    assert pictured(alone) == before
    run(alone)
    assert run(alone) == ["nothing changed"]
    assert story(alone, tmp_path) == 0
    run(alone, "--remove")
    assert pictured(alone) == before


def test_the_story_on_a_host_set_up_by_the_role(as_on_ubuntu: LabHost, playbook: Any, tmp_path: Path) -> None:
    bare = as_on_ubuntu
    before = pictured(bare)
    recap, said = playbook()
    assert (recap["failed"], recap["changed"]) == (0, 1), said
    assert story(bare, tmp_path / "story") == 0
    recap, said = playbook(maskbot_state="absent")
    assert (recap["failed"], recap["changed"]) == (0, 1), said
    assert pictured(bare) == before


def test_doctor_says_which_way_it_is_and_what_else_the_login_may(alone: LabHost, installation: Installation) -> None:
    run(alone, script=script_for(alone, users=()))
    assert findings(installation)["login: nothing but the guard"] == ""
    said = asked_through(alone.ssh("x"), "rules").out.splitlines()
    (way,) = [line for line in said if line.startswith("way ")]
    assert way.startswith(f"way {RIGHTS.program}")
    file, line, listed = FURTHER[RIGHTS.program]
    alone.run("sh", "-c", f"cat >>{file}; chmod 440 {file}", given=line)
    if RIGHTS.program == "sudo-rs":
        alone.run("sh", "-c", f"echo @include {file} >>/etc/sudoers")
    more = findings(installation)["login: nothing but the guard"]
    assert more == f"the bot's login may do more as root than call the guard: {listed}"
    alone.run("sh", "-c", f"rm -f {'' if RIGHTS.program == 'doas' else file}")


def findings(installation: Installation) -> dict[str, str]:
    """What doctor says of each check."""
    done = installation.maskbot("doctor", "web-01", "--json")
    return {one["check"]: one["what"] for one in json.loads(done.stdout)["findings"]}
