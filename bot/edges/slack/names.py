"""Find ids by the names that people know: for a new configuration, in which only ids are written."""

from collections.abc import Iterator, Mapping
from typing import Any

from slack_sdk import WebClient
from slack_sdk.web import SlackResponse

from bot.core.input.names import near
from bot.edges.slack.channel import call
from bot.errors import UsageError

_PAGES = 50
_PAGE = 200


class SlackNames:
    """What Slack lists, each list read once. Every method raises `UsageError`, and `SlackError`."""

    def __init__(self, client: WebClient) -> None:
        self._client = client
        self._people: list[Mapping[str, Any]] | None = None

    def channel(self, typed: str) -> tuple[str, str]:
        """`#incident`: the id of a channel and its name."""
        wanted, seen = typed.lstrip("#"), self.channels()
        if found := next((one for one in seen.items() if wanted in one), None):
            return found
        raise UsageError(
            f"There is no channel #{wanted[:80]} that the bot can see.{near(wanted, seen.values())} A private one is "
            "seen once the bot is invited: `/invite @maskbot` there."
        )

    def channels(self) -> dict[str, str]:
        """The names of all channels that the bot can see, by their ids."""
        pages = self._pages(self._client.conversations_list, types="public_channel,private_channel")
        return {one["id"]: str(one.get("name") or "") for page in pages for one in page.get("channels") or ()}

    def own_channels(self) -> list[str]:
        """The names of the channels that the bot is in."""
        kinds = "public_channel,private_channel"
        pages = self._pages(self._client.users_conversations, types=kinds, exclude_archived="true")
        return sorted(str(one.get("name") or "") for page in pages for one in page.get("channels") or ())

    def person_or_group(self, typed: str) -> tuple[str, str]:
        """`@bob` or `@sre`: the id of a person or a user group, and its name."""
        wanted = typed.lstrip("@")
        people = [one for one in self._everybody() if wanted in _names(one)]
        all_groups = self._groups()
        groups = [one for one in all_groups if wanted in (one.get("handle"), one["id"])]
        found = [*people, *groups]
        if not found:
            known = [
                *(str(one.get("name")) for one in self._everybody()),
                *(str(one.get("handle")) for one in all_groups),
            ]
            raise UsageError(
                f"There is no person and no user group @{wanted[:80]} in the workspace.{near(wanted, known)}"
            )
        if len(found) > 1:
            ids = ", ".join(one["id"] for one in found)
            raise UsageError(f"@{wanted[:80]} could be any of {ids}: give the id.")
        return found[0]["id"], wanted if wanted != found[0]["id"] else str(found[0].get("name") or "")

    def _everybody(self) -> list[Mapping[str, Any]]:
        if self._people is None:
            pages = self._pages(self._client.users_list)
            self._people = [one for page in pages for one in page.get("members") or () if not one.get("deleted")]
        return self._people

    def _groups(self) -> list[Mapping[str, Any]]:
        return list(call(self._client.usergroups_list).get("usergroups") or ())

    def _pages(self, method: Any, **arguments: str) -> Iterator[SlackResponse]:
        cursor = ""
        for _ in range(_PAGES):
            answer = call(method, limit=str(_PAGE), cursor=cursor, **arguments)
            yield answer
            cursor = (answer.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return


def _names(user: Mapping[str, Any]) -> set[str]:
    profile = user.get("profile") or {}
    return {user["id"], str(user.get("name")), str(profile.get("display_name")), str(profile.get("real_name"))}
