"""People, groups and channels as Slack has them now. Whatever Slack cannot confirm counts as a refusal."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from threading import Lock
from typing import Any

from slack_sdk import WebClient
from slack_sdk.web import SlackResponse

from bot.core.people.identity import Person, PersonId, Place, Shift
from bot.core.policy.groups import Group
from bot.edges.slack.channel import Account, call
from bot.errors import SlackError, Unverified
from bot.ports import Schedules

_GUEST = ("is_restricted", "is_ultra_restricted")
_BOT = ("is_bot", "is_workflow_bot")
_SHARED = ("is_ext_shared", "is_org_shared", "is_pending_ext_shared", "pending_shared", "pending_connected_team_ids")
_SLACKBOT = "USLACKBOT"  # contains a person's flags
_PAGE = 200  # members per page; Slack advises less than 1,000
_LARGEST_PAGE, _MOST_PAGES = 1000, 20
_MOST_MEMBERS = 1000  # a channel of more people is no channel of approvers

Payload = Mapping[str, Any]


class SlackDirectory:
    """Answers are cached for `ttl` seconds, so that one decision about many people asks Slack once."""

    def __init__(
        self,
        client: WebClient,
        account: Account,
        *,
        teams: Callable[[], frozenset[str]] = frozenset,
        schedules: Schedules | None = None,
        ttl: float,
    ) -> None:
        """`teams` is called every time, because our teams may be reconfigured."""
        self._client = client
        self._account = account
        self._teams = teams
        self._schedules = schedules
        self._ttl = ttl
        self._kept: dict[tuple[str, ...], tuple[float, Any]] = {}
        self._lock = Lock()

    def person(self, person: PersonId, groups: Sequence[Group]) -> Person:
        """A person's current identity, with their groups among the given ones. Raises `Unverified`.

        A missing guest flag means "no guest" only for members of our teams; anybody else is foreign.
        """
        user = self._ask("who everybody involved is", self._client.users_info, "user", user=person.user)
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
        """The current members of a group. Raises `Unverified`."""
        if group.on_call:
            return frozenset(shift.person for shift in self.shifts(group))
        if group.slack_group:
            what, method = f"who is in @{group.name}", self._client.usergroups_users_list
            users = self._ask(what, method, "users", usergroup=group.slack_group)
        else:
            users = self._in_channel(group) if group.channel else ()
        return frozenset(self._ours(person) for person in (*group.users, *(PersonId("", user) for user in users)))

    def shifts(self, group: Group) -> tuple[Shift, ...]:
        """Who is on call now in an on-call group, and until when; empty for other groups. Raises `Unverified`."""
        if not group.on_call:
            return ()
        if self._schedules is None:
            raise Unverified(f"No on-call source is configured, so nobody can tell who is in @{group.name}.")
        return tuple(replace(one, person=self._ours(one.person)) for one in self._schedules.shifts(group.on_call))

    def is_in(self, person: PersonId, place: Place) -> bool:
        """Whether somebody is a member of a channel. Raises `Unverified`."""
        return any(person.user in page for page in self._pages(place.channel, size=_LARGEST_PAGE))

    def place(self, place: Place) -> Place:
        """The current state of a place. Raises `Unverified`. A channel that we cannot see is one we are not in."""
        if place.is_shell:
            return place
        try:
            channel = self._ask("about this channel", self._client.conversations_info, "channel", channel=place.channel)
        except Unverified as error:
            if isinstance(error.__cause__, SlackError) and error.__cause__.code == "channel_not_found":
                return replace(place, is_member=False, is_private=True)
            raise
        return replace(
            place,
            name=channel.get("name") or "",
            is_internal=not any(channel.get(flag) for flag in _SHARED),
            is_member=bool(channel.get("is_member")),
            is_archived=bool(channel.get("is_archived")),
            is_private=bool(channel.get("is_private", True)),  # a channel is private unless Slack says otherwise
        )

    def _in_channel(self, group: Group) -> Sequence[str]:
        """The members of a channel of approvers. Raises `Unverified`, also if anybody could join the channel."""
        place = self.place(Place(group.channel))
        if not (place.is_private or group.anybody_may_join):
            raise Unverified(f"#{place.name} is public, so anybody could join @{group.name}; it has to be private.")
        if not place.is_internal or place.is_archived or (place.is_private and not place.is_member):
            wrong = "the bot is not in it" if not place.is_member else "it is archived or shared with others"
            raise Unverified(
                f"The channel of @{group.name} ({group.channel}) does not show who is in the group: {wrong}."
            )
        key = (self._client.conversations_members.__name__, group.channel)
        users = self._fresh(key, lambda: self._everybody(group.channel))
        return [user for user in users if user != self._account.user]

    def _everybody(self, channel: str) -> list[str]:
        users = list[str]()
        for page in self._pages(channel, size=_PAGE):
            users += page
            if len(users) > _MOST_MEMBERS:
                raise Unverified(f"The channel {channel} has more than {_MOST_MEMBERS} members: too many to approve.")
        return users

    def _pages(self, channel: str, *, size: int) -> Iterator[Sequence[str]]:
        what, cursor, method = "who is in a channel", "", self._client.conversations_members
        for _ in range(_MOST_PAGES):
            answer = self._answer(what, method, channel=channel, limit=str(size), cursor=cursor)
            yield _part(answer, "members", what)
            cursor = (answer.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return
        raise Unverified(_cannot_tell(what, "there are too many"))

    def _homes(self) -> frozenset[str]:
        return self._teams() or frozenset({self._account.team})

    def _ours(self, person: PersonId) -> PersonId:
        """The id with our own enterprise, so that one account has one key everywhere."""
        return PersonId(person.team or self._account.team, person.user, self._account.enterprise)

    def _ask(self, what: str, method: Callable[..., SlackResponse], part: str, **arguments: str) -> Any:
        """A part of an answer, from the cache if it is fresh."""
        key = (method.__name__, *arguments.values())
        return self._fresh(key, lambda: _part(self._answer(what, method, **arguments), part, what))

    def _fresh(self, key: tuple[str, ...], ask: Callable[[], Any]) -> Any:
        with self._lock:
            until, answer = self._kept.get(key, (0.0, None))
        if time.monotonic() >= until:
            answer = ask()
            self._keep(key, answer)
        return answer

    def _answer(self, what: str, method: Callable[..., SlackResponse], **arguments: str) -> SlackResponse:
        try:
            return call(method, **arguments)
        except SlackError as error:
            raise Unverified(_cannot_tell(what, error.code)) from error

    def _keep(self, key: tuple[str, ...], answer: Any) -> None:
        now = time.monotonic()
        with self._lock:
            self._kept = {old: kept for old, kept in self._kept.items() if kept[0] > now} | {
                key: (now + self._ttl, answer)
            }


def _part(answer: SlackResponse, part: str, what: str) -> Any:
    found = answer.get(part)
    if found is None:
        raise Unverified(_cannot_tell(what, "it left that out"))
    return found


def _cannot_tell(what: str, why: str) -> str:
    return f"Slack did not say {what} ({why}), so the answer is no for now. Please try again."


def _name(user: Payload) -> str:
    """The name as Slack shows it."""
    profile = user.get("profile") or {}
    return str(profile.get("display_name") or user.get("name") or profile.get("real_name") or "")


def _homes(user: Payload) -> frozenset[str]:
    """Every team and enterprise of the account; on Enterprise Grid one account is in several teams."""
    enterprise = user.get("enterprise_user") or {}
    return frozenset(
        {user.get("team_id") or "", enterprise.get("enterprise_id") or "", *enterprise.get("teams", ())} - {""}
    )
