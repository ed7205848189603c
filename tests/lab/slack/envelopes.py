"""Make Socket Mode envelopes as strict as real Slack's before they are passed on."""

from dataclasses import dataclass, field

from tests.lab.slack import blockrules
from tests.lab.slack.passes import Passes
from tests.lab.slack.views import Views
from tests.lab.slack.workspace import TEAM, Json, Workspace

NOBODYS = "/nobodys"  # a command of no app


@dataclass(slots=True)
class Envelopes:
    """Envelopes on their way to the bot, and payloads of acknowledgements on their way back."""

    workspace: Workspace
    passes: Passes
    views: Views
    refused: list[str] = field(default_factory=list)  # acknowledgements that real Slack would not have shown
    triggers: dict[str, str] = field(default_factory=dict)  # by what was typed behind NOBODYS

    def to_bot(self, envelope: Json, home: Json) -> Json | None:
        """The envelope as real Slack would send it; None if this app would not get it. `home` is by user id."""
        payload = envelope["payload"]
        match envelope["type"]:
            case "slash_commands":
                if payload["command"] == NOBODYS:
                    self.triggers[payload["text"]] = payload["trigger_id"]
                if payload["command"] not in self.workspace.manifest.commands:
                    return None
                payload["team_id"] = self.workspace.team_of(payload["user_id"])
                payload["text"] = self.workspace.typed(payload["command"], payload["text"])
                self.passes.issue(payload, payload["user_id"])
            case "interactive":
                self._interactive(payload, home)
            case "events_api":
                if not self.workspace.manifest.delivers(payload["event"]["type"]):
                    return None
                self._event(payload)
        return envelope

    def _interactive(self, payload: Json, home: Json) -> None:
        user = payload["user"]
        user["team_id"] = self.workspace.team_of(user["id"])
        self.passes.issue(payload, user["id"])
        if payload["type"].startswith("view_"):
            payload["view"] = self.views.named(payload["view"])
        if payload["type"] != "block_actions" or payload["container"]["type"] == "view":
            return
        message = payload.get("message")
        if message is None and user["id"] in home:
            payload["view"] = home[user["id"]]
            payload["container"] = {"type": "view", "view_id": payload["view"]["id"]}
            for key in ("channel", "message", "response_url"):
                payload.pop(key, None)
        elif message and message.get("subtype") == "ephemeral":
            payload["container"]["is_ephemeral"] = True
            del payload["message"]
        elif message and message.get("thread_ts"):
            payload["container"]["thread_ts"] = message["thread_ts"]

    def _event(self, payload: Json) -> None:
        event = payload["event"]
        if user := event.get("user"):
            event["user_team"] = event["team"] = self.workspace.team_of(user)
        room = self.workspace.rooms.get(event.get("channel", ""))
        if room and room.flags.get("is_ext_shared"):
            payload["is_ext_shared_channel"] = True
        payload["team_id"] = TEAM

    def from_bot(self, envelope: Json, said: Json) -> Json:
        """What real Slack would use of an acknowledgement's payload."""
        wrong: list[str] = []
        payload = envelope["payload"]
        if payload.get("type") == "block_suggestion":
            wrong = blockrules.check_options(said)
            self.views.offered[payload["block_id"]] = [] if wrong else _options(said)
        elif envelope["type"] == "slash_commands" and said:
            said = {"response_type": "ephemeral", **said}
            wrong = blockrules.check(said["blocks"]) if "blocks" in said else []
        elif said.get("view"):
            wrong = blockrules.check_view(said["view"])
        if wrong:
            self.refused.append(f"ack of {envelope['type']}: {'; '.join(wrong)}")
            return {}
        return said


def _options(said: Json) -> list[Json]:
    groups = said.get("option_groups") or [said]
    return [option for group in groups for option in group["options"]]
