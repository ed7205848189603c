"""Extend, Keep, Set an expiry, Hold it: another expiry for a mask, or none; a review date for a hold."""

from datetime import datetime
from functools import partial

from bot.core.cards import forms, hold_form
from bot.core.cards.blocks import Action
from bot.core.input.names import read_duration, read_reason
from bot.core.requests import Duration, Hold
from bot.core.text import unmangle
from bot.core.time.human_time import read_day
from bot.errors import UsageError
from bot.workflow import Desk
from handlers.bolt import Forms, InvalidFields, Surface
from handlers.form_fallback import form_about
from handlers.home import keep_home_current
from handlers.payload import Click, Submission


def register(surface: Surface) -> None:
    """Register the buttons and their forms."""
    surface.click(Action.EXTEND, extend)
    surface.click(Action.GIVE_END, extend)
    surface.click(Action.HOLD, hold)
    surface.click(Action.KEEP, keep)
    surface.submission(forms.EXTEND, extend_by)
    surface.submission(forms.KEEP, keep_because)
    surface.submission(forms.HOLD, hold_by)


def extend(desk: Desk, click: Click, form: Forms) -> str:
    """Open the form for a later expiry, or for the first one."""
    form.open(form_about(desk, desk.extensions.mask_to_extend(click.request_id), forms.extend_form), click)
    return ""


def keep(desk: Desk, click: Click, form: Forms) -> str:
    """Open the form for the reason, and for a hold's next review date."""
    form.open(form_about(desk, desk.extensions.mask_to_keep(click.request_id), forms.keep_form), click)
    return ""


def hold(desk: Desk, click: Click, form: Forms) -> str:
    """Open the form for the owners of a hold, and for its review date."""
    mask, draw = desk.extensions.mask_to_hold(click.request_id), partial(forms.hold_form, owners=desk.hold_owners)
    form.open(form_about(desk, mask, draw), click)
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


def hold_by(desk: Desk, sent: Submission) -> str:
    """Ask that the mask becomes a hold, with a reason."""
    reason, review, owners = _reason(sent), _review(desk, sent), str(sent.fields.get(hold_form.OWNERS, ""))
    if not reason:
        raise InvalidFields({forms.REASON: "Holding a mask needs a reason."})
    if review is None or not owners:
        raise InvalidFields({hold_form.OWNERS: "A hold needs its owners and their review date."})
    asked = desk.extensions.hold(sent.click.request_id, Hold(owners, review), reason, sent.caller)
    keep_home_current(desk, sent.click, asked.id)
    return ""


def _duration(desk: Desk, sent: Submission) -> Duration:
    typed = unmangle.text(sent.fields.get(forms.OTHER, "")).strip()
    try:
        return read_duration(typed or sent.fields.get(forms.LONGER, ""), desk.now)
    except UsageError as error:
        raise InvalidFields({forms.OTHER: str(error)}) from error


def _review(desk: Desk, sent: Submission) -> datetime | None:
    """The review date of a hold, or the day of the next reminder of a mask without expiry."""
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
