"""A minimal bot, which shows tests that this Slack behaves like a real one."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from slack_bolt import Ack, App, Respond
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient

from tests.lab.slack.lab import SlackLab

Json = dict[str, Any]


def plain(text: str) -> Json:
    """A text object."""
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> Json:
    """A section."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


CARD = [
    mrkdwn("asked <!date^1795494633^{time}|at noon>, <!subteam^S000000SRE> may approve"),
    {
        "type": "actions",
        "block_id": "votes",
        "elements": [
            {"type": "button", "action_id": "approve", "text": plain("Approve"), "value": "7"},
            {"type": "button", "action_id": "ask", "text": plain("Ask"), "value": "7"},
        ],
    },
]
FORM = {
    "type": "modal",
    "callback_id": "why",
    "title": plain("Why?"),
    "submit": plain("Send"),
    "blocks": [
        {
            "type": "input",
            "block_id": "reason",
            "label": plain("Reason"),
            "element": {"type": "plain_text_input", "action_id": "text", "initial_value": "as before"},
        },
        {
            "type": "input",
            "block_id": "ticket",
            "label": plain("Ticket"),
            "element": {"type": "plain_text_input", "action_id": "text"},
        },
    ],
}


UNITS = ("cron.service", "cronjob@daily.service", "worker.service")
PLACES = {
    "type": "modal",
    "callback_id": "where",
    "title": plain("Where?"),
    "submit": plain("Send"),
    "blocks": [
        {
            "type": "input",
            "block_id": "host",
            "dispatch_action": True,
            "label": plain("Host"),
            "element": {
                "type": "static_select",
                "action_id": "host",
                "options": [{"text": plain(name), "value": name} for name in ("web-01", "web-02")],
            },
        },
        {
            "type": "input",
            "block_id": "unit",
            "label": plain("Unit"),
            "element": {"type": "external_select", "action_id": "unit", "min_query_length": 0},
        },
        {
            "type": "input",
            "block_id": "channel",
            "optional": True,
            "label": plain("Channel"),
            "element": {"type": "conversations_select", "action_id": "channel"},
        },
    ],
}


@dataclass(slots=True)
class Heard:
    """The payloads that reached the bot, in order."""

    commands: list[Json] = field(default_factory=list)
    clicks: list[Json] = field(default_factory=list)
    forms: list[Json] = field(default_factory=list)
    mentions: list[Json] = field(default_factory=list)
    typed: list[Json] = field(default_factory=list)
    shortcuts: list[Json] = field(default_factory=list)


@contextmanager
def running(slack: SlackLab, *, pings: float = 1) -> Iterator[Heard]:
    """The bot, connected by Socket Mode; several may run. After four pings without an answer it connects anew."""
    heard = Heard()
    handler = SocketModeHandler(_app(slack, heard), slack.app_token, ping_interval=pings)
    before = slack.connections
    handler.connect()  # type: ignore[no-untyped-call]
    try:
        slack.wait_for(lambda: slack.connections > before)
        yield heard
    finally:
        # Its close() waits for a thread that waits for a frame, which the end of a connection is, and for another one
        # that waits a second for each payload.
        handler.client.auto_reconnect_enabled = False
        slack.drop_socket()
        handler.client.closed = True
        handler.client.message_queue.put(None)
        handler.close()  # type: ignore[no-untyped-call]


def _app(slack: SlackLab, heard: Heard) -> App:
    app = App(client=WebClient(slack.bot_token, base_url=slack.api_url, retry_handlers=[]))

    @app.command("/mask")
    def mask(ack: Ack, command: Json, client: WebClient) -> None:
        heard.commands.append(command)
        ack(f"heard {command['text']}")
        client.chat_postMessage(channel=command["channel_id"], text="a card", blocks=CARD)

    @app.action("approve")
    def approve(ack: Ack, body: Json, respond: Respond) -> None:
        heard.clicks.append(body)
        ack()
        respond("thanks")

    @app.action("ask")
    def ask(ack: Ack, body: Json, client: WebClient) -> None:
        heard.clicks.append(body)
        ack()
        client.views_open(trigger_id=body["trigger_id"], view=FORM)

    @app.view("why")
    def why(ack: Ack, view: Json) -> None:
        heard.forms.append(view)
        if view["state"]["values"]["ticket"]["text"]["value"] == "none":
            ack(response_action="errors", errors={"ticket": "There is always one."})
        else:
            ack()

    _with_a_form_that_asks(app, heard)

    @app.event("app_mention")
    def mention(event: Json) -> None:
        heard.mentions.append(event)

    @app.event("app_home_opened")
    def home(event: Json, client: WebClient) -> None:
        client.views_publish(user_id=event["user"], view={"type": "home", "blocks": [mrkdwn("Welcome")]})

    return app


def _with_a_form_that_asks(app: App, heard: Heard) -> None:
    @app.command("/unmask")
    def unmask(ack: Ack, command: Json, client: WebClient) -> None:
        ack()
        client.views_open(trigger_id=command["trigger_id"], view=PLACES)

    @app.options("unit")
    def units(ack: Ack, body: Json) -> None:
        heard.typed.append(body)
        found = [name for name in UNITS if body["value"] in name]
        many = [str(number) for number in range(101)] if body["value"] == "many" else found
        ack(options=[{"text": plain(name), "value": name} for name in many])

    @app.action("host")
    def host(ack: Ack, body: Json, client: WebClient) -> None:
        heard.clicks.append(body)
        ack()
        view = body["view"]
        newer = {**PLACES, "private_metadata": body["actions"][0]["selected_option"]["value"]}
        client.views_update(view_id=view["id"], hash=view["hash"], view=newer)

    @app.view("where")
    def where(ack: Ack, view: Json) -> None:
        heard.forms.append(view)
        ack()

    @app.shortcut("mask_message")
    @app.shortcut("mask_anything")
    def shortcut(ack: Ack, body: Json, client: WebClient) -> None:
        heard.shortcuts.append(body)
        ack()
        client.views_open(trigger_id=body["trigger_id"], view=PLACES)


def card(slack: SlackLab) -> Json:
    """The first card in #incident, as soon as it is posted."""
    return slack.wait_for(lambda: [message for message in slack.messages("incident") if message.get("blocks")])[0]
