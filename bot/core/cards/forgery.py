"""The database or a card holds what the bot did not write: notices for operators, and sentences for those concerned."""

CHAIN_ACCEPTED = "The audit chain is trusted again, from the accepted break on. What waits goes on."
NOT_CONFIRMED = "The audit log does not confirm this approval, so it does not count. The operators are told."


def not_confirmed(why: str) -> str:
    """Why nothing is sent to the host."""
    return f"Nothing was sent: the audit log does not confirm that this may run ({why}). The operators are told."


def edited_message(request_id: str) -> str:
    """For operators: somebody else edited a message of the bot."""
    return (
        f"SOMEBODY EDITS THE BOT'S CARDS: a message about request {request_id} does not show what the bot posted.\n"
        "Only the bot's token can edit it, so somebody else has that token: replace it. "
        "No click on that message changes anything by itself: a form shows the request as it is on record."
    )


def chain_broken(why: str) -> str:
    """For operators: the audit log was changed, cut or set back."""
    return (
        f"THE AUDIT CHAIN IS BROKEN at {why}.\n"
        "The bot only checks and answers; nothing is carried out, not even an undo. Find out who changed the database. "
        'Then run on its machine: maskbot audit accept-break --reason "..."'
    )


def forgery_notice(what: str, why: str) -> str:
    """For operators: somebody else may have written to the database."""
    return (
        f"THE DATABASE HOLDS WHAT THE BOT DID NOT WRITE: {what}, {why}.\n"
        "The bot does nothing by it. Find out who can write to the database, and restore what was changed."
    )
