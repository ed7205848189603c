"""The kill switch in words: announced when it is pulled and let go, and shown wherever people look while it is on."""

from collections.abc import Iterator, Sequence

from bot.core.cards.blocks import Markup, Text, day, mention, row, section, words
from bot.core.requests import KillSwitch

NOT_FROZEN = "New masks are not stopped, so there is nothing to lift."
SAID_ALREADY = "You said so already. Somebody else who may approve has to say `/mask thaw` as well."
_LIFT = "Two people who may approve lift it: `/mask thaw`."


def begun(name: str, reason: str) -> str:
    """To everybody: it is on."""
    return (
        f"NEW MASKS ARE STOPPED by {name}: {_ended(reason)}\n"
        f"What waits cannot be approved; what runs is finished, and what takes a mask back goes on. {_LIFT}"
    )


def kept(name: str, reason: str) -> str:
    """To everybody: somebody wanted it over, and somebody else does not."""
    return f"NEW MASKS STAY STOPPED, says {name}: {_ended(reason)}\nWhoever wants them to go on has to say so again."


def one_wants_it_over(name: str, reason: str) -> str:
    """To everybody: half of the two are there."""
    why = f": {_ended(reason)}" if reason.strip() else "."
    return f"{name} wants new masks to go on{why}\nOne more who may approve has to say `/mask thaw` within the hour."


def lifted(frozen: KillSwitch, names: Sequence[str]) -> str:
    """To everybody: it is over."""
    who = " and ".join(names)
    since = f"{frozen.since:%Y-%m-%d %H:%M} UTC"
    return f"NEW MASKS GO ON: {who} lifted the freeze by {frozen.by_name} of {since}."


def already(frozen: KillSwitch) -> str:
    """To somebody who wants what is so."""
    return f"New masks are stopped already, by {frozen.by_name}: {_ended(frozen.reason)}"


def rows(frozen: KillSwitch | None) -> Iterator[Markup]:
    """On the card of what waits for it."""
    if frozen:
        why = words("new masks, by {} since {}: {}", frozen.by_name, day(frozen.since), _ended(frozen.reason))
        yield row("Stopped", words("{} Nothing is approved or begun until two people say `/mask thaw`", why))


def above(text: Text, frozen: KillSwitch | None, thaws: Sequence[str]) -> Text:
    """An answer under which people must not miss it; `thaws` are the names of those who want it over."""
    if frozen is None:
        return text
    who = mention(frozen.by, frozen.by_name)
    lines = [words("NEW MASKS ARE STOPPED by {} since {}: {}", who, day(frozen.since), _ended(frozen.reason))]
    lines += [words("{} wants them to go on; one more has to say so.", " and ".join(thaws))] if thaws else []
    head, _, rest = text.text.partition("\n")
    in_words = Markup("\n".join(filter(None, (head, *lines, rest))))
    return Text(in_words, (*text.blocks[:1], section("frozen", lines), *text.blocks[1:]))


def _ended(sentence: str) -> str:
    """Somebody's words with a full stop behind them."""
    said = sentence.strip()
    return said if said.endswith((".", "!", "?")) else f"{said}."
