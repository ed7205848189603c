"""The digest: what the next on-call has to know, on a schedule. Each time once, and once for all that were missed."""

from contextlib import suppress

from bot.core.cards import handover as words
from bot.core.cards import note
from bot.core.cards.blocks import Text
from bot.core.people.identity import Place
from bot.errors import Stale
from bot.ports import Duty, Message, MessageKind
from bot.workflow.process.deps import Parts
from bot.workflow.process.render import drawn
from bot.workflow.requests.kill_switch_state import stopped_too
from bot.workflow.requests.mask_inventory import book

DIGEST = "digest"
_NOT_DRAWN = "The digest could not be drawn: a mistake of mine. `/mask handover` and `/mask list` may still say it."


def appoint_digest(parts: Parts) -> None:
    """See that the next one is due when the policy says. One that came due while no bot ran is still due."""
    wanted, duty = parts.policy.scheduled_digest, parts.store.duty(DIGEST)
    schedule = str(wanted.schedule) if wanted else ""
    if wanted is None or (duty and duty.due_at and duty.document.get("schedule") == schedule):
        return
    due_at = wanted.schedule.next_after(parts.clock.now())
    with suppress(Stale):  # another replica was quicker
        parts.store.keep(Duty(DIGEST, {"schedule": schedule}, due_at, duty.version if duty else 0))


def digest_now(parts: Parts) -> Text:
    """What it says at this moment."""
    found = book(parts)
    return stopped_too(parts, drawn(parts, "digest", lambda: words.digest(found), lambda: note(_NOT_DRAWN)))


def digest(parts: Parts, duty: Duty) -> None:
    """Say it, and be due again, in one transaction. What Slack does not take until then is not said any more."""
    wanted = parts.policy.scheduled_digest
    if wanted is None:
        parts.store.keep(Duty(duty.name, {}, None, duty.version))
        return
    due_at = wanted.schedule.next_after(parts.clock.now())
    said = Message(MessageKind.DIGEST, place=Place(wanted.channel), until=due_at)
    parts.store.keep(Duty(duty.name, {"schedule": str(wanted.schedule)}, due_at, duty.version), messages=[said])
