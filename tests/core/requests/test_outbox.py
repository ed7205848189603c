"""Which messages need a card, because they stand beside it or lead to it."""

import pytest

from bot.core.people.identity import Place
from bot.core.requests.outbox import Message, MessageKind

ELSEWHERE = Place("COPS")

MESSAGES = {
    "the card itself": (Message(MessageKind.CARD), False),
    "a whisper": (Message(MessageKind.WHISPER, to="UALICE"), False),
    "a direct message": (Message(MessageKind.DIRECT, to="UALICE"), False),
    "the line": (Message(MessageKind.LINE), True),
    "the line, told elsewhere": (Message(MessageKind.LINE, place=ELSEWHERE), True),
    "the evidence": (Message(MessageKind.EVIDENCE), True),
    "a note": (Message(MessageKind.NOTE), True),
    "a note elsewhere": (Message(MessageKind.NOTE, place=ELSEWHERE), False),
    "a note elsewhere that leads to the card": (Message(MessageKind.NOTE, place=ELSEWHERE, links_card=True), True),
    "a reminder": (Message(MessageKind.REMINDER), True),
    "a reminder elsewhere": (Message(MessageKind.REMINDER, place=ELSEWHERE), False),
}


@pytest.mark.parametrize(("message", "needs"), MESSAGES.values(), ids=MESSAGES)
def test_a_card_is_needed_by(message: Message, needs: object) -> None:
    assert message.needs_card is needs
