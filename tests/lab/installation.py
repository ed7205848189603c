"""Install the bot for the lab: its configuration files, its environment, and its process."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import yaml

from tests.lab.hosts import LabHost
from tests.lab.keys import SETTING
from tests.lab.machine import LabError
from tests.lab.warm import Maskbot, maskbot

ROOT = Path(__file__).resolve().parents[2]
READY_SECONDS, STOP_SECONDS = 20.0, 20.0
GROUPS = {"web-01": ["web"], "web-02": ["web"], "db-01": ["db"]}


@dataclass(frozen=True, slots=True)
class Workspace:
    """What the bot must know of Slack, real or not."""

    api_url: str
    bot_token: str
    app_token: str
    team: str
    users: Mapping[str, str]  # name -> id
    channels: Mapping[str, str]
    sre: str  # the user group of the approvers


@dataclass(frozen=True, slots=True)
class Installation:
    """The directory of one bot's files."""

    folder: Path
    environment: Mapping[str, str] = field(repr=False)

    @classmethod
    def write(
        cls, folder: Path, hosts: Sequence[LabHost], workspace: Workspace, *, settings: Mapping[str, str] | None = None
    ) -> Self:
        """Write the files; `settings` are further environment variables."""
        config = folder / "config"
        config.mkdir(parents=True, exist_ok=True)
        (config / "hosts.yaml").write_text(yaml.safe_dump(_hosts(hosts), sort_keys=False))
        (config / "policy.yaml").write_text(yaml.safe_dump(_policy(workspace), sort_keys=False))
        inherited = {name: text for name, text in os.environ.items() if not name.startswith(("MASKBOT_", "SLACK_"))}
        own = {
            "SLACK_API_URL": workspace.api_url,
            "SLACK_BOT_TOKEN": workspace.bot_token,
            "SLACK_APP_TOKEN": workspace.app_token,
            "MASKBOT_SEAL_KEYS": SETTING,
            "MASKBOT_CONFIG_DIR": str(config),
            "MASKBOT_DATABASE_URL": f"sqlite:///{folder}/state/maskbot.sqlite",
            "MASKBOT_SOCKET": str(folder / "maskbot.sock"),
            "MASKBOT_ACTS_PER_MINUTE": "1000",  # tests are quicker than people
            "MASKBOT_SSH_KEY_FILE": str(hosts[0].key_file) if hosts else "",
        }
        return cls(folder, {**inherited, "PYTHONPATH": str(ROOT), **own, **(settings or {})})

    def maskbot(self, *words: str, seconds: float = 60.0) -> subprocess.CompletedProcess[str]:
        """Run a `maskbot` command to its end."""
        return maskbot(words, self.environment, seconds=seconds)


def _hosts(hosts: Sequence[LabHost]) -> Mapping[str, object]:
    return {
        "hosts": [
            {
                "name": host.name,
                "address": host.address,
                "port": host.port,
                "login": host.login,
                "environment": "prod",
                "groups": GROUPS.get(host.name, []),
                "host_keys": [host.host_key],
                "machine_id": (host.root / "etc/machine-id").read_text().strip(),
            }
            for host in hosts
        ]
    }


def _policy(workspace: Workspace) -> Mapping[str, object]:
    """alice and dave may ask, the user group @sre approves; the critical list is the shipped one."""
    askers = [workspace.users[name] for name in ("alice", "bob", "carol")]
    return {
        "teams": [workspace.team],
        "channels": {"ids": [workspace.channels["incident"]]},
        "groups": {"eng": {"users": askers}, "sre": {"slack_group": workspace.sre}},
        "people": {"root": workspace.users["alice"], "nobody": workspace.users["bob"]},
        "shell_channel": workspace.channels["incident"],
        # a file of stories asks more often than people do
        "limits": {"requests_per_minute": 1000, "units_per_host": 1000},
        "shortest_mask": "5s",  # so that nobody waits long for an expiry
        "rules": [{"name": "prod", "environments": ["prod"], "ask": ["eng"], "need": 1, "approve": ["sre"]}],
    }


class Bot:
    """The process of `maskbot run`; a `with` block stops it at its end.

    A warm process has imported everything already.
    """

    def __init__(self, installation: Installation, *, is_warm: bool = False) -> None:
        self.installation = installation
        self._is_warm = is_warm
        self._lines: list[str] = []
        self._heard = threading.Condition()
        self._process: subprocess.Popen[str] | Maskbot | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def output(self) -> str:
        """Its output so far, on both streams."""
        with self._heard:
            return "\n".join(self._lines)

    def start(self) -> None:
        """Start it and wait for its `ready`."""
        self._lines.clear()
        self._process = self._begin()
        threading.Thread(target=self._read, args=(self._process,), daemon=True).start()
        self._wait_for("ready")

    def _begin(self) -> subprocess.Popen[str] | Maskbot:
        environment = dict(self.installation.environment)
        if self._is_warm:
            return Maskbot(("run",), environment, merged=True)
        return subprocess.Popen(
            [sys.executable, "-m", "bot", "run"],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,  # Ctrl-C in the terminal is for the test run, which stops the bot in order
        )

    def _read(self, process: subprocess.Popen[str] | Maskbot) -> None:
        assert process.stdout
        with process.stdout as stream:
            for line in stream:
                with self._heard:
                    self._lines.append(line.rstrip("\n"))
                    self._heard.notify_all()

    def _wait_for(self, word: str) -> None:
        deadline = time.monotonic() + READY_SECONDS
        with self._heard:
            while not any(line.strip() == word for line in self._lines):
                over = self._process is None or self._process.poll() is not None
                if over or time.monotonic() > deadline:
                    break
                self._heard.wait(0.1)
            else:
                return
        self.kill()
        raise LabError(f"The bot did not say `{word}`. It said:\n{self.output}")

    def hang_up(self) -> None:
        """SIGHUP: reload the configuration."""
        assert self._process
        self._process.send_signal(signal.SIGHUP)

    def kill(self) -> None:
        """SIGKILL."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """SIGTERM, and wait until it has ended in order."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(how)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(STOP_SECONDS)
            raise LabError(f"The bot did not stop. It said:\n{self.output}") from None
        code, self._process = self._process.returncode, None
        if how is signal.SIGTERM and code != 0:
            raise LabError(f"The bot ended with {code}. It said:\n{self.output}")

    @property
    def pid(self) -> int:
        """The process."""
        assert self._process
        return self._process.pid

    def is_running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None


def said_json(done: subprocess.CompletedProcess[str]) -> object:
    """The JSON that a command printed."""
    return json.loads(done.stdout)
