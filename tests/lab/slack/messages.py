"""Enforce Slack's rules for messages: who may write where, and what a history contains."""

from tests.lab.slack import blockrules
from tests.lab.slack.desk import Desk, Refused, window
from tests.lab.slack.workspace import BOT_USER, Json

TEXT_KEPT = 40_000
UPDATE_TEXT = 4_000


def fit(args: Json) -> None:
    """The text and blocks of a message, within Slack's limits."""
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
    if (args["channel"], args.get("ts")) in desk.metadata:
        return  # messages with metadata were posted by the bot; the stand-in knows whether they still exist
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
    """Oldest, latest, inclusive, limit and cursor; never an ephemeral message; metadata only on request."""
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
    start, end, cursor = window(args, len(wanted))
    return {"messages": wanted[start:end], "has_more": bool(cursor), "response_metadata": {"next_cursor": cursor}}


def _moment(ts: object) -> tuple[int, int]:
    whole, _, part = str(ts).partition(".")
    return int(whole), int(part or 0)
