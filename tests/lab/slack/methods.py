"""The rules for each method of the Web API; other methods are answered by the stand-in."""

from collections.abc import Awaitable, Callable, Mapping

from tests.lab.slack import blockrules, listings, messages
from tests.lab.slack.desk import Desk, Refused
from tests.lab.slack.workspace import USERS, Json


async def open_view(desk: Desk, args: Json) -> Json:
    return await _triggered(desk, "views.open", args)


async def push_view(desk: Desk, args: Json) -> Json:
    return await _triggered(desk, "views.push", args)


async def _triggered(desk: Desk, method: str, args: Json) -> Json:
    _view(args, "modal")
    user, error = desk.passes.use_trigger(str(args.get("trigger_id", "")))
    if error:
        raise Refused(error)
    desk.views.owner = user
    return await desk.forward(method, args)


async def update_view(desk: Desk, args: Json) -> Json:
    """A form keeps its id when it is updated, and a hash other than its newest is refused."""
    _view(args, "modal")
    view = desk.views.open_view(str(args.get("view_id", "")))
    if view is None:
        raise Refused("not_found")
    if args.get("hash") not in (None, view["hash"]):
        raise Refused("hash_conflict")
    # The stand-in has another id for this form, and accepts none for the form in front.
    said = await desk.forward("views.update", {"view": args["view"]})
    return {**said, "view": desk.views.named(said["view"])}


async def publish_view(desk: Desk, args: Json) -> Json:
    """Only if the app has a Home tab, and only for existing people."""
    if not desk.workspace.manifest.has_home:
        raise Refused("not_enabled")
    if args.get("user_id") not in USERS.values():
        raise Refused("invalid_arguments", response_metadata={"messages": ["[ERROR] no such user"]})
    _view(args, "home")
    return await desk.forward("views.publish", args)


def _view(args: Json, kind: str) -> None:
    wrong = blockrules.check_view(args.get("view"))
    if not wrong and args["view"]["type"] != kind:
        wrong = [f"view.type: not {kind}"]
    if wrong:
        raise Refused("invalid_arguments", response_metadata={"messages": [f"[ERROR] {line}" for line in wrong]})


async def works(_desk: Desk, args: Json) -> Json:
    """api.test returns its arguments."""
    return {"ok": True, "args": args}


RULES: Mapping[str, Callable[[Desk, Json], Awaitable[Json]]] = {
    "api.test": works,
    "chat.delete": messages.delete,
    "chat.getPermalink": messages.permalink,
    "chat.postEphemeral": messages.post_ephemeral,
    "chat.postMessage": messages.post,
    "chat.update": messages.update,
    "conversations.history": messages.history,
    "conversations.info": listings.channel_info,
    "conversations.list": listings.channel_list,
    "conversations.members": listings.members,
    "conversations.replies": messages.replies,
    "usergroups.list": listings.group_list,
    "usergroups.users.list": listings.group_users,
    "users.conversations": listings.own_channels,
    "users.info": listings.user_info,
    "users.list": listings.user_list,
    "views.open": open_view,
    "views.publish": publish_view,
    "views.push": push_view,
    "views.update": update_view,
}
