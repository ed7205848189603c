"""Extend and Keep: a later expiry for a mask, or none any more; a later review date for a hold."""

from datetime import datetime

from bot.core.cards import forms, hold_form
from bot.core.cards.blocks import Action
from bot.core.input.names import read_duration, read_reason
from bot.core.requests import Duration
from bot.core.text import unmangle
from bot.core.time.human_time import read_day
from bot.errors import UsageError
from bot.workflow import Desk
from handlers.bolt import Forms, InvalidFields, Surface
from handlers.form_fallback import form_about
from handlers.home import keep_home_current
from handlers.payload import Click, Submission


def register(surface: Surface) -> None:
    """Register the two buttons and their forms."""
    surface.click(Action.EXTEND, extend)
    surface.click(Action.KEEP, keep)
    surface.submission(forms.EXTEND, extend_by)
    surface.submission(forms.KEEP, keep_because)


def extend(desk: Desk, click: Click, form: Forms) -> str:
    """Open the form for a later expiry."""
    form.open(form_about(desk, desk.extensions.mask_to_extend(click.request_id), forms.extend_form), click)
    return ""


def keep(desk: Desk, click: Click, form: Forms) -> str:
    """Open the form for the reason, and for a hold's next review date."""
    form.open(form_about(desk, desk.extensions.mask_to_keep(click.request_id), forms.keep_form), click)
    return ""


def extend_by(desk: Desk, sent: Submission) -> str:
    """Extend by what was typed, or else by what was chosen."""
    duration, reason = _duration(desk, sent), _reason(sent)
    asked = desk.extensions.extend(sent.click.request_id, duration, sent.caller, reason=reason)
    keep_home_current(desk, sent.click, asked.id)
    return ""


def keep_because(desk: Desk, sent: Submission) -> str:
    """Keep the mask, with a reason."""
    reason = _reason(sent)
    if not reason:
        raise InvalidFields({forms.REASON: "Keeping a mask needs a reason."})
    asked = desk.extensions.keep(sent.click.request_id, reason, sent.caller, review=_review(desk, sent))
    keep_home_current(desk, sent.click, asked.id)
    return ""


def _duration(desk: Desk, sent: Submission) -> Duration:
    typed = unmangle.text(sent.fields.get(forms.OTHER, "")).strip()
    try:
        return read_duration(typed or sent.fields.get(forms.LONGER, ""), desk.now)
    except UsageError as error:
        raise InvalidFields({forms.OTHER: str(error)}) from error


def _review(desk: Desk, sent: Submission) -> datetime | None:
    """The review date, which only a hold's form asks for."""
    typed = sent.fields.get(hold_form.REVIEW_ON)
    if typed is None:
        return None
    try:
        return read_day(unmangle.text(typed), desk.now)
    except UsageError as error:
        raise InvalidFields({hold_form.REVIEW_ON: str(error)}) from error


def _reason(sent: Submission) -> str:
    try:
        return read_reason(sent.fields.get(forms.REASON, ""))
    except UsageError as error:
        raise InvalidFields({forms.REASON: str(error)}) from error
