"""The demo workspace: its people, channels and groups, and a test's changes to them."""

import re
from dataclasses import dataclass, field
from typing import Any

from tests.lab.slack.manifest import Manifest

Json = dict[str, Any]

TEAM = "T0MASKLAB"
APP = "A0MASKBOT"
BOT_USER = "U0MASKBOT"
BOT_NAME = "maskbot"
# Tokens that are valid only here, in the format of real ones.
BOT_TOKEN = "xoxb-demo-maskbot-lab"
APP_TOKEN = f"xapp-1-{APP}-1-demo-lab"
SIGNING_SECRET = "0123456789abcdef-demo-maskbot-lab"

USERS = {"alice": "U000ALICE", "bob": "U00000BOB", "carol": "U000CAROL", "dave": "U0000DAVE", "eve": "U00000EVE"}
CHANNELS = {"incident": "C0INCIDENT", "random": "C000RANDOM"}
GROUPS = {"sre": "S000000SRE"}
GUESTS = ("eve",)
APPROVERS = ("bob", "carol")

# The fields that users.info has for an ordinary member, in addition to the stand-in's.
MEMBER = {
    "is_admin": False,
    "is_owner": False,
    "is_primary_owner": False,
    "is_restricted": False,
    "is_ultra_restricted": False,
    "is_app_user": False,
}
INTERNAL = {
    "is_archived": False,
    "is_ext_shared": False,
    "is_org_shared": False,
    "is_pending_ext_shared": False,
    "is_shared": False,
    "context_team_id": TEAM,
}


@dataclass(slots=True)
class Room:
    """A channel: its members, and the fields of conversations.info that the stand-in lacks."""

    members: set[str]
    flags: Json = field(default_factory=dict)

    @property
    def has_bot(self) -> bool:
        return BOT_USER in self.members


@dataclass(slots=True)
class UserGroup:
    """A user group; a disabled one has a `date_delete` and is listed only on request."""

    handle: str
    users: list[str]
    enabled: bool = True


@dataclass(slots=True)
class Workspace:
    """What the proxy knows and the stand-in does not. Names here are `alice`, `incident`, `sre`."""

    people: dict[str, Json] = field(default_factory=dict)  # user id: changed fields
    rooms: dict[str, Room] = field(default_factory=dict)  # channel id
    groups: dict[str, UserGroup] = field(default_factory=dict)  # group id
    manifest: Manifest = field(default_factory=Manifest.read)

    @classmethod
    def of_the_demo(cls) -> "Workspace":
        """Everybody is in both channels, the bot in #incident alone."""
        everybody = set(USERS.values())
        return cls(
            people={USERS[name]: {"is_restricted": True} for name in GUESTS},
            rooms={
                CHANNELS["incident"]: Room({*everybody, BOT_USER}),
                CHANNELS["random"]: Room(everybody.copy()),
            },
            groups={GROUPS["sre"]: UserGroup("sre", [USERS[name] for name in APPROVERS])},
        )

    def user(self, described: Json) -> Json:
        """users.info for a person, with real Slack's fields and a test's changes."""
        return {**MEMBER, **described, **self.people.get(described["id"], {})}

    def channel(self, described: Json) -> Json:
        """conversations.info for a channel."""
        room = self.rooms.get(described["id"])
        if room is None or described.get("is_im"):
            return described
        shared = {"is_shared": True} if room.flags.get("is_ext_shared") else {}
        counted = {"is_member": room.has_bot, "num_members": len(room.members)}
        return {**described, **INTERNAL, **counted, **shared, **room.flags}

    def rooms_of(self, user: str) -> dict[str, str]:
        """A person's channels, by id."""
        return {channel: name for name, channel in CHANNELS.items() if user in self.rooms[channel].members}

    def team_of(self, user: str) -> str:
        """A person's workspace: ours, unless a test made them a stranger."""
        return str(self.people.get(user, {}).get("team_id", TEAM))

    def typed(self, command: str, text: str) -> str:
        """A command's text after escaping by Slack, if the manifest asks for it: known names turn into ids."""
        if not self.manifest.commands[command]:
            return text
        known = {f"@{name}": f"<@{user}|{name}>" for name, user in USERS.items()}
        known |= {f"@{group.handle}": f"<!subteam^{id_}|@{group.handle}>" for id_, group in self.groups.items()}
        known |= {f"#{name}": f"<#{channel}|{name}>" for name, channel in CHANNELS.items()}
        return re.sub(r"(?<!\S)[@#][a-z0-9._-]+", lambda found: known.get(found[0], found[0]), text)

    def config(self) -> Json:
        """The stand-in's own configuration, with its own names."""
        people = [{"id": user, "name": name, "real_name": name.title()} for name, user in USERS.items()]
        rooms = [
            {"id": channel, "name": name, "members": sorted(self.rooms[channel].members)}
            for name, channel in CHANNELS.items()
        ]
        app = {"appId": APP, "botUserId": BOT_USER, "botName": BOT_NAME, "botToken": BOT_TOKEN, "appToken": APP_TOKEN}
        team = {"name": "maskbot demo", "domain": "maskbot-demo", "teamId": TEAM}
        return {"workspace": team, "apps": [{**app, "mode": "socket"}], "users": people, "channels": rooms}
