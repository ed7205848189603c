"""Approve, deny, withdraw and force: the buttons of a waiting request."""

from functools import partial

from bot.core.cards import forms
from bot.core.cards.blocks import Action
from bot.core.requests import FollowupCommand, FollowupKind, Verdict, VoteCommand
from bot.workflow import Desk
from handlers.bolt import Forms, InvalidFields, Surface, error_beside, typed_reason
from handlers.form_fallback import form_about
from handlers.home import keep_home_current
from handlers.payload import Click, Submission


def register(surface: Surface) -> None:
    """Register the buttons of a waiting card, and their forms."""
    surface.click(Action.APPROVE, approve)
    surface.click(Action.DENY, deny)
    surface.click(Action.WITHDRAW, withdraw)
    surface.click(Action.FORCE, force)
    surface.submission(forms.APPROVE, approve_with_console_tick)
    surface.submission(forms.DENY, deny_with_reason)


def approve(desk: Desk, click: Click, form: Forms) -> str:
    """Approve with one click; a guarded unit needs a form first, which shows verb, unit and host as they are stored.

    On the Home tab there is no card that could be checked, so there it always takes the form; and so does a card that
    does not show what the bot posted.
    """
    if click.is_doubtful:
        desk.check_card(desk.request(click.request_id), click.card, by=click.caller.id)
        form.open(form_about(desk, desk.ballot(click.request_id, click.digest), forms.confirm_form), click)
        return ""
    if click.is_home:
        ballot, barely = desk.ballot(click.request_id, click.digest), partial(forms.confirm_form, shows_plan=False)
        form.open(form_about(desk, ballot, forms.confirm_form, barely), click)
        return ""
    if desk.needs_console_tick(click.request_id):
        form.open(form_about(desk, desk.request(click.request_id), forms.approve_form), click)
        return ""
    return _vote(desk, click, Verdict.APPROVE)


def approve_with_console_tick(desk: Desk, sent: Submission) -> str:
    """Approve from the form; for a guarded unit with the confirmation that console access works today."""
    works = forms.CONSOLE_WORKS in sent.fields.get(forms.CONSOLE, ())
    if forms.CONSOLE in sent.fields and not works:
        raise InvalidFields({forms.CONSOLE: "To approve a guarded unit, confirm this."})
    return _vote(desk, sent.click, Verdict.APPROVE, console_works=works)


def deny(desk: Desk, click: Click, form: Forms) -> str:
    """Open a form that asks for the reason of a denial, which may stay empty, or for a question."""
    is_current = desk.ballot(click.request_id, click.digest) if click.is_home else None
    form.open(form_about(desk, is_current or desk.request(click.request_id), forms.deny_form), click)
    return ""


def deny_with_reason(desk: Desk, sent: Submission) -> str:
    """Deny, with or without a reason; or ask a question, and the request keeps waiting."""
    reason = typed_reason(sent)
    if sent.fields.get(forms.VERDICT) != forms.MORE:
        return _vote(desk, sent.click, Verdict.DENY, reason=reason)
    with error_beside(forms.REASON):
        desk.followups.add(sent.click.request_id, FollowupCommand(FollowupKind.ASK_FOR_MORE, reason), sent.caller)
    keep_home_current(desk, sent.click, sent.click.request_id)
    return ""


def withdraw(desk: Desk, click: Click, _: Forms) -> str:
    """Withdraw the request."""
    desk.withdraw(click.request_id, by=click.caller.id)
    keep_home_current(desk, click, click.request_id)
    return ""


def _vote(desk: Desk, click: Click, verdict: Verdict, *, reason: str = "", console_works: bool = False) -> str:
    command = VoteCommand(verdict, click.digest, click.card, reason, console_works)
    desk.vote(click.request_id, command, click.caller)
    keep_home_current(desk, click, click.request_id)
    return ""


def force(desk: Desk, click: Click, _: Forms) -> str:
    """Ask for a forced end of the stop that a mask waits for."""
    request = desk.slow_stops.force(click.request_id, click.caller)
    keep_home_current(desk, click, request.id)
    return ""
