"""The stage of the stories: hosts, Slack and bot once for each process, and every promise checked after each story.

A file of stories that needs another policy has it put in force for its stories, as an operator would. Only one that
needs other settings, or a Slack of its own, boots another stage.
"""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path

import pytest
import yaml

from tests.edges.receiver import PageReceiver, receiving
from tests.lab.demo import Demo, workspace
from tests.lab.hosts import LabHost
from tests.lab.installation import Bot, Installation
from tests.lab.machine import NotHereError
from tests.lab.pristine import Pristine
from tests.lab.slack.lab import SlackLab
from tests.lab.slack.workspace import APP_TOKEN, BOT_TOKEN, SIGNING_SECRET
from tests.stories.scene import Story, mark, reloaded

SETTINGS = {
    "MASKBOT_MESSAGE_RETRY": "0.3",
    "MASKBOT_PROGRESS": "1",
    "MASKBOT_PEOPLE_TTL": "0.01",  # what a story changes about people is so at once
    "MASKBOT_RETRIES": "0.2,0.4",
    "MASKBOT_EXPIRY_RETRY_FIRST": "0.5",
    "MASKBOT_EXPIRY_RETRY_LONGEST": "2",
    # After a story its hosts are restored behind the bot's back, and that is no news: it never looks by itself.
    "MASKBOT_WATCH_INTERVAL": "86400",
    "MASKBOT_AFTERCHECK": "none",
}
GUARDED = {"guarded": [{"because": "it carries the mail of {host}", "units": ["primary.service"]}]}
Prepare = Callable[[Path, SlackLab], None]


@pytest.fixture(scope="session")
def receiver() -> Iterator[PageReceiver]:
    """Where the bot's pages go."""
    with receiving() as one:
        yield one


@pytest.fixture(scope="session")
def stage(lab_hosts: Mapping[str, LabHost], receiver: PageReceiver) -> Iterator[Demo]:
    """What most stories are played on."""
    with booted(lab_hosts, {"MASKBOT_PAGER_URL": receiver.url, "MASKBOT_PAGER_SECRET": "s3cret"}) as demo:
        yield demo


@pytest.fixture(scope="module")
def prepare() -> Prepare:
    """What a file of stories changes in the configuration and in Slack."""
    return unchanged


def unchanged(folder: Path, slack: SlackLab) -> None:
    """Nothing."""


@pytest.fixture(scope="module")
def demo(stage: Demo, prepare: Prepare) -> Iterator[Demo]:
    """The stage as a file of stories wants it, and then again as it was."""
    if prepare is unchanged:
        yield stage
        return
    folder, kept = stage.bot.installation.folder, deepcopy(stage.slack.workspace)
    files = {file: file.read_bytes() for file in (folder / "config").iterdir()}
    prepare(folder, stage.slack)
    reloaded(stage)
    yield stage
    for file, text in files.items():
        file.write_bytes(text)
    for name in ("people", "rooms", "groups"):
        setattr(stage.slack.workspace, name, getattr(kept, name))
    reloaded(stage)


@contextmanager
def booted(hosts: Mapping[str, LabHost], settings: Mapping[str, str], prepare: Prepare = unchanged) -> Iterator[Demo]:
    """Slack and the bot's own `run`, in a folder that other users can reach; at the end its record is verified."""
    try:
        slack = SlackLab().__enter__()
    except NotHereError as cannot:
        pytest.skip(str(cannot))
    folder = Path(tempfile.mkdtemp(prefix="maskbot-story-"))
    folder.chmod(0o755)  # other users of the machine speak to the bot through the socket in it
    try:
        written = {**SETTINGS, **settings}
        installation = Installation.write(folder, list(hosts.values()), workspace(slack), settings=written)
        (folder / "config/critical-units.yaml").write_text(yaml.safe_dump(GUARDED))
        add_a_host_that_is_gone(folder / "config/hosts.yaml")
        prepare(folder, slack)
        with Bot(installation, is_warm=True) as bot:
            yield Demo(dict(hosts), slack, bot)
        verified = installation.maskbot("audit", "verify")
        assert verified.returncode == 0, verified.stderr
    finally:
        slack.__exit__(None, None, None)
        shutil.rmtree(folder)


def add_a_host_that_is_gone(hosts: Path) -> None:
    """A host at whose address nobody answers."""
    described = yaml.safe_load(hosts.read_text())
    first = described["hosts"][0]
    gone = {name: first[name] for name in ("address", "login", "environment")}
    described["hosts"].append({"name": "gone-01", "port": 1, "host_keys": [*first["host_keys"]], **gone})
    hosts.write_text(yaml.safe_dump(described))


@pytest.fixture
def story(demo: Demo, found: Mapping[str, Pristine]) -> Iterator[Story]:
    """One story; then nothing it said was refused or secret, each request has one card, no alarm was false."""
    one = Story(demo)
    yield one
    demo.slack.clear_faults()
    for pristine in found.values():
        pristine.restore()
    assert refused(one) == []
    assert secrets(one) == []
    assert twins(one) == []
    assert one.alarms() == one.edited


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
    marks = [mark(message) for message in story.messages()]
    return [f"{one}: {marks.count(one)} times" for one in {*marks} if one and marks.count(one) > 1]
