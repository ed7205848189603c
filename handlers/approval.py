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
from handlers.step_up import code_in, error_beside_code


def register(surface: Surface) -> None:
    """Register the buttons of a waiting card, and their forms."""
    surface.click(Action.APPROVE, approve)
    surface.click(Action.DENY, deny)
    surface.click(Action.WITHDRAW, withdraw)
    surface.click(Action.FORCE, force)
    surface.submission(forms.APPROVE, approve_from_form)
    surface.submission(forms.DENY, deny_with_reason)


def approve(desk: Desk, click: Click, form: Forms) -> str:
    """Approve with one click; a guarded unit, or a step-up, needs a form, which shows the change as it is stored.

    Whoever could not give a code is told so before the form. On the Home tab there is no card that could be checked,
    so there it always takes the form; and so does a card that does not show what the bot posted.
    """
    asked = desk.form_for_approval(click.request_id)
    if click.is_doubtful:
        desk.check_card(desk.request(click.request_id), click.card, by=click.caller.id)
    if asked and asked.approval and asked.approval.step_up:
        desk.step_up.check_ready(click.caller.id)
    if click.is_doubtful:
        form.open(form_about(desk, desk.to_approve(click.request_id, click.digest), forms.confirm_form), click)
        return ""
    if click.is_home:
        to_approve, barely = (
            desk.to_approve(click.request_id, click.digest),
            partial(forms.confirm_form, shows_plan=False),
        )
        form.open(form_about(desk, to_approve, forms.confirm_form, barely), click)
        return ""
    if asked:
        form.open(form_about(desk, asked, forms.approve_form), click)
        return ""
    return _vote(desk, click, VoteCommand(Verdict.APPROVE, click.digest, click.card))


def approve_from_form(desk: Desk, sent: Submission) -> str:
    """Approve from the form: for a guarded unit with the word that console access works, for a step-up with a code."""
    works = forms.CONSOLE_WORKS in sent.fields.get(forms.CONSOLE, ())
    if forms.CONSOLE in sent.fields and not works:
        raise InvalidFields({forms.CONSOLE: "To approve a guarded unit, confirm this."})
    command = VoteCommand(Verdict.APPROVE, sent.click.digest, sent.click.card, console_works=works, code=code_in(sent))
    with error_beside_code(sent):
        return _vote(desk, sent.click, command)


def deny(desk: Desk, click: Click, form: Forms) -> str:
    """Open a form that asks for the reason of a denial, which may stay empty, or for a question."""
    is_current = desk.to_approve(click.request_id, click.digest) if click.is_home else None
    form.open(form_about(desk, is_current or desk.request(click.request_id), forms.deny_form), click)
    return ""


def deny_with_reason(desk: Desk, sent: Submission) -> str:
    """Deny, with or without a reason; or ask a question, and the request keeps waiting."""
    reason = typed_reason(sent)
    if sent.fields.get(forms.VERDICT) != forms.MORE:
        return _vote(desk, sent.click, VoteCommand(Verdict.DENY, sent.click.digest, sent.click.card, reason))
    with error_beside(forms.REASON):
        desk.followups.add(sent.click.request_id, FollowupCommand(FollowupKind.ASK_FOR_MORE, reason), sent.caller)
    keep_home_current(desk, sent.click, sent.click.request_id)
    return ""


def withdraw(desk: Desk, click: Click, _: Forms) -> str:
    """Withdraw the request."""
    desk.withdraw(click.request_id, by=click.caller.id)
    keep_home_current(desk, click, click.request_id)
    return ""


def _vote(desk: Desk, click: Click, command: VoteCommand) -> str:
    desk.vote(click.request_id, command, click.caller)
    keep_home_current(desk, click, click.request_id)
    return ""


def force(desk: Desk, click: Click, _: Forms) -> str:
    """Ask for a forced end of the stop that a mask waits for."""
    request = desk.slow_stops.force(click.request_id, click.caller)
    keep_home_current(desk, click, request.id)
    return ""
