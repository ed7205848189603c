"""A mask that maskbot made, as the guard remembers, though it is not on record: the database is an older backup."""

from collections.abc import Iterator, Sequence

from bot.core.cards.blocks import Markup, escape, words
from bot.core.input.options import ADOPT
from bot.core.requests import Target
from bot.core.systemd.remembered import RememberedMask

AS_AFTER = "as after a restore from an older backup"
UNDONE = "UNDONE, NOT ON RECORD"  # a mask of ours that the guard removed


def whose(mask: RememberedMask) -> Markup:
    """Whose mask it is, as far as that is known."""
    return words("by maskbot for request {}, but not on record here ({})", mask.request or "?", AS_AFTER)


def _made(mask: RememberedMask) -> Markup:
    return words("by maskbot for request {}, but is not on record here ({})", mask.request or "?", AS_AFTER)


def in_list(host: str, mask: RememberedMask) -> Iterator[Markup]:
    """Say what is known of such a mask, what of it is lost, and what can be done with it."""
    if mask.ran:
        yield words("it ran before")
    yield words("if it was to expire, it no longer does: {}", ways_on(host, mask.unit))
    yield words("{} there says who asked, and why", Markup(f"`journalctl -u {escape(mask.unit)}`"))


def ways_on(host: str, unit: str) -> Markup:
    """What to type to undo such a mask, or to have it on record."""
    return words("{} or {}", Markup(f"`/unmask {escape(host)} {escape(unit)}`"), to_adopt(host, unit))


def to_adopt(host: str, unit: str) -> Markup:
    """What to type to give a mask an owner, a reason and an expiry."""
    return Markup(f"`/mask {escape(host)} {escape(unit)} {ADOPT} --for 7d WHY`")


def notice(host: str, masks: Sequence[RememberedMask]) -> str:
    """Such masks, found on a host."""
    found = ", ".join(f"{mask.unit} (request {mask.request or '?'})" for mask in masks)
    return (
        f"Masked on {host} by maskbot, but not on record here ({AS_AFTER}): {found}. If they were to expire, they no "
        f"longer do: {ways_on(host, masks[0].unit)}. `/mask list {host}` shows all."
    )


def removal(mask: RememberedMask, where: str) -> Markup:
    """What an unmask of it does."""
    made, ran = f"the mask by maskbot for request {mask.request or '?'} in {where}", ", although the unit ran before"
    return words("{}, not on record here ({}), is removed; nothing is started{}", made, AS_AFTER, ran * mask.ran)


def removed(target: Target) -> Markup:
    """What the unmask of a mask without a record did."""
    made = target.before.made_by_us if target.before else None
    if made is None:
        return words("That mask was not made by maskbot. Nothing was started.")
    if not made.ran:
        return words("That mask was made {}. Nothing was started.", _made(made))
    start = Markup(f"`systemctl start {escape(made.unit)}`")
    said = words("That mask was made {}. Nothing was started, although the unit ran before", _made(made))
    return words("{}: {} on {}.", said, start, target.host)


def adopted(target: Target) -> Markup:
    """Who made a mask that was adopted, and whose it is now."""
    made = target.before.made_by_us if target.before else None
    by_whom = words("This mask was made {}.", _made(made)) if made else words("Somebody else made this mask.")
    return words("{} It is maskbot's from now on; nothing was done on the host.", by_whom)
