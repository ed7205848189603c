"""Words that people type where a host belongs: other names of the commands, buttons of a card, and typos."""

from collections.abc import Sequence
from difflib import get_close_matches

from bot.core.input.names import SHOWN
from bot.core.input.selection import are_known
from bot.core.requests import Verb
from bot.errors import UsageError

ENROL = ("enrol", "enroll")
_UNDO = ("undo", "unmask", "revert", "restore")
_BUTTONS = {
    "approve": "Approve",
    "deny": "Deny",
    "withdraw": "Withdraw",
    "extend": "Extend",
    "keep": "Keep",
}


def verb_meant(word: str, verb: Verb, hosts: Sequence[str]) -> Verb | None:
    """What to do, if the first word says it once more or otherwise: `/mask undo web-01 cron` is `/unmask web-01 cron`.

    A host of that name comes first. Raises `UsageError` for `/unmask mask ...`, which could mean both.
    """
    if word in hosts:
        return None
    if word in _UNDO:
        return Verb.UNMASK
    if word == Verb.MASK and verb is Verb.UNMASK:
        raise UsageError("Which one? `/mask HOST UNIT` masks a unit, and `/unmask HOST UNIT` undoes a mask.")
    return Verb.MASK if word == Verb.MASK else None


def refuse_button(word: str, rest: str) -> None:
    """Say where the button is, if the word is that of a button, or that a form is needed. Raises `UsageError`."""
    if word in ENROL:
        raise UsageError("Type `/mask enrol`: it shows a secret, in a form that only you see.")
    if word in _BUTTONS:
        request = next(iter(rest.split()), "")[:SHOWN]
        card = f"the card of `{request}`" if request else "the card"
        raise UsageError(
            f"Press *{_BUTTONS[word]}* on {card}: it shows what you decide about. "
            f"The bot's Home tab lists what waits for you. At a terminal: `maskbot {word} {request or 'ID'}`."
        )


def refuse_other_word(word: str, rest: str, commands: Sequence[str], hosts: Sequence[str]) -> None:
    """Say what was meant, if the first word behind `/mask` is no host and resembles a command. Raises `UsageError`."""
    if word in hosts:
        return
    refuse_button(word, rest)
    found = get_close_matches(word, [*commands, *Verb, *_UNDO, *_BUTTONS], n=1, cutoff=0.7)
    looks_like_a_host = get_close_matches(word, hosts, n=1, cutoff=0.6) and not _begins_with_a_host(rest, hosts)
    if not found or looks_like_a_host:
        return
    refuse_button(found[0], rest)
    verb = verb_meant(found[0], Verb.MASK, ())
    meant = f"/{verb}" if verb else f"/{Verb.MASK} {found[0]}"
    again = f"{meant} {rest[:SHOWN]}".strip()
    raise UsageError(f"There is no host or command `{word[:SHOWN]}`. Did you mean `{again}`?")


def _begins_with_a_host(rest: str, hosts: Sequence[str]) -> bool:
    return any(are_known(one, hosts) for one in rest.split()[:1])
