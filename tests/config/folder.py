"""A directory of configuration files, right until a test makes it wrong."""

from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent

import pytest

from bot.edges.ssh.new_key import make_key
from bot.errors import ConfigError
from config.loading import Configuration, load
from config.settings import Settings
from tests.lab.keys import SETTING

KEY = "SHA256:n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg"
HOSTS = f"""\
hosts:
  - name: web-01
    address: 192.0.2.11
    environment: prod
    groups: [web]
    host_keys: [{KEY}]
"""
POLICY = """\
teams: [T0TEAM]
channels: {prefixes: [inc-]}
groups:
  eng: {users: [U0ALICE, U0BOB, U0CAROL]}
  sre: {users: [U0BOB, U0CAROL]}
rules:
  - name: prod
    environments: [prod]
    ask: [eng]
    approve: [sre]
"""


@dataclass(slots=True)
class Folder:
    """Its files are written when it is loaded."""

    path: Path
    hosts: str = HOSTS
    policy: str = POLICY
    critical: str = ""
    settings: Settings = field(init=False)

    def __post_init__(self) -> None:
        if not (key := self.path / "key").exists():
            make_key(key)
        self.settings = self.with_settings()

    def with_settings(self, **more: object) -> Settings:
        """Settings with which a bot would start, but for what is given."""
        named = {"config_dir": self.path, "seal_keys": SETTING, "ssh_key_file": self.path / "key"}
        places = {"database_url": f"sqlite:///{self.path}/state/maskbot.sqlite", "socket": self.path / "state/sock"}
        tokens = {"SLACK_BOT_TOKEN": "xoxb-1-test", "SLACK_APP_TOKEN": "xapp-1-A1-2-test"}
        return Settings.model_validate({**named, **places, **tokens, **more})

    def load(self) -> Configuration:
        self.write()
        return load(self.settings)

    def write(self) -> None:
        files = {"hosts.yaml": self.hosts, "policy.yaml": self.policy, "critical-units.yaml": self.critical}
        for name, text in files.items():
            if text:
                (self.path / name).write_text(dedent(text))

    def complaints(self) -> list[str]:
        """What is wrong, with paths as they are inside the directory."""
        with pytest.raises(ConfigError) as error:
            self.load()
        return [line.removeprefix(f"{self.path}/") for line in str(error.value).splitlines()]
