"""Answer calls of the Web API: refuse them by Slack's rules, or pass them on to the stand-in."""

from dataclasses import dataclass, field

from aiohttp import ClientSession

from tests.lab.slack.passes import Passes
from tests.lab.slack.views import Views
from tests.lab.slack.workspace import BOT_TOKEN, Json, Room, Workspace

PAGE = 100


class Refused(Exception):
    """`ok: false`, with Slack's error code."""

    def __init__(self, error: str, **more: object) -> None:
        super().__init__(error)
        self.answer: Json = {"ok": False, "error": error, **more}


@dataclass(slots=True)
class Desk:
    """Answers some calls itself; passes most to the stand-in once they passed the rules."""

    workspace: Workspace
    passes: Passes
    standin: ClientSession
    metadata: dict[tuple[str, str], Json] = field(default_factory=dict)  # by channel and ts
    views: Views = field(default_factory=Views)

    async def forward(self, method: str, args: Json) -> Json:
        """Call the stand-in."""
        headers = {"Authorization": f"Bearer {BOT_TOKEN}"}
        async with self.standin.post(f"/api/{method}", json=args, headers=headers) as answer:
            said: Json = await answer.json()
        if not said["ok"]:
            raise Refused(said["error"])
        return said

    async def everything_said(self, channel: str) -> list[Json]:
        """All messages of a channel, whoever may see them, oldest first."""
        async with self.standin.get(f"/_control/messages/{channel}") as answer:
            said: list[Json] = (await answer.json())["messages"]
        return [self.marked(message) for message in said]

    def marked(self, message: Json) -> Json:
        """A message with the metadata that it was posted with, which the stand-in forgets."""
        known = {"metadata": self.metadata.get((message["channel"], message["ts"]))}
        return {key: value for key, value in (message | known).items() if value is not None}

    def room(self, args: Json) -> Room | None:
        """The channel of a call, if the bot may act in it; None for a direct message."""
        channel = str(args.get("channel", ""))
        if channel[:1] in {"U", "D", "W"}:
            return None
        room = self.workspace.rooms.get(channel)
        if room is None or (room.flags.get("is_private") and not room.has_bot):
            raise Refused("channel_not_found")
        return room

    def joined(self, args: Json) -> Room | None:
        """The channel, if the bot is a member."""
        room = self.room(args)
        if room is not None and not room.has_bot:
            raise Refused("not_in_channel")
        return room

    def writable(self, args: Json) -> Room | None:
        """The channel, if the bot may write there."""
        room = self.joined(args)
        if room is not None and room.flags.get("is_archived"):
            raise Refused("is_archived")
        return room


def window(args: Json, length: int) -> tuple[int, int, str]:
    """Where a page starts and ends, and the cursor of the next, empty if there is none."""
    start = int(args.get("cursor") or 0)
    end = start + int(args.get("limit") or PAGE)
    return start, end, str(end) if end < length else ""
