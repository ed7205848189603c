"""The kill switch: announcements of freeze and thaw, and notes wherever people look while it is on."""

from collections.abc import Iterator, Sequence

from bot.core.cards.blocks import Markup, Text, day, mention, row, section, words
from bot.core.kill_switch import Result, SwitchRequest, SwitchStep
from bot.core.requests import KillSwitch

_NOT_ON = "The kill switch is not on, so there is nothing to turn off."
_REQUESTED_ALREADY = "You already asked for that. Somebody else who may approve must type `/mask thaw` too."
_SAME_PERSON = (
    "Your other account asked for that already, and policy.yaml lists both as one person (`same_person`). "
    "Somebody else who may approve must type `/mask thaw` too."
)
_LIFT = "To turn it off, two people who may approve type `/mask thaw`."


def answered(step: SwitchStep, asked: SwitchRequest) -> str:
    """The answer to a command: an announcement if it was carried out, else why it was not."""
    match step.result:
        case Result.ON:
            return on_announcement(asked.name, asked.reason)
        case Result.KEPT_ON:
            return stays_on_announcement(asked.name, asked.reason)
        case Result.OFF_REQUESTED:
            return off_request_announcement(asked.name, asked.reason)
        case Result.OFF if step.switch:
            return off_announcement(step.switch, step.names)
        case Result.ALREADY_ON if step.switch:
            return already_on_reply(step.switch)
        case Result.REQUESTED_ALREADY:
            return _REQUESTED_ALREADY
        case Result.SAME_PERSON:
            return _SAME_PERSON
        case _:
            return _NOT_ON


def on_announcement(name: str, reason: str) -> str:
    """Announce that it is on."""
    return (
        f"KILL SWITCH ON, by {name}: {_with_full_stop(reason)}\n"
        f"No new masks: what waits cannot be approved. What runs is finished, and undo still works. {_LIFT}"
    )


def stays_on_announcement(name: str, reason: str) -> str:
    """Announce that it stays on, after one person asked to thaw."""
    again = "To turn it off, two people must type `/mask thaw` again."
    return f"KILL SWITCH STAYS ON, says {name}: {_with_full_stop(reason)}\n{again}"


def off_request_announcement(name: str, reason: str) -> str:
    """Announce that one of the two has asked to thaw."""
    why = f": {_with_full_stop(reason)}" if reason.strip() else "."
    return f"{name} asks to turn the kill switch off{why}\nOne more approver must type `/mask thaw` within the hour."


def off_announcement(switch: KillSwitch, names: Sequence[str]) -> str:
    """Announce that it is off."""
    who = " and ".join(names)
    since = f"{switch.since:%Y-%m-%d %H:%M} UTC"
    return f"KILL SWITCH OFF, by {who}: new masks work again. {switch.by_name} turned it on at {since}."


def already_on_reply(switch: KillSwitch) -> str:
    """Tell somebody that it is so already."""
    return f"The kill switch is on already, by {switch.by_name}: {_with_full_stop(switch.reason)}"


def rows(switch: KillSwitch | None) -> Iterator[Markup]:
    """On the card of a request that waits for it."""
    if switch:
        why = words("on, by {} since {}: {}", switch.by_name, day(switch.since), _with_full_stop(switch.reason))
        yield row("Kill switch", words("{} Nothing is approved or started until two people type `/mask thaw`", why))


def with_note(text: Text, switch: KillSwitch | None, off_requested_by: Sequence[str]) -> Text:
    """A note above an answer; `off_requested_by` are the names of those who asked to turn it off."""
    if switch is None:
        return text
    who = mention(switch.by, switch.by_name)
    lines = [words("KILL SWITCH ON, by {} since {}: {}", who, day(switch.since), _with_full_stop(switch.reason))]
    lines += (
        [words("{} asks to turn it off; one more approver must type `/mask thaw`.", " and ".join(off_requested_by))]
        if off_requested_by
        else []
    )
    head, _, rest = text.text.partition("\n")
    in_words = Markup("\n".join(filter(None, (head, *lines, rest))))
    return Text(in_words, (*text.blocks[:1], section("kill-switch", lines), *text.blocks[1:]))


def _with_full_stop(sentence: str) -> str:
    """Somebody's text with a full stop at its end."""
    said = sentence.strip()
    return said if said.endswith((".", "!", "?")) else f"{said}."
