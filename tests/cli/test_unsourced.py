"""A new terminal, in which nobody has read the settings: every command that needs them says so, and how to."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from bot.cli.unsourced import require_settings
from bot.errors import ConfigError
from tests.lab.installation import ROOT


def typed(folder: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    """As the shell types it, in a terminal that has no settings."""
    clean = {name: text for name, text in os.environ.items() if not name.startswith(("MASKBOT_", "SLACK_"))}
    command = (sys.executable, "-m", "bot", *words)
    environment = {**clean, "PYTHONPATH": str(ROOT), **more}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "words", [("check",), ("doctor",), ("run",), ("list",), ("hosts", "scan"), ("audit", "verify")]
)
def test_the_settings_are_named_before_all_else(tmp_path: Path, words: tuple[str, ...]) -> None:
    (tmp_path / "maskbot").mkdir()
    (tmp_path / "maskbot/maskbot.env").write_text("# Settings.\nMASKBOT_CONFIG_DIR=/srv/maskbot\n")
    done = typed(tmp_path, *words, SLACK_API_URL="http://127.0.0.1:9/")
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1)
    assert done.stderr.endswith("Run first: set -a; . maskbot/maskbot.env; set +a\n")


@pytest.mark.parametrize("words", [("secret",), ("manifest",), ("doctor", "-h"), ("--version",)])
def test_what_needs_no_settings_goes_on_without_them(tmp_path: Path, words: tuple[str, ...]) -> None:
    (tmp_path / "maskbot.env").write_text("MASKBOT_CONFIG_DIR=/srv/maskbot\n")
    assert typed(tmp_path, *words).returncode == 0


@pytest.mark.parametrize("environ", [{"MASKBOT_CONFIG_DIR": "/elsewhere"}, {"MASKBOT_SOCKET": "/run/maskbot.sock"}])
def test_a_shell_that_has_some_of_them_chose_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environ: Mapping[str, str]
) -> None:
    monkeypatch.chdir(tmp_path)
    require_settings({})
    (tmp_path / "maskbot.env").write_text("MASKBOT_CONFIG_DIR=/srv/maskbot\nMASKBOT_SOCKET=/srv/maskbot.sock\n")
    require_settings(environ)
    with pytest.raises(ConfigError, match=r"set -a; \. \./maskbot\.env; set \+a"):
        require_settings({"SLACK_API_URL": "https://slack.example/"})
