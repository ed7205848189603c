"""The forms (modals): to ask for a mask, to approve or deny with text, and for followups.

Ids are constants, so that handlers name a form's fields as the form does.
"""

from collections.abc import Sequence

from bot.core.cards import break_glass, expiry, form_fields, target_fields
from bot.core.cards.approval import plan_rows, questions
from bot.core.cards.blocks import Block, Markup, Text, option, plain_text, row, section, words
from bot.core.cards.buttons import DIGEST_SIGNS
from bot.core.cards.form_fields import TITLE, input_block, modal, note, text_input
from bot.core.cards.hold_form import hold_fields, review_field, to_hold
from bot.core.cards.step_up_forms import code_field
from bot.core.cards.titles import loud_title, requester_and_reason
from bot.core.input.draft import EMPTY, Draft
from bot.core.input.names import REASON_LIMIT
from bot.core.requests import Request

MASK, DENY, APPROVE, EXTEND, KEEP = "mask_form", "deny_form", "approve_form", "extend_form", "keep_form"  # callback ids
HOLD = "hold_form"
BREAK_GLASS, ANSWER, HAND_OVER, SIGN_OFF = "break_glass_form", "answer_form", "hand_over_form", "sign_off_form"
TOLD = "told"  # of text that is only read
FROM_MESSAGE, FROM_ANYWHERE = "mask_for_message", "mask_from_anywhere"  # of the shortcuts that open the mask form
HOST, UNIT, HOW, WAVES = target_fields.HOST, target_fields.UNIT, target_fields.HOW, target_fields.WAVES
USER, DURATION, CONSOLE = "user", "for", "console"
REASON = form_fields.REASON
CHANNEL, LONGER, OTHER, WHEN = "channel", "longer", "other", "at"
RUNTIME, KEEP_RUNNING = target_fields.RUNTIME, target_fields.KEEP_RUNNING
SET, ORDER, ADOPT = target_fields.SET, target_fields.ORDER, target_fields.ADOPT
CONSOLE_WORKS = "console_works"
VERDICT, PERSON = "verdict", "person"
NO, MORE = "no", "more"

_VERDICTS = {
    NO: "Deny: the request is over",
    MORE: "Ask a question: the request keeps waiting",
}


def mask_form(
    places: Sequence[str], draft: Draft = EMPTY, *, owners: Sequence[str] = (), asks_where: bool = False
) -> Block:
    """The form behind a bare `/mask`, with what is known already; outside of a channel, it asks for one.

    `places` are hosts and groups. Holds are offered if the policy names `owners` for them. The form's note names the
    host or group whose units are offered: the first one.
    """
    blocks = [
        *([input_block(CHANNEL, "Channel", _CHANNELS, hint=_CHANNEL_HINT)] if asks_where else []),
        *target_fields.target_fields(places, draft),
        input_block(USER, "User", text_input(USER, draft.user), hint=_USER_HINT, optional=True),
        input_block(DURATION, "For how long", text_input(DURATION, draft.duration), hint=_DURATION_HINT, optional=True),
        *hold_fields(draft, owners),
        input_block(WHEN, "When", text_input(WHEN, draft.scheduled_window), hint=_WHEN_HINT, optional=True),
        input_block(REASON, "Reason", text_input(REASON, draft.reason, most=REASON_LIMIT), optional=True),
    ]
    return modal(MASK, "Mask a unit", "Request approval", blocks) | {
        "private_metadata": note(host=draft.host.partition(",")[0])
    }


_CHANNELS = {
    "type": "conversations_select",
    "action_id": CHANNEL,
    "default_to_current_conversation": True,
    "filter": {
        "include": ["public", "private"],
        "exclude_external_shared_channels": True,
        "exclude_bot_users": True,
    },
}
_CHANNEL_HINT = "Where approvers are asked and the result is shown."
_USER_HINT = "Only for a unit of that user's own manager (systemctl --user)."
_WHEN_HINT = "Like 22:00, or Tue 22:00 UTC for 2h. If empty, the unit is masked as soon as that is approved."
_DURATION_HINT = "Like 2h, or until 18:00. The mask then expires. If empty, it lasts until somebody removes it."


_LONGER = {"30m": "30 minutes", "1h": "1 hour", "4h": "4 hours", "24h": "1 day"}
_USUAL = "1h"
_OTHER_HINT = "Like 2h, or until 18:00. This is used instead of the choice above."


def extend_form(mask: Request) -> Block:
    """How much longer, or for how long from now: one of a few lengths, another length, or a time."""
    has_end = mask.aftercare.expires_at is not None
    options = [option(text, length) for length, text in _LONGER.items()]
    menu = {
        "type": "static_select",
        "action_id": LONGER,
        "options": options,
        "initial_option": option(_LONGER[_USUAL], _USUAL),
    }
    blocks = [
        section("about", [*_about(mask), *expiry.rows(mask)]),
        input_block(LONGER, "How much longer" if has_end else "For how long from now", menu),
        input_block(OTHER, "Or", text_input(OTHER, ""), hint=_OTHER_HINT, optional=True),
        input_block(REASON, "Reason", text_input(REASON, "", most=REASON_LIMIT), optional=True),
    ]
    title, submit = ("Extend a mask", "Extend") if has_end else ("Set an expiry", "Set")
    return modal(EXTEND, title, submit, blocks) | _of(mask)


