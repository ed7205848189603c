"""Every command of README and docs/ is run as it stands there: on real hosts, by the people that it is for."""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from click import Command
from typer.main import get_command

from bot.__main__ import app
from tests.cli.test_command_line_hosts import SECONDS, installation
from tests.deploy.test_first_hour import INIT, RUN
from tests.lab.demo import workspace
from tests.lab.hosts import LabHost
from tests.lab.installation import Bot, Installation
from tests.lab.slack.lab import SlackLab
from tests.lab.warm import Maskbot, maskbot
from tests.test_documents import PAGES, commands_of

__all__ = ["installation"]
pytestmark = [pytest.mark.ssh, pytest.mark.slack]
USERS = {"alice": None, "bob": 65534, "carol": 1}  # root, nobody, daemon
# What the pages call a request, and hosts, units and folders of their own.
MEANT = {
    "bastion": "web-02",
    "nginx,php-fpm": "cron,beat.timer",
    "HOST UNIT": "web-01 cron",
    "$(date +%F)": "2026-03-14",
}
# What another test types, from README itself, to a bot that is ready.
ELSEWHERE = {"maskbot run", "maskbot init", "maskbot init --host web-01=192.0.2.11 --from 192.0.2.5"}


@dataclass
class Terminals:
    """The people at their terminals on the bot's machine, and what they have typed so far."""

    installation: Installation
    folder: Path
    request: str = ""  # of which the pages say r1a2b3c4d5
    typed: list[str] = field(default_factory=list)

    def words(self, typed: str) -> list[str]:
        """What is typed, with names that are there for those of the pages."""
        self.typed.append(typed)
        there = {**MEANT, "r1a2b3c4d5": self.request, "/var/backups": str(self.folder)}
        for said, is_ in there.items():
            typed = typed.replace(said, is_)
        return shlex.split(typed)[1:]

    def types(self, who: str, typed: str, code: int = 0, given: str = "") -> str:
        """Type a command and wait until it has ended; what it prints."""
        done = maskbot(self.words(typed), self.installation.environment, seconds=SECONDS, given=given, user=USERS[who])
        assert (done.returncode, "Traceback" in done.stderr) == (code, False), (typed, done.stdout, done.stderr)
        return done.stdout

    def types_in_a_shell(self, typed: str, code: int = 0, given: str = "") -> str:
        """In a folder of its own, which is also the home, and without a token."""
        self.typed.append(typed)
        words = ["bash", "-c", f'maskbot() {{ {sys.executable} -m bot "$@"; }}; {typed}']
        given_to_all = self.installation.environment.items()
        home = {name: text for name, text in given_to_all if name[-6:] != "_TOKEN"} | {"HOME": str(self.folder)}
        done = subprocess.run(
            words, cwd=self.folder, env=home, input=given, capture_output=True, text=True, check=False
        )
        assert done.returncode == code, (typed, done.stdout, done.stderr)
        return done.stdout

    def asks(self, typed: str) -> Maskbot:
        """alice asks, and the command waits for approval."""
        process = Maskbot(self.words(typed), self.installation.environment)
        line = next((line for line in process.stderr if "`maskbot approve " in line), "")
        assert line, (typed, process.stdout.read())
        self.request = line.partition("`maskbot approve ")[2].partition("`")[0]
        return process

    def ends(self, asking: Maskbot, code: int = 0) -> None:
        """The command that waited has ended."""
        with asking.stdout, asking.stderr:
            said = asking.stdout.read() + asking.stderr.read()
            assert asking.wait(SECONDS) == code, said


@pytest.fixture
def terminals(
    installation: Installation, hosts: Mapping[str, LabHost], slack: SlackLab, tmp_path: Path
) -> Iterator[Terminals]:
    """alice is root, bob and carol have logins of their own; bob and carol approve."""
    written = Installation.write(installation.folder, [*hosts.values()], workspace(slack))
    path = written.folder / "config/policy.yaml"
    policy: dict[str, Any] = yaml.safe_load(path.read_text())
    ids = slack.users
    policy["groups"]["sre"] = {"users": [ids["bob"], ids["carol"]]}
    policy["people"] |= {"bob": ids["bob"], "daemon": ids["carol"]}
    policy["break_glass"] = {"groups": ["eng"], "min_reason_length": 1}
    path.write_text(yaml.safe_dump(policy))
    yield Terminals(written, tmp_path)


def test_every_command_of_the_pages_does_what_it_is_for(terminals: Terminals) -> None:
    """In the order in which somebody could type them."""
    before_the_start(terminals)
    with Bot(terminals.installation, is_warm=True):
        look(terminals)
        ask_and_approve(terminals)
        follow_up(terminals)
        operate(terminals)
    terminals.types("alice", "maskbot restore /var/backups/maskbot-2026-03-14.sqlite")
    assert documented() - {*terminals.typed} == ELSEWHERE
    assert {path for path in paths() if not any(typed.startswith(path) for typed in terminals.typed)} == {"maskbot run"}


