"""Identities of people, and the place where somebody asked."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, order=True)
class PersonId:
    """A Slack account by its unchanging ids; names and e-mail addresses never decide anything."""

    team: str
    user: str
    enterprise: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """A key that is equal for ids of one account: on Enterprise Grid a person keeps one id across workspaces."""
        return (self.enterprise or self.team, self.user)

    def is_same_as(self, other: "PersonId") -> bool:
        """Whether both may be one account: one of the ids may lack the enterprise, which only Slack knows."""
        one_lacks_it = bool(self.enterprise) != bool(other.enterprise)
        return self.key == other.key or (one_lacks_it and self.user == other.user)


@dataclass(frozen=True, slots=True)
class Person:
    """A person as Slack described them a moment ago. Every flag that is true is a reason to refuse."""

    id: PersonId
    name: str
    groups: frozenset[str] = frozenset()  # names of the policy's groups that they belong to
    is_guest: bool = False
    is_bot: bool = False
    is_deleted: bool = False
    is_foreign: bool = False  # of another organisation, or of an unknown one


@dataclass(frozen=True, slots=True)
class Shift:
    """Somebody who is on call now, and until when if that is known."""

    person: PersonId
    until: datetime | None = None
    name: str = ""  # as Slack shows it, for cards


@dataclass(frozen=True, slots=True)
class Place:
    """A channel, and the thread in it where something was asked.

    `shell` is the place of the command line, `home` a person's own Home tab.
    """

    channel: str
    thread: str = ""
    name: str = ""
    is_internal: bool = True  # not shared with another organisation
    is_member: bool = True  # the bot is a member
    is_archived: bool = False
    is_private: bool = False  # only invited people can read it

    @property
    def is_shell(self) -> bool:
        """Whether the request was made on the command line, by an operating-system user mapped to a person."""
        return self.channel == "shell"

    @property
    def is_direct(self) -> bool:
        """Whether it is the conversation of the bot with one person."""
        return self.channel.startswith("D")

    @property
    def is_home(self) -> bool:
        """Whether the request was made on the Home tab, or in a form without a channel: the answer is a DM."""
        return self.channel == "home"


@dataclass(frozen=True, slots=True)
class Caller:
    """A person, the place where they were, and the key by which a second delivery of the same payload is known."""

    id: PersonId
    name: str
    place: Place
    key: str = ""  # empty where nothing is recorded that could be there twice


ITSELF = PersonId("", "maskbot")  # the requester of requests by the bot itself: no Slack account has this id
HOME = Place("home")
