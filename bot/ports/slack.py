"""Slack: messages, forms and the Home tab; people, groups and channels."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from bot.core.cards.blocks import Block, Text
from bot.core.people.identity import Person, PersonId, Place, Shift
from bot.core.policy.model import Group


class Channel(Protocol):
    """Messages in Slack. Everything here may raise `SlackError`."""

    def post(self, place: Place, text: Text, *, mark: str) -> str:
        """Post, and return the message's timestamp; `mark` is kept as metadata so that a twin can be known."""

    def find(self, place: Place, *, mark: str, since: datetime, besides: str = "") -> str:
        """The timestamp of our message with this mark, posted since then; empty if none is there, or can be seen.

        `besides` is one that is known, and not meant.
        """

    def update(self, channel: str, ts: str, text: Text) -> None:
        """Replace a message."""

    def delete(self, channel: str, ts: str) -> None:
        """Take a message of ours away."""

    def whisper(self, place: Place, user: str, text: Text) -> None:
        """Say it to one person alone (ephemeral)."""

    def permalink(self, channel: str, ts: str) -> str:
        """A link to a message."""

    def publish(self, user: str, page: Block) -> None:
        """Replace somebody's own page in the Home tab."""

    def show(self, form_id: str, form: Block) -> None:
        """Replace what stands in a form that is open."""


class Directory(Protocol):
    """People, groups and places as Slack has them now."""

    def person(self, person: PersonId, groups: Sequence[Group]) -> Person:
        """Who this is, and which of the groups hold them. Raises `Unverified`."""

    def members(self, group: Group) -> frozenset[PersonId]:
        """Who is in a group now. Raises `Unverified`."""

    def shifts(self, group: Group) -> tuple[Shift, ...]:
        """Who of an on-call group is on call now, and until when; of other groups nobody. Raises `Unverified`."""

    def is_in(self, person: PersonId, place: Place) -> bool:
        """Whether somebody is a member of a channel. Raises `Unverified`."""

    def place(self, place: Place) -> Place:
        """The same place as it is now: its name, who can read it, whether the bot is in it. Raises `Unverified`."""
