"""The rules of the Web API that the stand-in does not know, one function per method or family of methods."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from aiohttp import ClientSession

from tests.lab.slack import blockrules
from tests.lab.slack.passes import Passes
from tests.lab.slack.workspace import BOT_TOKEN, BOT_USER, Json, Room, Workspace

TEXT_KEPT = 40_000
UPDATE_TEXT = 4_000
PAGE = 100


class Refused(Exception):
    """`ok: false`, with Slack's error code."""

    def __init__(self, error: str, **more: object) -> None:
        super().__init__(error)
        self.answer: Json = {"ok": False, "error": error, **more}


@dataclass(slots=True)
class Desk:
    """Where calls are answered: some here, most by the stand-in once they passed the rules."""

    workspace: Workspace
    passes: Passes
    standin: ClientSession
    metadata: dict[tuple[str, str], Json] = field(default_factory=dict)  # by channel and ts
    form_owner: str = ""  # whose form is open: the stand-in has one place for all

    async def forward(self, method: str, args: Json) -> Json:
        """Ask the stand-in."""
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
        kept = ({**message, "metadata": self.metadata.get((channel, message["ts"]))} for message in said)
        return [{key: value for key, value in message.items() if value is not None} for message in kept]

    def room(self, args: Json) -> Room | None:
        """The channel that is meant, if the bot may act in it; None is a direct message."""
        channel = str(args.get("channel", ""))
        if channel[:1] in {"U", "D", "W"}:
            return None
        room = self.workspace.rooms.get(channel)
        if room is None or (room.flags.get("is_private") and not room.has_bot):
            raise Refused("channel_not_found")
        return room

    def joined(self, args: Json) -> Room | None:
        """The same, where the bot must be a member."""
        room = self.room(args)
        if room is not None and not room.has_bot:
            raise Refused("not_in_channel")
        return room

    def writable(self, args: Json) -> Room | None:
        """The same, where something is to be written."""
        room = self.joined(args)
        if room is not None and room.flags.get("is_archived"):
            raise Refused("is_archived")
        return room


def fit(args: Json) -> None:
    """The text and blocks of a message, by Slack's limits."""
    blocks = args.get("blocks")
    if isinstance(blocks, str):
        raise Refused("invalid_blocks_format")
    if not args.get("text") and not blocks and not args.get("attachments"):
        raise Refused("no_text")
    if blocks is not None and (wrong := blockrules.check(blocks)):
        raise Refused("invalid_blocks", errors=wrong, response_metadata={"messages": [f"[ERROR] {w}" for w in wrong]})
    if blockrules.total(blocks) > blockrules.MESSAGE_TOTAL:
        raise Refused("msg_blocks_too_long")
    if "text" in args:
        args["text"] = str(args["text"])[:TEXT_KEPT]
    metadata = args.get("metadata")
    if metadata is not None and not (isinstance(metadata, dict) and metadata.keys() >= {"event_type", "event_payload"}):
        raise Refused("invalid_metadata_format")


async def post(desk: Desk, args: Json) -> Json:
    desk.writable(args)
    fit(args)
    said = await desk.forward("chat.postMessage", args)
    return _with_metadata(desk, args, said)


async def update(desk: Desk, args: Json) -> Json:
    await _own_message(desk, args, "cant_update_message")
    fit(args)
    if len(args.get("text", "")) > UPDATE_TEXT:
        raise Refused("msg_too_long")
    said = await desk.forward("chat.update", args)
    return _with_metadata(desk, args, said)


async def delete(desk: Desk, args: Json) -> Json:
    await _own_message(desk, args, "cant_delete_message")
    return await desk.forward("chat.delete", args)


async def post_ephemeral(desk: Desk, args: Json) -> Json:
    room = desk.writable(args)
    fit(args)
    if room is not None and args.get("user") not in room.members:
        raise Refused("user_not_in_channel")
    return await desk.forward("chat.postEphemeral", args)


async def permalink(desk: Desk, args: Json) -> Json:
    desk.joined(args)
    return await desk.forward("chat.getPermalink", args)


async def _own_message(desk: Desk, args: Json, error: str) -> None:
    desk.writable(args)
    for message in await desk.everything_said(str(args["channel"])):
        if message["ts"] == args.get("ts") and message.get("subtype") != "ephemeral":
            if message.get("user") != BOT_USER:
                raise Refused(error)
            return
    raise Refused("message_not_found")


def _with_metadata(desk: Desk, args: Json, said: Json) -> Json:
    if isinstance(metadata := args.get("metadata"), dict):
        desk.metadata[said["channel"], said["ts"]] = metadata
        said["message"] = {**said["message"], "metadata": metadata}
    return said


async def history(desk: Desk, args: Json) -> Json:
    desk.joined(args)
    said = await desk.forward("conversations.history", args)
    return {**said, **_page(desk, args, said["messages"])}


async def replies(desk: Desk, args: Json) -> Json:
    desk.joined(args)
    said = await desk.forward("conversations.replies", args)
    if not any(message["ts"] == args.get("ts") for message in said["messages"]):
        raise Refused("thread_not_found")
    return {**said, **_page(desk, args, said["messages"])}


