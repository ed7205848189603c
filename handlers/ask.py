"""Ask for a change: by slash command, mention, shortcut or form, or by a button under an earlier change."""

from contextlib import suppress
from dataclasses import replace

from bot.core.cards import forms, mask_inventory, replies
from bot.core.cards.blocks import Action
from bot.core.input.draft import EMPTY, draft_from_message, read_draft
from bot.core.input.grammar import ChangeCommand, Command, Form, Question, parse, parse_mention
from bot.core.input.kill_switch import SwitchCommand
from bot.core.people.identity import Caller, Place
from bot.core.requests import Ask, Verb
from bot.errors import UsageError
from bot.workflow import Desk
from handlers.bolt import Forms, InvalidFields, Surface, error_beside
from handlers.form_options import open_form
from handlers.home import keep_home_current
from handlers.kill_switch import switch
from handlers.mask_form import read_form
from handlers.payload import Click, Quote, Submission
from handlers.step_up import open_enrolment


def register(surface: Surface) -> None:
    """Register the commands, the mention, the shortcuts, the form, and the buttons of a finished change."""
    surface.command("/mask", mask)
    surface.command("/unmask", unmask)
    surface.mention(answer_mention)
    surface.shortcut(forms.FROM_MESSAGE, mask_for_message)
    surface.shortcut(forms.FROM_ANYWHERE, mask_from_anywhere)
    surface.submission(forms.MASK, submit_form)
    surface.click(Action.UNMASK, undo)
    surface.click(Action.MASK_AGAIN, mask_again)
    surface.click(Action.START_AGAIN, start_again)
    surface.click(Action.ADOPT, adopt)


def mask(desk: Desk, caller: Caller, text: str, form: Forms) -> str:
    """`/mask ...`; without words it opens the form, and so does an invalid command, with its valid parts."""
    try:
        command = parse(Verb.MASK, text, desk.places, desk.now)
    except UsageError:
        _offer_form(desk, caller, text, form)
        raise
    if isinstance(command, Form) and command.enrols:
        open_enrolment(desk, caller, form)
        return ""
    if isinstance(command, Form):
        open_form(desk, form, Click(caller, request_id=""))
        return ""
    return _take(desk, caller, command)


def unmask(desk: Desk, caller: Caller, text: str, _: Forms) -> str:
    """`/unmask ...`."""
    return _take(desk, caller, parse(Verb.UNMASK, text, desk.places, desk.now))


def answer_mention(desk: Desk, caller: Caller, text: str) -> str:
    """A command by mention of the bot, answered in the same channel or thread."""
    return _take(desk, caller, parse_mention(text, desk.places, desk.now))


def mask_for_message(desk: Desk, quote: Quote, form: Forms) -> str:
    """The shortcut on a message: the message is the reason, and its thread gets the result."""
    draft = draft_from_message(quote.text, quote.link, desk.hosts)
    open_form(desk, form, Click(quote.caller, request_id=""), draft)
    return ""


def mask_from_anywhere(desk: Desk, quote: Quote, form: Forms) -> str:
    """The global shortcut; the form asks for the channel too."""
    open_form(desk, form, Click(quote.caller, request_id=""))
    return ""


def submit_form(desk: Desk, sent: Submission) -> str:
    """Handle the form behind a bare `/mask`; errors are shown beside their fields."""
    order, who = read_form(desk, sent), _at_its_place(sent)
    with error_beside(forms.HOST):
        no = desk.form_options.objection(order.change, order.selection, by=who.id)
    if no:
        raise InvalidFields({forms.UNIT: no})
    request = desk.submit(_ask(who, order), key=who.key)
    keep_home_current(desk, sent.click, request.id)
    desk.whisper(who.place, who.id.user, replies.acknowledge(order.change, desk.now.zone, selection=order.selection))
    return ""


def undo(desk: Desk, click: Click, _: Forms) -> str:
    """Undo a mask of ours."""
    request = desk.undo(click.request_id, click.caller)
    keep_home_current(desk, click, request.id)
    return ""


def mask_again(desk: Desk, click: Click, _: Forms) -> str:
    """Repeat a request that did not end in a mask."""
    request = desk.mask_again(click.request_id, click.caller)
    keep_home_current(desk, click, request.id)
    return ""


def start_again(desk: Desk, click: Click, _: Forms) -> str:
    """Start again what was stopped and not masked."""
    request = desk.start_again(click.request_id, click.caller)
    keep_home_current(desk, click, request.id)
    return ""


def adopt(desk: Desk, click: Click, form: Forms) -> str:
    """The form to adopt a mask that somebody else made; nobody is asked before it is sent."""
    draft = read_draft(mask_inventory.words_to_adopt(click.value), desk.places, desk.now)
    open_form(desk, form, Click(click.caller, request_id=""), draft or EMPTY)
    return ""


def _offer_form(desk: Desk, caller: Caller, text: str, form: Forms) -> None:
    """Open a form beside the error message; if it cannot be opened, the message says everything."""
    draft = read_draft(text, desk.places, desk.now)
    if draft:
        with suppress(UsageError):
            open_form(desk, form, Click(caller, request_id=""), draft)


def _take(desk: Desk, caller: Caller, command: Command) -> str:
    match command:
        case ChangeCommand(change=change):
            if mask := desk.slow_stops.withdraw_instead(change, by=caller.id):
                return replies.withdrawn_mask(mask)
            recorded = desk.submit(_ask(caller, command), key=caller.key, code=command.code).ask
            is_other = (recorded.change, recorded.selection) != (change, command.selection)
            if is_other:  # the message was edited
                return replies.acknowledge_repeat(recorded.change, recorded.selection)
            return replies.acknowledge(change, desk.now.zone, selection=command.selection)
        case SwitchCommand():
            return switch(desk, caller, command)
        case Question():
            desk.answer(command, caller)
        case Form():
            pass  # only a command can open one
    return ""


def _ask(caller: Caller, order: ChangeCommand) -> Ask:
    return Ask(
        order.change,
        caller.id,
        caller.name,
        caller.place,
        order.reason,
        break_glass=order.break_glass,
        console_works=order.console_works,
        selection=order.selection,
    )


def _at_its_place(sent: Submission) -> Caller:
    """The sender of the form, in the channel that they chose if it asked for one."""
    channel = sent.fields.get(forms.CHANNEL)
    return replace(sent.caller, place=Place(channel)) if channel else sent.caller
