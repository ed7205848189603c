"""Install the bot as a service of a lab host, as docs/operations.md tells root to, and remove it again."""

import os
import re
import shutil
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from tests.lab.hosts import LabHost
from tests.lab.installation import ROOT, Installation
from tests.lab.machine import LabError
from tests.stories.scene import Story

DEPLOY = ROOT / "deploy/systemd"
UNIT = "/etc/systemd/system/maskbot.service"
SYSUSERS = "/etc/sysusers.d/maskbot.conf"
SECRETS = ("MASKBOT_SEAL_KEYS", "SLACK_BOT_TOKEN", "SLACK_APP_TOKEN")
CHECKOUT = "/root/maskbot"
CURSOR = "/run/maskbot-installed"  # of the journal; other services of that name may have been there before
LIBRARY = "/opt/maskbot/lib"
# What differs from a real machine: a folder of packages stands in for an environment in /opt/maskbot.
FROM_COPIES = f"""\
[Service]
Environment=PYTHONPATH={LIBRARY}
ExecStartPre=
ExecStartPre={os.path.realpath(sys.executable)} -m bot check
ExecStart=
ExecStart={os.path.realpath(sys.executable)} -m bot run
"""


def copy_bot(machine: LabHost) -> None:
    """Put the bot and what it runs with onto the machine, which may not see the checkout."""
    library = machine.root / LIBRARY.lstrip("/")
    for name in ("bot", "handlers", "config"):
        shutil.copytree(ROOT / name, library / name, dirs_exist_ok=True)
    for name in re.findall(r"^([\w.-]+)==", (ROOT / "requirements.lock").read_text(), re.MULTILINE):
        try:
            files = distribution(name).files or []
        except PackageNotFoundError:  # of another platform
            continue
        for file in files:
            there = Path(file.locate())
            if ".." not in file.parts and there.is_file():
                (library / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(there, library / file)
    words = f'PYTHONPATH={LIBRARY} exec {os.path.realpath(sys.executable)} -m bot "$@"'
    machine.write("/opt/maskbot/bin/maskbot", f"#!/bin/sh\n{words}\n", 0o755)


def documented(heading: str, block: int = 0) -> str:
    """The lines that operations.md tells root to type, in a block of a section."""
    section = (ROOT / "docs/operations.md").read_text().partition(f"\n{heading}\n")[2]
    blocks: list[str] = re.findall(r"^```\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    return blocks[block]


def start(machine: LabHost, written: Installation, *, drop_in: str = FROM_COPIES) -> None:
    """Install and start it, in a folder with the shipped files and what `maskbot init` makes. Raises `LabError`."""
    made = {"secrets/ssh_key": Path(written.environment["MASKBOT_SSH_KEY_FILE"]).read_text()}
    made |= {f"secrets/{name.lower()}": written.environment[name] for name in SECRETS}
    made |= {file.name: file.read_text() for file in (written.folder / "config").iterdir()}
    for name, text in made.items():
        machine.write(f"{CHECKOUT}/maskbot/{name}", text, 0o600)
    for file in DEPLOY.iterdir():
        machine.write(f"{CHECKOUT}/deploy/systemd/{file.name}", file.read_text())
    machine.write(f"{UNIT}.d/here.conf", drop_in)
    here = f"echo SLACK_API_URL={written.environment['SLACK_API_URL']} >>/etc/maskbot/maskbot.env"
    # The others make a Python environment, and an installation.
    lines = [line for line in documented("## The bot as a service").splitlines() if line.startswith("install ")]
    began = f"journalctl -q -n 1 -o cat --show-cursor | sed -n 's/^-- cursor: //p' >{CURSOR}"
    lines = [f"cd {CHECKOUT}", began, *lines, here, "systemctl daemon-reload", "systemctl start maskbot.service"]
    done = machine.run("sh", "-ec", "\n".join(lines), seconds=60)
    if done.returncode != 0:
        raise LabError(f"{done.stderr}\n{journal(machine)}")


def clear(machine: LabHost) -> None:
    """Stop it, and remove all of it."""
    gone = f"{UNIT} {UNIT}.d {SYSUSERS} /var/lib/maskbot /var/lib/maskbot.* /opt/maskbot {CHECKOUT}"
    gone += " /etc/maskbot/*.yaml /etc/maskbot/maskbot.env /etc/maskbot/secrets"
    words = f"systemctl stop maskbot.service; userdel maskbotd; rm -rf {gone}; systemctl daemon-reload"
    machine.run("sh", "-c", words, seconds=60)


def journal(machine: LabHost) -> str:
    """What the service said since it was installed."""
    words = f'journalctl --after-cursor="$(cat {CURSOR})" -u maskbot.service --no-pager -o cat'
    return machine.run("sh", "-c", words).stdout


def says(story: Story, machine: LabHost, word: str, *, times: int = 1) -> None:
    """Wait until the service has said so, and so often."""
    story.until(lambda: journal(machine).split("\n").count(word) >= times, f"`{word}`, {times} times")
