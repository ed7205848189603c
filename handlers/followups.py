"""The followups break-glass, answer, transfer and sign-off. Each has a form."""

from dataclasses import replace
from functools import partial

from bot.core.cards import forms
from bot.core.cards.blocks import Action
from bot.core.people.identity import PersonId
from bot.core.requests import FollowupCommand, FollowupKind
from bot.workflow import Desk
from handlers.bolt import Forms, InvalidFields, Surface, error_beside, typed_reason
from handlers.form_fallback import form_about
from handlers.home import keep_home_current
from handlers.payload import Click, Submission
from handlers.step_up import code_in, error_beside_code


def register(surface: Surface) -> None:
    """Register the buttons under Details, the button *Sign off*, and their forms."""
    surface.click(Action.BREAK_GLASS, open_break_glass_form)
    surface.click(Action.ANSWER, answer)
    surface.click(Action.HAND_OVER, hand_over)
    surface.click(Action.SIGN, sign)
    surface.submission(forms.BREAK_GLASS, break_glass)
    surface.submission(forms.ANSWER, submit_answer)
    surface.submission(forms.HAND_OVER, submit_hand_over)
    surface.submission(forms.SIGN_OFF, submit_signature)


def open_break_glass_form(desk: Desk, click: Click, form: Forms) -> str:
    """Open the form for break-glass, which shows verb, unit and host as they are stored, and asks for a reason."""
    request, followups = desk.request(click.request_id), desk.followups
    asks_code = followups.needs_code(request)
    if asks_code:
        desk.step_up.check_ready(click.caller.id)
    draw = partial(forms.break_glass_form, least=followups.min_reason_length, asks_code=asks_code)
    form.open(form_about(desk, request, draw), click)
    return ""


def break_glass(desk: Desk, sent: Submission) -> str:
    """Use break-glass for the plan that was on the card."""
    ticked = sent.fields.get(forms.CONSOLE)
    vouched = ticked is not None and forms.CONSOLE_WORKS in ticked
    if ticked is not None and not vouched:
        raise InvalidFields({forms.CONSOLE: "To use break-glass for a guarded unit, confirm this."})
    return _record(desk, sent, FollowupKind.BREAK_GLASS, console_works=vouched)


def answer(desk: Desk, click: Click, form: Forms) -> str:
    """Open the form for an answer, which repeats the question."""
    form.open(form_about(desk, desk.request(click.request_id), forms.answer_form), click)
    return ""


def submit_answer(desk: Desk, sent: Submission) -> str:
    """Record the owner's answer to the question."""
    return _record(desk, sent, FollowupKind.ANSWER)


def hand_over(desk: Desk, click: Click, form: Forms) -> str:
    """Open the form for a transfer, which asks for the new owner."""
    form.open(form_about(desk, desk.request(click.request_id), forms.hand_over_form), click)
    return ""


def submit_hand_over(desk: Desk, sent: Submission) -> str:
    """Hand the request over. Slack lets people choose from their own workspace."""
    chosen = str(sent.fields.get(forms.PERSON, ""))
    return _record(desk, sent, FollowupKind.HAND_OVER, to=replace(sent.caller.id, user=chosen) if chosen else None)


def sign(desk: Desk, click: Click, form: Forms) -> str:
    """Open the form for a sign-off, which shows the break-glass change."""
    form.open(form_about(desk, desk.request(click.request_id), forms.sign_off_form), click)
    return ""


def submit_signature(desk: Desk, sent: Submission) -> str:
    """Sign off."""
    return _record(desk, sent, FollowupKind.SIGN_OFF)


def _record(
    desk: Desk, sent: Submission, wanted: FollowupKind, *, console_works: bool = False, to: PersonId | None = None
) -> str:
    click = sent.click
    command = FollowupCommand(wanted, typed_reason(sent), click.digest, console_works, to, code_in(sent))
    beside = forms.PERSON if wanted is FollowupKind.HAND_OVER else forms.REASON
    with error_beside(beside), error_beside_code(sent):
        desk.followups.add(click.request_id, command, sent.caller)
    keep_home_current(desk, click, click.request_id)
    return ""
