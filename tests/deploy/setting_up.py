"""Set a real host up by the script, as root does, and see what became of it."""

import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from bot.core.systemd.host_rules import GUARD
from bot.edges.guard.install import Setup, checked_key, install_script
from bot.edges.guard.settings import CONFIGURATION
from tests.lab.hosts import CRITICAL, LabHost
from tests.lab.installation import Workspace

PATTERNS = [unit.pattern for unit in CRITICAL]
KEYS, SUDOERS, CONTROL = "/home/maskbot/.ssh/authorized_keys", "/etc/sudoers.d/maskbot", "/etc/systemd/system.control"
OURS = ("/etc/maskbot", "/usr/local/libexec", SUDOERS, CONTROL, "/etc/doas.conf", "/var/lib/maskbot-guard")
EVERYTHING = [
    "/etc/maskbot: new folder",
    "login maskbot: new, with a home and no password",
    f"{KEYS}: the bot's key, for the guard alone",
    f"{CONFIGURATION}: new",
    "/usr/local/libexec: new folder",
    f"{GUARD}: new, version 0.1.0",
    f"{SUDOERS}: the line that lets maskbot call the guard as root",
    f"{CONTROL}: new folder",
]
ANSIBLE = Path(sys.executable).with_name("ansible-playbook")
ANOTHER = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINjiING7hqSPRU+3+6FuEuBxxHxhG8VrTqjewyMyYThy"
PICTURE = r"""
seen() { find "$@" ! -path '/etc/*-' ! -path /etc/.pwd.lock "-printf" '%p %y %m %U:%G %l\n'; }
seen /etc /home
seen /usr/local /var/lib /var/mail /var/spool -maxdepth 2 ! -path '/var/lib/systemd*' ! -path '/var/lib/lab*'
find /etc /home -xdev -type f ! -path '/etc/*-' ! -path /etc/.pwd.lock -exec sha256sum {} +
"""
NOBODY_S_SLACK = Workspace(
    "http://127.0.0.1:9/api/", "xoxb-1", "xapp-1-A1-2", "T0TEST",
    dict.fromkeys(("alice", "bob", "carol"), "U0TEST"), {"incident": "C0TEST"}, "S0TEST",
)  # fmt: skip


def setup_of(host: LabHost, **more: Any) -> Setup:
    key = checked_key(Path(f"{host.key_file}.pub").read_text())
    return replace(Setup("maskbot", key, addresses=("127.0.0.1",), users=("deploy",)), **more)


def script_for(host: LabHost, **more: Any) -> str:
    return _script(setup_of(host, **more))


@cache
def _script(setup: Setup) -> str:
    return install_script(setup, PATTERNS)


def run(host: LabHost, *words: str, script: str = "", code: int = 0, by: str = "sh") -> list[str]:
    """Run the script as root, from standard input; all that it says but the host's key, which is said last."""
    done = host.run(by, "-s", "--", *words, given=script or script_for(host))
    assert done.returncode == code, (done.stdout, done.stderr)
    said = done.stdout.splitlines()
    if code == 0 and "--remove" not in words:
        assert said.pop().startswith("for host_keys in hosts.yaml: SHA256:")
    return said + done.stderr.splitlines()


def pictured(host: LabHost) -> list[str]:
    """Every file where the script works, with its owner, rights and text."""
    return sorted(host.run("sh", "-c", PICTURE).stdout.splitlines())


def answers(host: LabHost) -> bool:
    """Whether the bot's key reaches the guard, whatever command it asks for."""
    done = subprocess.run(host.ssh("id"), capture_output=True, check=False, stdin=subprocess.DEVNULL)
    return done.stdout.startswith(b"maskbot-guard 1 ")
