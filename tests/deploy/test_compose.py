"""The compose file, as far as it can be checked without an engine: names, places and numbers are those of the bot."""

import re
import subprocess
from typing import Any

import pytest
import yaml

from config.secret_files import SECRETS
from config.settings import Settings
from tests.lab.installation import ROOT

FOLDER = ROOT / "deploy/compose"
COMPOSE: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yaml").read_text())
BOT: dict[str, Any] = COMPOSE["services"]["maskbot"]
IMAGE = dict(re.findall(r"^ +(MASKBOT_[A-Z_]+)=(\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE))


def test_its_settings_are_settings_of_the_bot_with_values_that_fit() -> None:
    names = {name.removeprefix("MASKBOT_").lower(): value for name, value in BOT["environment"].items()}
    assert names.keys() <= Settings.model_fields.keys()
    settings = Settings.model_validate(names)
    assert settings.slack_connections == BOT["deploy"]["replicas"]
    assert settings.stop_within < int(BOT["stop_grace_period"].removesuffix("s"))


def test_each_secret_is_one_that_the_bot_reads_where_the_image_looks() -> None:
    read = {name.lower() for name in SECRETS} | {IMAGE["MASKBOT_SSH_KEY_FILE"].rpartition("/")[2]}
    assert IMAGE["MASKBOT_SECRETS_DIR"] == "/run/secrets"  # where Compose puts them
    assert {*BOT["secrets"]} <= read
    named = {name for service in COMPOSE["services"].values() for name in service["secrets"]}
    assert COMPOSE["secrets"] == {name: {"file": f"./secrets/{name}"} for name in named}
    assert "maskbot_database_url" in BOT["secrets"]  # two bots on one SQLite file would be refused


def test_it_mounts_what_the_image_expects_and_lets_it_write_nowhere_else() -> None:
    assert BOT["volumes"] == [f"./config:{IMAGE['MASKBOT_CONFIG_DIR']}:ro"]
    user = re.search(r"^USER (\d+:\d+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert user
    uid, gid = user[1].split(":")
    assert BOT["tmpfs"] == [f"/var/lib/maskbot:uid={uid},gid={gid},mode=0700"]
    assert (BOT["read_only"], BOT["cap_drop"]) == (True, ["ALL"])
    assert (FOLDER / BOT["build"]).resolve() == ROOT
    version = re.search(r'^version = "(.*)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version
    assert BOT["image"] == f"maskbot:{version[1]}"


def test_no_image_of_somebody_else_can_become_another_one() -> None:
    base = re.search(r"^ARG BASE=(.*)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert base
    taken = [base[1], *(one["image"] for one in COMPOSE["services"].values() if "build" not in one)]
    assert [one for one in taken if not re.fullmatch(r"[a-z0-9.:/-]+@sha256:[0-9a-f]{64}", one)] == []


@pytest.mark.parametrize(
    ("base", "is_taken"),
    [
        ("python:3.13-slim", False),
        ("registry.example/python", False),
        ("python@sha256", False),
        ("python:3.13-slim@sha256:00", True),
        ("localhost/maskbot-base:trixie", True),
    ],
)
def test_the_build_takes_a_base_that_nobody_can_replace(base: str, *, is_taken: bool) -> None:
    check = re.search(
        r"^RUN (case \"\$BASE\" .*?\n +esac)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE | re.DOTALL
    )
    assert check
    words = ["sh", "-c", check[1].replace("\\\n", "\n")]
    assert (subprocess.run(words, env={"BASE": base}, check=False, stderr=subprocess.PIPE).returncode == 0) is is_taken