def keep_form(mask: Request) -> Block:
    """Why a mask shall not expire any more; that needs a reason, and the approvals of a mask without expiry.

    For a hold: why it goes on, and its next review date. For a mask without expiry: why it stays, and until when.
    """
    field = input_block(REASON, "Reason", text_input(REASON, "", most=REASON_LIMIT))
    told = words(_HELD if mask.hold else _KEPT if mask.aftercare.expires_at else _STAYS)
    blocks = [section("about", [*_about(mask), *expiry.rows(mask), told]), *review_field(mask), field]
    return modal(KEEP, "Keep a mask", "Keep", blocks) | _of(mask)


def hold_form(mask: Request, *, owners: Sequence[str]) -> Block:
    """Who will own the mask as a hold, when they review it, and why it is held."""
    field = input_block(REASON, "Reason", text_input(REASON, "", most=REASON_LIMIT))
    blocks = [section("about", [*_about(mask), *expiry.rows(mask), words(_TO_HOLD)]), *to_hold(owners), field]
    return modal(HOLD, "Hold a mask", "Request approval", blocks) | _of(mask)


_TO_HOLD = (
    "The mask becomes a hold: it never expires, and only its owners can lift it. That needs approval, like any hold."
)
_STAYS = "The mask stays without expiry, and nobody is reminded of it before that day."
_KEPT = "The mask will no longer expire. That needs approval, like any mask without expiry."
_HELD = "The mask stays until the next review. Only its owners can keep it, and they need no approval."


def deny_form(request: Request) -> Block:
    """The reason for a denial, which may stay empty; or a question."""
    options = [option(text, value) for value, text in _VERDICTS.items()]
    choice = {"type": "radio_buttons", "action_id": VERDICT, "options": options, "initial_option": options[0]}
    field = input_block(REASON, "Reason or question", text_input(REASON, "", most=REASON_LIMIT), optional=True)
    blocks = [section("about", [*_about(request)]), input_block(VERDICT, "Your answer", choice), field]
    return modal(DENY, "Deny or ask", "Send", blocks) | _of(request)


def break_glass_form(request: Request, *, least: int, asks_code: bool = False) -> Block:
    """The reason and confirmation for break-glass, on the request as it is stored, and the code where it needs one."""
    told = words(
        "Everybody who could have approved is notified at once, and one of them must sign off afterwards. "
        "All other checks still apply."
    )
    field = text_input(REASON, "", most=REASON_LIMIT) | {"min_length": least}
    blocks = [
        section("about", [*_about(request), told]),
        input_block(REASON, "Why can you not wait for approval?", field),
    ]
    ticks = (
        [_console(request.target.host, "Before you break glass")]
        if request.approval and request.approval.guarded
        else []
    )
    code = [code_field()] if asks_code else []
    return modal(BREAK_GLASS, "Break glass", "Break glass", [*blocks, *ticks, *code]) | _of(request)


def answer_form(request: Request) -> Block:
    """An approver's question, and a field for the answer."""
    asked_for = [*questions(request, newest=1)][:1]
    field = input_block(REASON, "Answer", text_input(REASON, "", most=REASON_LIMIT))
    return modal(ANSWER, "Answer", "Answer", [section("about", [*_about(request), *asked_for]), field]) | _of(request)


def hand_over_form(request: Request) -> Block:
    """The new owner."""
    told = words("Choose somebody who may ask for this. You still cannot approve it yourself.")
    field = input_block(PERSON, "To whom?", {"type": "users_select", "action_id": PERSON})
    return modal(HAND_OVER, "Hand over", "Hand over", [section("about", [*_about(request), told]), field]) | _of(
        request
    )


def sign_off_form(request: Request) -> Block:
    """The break-glass change, and a field for a remark."""
    field = input_block(REASON, "What you found", text_input(REASON, "", most=REASON_LIMIT), optional=True)
    about = section("about", [*_about(request), *break_glass.rows(request)])
    return modal(SIGN_OFF, "Sign off", "Sign off", [about, field]) | _of(request)


def approve_form(request: Request) -> Block:
    """What the policy asks of an approver beside a click, on the request as it is stored: a word, a code, or both."""
    guarded = request.approval.guarded if request.approval else ""
    why = [row("Guarded", guarded)] if guarded else []
    ticks = [_console(request.target.host, "Before you approve")] if guarded else []
    code = [code_field()] if request.approval and request.approval.step_up else []
    return modal(APPROVE, "Approve", "Approve", [section("about", [*_about(request), *why]), *ticks, *code]) | _of(
        request
    )


def confirm_form(request: Request, *, shows_plan: bool = True) -> Block:
    """The stored request and its plan, to be confirmed by an approver who has no card on the screen."""
    form = approve_form(request)
    about, *asked = form["blocks"]
    plan = [*plan_rows(request)] if shows_plan else [words("The consequences cannot be shown here.")]
    return form | {"blocks": [about, section("plan", plan), *asked]}


def text_modal(text: Text) -> Block:
    """A text to read, without fields."""
    return {
        "type": "modal",
        "callback_id": TOLD,
        "title": plain_text("maskbot", TITLE),
        "close": plain_text("Close", TITLE),
        "blocks": [*text.blocks],
    }


def _console(host: str, before: str) -> Block:
    works = option(f"Console or other out-of-band access to {host} works today", CONSOLE_WORKS)
    return input_block(CONSOLE, before, {"type": "checkboxes", "action_id": CONSOLE, "options": [works]})


def _about(request: Request) -> list[Markup]:
    return [words("*{}*", loud_title(request)), requester_and_reason(request)]


def _of(request: Request) -> Block:
    return {"private_metadata": note(request=request.id, digest=request.target.digest[:DIGEST_SIGNS])}
