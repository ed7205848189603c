"""Enrol an authenticator: `/mask enrol` opens a form that one person alone sees."""

from collections.abc import Iterator
from contextlib import contextmanager

from bot.core.cards import forms, plain, step_up, step_up_forms
from bot.core.cards.blocks import Block
from bot.core.people.identity import Caller
from bot.errors import CodeRefused
from bot.workflow import Desk
from handlers.bolt import Forms, InvalidFields, Surface
from handlers.payload import Click, Submission


def register(surface: Surface) -> None:
    """Register the forms of the enrolment."""
    surface.submission(step_up_forms.REPLACE, replace_authenticator)
    surface.submission(step_up_forms.ENROL, enrol)


def open_enrolment(desk: Desk, caller: Caller, form: Forms) -> None:
    """Open the form with a new secret; whoever has an authenticator is asked for a code of it first."""
    state = desk.step_up.state(caller.id)
    if state.authenticator is None:
        view = step_up_forms.enrol_form(desk.step_up.offer(caller))
    else:
        view = step_up_forms.replace_form(state)
    form.open(view, Click(caller, request_id=""))


def replace_authenticator(desk: Desk, sent: Submission) -> Block:
    """Show a new secret to whoever gave a code of the present authenticator."""
    with error_beside_code(sent):
        return step_up_forms.enrol_form(desk.step_up.offer(sent.caller, code_in(sent)))


def enrol(desk: Desk, sent: Submission) -> Block:
    """Let the new secret count, from its first code on."""
    with error_beside_code(sent):
        desk.step_up.confirm(sent.caller, code_in(sent))
    return forms.text_modal(plain(step_up.ENROLLED))


def code_in(sent: Submission) -> str:
    """The code as it was typed; empty if the form did not ask for one."""
    return str(sent.fields.get(step_up_forms.CODE, ""))


@contextmanager
def error_beside_code(sent: Submission) -> Iterator[None]:
    """Show beside the field of the code why it does not count; other errors pass, and so does it without the field."""
    try:
        yield
    except CodeRefused as error:
        if step_up_forms.CODE not in sent.fields:
            raise
        raise InvalidFields({step_up_forms.CODE: str(error)}) from error
