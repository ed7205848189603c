"""The note on every card while the bot only observes."""

from bot.core.cards import observe, render
from tests.core.situations import NOW, waiting


def test_the_note_stands_below_the_head_line_in_words_and_in_blocks() -> None:
    card = render(waiting(), now=NOW)
    noted = observe.with_note(card)
    head, note, *rest = noted.text.splitlines()
    assert (head, rest) == (card.text.splitlines()[0], card.text.splitlines()[1:])
    assert note == "OBSERVE MODE: nothing is changed on any host, whatever is approved here."
    assert noted.blocks[:1] == card.blocks[:1]
    assert noted.blocks[2:] == card.blocks[1:]
    assert note in str(noted.blocks[1])
