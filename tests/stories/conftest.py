"""The stage of the stories: Slack and bot once for each file, hosts for all, and every promise checked after each."""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
import yaml

from tests.lab.demo import Demo, workspace
from tests.lab.hosts import LabHost
from tests.lab.installation import Bot, Installation
from tests.lab.machine import NotHereError
from tests.lab.pristine import Pristine
from tests.lab.slack.lab import SlackLab
from tests.lab.slack.workspace import APP_TOKEN, BOT_TOKEN, SIGNING_SECRET
from tests.stories.scene import Story, mark

SETTINGS = {
    "MASKBOT_MESSAGE_RETRY": "0.3",
    "MASKBOT_PROGRESS": "1",
    "MASKBOT_PEOPLE_TTL": "0.01",  # what a story changes about people is so at once
    "MASKBOT_RETRIES": "0.2,0.4",
    "MASKBOT_END_RETRY_FIRST": "0.5",
    "MASKBOT_END_RETRY_LONGEST": "2",
    "MASKBOT_WATCH_INTERVAL": "3600",  # what one story does to a host by hand is no news in the next one
}
GUARDED = {"guarded": [{"because": "it carries the mail of {host}", "units": ["primary.service"]}]}


@pytest.fixture(scope="module")
def http_port() -> int | None:
    """Where the bot listens for Slack; a file of stories may say so. Otherwise it comes by a socket of its own."""
    return None


@pytest.fixture(scope="module")
def own_settings() -> Mapping[str, str]:
    """Settings that a file of stories has of its own."""
    return {}


@pytest.fixture(scope="module")
def prepare() -> Callable[[Path, SlackLab], None]:
    """What a file of stories changes in its folder and its Slack before the bot starts."""
    return lambda folder, slack: None


@pytest.fixture(scope="module")
def demo(
    lab_hosts: Mapping[str, LabHost],
    http_port: int | None,
    own_settings: Mapping[str, str],
    prepare: Callable[[Path, SlackLab], None],
) -> Iterator[Demo]:
    """Slack and the bot's own `run`; in a folder that other users can reach."""
    try:
        slack = SlackLab().__enter__()
    except NotHereError as cannot:
        pytest.skip(str(cannot))
    folder = Path(tempfile.mkdtemp(prefix="maskbot-story-"))
    folder.chmod(0o755)  # other users of the machine speak to the bot through the socket in it
    try:
        settings = SETTINGS | (http_settings(http_port) if http_port else {}) | dict(own_settings)
        installation = Installation.write(folder, list(lab_hosts.values()), workspace(slack), settings=settings)
        (folder / "config/critical-units.yaml").write_text(yaml.safe_dump(GUARDED))
        add_a_host_that_is_gone(folder / "config/hosts.yaml")
        prepare(folder, slack)
        with Bot(installation, is_warm=True) as bot:
            if http_port:
                slack.send_to(f"http://127.0.0.1:{http_port}/slack/events")
            yield Demo(dict(lab_hosts), slack, bot)
        verified = installation.maskbot("audit", "verify")
        assert verified.returncode == 0, verified.stderr
    finally:
        slack.__exit__(None, None, None)
        shutil.rmtree(folder)


def http_settings(port: int) -> dict[str, str]:
    """Of a bot that Slack has to reach."""
    return {"SLACK_APP_TOKEN": "", "SLACK_SIGNING_SECRET": SIGNING_SECRET, "MASKBOT_HTTP_PORT": str(port)}


def add_a_host_that_is_gone(hosts: Path) -> None:
    """A host at whose address nobody answers."""
    described = yaml.safe_load(hosts.read_text())
    first = described["hosts"][0]
    gone = {name: first[name] for name in ("address", "login", "environment")}
    described["hosts"].append({"name": "gone-01", "port": 1, "host_keys": [*first["host_keys"]], **gone})
    hosts.write_text(yaml.safe_dump(described))


@pytest.fixture
def story(demo: Demo, found: Mapping[str, Pristine]) -> Iterator[Story]:
    """One story; then nothing it said was refused or secret, each request has one card, the hosts are as before."""
    one = Story(demo)
    yield one
    demo.slack.clear_faults()
    for pristine in found.values():
        pristine.restore()
    assert refused(one) == []
    assert secrets(one) == []
    assert twins(one) == []


def refused(story: Story) -> list[str]:
    """What Slack would not have taken: calls, blocks beyond its limits, acks in a form that nobody would see."""
    found = story.demo.slack.refused()[story.refused_before :]
    return [refusal for refusal in found if refusal not in story.refusals]


def secrets(story: Story) -> list[str]:
    """What must stand nowhere: neither in a message, nor in what the bot says of itself, nor in its record."""
    folder = story.demo.bot.installation.folder
    private = story.host().key_file.read_text().splitlines()[1]
    places = {
        "a message": "\n".join(map(str, story.everything("incident") + story.everything("random"))),
        "the log": story.demo.bot.output,
        "the record": "\n".join(file.read_text(errors="replace") for file in (folder / "state").iterdir()),
    }
    never = (BOT_TOKEN, APP_TOKEN, SIGNING_SECRET, private, "hooks.slack.com", "/_response/")
    return [f"`{word}` is in {place}" for place, text in places.items() for word in never if word in text]


def twins(story: Story) -> list[str]:
    """Each message has a mark of its own, so two with the same mark are one that was posted twice."""
    marks = [mark(message) for message in story.said()]
    return [f"{one}: {marks.count(one)} times" for one in {*marks} if one and marks.count(one) > 1]
