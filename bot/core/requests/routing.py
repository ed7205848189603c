"""Where people hear of a request, beside the place where it was asked."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Route:
    """What its rule said of that when people were asked."""

    card_channel: str = ""  # where its card is, if not where it was asked
    mentions: tuple[str, ...] = ()  # ids of people and user groups that the card calls when it is posted
    told: tuple[str, ...] = ()  # channels that hear of it and of its end
    stays: bool = False  # it was asked in a private channel, and nothing of it is said in others
