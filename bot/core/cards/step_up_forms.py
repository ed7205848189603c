"""The forms of step-up: the field for a code, and the enrolment of an authenticator."""

from bot.core.cards.blocks import Block, escape, section, words
from bot.core.cards.form_fields import input_block, modal, text_input
from bot.core.step_up.authenticator import OFFERED_FOR, Offer, StepUpState

ENROL, REPLACE = "enrol_form", "replace_authenticator_form"  # callback ids
CODE = "code"
_HINT = "Six digits, as your authenticator app shows them now."
_LONGEST = 20  # more than six digits with spaces


def code_field(label: str = "Code from your authenticator") -> Block:
    """The field for a code."""
    return input_block(CODE, label, text_input(CODE, "", most=_LONGEST), hint=_HINT)


def enrol_form(offer: Offer) -> Block:
    """A new secret for an authenticator app, and a field for the first code: only with it the secret counts."""
    minutes = int(OFFERED_FOR.total_seconds() // 60)
    told = [
        words("*1.* In an authenticator app on your phone, add an account by hand (time-based, six digits):"),
        words("`{}`", offer.secret),
        words("or open this address there: `{}`", escape(offer.address, width=500)),
        words("*2.* Type the code that it shows. Until then nothing changes; after {} minutes start again.", minutes),
        words("Only you see this secret, and only now. Send it to nobody, and take no picture of it."),
    ]
    return modal(ENROL, "Your authenticator", "Enrol", [section("about", told), code_field("First code")])


def replace_form(state: StepUpState) -> Block:
    """Ask for a code of the present authenticator, before another one takes its place."""
    since = f" since {state.authenticator.since:%Y-%m-%d}" if state.authenticator else ""
    told = [
        words("You have had an authenticator here{}. To replace it, type a code from the current one.", since),
        words("Lost it? Ask an operator: after `maskbot step-up reset` you can enrol again."),
    ]
    return modal(
        REPLACE, "Your authenticator", "Go on", [section("about", told), code_field("Code from the current one")]
    )
