"""The note on every card while the bot only observes."""

from bot.core.cards.blocks import Markup, Text, section, words

_NOTE = words("OBSERVE MODE: nothing is changed on any host, whatever is approved here.")


def with_note(text: Text) -> Text:
    """A card with the note below its head line."""
    head, _, rest = text.text.partition("\n")
    said = Markup("\n".join(filter(None, (head, _NOTE, rest))))
    return Text(said, (*text.blocks[:1], section("observe", [_NOTE]), *text.blocks[1:]))
