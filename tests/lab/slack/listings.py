"""Channels, people and user groups, with what the stand-in does not know about them."""

from tests.lab.slack.desk import Desk, Refused, window
from tests.lab.slack.workspace import Json


async def channel_info(desk: Desk, args: Json) -> Json:
    desk.room(args)
    said = await desk.forward("conversations.info", args)
    return {**said, "channel": desk.workspace.channel(said["channel"])}


async def channel_list(desk: Desk, args: Json) -> Json:
    said = await desk.forward("conversations.list", args)
    channels = [desk.workspace.channel(channel) for channel in said["channels"]]
    seen = [channel for channel in channels if channel.get("is_member") or not channel.get("is_private")]
    start, end, cursor = window(args, len(seen))
    return {**said, "channels": seen[start:end], "response_metadata": {"next_cursor": cursor}}


async def own_channels(desk: Desk, args: Json) -> Json:
    said = await channel_list(desk, args)
    return {**said, "channels": [channel for channel in said["channels"] if channel.get("is_member")]}


async def members(desk: Desk, args: Json) -> Json:
    room = desk.room(args)
    if room is None:
        return await desk.forward("conversations.members", args)
    everybody = sorted(room.members)
    start, end, cursor = window(args, len(everybody))
    return {"ok": True, "members": everybody[start:end], "response_metadata": {"next_cursor": cursor}}


async def user_info(desk: Desk, args: Json) -> Json:
    said = await desk.forward("users.info", args)
    return {**said, "user": desk.workspace.user(said["user"])}


async def user_list(desk: Desk, args: Json) -> Json:
    said = await desk.forward("users.list", args)
    everybody = [desk.workspace.user(user) for user in said["members"]]
    start, end, cursor = window(args, len(everybody))
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
