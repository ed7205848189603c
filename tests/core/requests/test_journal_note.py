"""What the host's journal says of a change."""

from dataclasses import replace
from datetime import timedelta

from bot.core.requests import Duration
from bot.core.requests.break_glass import BreakGlass
from bot.core.requests.journal_note import journal_note
from bot.core.systemd.guard import Note
from tests.core.situations import BOB, NOW, our_mask, request


def test_it_names_who_asked_who_approved_why_and_until_when() -> None:
    mask = our_mask()
    change = replace(mask.ask.change, duration=Duration(lasts=timedelta(hours=2)))
    asked = replace(mask, ask=replace(mask.ask, change=change, reason="runaway job"))
    until = f"{NOW + timedelta(hours=2):%Y-%m-%dT%H:%M}Z"
    assert journal_note(asked, NOW) == Note("r0", mask.ask.requester_name, BOB.name, "runaway job", until)


def test_without_approvals_and_without_an_end_it_says_less() -> None:
    plain = request()
    assert journal_note(plain, NOW) == Note("r1", plain.ask.requester_name)


def test_what_the_bot_does_by_itself_is_said_so_and_so_is_break_glass() -> None:
    mask = our_mask()
    by_itself = replace(mask, ask=replace(mask.ask, by_itself=True))
    assert journal_note(by_itself, NOW).asked_by == "maskbot itself"
    glass = BreakGlass(BOB.id, BOB.name, "nobody answers", NOW, digest="d1")
    assert journal_note(replace(mask, votes=(), break_glass=glass), NOW).approved_by == f"{BOB.name} (break-glass)"
