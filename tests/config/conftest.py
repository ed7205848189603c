"""A directory of configuration files for each test, and no settings from the machine that runs it."""

import os
from pathlib import Path

import pytest

from tests.config.folder import Folder


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


@pytest.fixture(autouse=True)
def _only_our_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith(("MASKBOT_", "SLACK_")):
            monkeypatch.delenv(name)
