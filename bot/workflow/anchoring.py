"""Where the record ends, said in a channel now and then: a chain alone cannot show that its end was cut off."""

from datetime import timedelta

from bot.core.cards import copied
from bot.ports import Duty, Message, MessageKind
from bot.workflow.parts import Parts

ANCHOR = "anchor"


def anchor(parts: Parts, duty: Duty) -> None:
    """Say it, unless nothing is new, and be due again."""
    head, due_at = parts.store.head(), parts.clock.now() + timedelta(seconds=parts.timings.anchor)
    is_new = head.seq != duty.document.get("seq")
    said = [Message(MessageKind.NOTE, body=copied.ends(head), until=due_at)] if is_new else []
    parts.store.keep(Duty(duty.name, {"seq": head.seq}, due_at, duty.version), messages=said)


def first_anchor(parts: Parts) -> Duty:
    """The first one is due after a while, not at once: a new installation has nothing to say yet."""
    return Duty(ANCHOR, {}, parts.clock.now() + timedelta(seconds=parts.timings.anchor))
