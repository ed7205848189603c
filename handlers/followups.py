"""Saying more than yes or no: go ahead alone, answer a question, hand over, sign a review. Each has a form."""

from dataclasses import replace
from functools import partial

from bot.core.cards import forms
from bot.core.cards.blocks import Action
from bot.core.people.identity import PersonId
from bot.core.requests import FollowupCommand, FollowupKind
from bot.workflow import Desk
from handlers.bolt import Forms, Surface, Unfit, beside, typed
from handlers.form_fallback import form_about
from handlers.home import follow
from handlers.payload import Click, Submission


def register(surface: Surface) -> None:
    """The buttons under Details and the one for a review, with their forms."""
    surface.click(Action.BREAK_GLASS, open_break_glass_form)
    surface.click(Action.ANSWER, answer)
    surface.click(Action.HAND_OVER, hand_over)
    surface.click(Action.SIGN, sign)
    surface.submission(forms.BREAK_GLASS, break_glass)
    surface.submission(forms.ANSWER, answered)
    surface.submission(forms.HAND_OVER, handed_over)
    surface.submission(forms.REVIEW, signed)


def open_break_glass_form(desk: Desk, click: Click, form: Forms) -> str:
    """The form names verb, unit and host as they are stored, and wants a reason."""
    draw = partial(forms.break_glass_form, least=desk.followups.min_reason_length)
    form.open(form_about(desk, desk.request(click.request_id), draw), click)
    return ""


def break_glass(desk: Desk, sent: Submission) -> str:
    """Without the votes that are missing, for the plan that the button stood under."""
    ticked = sent.fields.get(forms.CONSOLE)
    vouched = ticked is not None and forms.CONSOLE_WORKS in ticked
    if ticked is not None and not vouched:
        raise Unfit({forms.CONSOLE: "Going ahead alone with a guarded unit needs your word on this."})
    return _wish(desk, sent, FollowupKind.BREAK_GLASS, console_works=vouched)


def answer(desk: Desk, click: Click, form: Forms) -> str:
    """The form says the question once more."""
    form.open(form_about(desk, desk.request(click.request_id), forms.answer_form), click)
    return ""


def answered(desk: Desk, sent: Submission) -> str:
    """What whose request it is has to say to the question."""
    return _wish(desk, sent, FollowupKind.ANSWER)


def hand_over(desk: Desk, click: Click, form: Forms) -> str:
    """The form asks to whom."""
    form.open(form_about(desk, desk.request(click.request_id), forms.handover_form), click)
    return ""


def handed_over(desk: Desk, sent: Submission) -> str:
    """From now on it is somebody else's, if they may have it. Slack lets people choose from their own workspace."""
    chosen = str(sent.fields.get(forms.PERSON, ""))
    return _wish(desk, sent, FollowupKind.HAND_OVER, to=replace(sent.caller.id, user=chosen) if chosen else None)


def sign(desk: Desk, click: Click, form: Forms) -> str:
    """The form shows what was done alone."""
    form.open(form_about(desk, desk.request(click.request_id), forms.review_form), click)
    return ""


def signed(desk: Desk, sent: Submission) -> str:
    """Somebody's name under it."""
    return _wish(desk, sent, FollowupKind.SIGN_REVIEW)


def _wish(
    desk: Desk, sent: Submission, wanted: FollowupKind, *, console_works: bool = False, to: PersonId | None = None
) -> str:
    click = sent.click
    command = FollowupCommand(wanted, typed(sent), click.digest, console_works, to)
    with beside(forms.PERSON if wanted is FollowupKind.HAND_OVER else forms.REASON):
        desk.followups.record(click.request_id, command, sent.caller)
    follow(desk, click, click.request_id)
    return ""
