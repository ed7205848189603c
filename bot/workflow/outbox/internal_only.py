"""Post in internal channels only: a check before every message, because a channel may become shared at any time."""

import re
from datetime import datetime

from bot.core.cards.blocks import Block, Text
from bot.core.people.identity import HOME, Place
from bot.errors import NotYet, SlackError, Unverified
from bot.ports import Channel, Clock, Directory
from bot.workflow.process.channel_states import ChannelStates

CHANNEL_SHARED = "channel_shared"
_CHANNEL = re.compile(r"[CG][A-Z0-9]+", re.ASCII)
_ONE_PERSON = re.compile(r"[UWD][A-Z0-9]+", re.ASCII)  # a person, or the bot's conversation with one


class InternalOnly:
    """Implements `ports.Channel`. Nothing is posted or edited where people of another organisation would read it.

    Where Slack does not say whether a channel is shared, nothing is posted for now. What is for one person is sent
    to them directly instead.
    """

    def __init__(self, channel: Channel, directory: Directory, states: ChannelStates, clock: Clock) -> None:
        self._channel = channel
        self._directory = directory
        self._states = states
        self._clock = clock

    def post(self, place: Place, text: Text, *, mark: str) -> str:
        """Raises `SlackError`."""
        self._check(place.channel)
        return self._channel.post(place, text, mark=mark)

    def update(self, channel: str, ts: str, text: Text) -> None:
        """Raises `SlackError`."""
        self._check(channel)
        self._channel.update(channel, ts, text)

    def whisper(self, place: Place, user: str, text: Text) -> None:
        """Raises `SlackError`."""
        try:
            self._check(place.channel)
        except SlackError:
            place = HOME
        self._channel.whisper(place, user, text)

    def find(self, place: Place, *, mark: str, since: datetime, besides: str = "") -> str:
        """Raises `SlackError`."""
        return self._channel.find(place, mark=mark, since=since, besides=besides)

    def delete(self, channel: str, ts: str) -> None:
        """Raises `SlackError`."""
        self._channel.delete(channel, ts)

    def permalink(self, channel: str, ts: str) -> str:
        """Raises `SlackError`."""
        return self._channel.permalink(channel, ts)

    def publish(self, user: str, page: Block) -> None:
        """Raises `SlackError`."""
        self._channel.publish(user, page)

    def show(self, form_id: str, form: Block, *, user: str) -> None:
        """Raises `SlackError`."""
        self._channel.show(form_id, form, user=user)

    def _check(self, channel: str) -> None:
        """Raises `SlackError` for a channel that is shared; a passing one if Slack does not say.

        Slack would also take a channel's name, of which it does not say that.
        """
        if channel in ("", HOME.channel) or _ONE_PERSON.fullmatch(channel):
            return
        if not _CHANNEL.fullmatch(channel):
            raise SlackError(f"{channel[:80]!r} is no id of a channel or a person.", code="channel_not_found")
        now = self._clock.now()
        if self._states.is_shared(channel, now) is None:
            self._states.note(channel, is_shared=not self._ask(channel).is_internal, now=now)
        if self._states.is_shared(channel, now):
            raise SlackError(f"{channel} is shared with another organisation.", code=CHANNEL_SHARED)

    def _ask(self, channel: str) -> Place:
        try:
            return self._directory.place(Place(channel))
        except (Unverified, NotYet) as error:
            raise SlackError(str(error), code="channel_not_verified", passing=True) from error
