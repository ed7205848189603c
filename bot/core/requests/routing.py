"""Where a request is posted and who is mentioned, beside the channel in which it was asked."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Route:
    """The routing that the matching rule asked for when the approvers were asked."""

    card_channel: str = ""  # the card's channel, if not the one where it was asked
    mentions: tuple[str, ...] = ()  # ids of people and user groups that the card mentions when it is posted
    told: tuple[str, ...] = ()  # channels that are told of the request and of its outcome
    stays: bool = False  # asked in a private channel: no other channel learns of it
