"""A host with nothing of ours, and the ways to set it up."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.setting_up import ANSIBLE, NOBODY_S_SLACK, OURS
from tests.lab.hosts import Lab, LabHost
from tests.lab.installation import ROOT, Installation
from tests.lab.machine import NotHereError


@pytest.fixture(scope="module")
def booted() -> Iterator[LabHost]:
    """One host, which these tests have for themselves; root may log in with a key, for Ansible."""
    try:
        with Lab() as lab:
            host = lab.boot(["web-01"])["web-01"]
            host.write("/root/.ssh/authorized_keys", Path(f"{host.key_file}.pub").read_text(), 0o600)
            admit = "s/^AllowUsers.*/AllowUsers maskbot root/; s/^PermitRootLogin.*/PermitRootLogin prohibit-password/"
            host.run("sed", "-i", admit, "/etc/ssh/sshd_config")
            host.run("systemctl", "reload", "ssh")
            yield host
    except NotHereError as cannot:
        pytest.skip(str(cannot))


@pytest.fixture
def bare(booted: LabHost) -> LabHost:
    """The host with nothing of ours."""
    gone = "while getent passwd maskbot >/dev/null; do pkill -KILL -u maskbot; userdel --remove maskbot; done"
    booted.run("sh", "-c", f"{gone}; rm -rf /run/systemd/system/cron.service")
    booted.run("rm", "-rf", *OURS)
    return booted


@pytest.fixture
def installation(bare: LabHost, tmp_path: Path) -> Installation:
    """The bot, with a policy that lets root mask alone."""
    written = Installation.write(tmp_path, [bare], NOBODY_S_SLACK)
    path = tmp_path / "config/policy.yaml"
    policy = yaml.safe_load(path.read_text())
    policy["groups"]["sre"] = {"users": ["U0TEST"]}
    policy["rules"][0]["need"] = 0
    path.write_text(yaml.safe_dump(policy))
    return written


@pytest.fixture
def playbook(bare: LabHost, tmp_path: Path, installation: Installation) -> Any:
    """Run the role; the recap of the host, and all that was said."""
    (tmp_path / "inventory.ini").write_text(
        f"web-01 ansible_host={bare.address} ansible_port={bare.port} ansible_user=root"
        f" ansible_ssh_private_key_file={bare.key_file} ansible_python_interpreter=/usr/bin/python3"
        f" ansible_ssh_common_args='-F none -o UserKnownHostsFile={bare.known_hosts}'\n"
    )
    variables = {"maskbot_command": [sys.executable, "-m", "bot"], "maskbot_from": ["127.0.0.1"]}
    environment = {
        **installation.environment,
        "ANSIBLE_HOME": str(tmp_path / "ansible"),
        "ANSIBLE_LOCALHOST_WARNING": "False",
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_PIPELINING": "1",  # it takes half as long
        "LC_ALL": "C.UTF-8",
    }

    def play(*words: str, **more: object) -> tuple[Mapping[str, int], str]:
        inventory, extra = ("-i", str(tmp_path / "inventory.ini")), ("-e", json.dumps({**variables, **more}))
        done = subprocess.run(
            [ANSIBLE, *inventory, *extra, *words, "deploy/ansible/hosts.yml"],
            cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        recap = done.stdout.partition("PLAY RECAP")[2].partition(" : ")[2].split()
        return {name: int(count) for name, _, count in (word.partition("=") for word in recap)}, done.stdout

    return play
