"""Approve, deny, withdraw: what people say to a request that waits."""

from functools import partial

from bot.core.cards import forms
from bot.core.cards.blocks import Action
from bot.core.requests import FollowupCommand, FollowupKind, Verdict, VoteCommand
from bot.workflow import Desk
from handlers.bolt import Forms, Surface, Unfit, beside, typed
from handlers.form_fallback import form_about
from handlers.home import follow
from handlers.payload import Click, Submission


def register(surface: Surface) -> None:
    """The buttons of a waiting card, and their forms."""
    surface.click(Action.APPROVE, approve)
    surface.click(Action.DENY, deny)
    surface.click(Action.WITHDRAW, withdraw)
    surface.click(Action.FORCE, force)
    surface.submission(forms.APPROVE, approve_vouching)
    surface.submission(forms.DENY, deny_saying_why)


def approve(desk: Desk, click: Click, form: Forms) -> str:
    """One click; for a guarded unit a form first, which names verb, unit and host as they are stored.

    On somebody's own page there is no card that could be checked, so there it always takes the form.
    """
    if click.is_home:
        ballot, barely = desk.ballot(click.request_id, click.digest), partial(forms.confirm_form, shows_plan=False)
        form.open(form_about(desk, ballot, forms.confirm_form, barely), click)
        return ""
    if desk.needs_console_tick(click.request_id):
        form.open(form_about(desk, desk.request(click.request_id), forms.approve_form), click)
        return ""
    return _vote(desk, click, Verdict.APPROVE)


def approve_vouching(desk: Desk, sent: Submission) -> str:
    """An approval from the form; of a guarded unit with the approver's word that console access works today."""
    works = forms.CONSOLE_WORKS in sent.fields.get(forms.CONSOLE, ())
    if forms.CONSOLE in sent.fields and not works:
        raise Unfit({forms.CONSOLE: "Approving a guarded unit needs your word on this."})
    return _vote(desk, sent.click, Verdict.APPROVE, console_works=works)


def deny(desk: Desk, click: Click, form: Forms) -> str:
    """A form first: it asks for a reason, which may stay empty, or for what the voter wants to know."""
    is_current = desk.ballot(click.request_id, click.digest) if click.is_home else None
    form.open(form_about(desk, is_current or desk.request(click.request_id), forms.deny_form), click)
    return ""


def deny_saying_why(desk: Desk, sent: Submission) -> str:
    """A denial, with or without its reason; or a question, and the request keeps waiting."""
    reason = typed(sent)
    if sent.fields.get(forms.VERDICT) != forms.MORE:
        return _vote(desk, sent.click, Verdict.DENY, reason=reason)
    with beside(forms.REASON):
        desk.followups.record(sent.click.request_id, FollowupCommand(FollowupKind.ASK_FOR_MORE, reason), sent.caller)
    follow(desk, sent.click, sent.click.request_id)
    return ""


def withdraw(desk: Desk, click: Click, _: Forms) -> str:
    """The requester takes it back."""
    desk.withdraw(click.request_id, by=click.caller.id)
    follow(desk, click, click.request_id)
    return ""


def _vote(desk: Desk, click: Click, verdict: Verdict, *, reason: str = "", console_works: bool = False) -> str:
    command = VoteCommand(verdict, click.digest, click.card, reason, console_works)
    desk.vote(click.request_id, command, click.caller)
    follow(desk, click, click.request_id)
    return ""


def force(desk: Desk, click: Click, _: Forms) -> str:
    """Ask that the stop which a mask waits for is ended by force."""
    request = desk.slow_stops.force(click.request_id, click.caller)
    follow(desk, click, request.id)
    return ""
