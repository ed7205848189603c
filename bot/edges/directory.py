"""People, groups and channels as Slack has them now. What it cannot say for certain counts as a no."""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from threading import Lock
from typing import Any

from slack_sdk import WebClient
from slack_sdk.web import SlackResponse

from bot.core.people import Person, PersonId, Place
from bot.core.question import Group
from bot.edges.slack import Account, call
from bot.errors import SlackError, Unverified

_GROUP_ID = re.compile(r"S[A-Z0-9]{2,}")
_GUEST = ("is_restricted", "is_ultra_restricted")
_BOT = ("is_bot", "is_workflow_bot")
_SHARED = ("is_ext_shared", "is_org_shared", "is_pending_ext_shared", "pending_shared", "pending_connected_team_ids")
_SLACKBOT = "USLACKBOT"  # it has a person's flags

Payload = Mapping[str, Any]


class SlackDirectory:
    """Answers are kept for `ttl` seconds, so that one decision, which asks for everybody it needs, asks Slack once."""

    def __init__(
        self,
        client: WebClient,
        account: Account,
        *,
        teams: Callable[[], frozenset[str]] = frozenset,
        ttl: float,
    ) -> None:
        """`teams` is asked every time: whose people are ours may be configured anew."""
        self._client = client
        self._account = account
        self._teams = teams
        self._ttl = ttl
        self._kept: dict[tuple[str, ...], tuple[float, Any]] = {}
        self._lock = Lock()

    def person(self, person: PersonId, groups: Sequence[Group]) -> Person:
        """Who this is, and which of the groups hold them. Raises `Unverified`.

        A guest flag that is absent means no only for members of a team of ours; anybody else is foreign.
        """
        user = self._ask("about everybody involved", self._client.users_info, "user", user=person.user)
        known = self._ours(person)
        return Person(
            id=known,
            name=_name(user) or person.user,
            groups=frozenset(group.name for group in groups if known.key in {one.key for one in self.members(group)}),
            is_guest=any(user.get(flag) for flag in _GUEST),
            is_bot=any(user.get(flag) for flag in _BOT) or person.user == _SLACKBOT,
            is_deleted=bool(user.get("deleted")),
            is_foreign=bool(user.get("is_stranger")) or not self._homes() & _homes(user),
        )

    def members(self, group: Group) -> frozenset[PersonId]:
        """Who is in a group now. Raises `Unverified`."""
        named = {self._ours(person) for person in group.users}
        if not group.slack_group:
            return frozenset(named)
        usergroup = self._group_id(group.slack_group)
        users = self._ask(f"who is in @{group.name}", self._client.usergroups_users_list, "users", usergroup=usergroup)
        return frozenset({*named, *(self._ours(PersonId("", user)) for user in users)})

    def place(self, place: Place) -> Place:
        """The same place as it is now. Raises `Unverified`. A channel that we cannot see is one we are not in."""
        if place.is_shell:
            return place
        try:
            channel = self._ask("about this channel", self._client.conversations_info, "channel", channel=place.channel)
        except Unverified as error:
            if isinstance(error.__cause__, SlackError) and error.__cause__.code == "channel_not_found":
                return replace(place, is_member=False)
            raise
        return replace(
            place,
            name=channel.get("name") or "",
            is_internal=not any(channel.get(flag) for flag in _SHARED),
            is_member=bool(channel.get("is_member")),
            is_archived=bool(channel.get("is_archived")),
        )

    def _homes(self) -> frozenset[str]:
        return self._teams() or frozenset({self._account.team})

    def _group_id(self, group: str) -> str:
        """A user group is named by its id, or by its handle as people write it."""
        if _GROUP_ID.fullmatch(group):
            return group
        handle = group.removeprefix("@")
        known = self._ask("which user groups there are", self._client.usergroups_list, "usergroups")
        found = next((one["id"] for one in known if one["handle"] == handle), "")
        if not found:
            raise Unverified(f"There is no Slack user group @{handle}, so I cannot tell who is in it.")
        return str(found)

    def _ours(self, person: PersonId) -> PersonId:
        """The id as it is written everywhere: with our own enterprise, so that one account has one key."""
        return PersonId(person.team or self._account.team, person.user, self._account.enterprise)

    def _ask(self, what: str, method: Callable[..., SlackResponse], part: str, **arguments: str) -> Any:
        """One part of an answer, fresh enough."""
        key = (method.__name__, *arguments.values())
        with self._lock:
            until, answer = self._kept.get(key, (0.0, None))
        if time.monotonic() < until:
            return answer
        try:
            answer = call(method, **arguments).get(part)
        except SlackError as error:
            raise Unverified(_cannot_tell(what, error.code)) from error
        if answer is None:
            raise Unverified(_cannot_tell(what, "it left that out"))
        self._keep(key, answer)
        return answer

    def _keep(self, key: tuple[str, ...], answer: Any) -> None:
        now = time.monotonic()
        with self._lock:
            self._kept = {old: kept for old, kept in self._kept.items() if kept[0] > now} | {
                key: (now + self._ttl, answer)
            }


def _cannot_tell(what: str, why: str) -> str:
    return f"Slack could not tell me {what} ({why}), so the answer is no for now. Please try again."


def _name(user: Payload) -> str:
    """As Slack shows it."""
    profile = user.get("profile") or {}
    return str(profile.get("display_name") or user.get("name") or profile.get("real_name") or "")


def _homes(user: Payload) -> frozenset[str]:
    """Every team and enterprise that the account belongs to; on Enterprise Grid one account is in several teams."""
    enterprise = user.get("enterprise_user") or {}
    return frozenset(
        {user.get("team_id") or "", enterprise.get("enterprise_id") or "", *enterprise.get("teams", ())} - {""}
    )
