"""Slack: messages, forms and the Home tab; people, groups and channels."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from bot.core.cards.blocks import Block, Text
from bot.core.people.identity import Person, PersonId, Place, Shift
from bot.core.policy.groups import Group


class Channel(Protocol):
    """Messages in Slack. Everything here may raise `SlackError`."""

    def post(self, place: Place, text: Text, *, mark: str) -> str:
        """Post, and return the message's timestamp; `mark` is stored as metadata, by which a duplicate is found."""

    def find(self, place: Place, *, mark: str, since: datetime, besides: str = "") -> str:
        """The timestamp of our message with this mark, posted since then; empty if there is none, or none is visible.

        `besides` is a known message that is left out.
        """

    def update(self, channel: str, ts: str, text: Text) -> None:
        """Replace a message."""

    def delete(self, channel: str, ts: str) -> None:
        """Delete a message of ours."""

    def whisper(self, place: Place, user: str, text: Text) -> None:
        """Send an ephemeral message to one person."""

    def permalink(self, channel: str, ts: str) -> str:
        """A link to a message."""

    def publish(self, user: str, page: Block) -> None:
        """Publish somebody's Home tab."""

    def show(self, form_id: str, form: Block, *, user: str) -> None:
        """Update a form that somebody has open."""


class Directory(Protocol):
    """People, groups and channels as Slack has them now."""

    def person(self, person: PersonId, groups: Sequence[Group]) -> Person:
        """A person's current identity, with their groups among the given ones. Raises `Unverified`."""

    def members(self, group: Group) -> frozenset[PersonId]:
        """The current members of a group. Raises `Unverified`."""

    def shifts(self, group: Group) -> tuple[Shift, ...]:
        """Who is on call now in an on-call group, and until when; empty for other groups. Raises `Unverified`."""

    def is_in(self, person: PersonId, place: Place) -> bool:
        """Whether somebody is a member of a channel. Raises `Unverified`."""

    def place(self, place: Place) -> Place:
        """The current state of a place: its name, who can read it, whether the bot is in it. Raises `Unverified`."""
