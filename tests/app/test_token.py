"""The bot's token is revoked: nothing more is taken in, and with another one in its file everything goes on."""

import json
import signal
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from urllib.error import HTTPError

import pytest
import yaml

from tests.app.test_health import free_port
from tests.cli import test_command_line as terminal
from tests.cli.test_command_line import ME, SECONDS, Place
from tests.lab.slack.lab import SlackLab
from tests.lab.slack.workspace import APP_TOKEN, BOT_TOKEN, CHANNELS, TEAM, USERS

pytestmark = pytest.mark.slack
NEXT = "xoxb-the-next-one-4711"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """An installation in the workspace of the lab, with its tokens in files."""
    place, channel = terminal.installed(tmp_path), CHANNELS["incident"]
    policy = {
        "teams": [TEAM],
        "channels": {"ids": [channel]},
        "groups": {"eng": {"users": [USERS["alice"], USERS["bob"]]}},
        "rules": [{"name": "prod", "ask": ["eng"], "approve": ["eng"]}],
        "people": {ME: USERS["alice"]},
        "shell_channel": channel,
    }
    (tmp_path / "config/policy.yaml").write_text(yaml.safe_dump(policy))
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets/slack_bot_token").write_text(BOT_TOKEN)
    (tmp_path / "secrets/slack_app_token").write_text(APP_TOKEN)
    return place


@pytest.mark.fault("F46", how="the bot's token revoked, and another put into its file")
def test_a_token_that_is_revoked_stops_the_intake_until_there_is_another(
    place: Place, slack: SlackLab, saw: Callable[[str], str]
) -> None:
    port = free_port()
    settings = {
        "SLACK_API_URL": slack.api_url,
        "SLACK_BOT_TOKEN": "",
        "SLACK_APP_TOKEN": "",
        "MASKBOT_SECRETS_DIR": str(place.folder / "secrets"),
        "MASKBOT_SLACK_CHECK": "0.2",
        "MASKBOT_PROBE_PORT": str(port),
        "MASKBOT_HEARTBEAT": "0.1",
    }
    with place.running(**settings) as process:
        ready(port, is_ready=True)
        assert slack.connections == 1
        slack.rotate(NEXT)
        why = ready(port, is_ready=False)
        (token,) = [one for one in why if one.startswith("token:")]
        assert "Slack refuses the bot's token (invalid_auth)" in saw(token)
        until(lambda: slack.connections == 0)
        assert process.poll() is None

        (place.folder / "secrets/slack_bot_token").write_text(NEXT)
        ready(port, is_ready=True)
        assert slack.connections == 1
        process.send_signal(signal.SIGTERM)
        rest = process.stdout.read()
    assert not any(secret in rest for secret in (NEXT, BOT_TOKEN, APP_TOKEN))


def ready(port: int, *, is_ready: bool) -> list[str]:
    """Wait until the bot is, or is not; the answer is why not."""
    found: dict[str, list[str]] = {}

    def holds() -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=10) as answer:
                found.update(json.load(answer))
        except HTTPError as error:
            found.update(json.load(error))
        except OSError:
            return False
        wanted = is_ready or any(why.startswith("token:") for why in found["why"])
        return bool(found["ready"]) is is_ready and wanted

    until(holds)
    return found["why"]


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)
