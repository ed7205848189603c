"""What operators and the people concerned read when the database holds what the bot did not write."""

from bot.core.cards import forgery


def test_operators_read_what_was_found_and_what_the_bot_does_about_it() -> None:
    told = forgery.forgery_notice("request r1", "its seal is wrong")
    assert told.startswith("THE DATABASE HOLDS WHAT THE BOT DID NOT WRITE: request r1, its seal is wrong.")
    assert "The bot does nothing by it." in told


def test_operators_read_how_to_go_on_after_a_break() -> None:
    told = forgery.chain_broken("record 7: its seal is wrong")
    assert told.startswith("THE AUDIT CHAIN IS BROKEN at record 7: its seal is wrong.")
    assert 'maskbot audit accept-break --reason "..."' in told


def test_whoever_asked_reads_why_nothing_was_sent() -> None:
    assert "(no event says that it was given)" in forgery.not_confirmed("no event says that it was given")


def test_operators_read_that_somebody_edits_cards_and_what_to_replace() -> None:
    told = forgery.edited_message("r1")
    assert told.startswith("SOMEBODY EDITS THE BOT'S CARDS: a message about request r1 does not show what")
    assert "replace it" in told