def _page(desk: Desk, args: Json, messages: list[Json]) -> Json:
    """Oldest, latest, inclusive, limit and cursor; never an ephemeral; metadata on request alone."""
    oldest, latest = _moment(args.get("oldest") or "0"), _moment(args.get("latest") or "9999999999")
    inclusive = str(args.get("inclusive", "")).lower() in {"1", "true"}
    metadata = str(args.get("include_all_metadata", "")).lower() in {"1", "true"}
    wanted = []
    for message in messages:
        at = _moment(message["ts"])
        if message.get("subtype") == "ephemeral" or not (
            oldest < at < latest or (inclusive and at in (oldest, latest))
        ):
            continue
        kept = desk.metadata.get((message["channel"], message["ts"])) if metadata else None
        wanted.append({**message, "metadata": kept} if kept else message)
    start, end, cursor = _slice(args, len(wanted))
    return {"messages": wanted[start:end], "has_more": bool(cursor), "response_metadata": {"next_cursor": cursor}}


def _moment(ts: object) -> tuple[int, int]:
    whole, _, part = str(ts).partition(".")
    return int(whole), int(part or 0)


def _slice(args: Json, length: int) -> tuple[int, int, str]:
    start = int(args.get("cursor") or 0)
    end = start + int(args.get("limit") or PAGE)
    return start, end, str(end) if end < length else ""


async def channel_info(desk: Desk, args: Json) -> Json:
    desk.room(args)
    said = await desk.forward("conversations.info", args)
    return {**said, "channel": desk.workspace.channel(said["channel"])}


async def channel_list(desk: Desk, args: Json) -> Json:
    said = await desk.forward("conversations.list", args)
    channels = [desk.workspace.channel(channel) for channel in said["channels"]]
    seen = [channel for channel in channels if channel.get("is_member") or not channel.get("is_private")]
    start, end, cursor = _slice(args, len(seen))
    return {**said, "channels": seen[start:end], "response_metadata": {"next_cursor": cursor}}


async def own_channels(desk: Desk, args: Json) -> Json:
    said = await channel_list(desk, args)
    return {**said, "channels": [channel for channel in said["channels"] if channel.get("is_member")]}


async def members(desk: Desk, args: Json) -> Json:
    room = desk.room(args)
    if room is None:
        return await desk.forward("conversations.members", args)
    everybody = sorted(room.members)
    start, end, cursor = _slice(args, len(everybody))
    return {"ok": True, "members": everybody[start:end], "response_metadata": {"next_cursor": cursor}}


async def user_info(desk: Desk, args: Json) -> Json:
    said = await desk.forward("users.info", args)
    return {**said, "user": desk.workspace.user(said["user"])}


async def user_list(desk: Desk, args: Json) -> Json:
    said = await desk.forward("users.list", args)
    everybody = [desk.workspace.user(user) for user in said["members"]]
    start, end, cursor = _slice(args, len(everybody))
    return {**said, "members": everybody[start:end], "response_metadata": {"next_cursor": cursor}}


async def group_list(desk: Desk, args: Json) -> Json:
    yes = {"1", "true"}
    disabled_too = str(args.get("include_disabled", "")).lower() in yes
    with_users = str(args.get("include_users", "")).lower() in yes
    listed = []
    for group_id, group in desk.workspace.groups.items():
        if group.enabled or disabled_too:
            about = {"id": group_id, "handle": group.handle, "name": group.handle.upper(), "is_usergroup": True}
            counted = {"user_count": len(group.users), "date_delete": 0 if group.enabled else 1}
            listed.append({**about, **counted, **({"users": group.users} if with_users else {})})
    return {"ok": True, "usergroups": listed}


async def group_users(desk: Desk, args: Json) -> Json:
    group = desk.workspace.groups.get(str(args.get("usergroup", "")))
    if group is None:
        raise Refused("no_such_subteam")
    return {"ok": True, "users": group.users if group.enabled else []}


async def open_view(desk: Desk, args: Json) -> Json:
    return await _triggered(desk, "views.open", args)


async def push_view(desk: Desk, args: Json) -> Json:
    return await _triggered(desk, "views.push", args)


async def _triggered(desk: Desk, method: str, args: Json) -> Json:
    _view(args)
    user, error = desk.passes.use_trigger(str(args.get("trigger_id", "")))
    if error:
        raise Refused(error)
    desk.form_owner = user
    return await desk.forward(method, args)


async def update_view(desk: Desk, args: Json) -> Json:
    _view(args)
    return await desk.forward("views.update", args)


async def publish_view(desk: Desk, args: Json) -> Json:
    _view(args)
    return await desk.forward("views.publish", args)


def _view(args: Json) -> None:
    if wrong := blockrules.check_view(args.get("view")):
        raise Refused("invalid_arguments", response_metadata={"messages": [f"[ERROR] {line}" for line in wrong]})


async def works(_desk: Desk, args: Json) -> Json:
    """api.test answers with what it was given."""
    return {"ok": True, "args": args}


RULES: Mapping[str, Callable[[Desk, Json], Awaitable[Json]]] = {
    "api.test": works,
    "chat.delete": delete,
    "chat.getPermalink": permalink,
    "chat.postEphemeral": post_ephemeral,
    "chat.postMessage": post,
    "chat.update": update,
    "conversations.history": history,
    "conversations.info": channel_info,
    "conversations.list": channel_list,
    "conversations.members": members,
    "conversations.replies": replies,
    "usergroups.list": group_list,
    "usergroups.users.list": group_users,
    "users.conversations": own_channels,
    "users.info": user_info,
    "users.list": user_list,
    "views.open": open_view,
    "views.publish": publish_view,
    "views.push": push_view,
    "views.update": update_view,
}
