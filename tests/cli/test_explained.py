"""What ended a command is said with what mends it: a broken Python environment, and another user than the bot's."""

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.lab.installation import ROOT
from tests.lab.warm import maskbot


@pytest.mark.parametrize(
    ("package", "text", "said"),
    [
        ("yaml", "raise ImportError('libyaml.so.2: cannot open shared object file', name='yaml')", "yaml cannot be"),
        ("paramiko", "from cryptography import nothing_of_that_name", "cryptography cannot be imported"),
        ("sqlalchemy", "import a_package_that_is_gone", "a_package_that_is_gone cannot be imported"),
    ],
)
def test_a_package_that_cannot_be_imported_is_named(tmp_path: Path, package: str, text: str, said: str) -> None:
    (tmp_path / f"{package}.py").write_text(f"{text}\n")
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}", "MASKBOT_LOG_LEVEL": "info"}
    done = subprocess.run(
        [sys.executable, "-m", "bot", "check"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert said in done.stderr
    assert f"python3 -m venv --clear {sys.prefix}" in done.stderr
    assert "Traceback" not in done.stderr


NOBODY = 65534


@pytest.mark.skipif(os.geteuid() != 0, reason="only root acts as somebody else")
@pytest.mark.parametrize("command", ["check", "doctor", "run", "status"])
def test_another_user_than_the_bots_is_told_who_may(command: str) -> None:
    with TemporaryDirectory() as there:  # others reach it, unlike pytest's
        Path(there).chmod(0o755)
        (closed := Path(there, "closed")).mkdir(mode=0o700)
        places = {
            "MASKBOT_CONFIG_DIR": str(closed / "etc"),
            "MASKBOT_SECRETS_DIR": str(closed / "secrets"),
            "MASKBOT_SOCKET": str(closed / "maskbot.sock"),
        }
        done = maskbot((command,), {"PYTHONPATH": str(ROOT), **places}, seconds=60.0, user=NOBODY)
    used = places["MASKBOT_SOCKET" if command == "status" else "MASKBOT_SECRETS_DIR"]
    assert (done.returncode, done.stderr[:15]) == (1, "nobody may not ")
    assert used in done.stderr
    assert "Run this as the bot's own user, or as root" in done.stderr
