"""From nothing to a bot that is ready, with what `maskbot init` makes and says, on a real host and with a Slack."""

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.lab.hosts import LabHost
from tests.lab.installation import ROOT
from tests.lab.slack.lab import SlackLab
from tests.lab.warm import maskbot

pytestmark = [pytest.mark.ssh, pytest.mark.slack]
SECONDS = 60.0


@pytest.fixture
def nothing(slack: SlackLab) -> Mapping[str, str]:
    """The environment of somebody who has set nothing but where this Slack is."""
    clean = {name: text for name, text in os.environ.items() if not name.startswith(("MASKBOT_", "SLACK_"))}
    return {**clean, "PYTHONPATH": str(ROOT), "SLACK_API_URL": slack.api_url}


def test_init_says_what_is_missing_and_ends_with_ready(
    bare: LabHost, slack: SlackLab, nothing: Mapping[str, str], tmp_path: Path
) -> None:
    folder, fingerprints = tmp_path / "maskbot", tmp_path / "fingerprints"
    where = ("init", str(folder), "--host", f"web-01={bare.address}:{bare.port}", "--from", "127.0.0.1")
    begun = maskbot(where, nothing, seconds=SECONDS)
    assert begun.returncode == 1, begun.stderr
    assert f"paste {folder}/slack-manifest.yaml" in begun.stdout
    assert begun.stdout.endswith("Then run this command again: it keeps what is there.\n")

    secrets = folder / "secrets"
    for name, token in (("slack_bot_token", slack.bot_token), ("slack_app_token", slack.app_token)):
        assert str(secrets / name) in begun.stdout
        (secrets / name).write_text(token)
        (secrets / name).chmod(0o600)
    done = bare.run("sh", "-s", given=(folder / "host-install.sh").read_text())
    assert done.returncode == 0, done.stderr
    fingerprints.write_text(done.stdout)
    people = ("--channel", "#incident", "--ask", "@alice", "--ask", "@bob", "--approve", "@sre")
    kept = {path: path.read_bytes() for path in (*secrets.iterdir(), folder / "maskbot.env")}
    ended = maskbot((*where, *people, "--expect", str(fingerprints)), nothing, seconds=SECONDS)

    assert ended.stdout.splitlines()[-1] == "ready", ended.stdout + ended.stderr
    assert ended.returncode == 0
    assert f"ssh -p {bare.port} root@{bare.address} sh -s <{folder}/host-install.sh" in ended.stdout
    assert all(path.read_bytes() == content for path, content in kept.items())
    assert {oct(path.stat().st_mode & 0o777) for path in secrets.iterdir() if path.suffix != ".pub"} == {"0o600"}
    lines = (folder / "maskbot.env").read_text().splitlines()
    settings = dict(line.split("=", 1) for line in lines if not line.startswith("#"))
    assert maskbot(("check",), {**nothing, **settings}, seconds=SECONDS).stdout == "configuration ok\n"


def test_a_name_that_slack_does_not_know_is_said_and_nothing_is_guessed(
    slack: SlackLab, nothing: Mapping[str, str], tmp_path: Path
) -> None:
    tokens = {"SLACK_BOT_TOKEN": slack.bot_token, "SLACK_APP_TOKEN": slack.app_token}
    where = ("init", str(tmp_path / "maskbot"), "--host", "web-01=192.0.2.11", "--channel", "#incident")
    for wrong, said in (
        (("--ask", "@nobody", "--approve", "@sre"), "There is no person and no user group @nobody"),
        (("--ask", "@alice", "--ask", "@sre", "--approve", "@sre"), "A group is made of people or of one user group"),
        ((), "Who may ask, as @alice @bob or one user group: nobody is there to answer."),
    ):
        done = maskbot((*where, *wrong), {**nothing, **tokens}, seconds=SECONDS)
        assert done.returncode == 2
        assert said in done.stderr
        assert not (tmp_path / "maskbot/policy.yaml").exists()
    assert (tmp_path / "maskbot/secrets/slack_bot_token").read_text().strip() == slack.bot_token
