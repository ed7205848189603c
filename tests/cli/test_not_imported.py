"""A broken Python environment is said to be broken, with the package and with what makes it anew."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lab.installation import ROOT


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
