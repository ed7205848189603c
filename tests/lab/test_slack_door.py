"""The lab's Slack is reachable on loopback only, refuses other web pages, and shows each person their own view."""

import asyncio
import json
import socket
from contextlib import suppress
from http.client import HTTPConnection
from pathlib import Path

import pytest
from aiohttp import ClientSession, WSServerHandshakeError
from slack_sdk import WebClient

from tests.lab.slack import readable
from tests.lab.slack.bot import CARD
from tests.lab.slack.lab import SlackLab
from tests.lab.slack.workspace import Json, Workspace

pytestmark = pytest.mark.slack


def ask(slack: SlackLab, method: str, path: str, headers: dict[str, str]) -> int:
    connection = HTTPConnection("127.0.0.1", slack.port, timeout=5)
    connection.request(method, path, body="{}" if method == "POST" else None, headers=headers)
    status = connection.getresponse().status
    connection.close()
    return status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "evil.example"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
def test_another_page_may_not_act_for_anybody(slack: SlackLab, headers: dict[str, str], status: int) -> None:
    assert ask(slack, "GET", "/_control/state", headers) == status
    assert ask(slack, "POST", "/_control/reset", {"Content-Type": "text/plain", **headers}) == status


def test_the_page_may_act(slack: SlackLab) -> None:
    own = {"Origin": f"http://localhost:{slack.port}", "Host": f"localhost:{slack.port}"}
    assert ask(slack, "POST", "/_control/reset", own) == 200
    assert ask(slack, "GET", "/", {"Sec-Fetch-Site": "cross-site"}) == 200  # a link to it may be followed


def test_another_page_may_not_watch(slack: SlackLab) -> None:
    async def watch() -> None:
        async with ClientSession() as session, session.ws_connect(f"{slack.url}/ui", origin="http://evil.example"):
            pass

    with pytest.raises(WSServerHandshakeError, match="403"):
        asyncio.run(watch())


def test_only_the_proxy_listens_and_on_loopback_alone(slack: SlackLab) -> None:
    listening = {
        line.split()[1]
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
        if line.split()[3] == "0A" and line.split()[1].endswith(f":{slack.port:04X}")
    }
    assert listening == {f"0100007F:{slack.port:04X}"}  # 127.0.0.1, as proc(5) writes it


def test_nothing_is_left_when_it_ends() -> None:
    with SlackLab() as slack:
        port = slack.port
        assert len(_standins(port)) == 1
    assert _standins(port) == []
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def _standins(port: int) -> list[list[bytes]]:
    running = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it ended meanwhile
            running.append(process.read_bytes().split(b"\0"))
    return [argv for argv in running if argv[0].endswith(b"/local-slack") and str(port).encode() in argv]


def test_words_for_slack_are_shown_as_words_for_people() -> None:
    said = {"text": "<!here> &lt;b&gt; &amp;", "blocks": CARD}
    shown = readable.message(said, Workspace.of_the_demo())
    assert shown["blocks"][0]["text"]["text"] == "asked at noon, @sre may approve"
    assert shown["text"] == "@here <\u200bb> &"
    assert said["blocks"] == CARD


def test_a_page_shows_what_its_person_may_see(slack: SlackLab, slack_client: WebClient) -> None:
    channel = slack.channels["incident"]
    slack_client.chat_postMessage(channel=channel, text="a card", blocks=CARD)
    slack_client.chat_postEphemeral(channel=channel, user=slack.users["dave"], text="psst")
    seen = asyncio.run(_seen_by(slack, ["alice", "dave"]))
    assert [message["text"] for message in seen["alice"]] == ["a card"]
    assert [message["text"] for message in seen["dave"]] == ["a card", "psst"]
    assert seen["dave"][0]["blocks"][0]["text"]["text"] == "asked at noon, @sre may approve"


async def _seen_by(slack: SlackLab, names: list[str]) -> dict[str, list[Json]]:
    """The channel on one page that acts as each person in turn, beginning with the first."""
    seen = {}
    async with ClientSession() as session, session.ws_connect(f"{slack.url}/ui", origin=slack.url) as page:
        for name in names:
            await page.send_json({"t": "acting_as", "user": slack.users[name]})
            frame = json.loads(await page.receive_str())
            seen[name] = frame["state"]["messages"][slack.channels["incident"]]
    return seen
