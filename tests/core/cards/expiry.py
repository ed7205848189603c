"""What is said to people about the ends of their masks, and about what came of a change."""

from dataclasses import replace
from datetime import timedelta

from bot.core.cards import expiry, hold, plain
from bot.core.cards.blocks import Action
from bot.core.cards.sentences import with_buttons
from bot.core.policy.hold import HoldPolicy
from bot.core.requests import Hold, Request
from tests.core.cards.cases import DONE
from tests.core.cards.reading import read
from tests.core.cards.rollouts import OVER
from tests.core.cards.situations import NAMES, NOW, proven

LATER = NOW + timedelta(minutes=5)


HOLD = Hold("sre", NOW)
ONE_OF_MANY = DONE["held with many, by a card of its own"]


def said_of_holds() -> dict[str, str]:
    """The same of masks that last."""
    held, off, again = DONE["held"], DONE["held, and taken off"], DONE["held, taken off again and again"]
    no_reason: Request = replace(held, finished_at=None, ask=replace(held.ask, reason=""))
    by_puppet = replace(off, hold_state=replace(off.hold_state, reapplied_at=again.hold_state.reapplied_at))
    texts = {
        "a hold is due for review": hold.review_message(held, HOLD, NOW + timedelta(days=90)),
        "a hold for many hosts is due for review": hold.review_message(OVER["held"], HOLD, NOW + timedelta(days=90)),
        "a hold without a reason is due for review": hold.review_message(no_reason, HOLD, NOW),
        "a hold was taken off, and comes back": hold.removal_message(off, HOLD, HoldPolicy()),
        "a hold was taken off, and that is announced": hold.removal_message(held, HOLD, HoldPolicy(reapply=False)),
        "somebody made the mask of a hold anew": hold.removal_message(
            DONE["held, and somebody made the mask anew"], HOLD, HoldPolicy()
        ),
        "a hold was lifted, and that is not on record": hold.removal_message(
            DONE["held, and lifted by our own doing"], HOLD, HoldPolicy()
        ),
        "a hold is taken off again and again": hold.pause_message(again, HOLD, LATER),
        "a hold is taken off again and again, by puppet": hold.pause_message(by_puppet, HOLD, LATER),
        "a hold is still off": hold.still_off_message(again, HOLD),
        "a hold is still off, and nobody tries": hold.still_off_message(held, HOLD),
        "a hold is taken off one of many hosts, and that is announced": hold.removal_message(
            ONE_OF_MANY, HOLD, HoldPolicy(reapply=False)
        ),
        "a hold is still off on one of many hosts": hold.still_off_message(ONE_OF_MANY, HOLD),
        "a hold is back on one of many hosts": hold.back_message(ONE_OF_MANY),
        "a hold is not back yet": hold.not_reapplied_message(again),
    }
    return {name: read(plain(text), NAMES) for name, text in texts.items()}


def said_of_ends() -> dict[str, str]:
    """Each sentence as a person reads it."""
    texts = {
        "a mask ends soon": plain(expiry.expiry_reminder(proven(), NOW + timedelta(minutes=15), NOW)),
        "a mask ends soon, with its buttons": with_buttons(
            plain(expiry.expiry_reminder(proven(), NOW + timedelta(minutes=15), NOW)),
            proven(),
            (Action.UNMASK, Action.EXTEND, Action.KEEP, Action.HOLD),
        ),
        "a mask that is gone is reminded of, without a button": with_buttons(plain("It is over."), proven(), ()),
        "a mask is overdue": plain(expiry.overdue_message(DONE["proven, and its end is overdue"], NOW)),
        "a mask has no end": plain(expiry.no_expiry_reminder(proven(), NOW + timedelta(hours=26))),
        "a mask has no end, no reason, no time": plain(
            expiry.no_expiry_reminder(DONE["not finished by the clock, no reason"], NOW)
        ),
        "a mask was not ours when it ended": plain(
            expiry.left_over_message(proven(), "Somebody made it again.", is_gone=False)
        ),
        "a mask ended in part": plain(
            expiry.left_over_message(proven(), "It was active and is failed now.", is_gone=True)
        ),
        "what came of a mask": plain(
            expiry.aftercheck_message(proven(), ["a.service has failed.", "b.timer is inactive."], LATER)
        ),
        "what came of an undo": plain(expiry.aftercheck_message(DONE["restored"], ["a.service has failed."], LATER)),
        "what came of something without a time": plain(
            expiry.aftercheck_message(DONE["not finished by the clock, no reason"], ["a.service has failed."], LATER)
        ),
    }
    return {name: read(text, NAMES) for name, text in texts.items()}
