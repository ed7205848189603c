"""The app's manifest: the stand-in delivers, and lets a bot call, only what the manifest allows."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

MANIFEST = Path(__file__).resolve().parents[3] / "config" / "slack-manifest.yaml"

_CHANNELS = frozenset({"channels:read", "groups:read", "im:read", "mpim:read"})
_HISTORY = frozenset({"channels:history", "groups:history", "im:history", "mpim:history"})
_WRITE = frozenset({"chat:write"})
_USERS = frozenset({"users:read"})
_GROUPS = frozenset({"usergroups:read"})
# Any one of these scopes suffices (docs.slack.dev, "Web API methods"); methods that are not listed need none.
NEEDED = {
    "chat.delete": _WRITE,
    "chat.postEphemeral": _WRITE,
    "chat.postMessage": _WRITE,
    "chat.update": _WRITE,
    "conversations.history": _HISTORY,
    "conversations.info": _CHANNELS,
    "conversations.list": _CHANNELS,
    "conversations.members": _CHANNELS,
    "conversations.open": frozenset({"im:write", "mpim:write", "channels:manage", "groups:write"}),
    "conversations.replies": _HISTORY,
    "reactions.add": frozenset({"reactions:write"}),
    "reactions.remove": frozenset({"reactions:write"}),
    "team.info": frozenset({"team:read"}),
    "usergroups.list": _GROUPS,
    "usergroups.users.list": _GROUPS,
    "users.conversations": _CHANNELS,
    "users.info": _USERS,
    "users.list": _USERS,
    "users.lookupByEmail": frozenset({"users:read.email"}),
}
# An event needs its subscription and, in some cases, a scope (docs.slack.dev, "Events").
EVENT_SCOPES = {"app_mention": "app_mentions:read"}


@dataclass(slots=True)
class Manifest:
    """Commands with whether Slack escapes their text, events, scopes, shortcuts, and whether there is a Home tab."""

    commands: dict[str, bool]
    events: set[str]
    scopes: set[str]
    shortcuts: dict[str, str] = field(default_factory=dict)  # `global` or `message`, by callback id
    labels: dict[str, str] = field(default_factory=dict)  # a shortcut's label, by callback id
    has_home: bool = False

    @classmethod
    def read(cls, path: Path = MANIFEST) -> "Manifest":
        """The manifest from which people create the app."""
        told: dict[str, Any] = yaml.safe_load(path.read_text())
        commands = told["features"].get("slash_commands", [])
        return cls(
            commands={command["command"]: bool(command.get("should_escape")) for command in commands},
            events=set(told["settings"].get("event_subscriptions", {}).get("bot_events", [])),
            scopes=set(told["oauth_config"]["scopes"]["bot"]),
            shortcuts={one["callback_id"]: one["type"] for one in told["features"].get("shortcuts", [])},
            labels={one["callback_id"]: one["name"] for one in told["features"].get("shortcuts", [])},
            has_home=bool(told["features"].get("app_home", {}).get("home_tab_enabled")),
        )

    def listed(self) -> list[dict[str, str]]:
        """The shortcuts as a menu shows them."""
        return [
            {"callback_id": name, "kind": kind, "label": self.labels.get(name, name)}
            for name, kind in self.shortcuts.items()
        ]

    def delivers(self, event: str) -> bool:
        """Whether the app gets such an event."""
        if event == "app_home_opened" and not self.has_home:
            return False
        return event in self.events and EVENT_SCOPES.get(event, "") in {"", *self.scopes}

    def lacks(self, method: str) -> str:
        """The missing scopes, of which one is needed."""
        needed = NEEDED.get(method, frozenset())
        return "" if not needed or needed & self.scopes else ",".join(sorted(needed))
