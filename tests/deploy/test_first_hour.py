"""From nothing to a bot that is ready, by README's own commands, on a real host and with a Slack."""

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import yaml

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


README = re.findall(r"^```\n(.*?)^```$", (ROOT / "README.md").read_text().partition("## Use it")[2], re.M | re.S)
PIP, PATH, INIT = README[0].splitlines()
SOURCE, DOCTOR, RUN = README[1].splitlines()


def typed(*lines: str, given: Mapping[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Type these lines into a shell. What README installs first is the environment of the tests."""
    environment = {**given, "PATH": f"{Path(sys.executable).parent}:{given['PATH']}"}
    return subprocess.run(
        ["bash", "-c", "\n".join(lines)], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_readme_installs_what_is_locked_and_nothing_else() -> None:
    assert "pip install --require-hashes -r requirements.lock" in PIP
    assert "pip install --no-deps ." in PIP
    assert PATH == "export PATH=$PWD/bot-venv/bin:$PATH"


@pytest.fixture
def near() -> Iterator[Path]:
    """A folder with a short path, as people have one: a socket's path has 107 characters at most (unix(7))."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        yield Path(folder)


def test_readme_leads_from_nothing_to_ready(
    bare: LabHost, slack: SlackLab, nothing: Mapping[str, str], near: Path
) -> None:
    tmp_path = near
    here = INIT.replace("192.0.2.11", f"{bare.address}:{bare.port}").replace("192.0.2.5", "127.0.0.1")
    begun = typed(here, given=nothing, folder=tmp_path)
    assert begun.returncode == 1, begun.stderr
    folder = tmp_path / "maskbot"
    assert f"paste {folder}/slack-manifest.yaml" in begun.stdout
    assert begun.stdout.endswith("Then run this command again: it keeps what is there.\n")

    secrets = folder / "secrets"
    for name, token in (("slack_bot_token", slack.bot_token), ("slack_app_token", slack.app_token)):
        assert str(secrets / name) in begun.stdout
        (secrets / name).write_text(token)
        (secrets / name).chmod(0o600)
    done = bare.run("sh", "-s", given=(folder / "host-install.sh").read_text())
    assert done.returncode == 0, done.stderr
    (tmp_path / "fingerprints").write_text(done.stdout)
    kept = {path: path.read_bytes() for path in (*secrets.iterdir(), folder / "maskbot.env")}
    answers = "--channel '#incident' --ask @alice --ask @bob --approve @sre --expect fingerprints"
    ended = typed(f"{here} {answers}", given=nothing, folder=tmp_path)
    assert (ended.returncode, ended.stdout.splitlines()[-1]) == (0, "ready"), ended.stdout + ended.stderr
    assert f"ssh -p {bare.port} root@{bare.address} sh -s <{folder}/host-install.sh" in ended.stdout
    assert all(path.read_bytes() == content for path, content in kept.items())
    assert {oct(path.stat().st_mode & 0o777) for path in secrets.iterdir() if path.suffix != ".pub"} == {"0o600"}
    assert typed(SOURCE, DOCTOR, given=nothing, folder=tmp_path).stdout.splitlines()[-1] == "ready"
    said, exit_code = ran(typed_run(nothing, tmp_path))
    assert ("ready\n" in said, exit_code) == (True, 0), said


def typed_run(given: Mapping[str, str], folder: Path) -> subprocess.Popen[str]:
    environment = {**given, "PATH": f"{Path(sys.executable).parent}:{given['PATH']}"}
    words = ["bash", "-c", f"{SOURCE}\nexec {RUN}"]
    return subprocess.Popen(
        words, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def ran(bot: subprocess.Popen[str]) -> tuple[list[str], int]:
    """What a bot says until it is ready or ends, and how it ends when it is told to."""
    assert bot.stdout
    said = list[str]()
    with bot:
        for line in bot.stdout:
            said.append(line)
            if line == "ready\n":
                break
        bot.send_signal(signal.SIGTERM)
        return said, bot.wait(SECONDS)


def test_a_name_that_slack_does_not_know_is_said_and_nothing_is_guessed(
    slack: SlackLab, nothing: Mapping[str, str], tmp_path: Path
) -> None:
    tokens = {"SLACK_BOT_TOKEN": slack.bot_token, "SLACK_APP_TOKEN": slack.app_token}
    where = ("init", str(tmp_path / "maskbot"), "--host", "web-01=192.0.2.11", "--channel", "#incident")
    swapped = {"SLACK_BOT_TOKEN": slack.app_token, "SLACK_APP_TOKEN": slack.bot_token}
    begun = maskbot(where, {**nothing, **swapped}, seconds=SECONDS)
    assert begun.stdout.count("so it is not that token.") == 2
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


def test_hosts_of_a_file_stand_beside_those_that_are_named(
    slack: SlackLab, nothing: Mapping[str, str], tmp_path: Path
) -> None:
    tokens = {"SLACK_BOT_TOKEN": slack.bot_token, "SLACK_APP_TOKEN": slack.app_token}
    config = tmp_path / "ssh_config"
    config.write_text("Host web-02.example.com\n  HostName 127.0.0.1\n  Port 9\nHost status\n")
    where = (
        "init",
        str(tmp_path / "maskbot"),
        "--host",
        "web-01=127.0.0.1:8",
        "--import",
        str(tmp_path / "ssh_config"),
    )
    people = ("--channel", "C0INCIDENT", "--ask", slack.users["alice"], "--approve", "@sre")
    done = maskbot((*where, *people), {**nothing, **tokens}, seconds=SECONDS)
    assert done.returncode == 1  # doctor does not reach them
    assert "status: left out: `status` is a command word" in done.stderr
    hosts = yaml.safe_load((tmp_path / "maskbot/hosts.yaml").read_text())["hosts"]
    assert [(one["name"], one["address"], one["port"]) for one in hosts] == [
        ("web-02", "127.0.0.1", 9),
        ("web-01", "127.0.0.1", 8),
    ]
