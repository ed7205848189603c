"""A directory of configuration files, right until a test makes it wrong."""

from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent

import pytest
from pydantic import SecretStr

from bot.errors import ConfigError
from config.loading import Configuration, load
from config.settings import Settings
from tests.lab.keys import SETTING

KEY = "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU"
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
        self.settings = Settings(config_dir=self.path, seal_keys=SecretStr(SETTING))

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