def before_the_start(at: Terminals) -> None:
    (at.folder / ".ssh").mkdir()
    (at.folder / ".ssh/known_hosts").write_text("")
    assert "COMMAND" in at.types("alice", "maskbot -h")
    assert "HOST" in at.types("alice", "maskbot mask -h")
    assert "bash completion installed" in at.types_in_a_shell("maskbot --install-completion")
    at.types_in_a_shell("maskbot init maskbot --host web-01=192.0.2.11 --from 192.0.2.5", code=1)  # it wants tokens
    assert (at.folder / "maskbot/host-install.sh").exists()
    assert at.types("alice", "maskbot secret").count(":") == 1
    for page in ("maskbot manifest", "maskbot manifest --url https://maskbot.example.com"):
        assert at.types("alice", page).startswith("# The Slack app")
    for script in ("maskbot host install-script", "maskbot host install-script --from 192.0.2.5"):
        assert at.types("alice", script).startswith("#!/bin/sh")
    for check in ("maskbot check", "maskbot check --files"):
        assert at.types("alice", check) == "configuration ok\n"
    source = json.dumps(
        {"all": {"hosts": ["web-03"]}, "_meta": {"hostvars": {"web-03": {"ansible_host": "192.0.2.3", "env": "prod"}}}}
    )
    command = "maskbot hosts import --environment prod --known-hosts ~/.ssh/known_hosts"
    assert "name: web-03" in at.types_in_a_shell(command, 1, source)  # nobody is there to say yes
    assert "name: web-03" in at.types("alice", "maskbot hosts import", 1, source)
    at.types("alice", "maskbot hosts scan")


def look(at: Terminals) -> None:
    for host in ("", " web-01", " web-02", " bastion"):
        assert at.types("alice", f"maskbot doctor{host}").splitlines()[-1] == "ready"
    assert "maskbot 0" in at.types("bob", "maskbot status")
    assert "cron.service" in at.types("alice", "maskbot plan web-01 cron")
    for what in ("maskbot explain web-01 cron", "maskbot explain HOST UNIT"):
        assert "prod" in at.types("alice", what)
    for what in ("maskbot list", "maskbot handover"):
        assert at.types("bob", what)


def ask_and_approve(at: Terminals) -> None:
    asking = at.asks("maskbot mask web-01 cron INC-2041")
    at.types("bob", "maskbot ask r1a2b3c4d5 is it drained?")
    at.types("alice", "maskbot answer r1a2b3c4d5 yes")
    at.types("bob", "maskbot approve r1a2b3c4d5")
    at.ends(asking)
    at.types("alice", "maskbot unmask web-01 cron")
    asking = at.asks("maskbot mask web-01,@db nginx,php-fpm --waves 1,rest")
    at.types("carol", "maskbot approve r1a2b3c4d5")
    at.ends(asking)
    asking = at.asks("maskbot mask web-02 cron --for 2h")
    at.types("carol", "maskbot approve r1a2b3c4d5")
    at.ends(asking)
    at.types("alice", "maskbot extend r1a2b3c4d5 2h")
    at.types("alice", "maskbot keep r1a2b3c4d5 --no-wait it is broken")


def follow_up(at: Terminals) -> None:
    asking = at.asks("maskbot mask web-02 beat.timer")
    at.types("alice", "maskbot break-glass r1a2b3c4d5 REASON")
    at.ends(asking)
    at.types("bob", "maskbot sign-off r1a2b3c4d5")
    asking = at.asks("maskbot mask web-02 worker")
    at.types("alice", "maskbot give r1a2b3c4d5 bob")
    at.types("bob", "maskbot withdraw r1a2b3c4d5")
    at.ends(asking, 1)
    asking = at.asks("maskbot mask web-02 db")
    at.types("carol", "maskbot deny r1a2b3c4d5 not now")
    at.ends(asking, 1)


def operate(at: Terminals) -> None:
    at.types("alice", 'maskbot step-up reset bob --reason "his phone is gone"', 1)  # he has none yet
    at.types("alice", "maskbot step-up reset bob --reason x", 1)
    at.types("bob", "maskbot freeze REASON")
    at.types("carol", "maskbot freeze runaway automation", 1)  # it is on already
    for who in ("bob", "carol"):
        at.types(who, "maskbot thaw")
    assert at.types("alice", "maskbot audit verify").splitlines()[-1].startswith("anchor: ")
    assert at.types("alice", "maskbot audit export").count("\n") > 50
    assert at.types("alice", "maskbot audit schema").startswith("{")
    at.types("alice", 'maskbot audit accept-break --reason "restored the 03:00 backup, disk failure"', code=1)
    at.types("alice", "maskbot reconcile")
    at.types("alice", "maskbot backup /var/backups/maskbot-$(date +%F).sqlite")


def documented() -> set[str]:
    """The commands of all pages, without what may be left out; one that needs words and has none is but named."""
    found = set()
    for page in PAGES:
        for typed in commands_of(page.read_text()):
            short = re.split(r"\s{2,}", re.sub(r"\[[^]]*\]", "", typed))[0].strip()
            if not is_name(short):
                found.add(short)
    return found


def is_name(typed: str) -> bool:
    command: Any = get_command(app)
    _, *words = shlex.split(typed)
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]
    needs = any(one.required for one in command.params) or bool(getattr(command, "commands", None))
    return needs and all(word.startswith("-") for word in words)


def paths(command: Any = None, path: str = "maskbot") -> Iterator[str]:
    """Every command that there is."""
    inner: Mapping[str, Command] = getattr(command or get_command(app), "commands", {})
    if not inner:
        yield path
    for name, one in inner.items():
        yield from paths(one, f"{path} {name}")


def test_what_is_run_elsewhere_is_run_there() -> None:
    """By tests/deploy/test_first_hour.py, which has the lines of README's blocks; `maskbot init` begins one of them."""
    assert {INIT, RUN, INIT.partition(" --")[0]} == ELSEWHERE
