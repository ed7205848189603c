"""Read the mask form."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bot.core.cards import form_options, forms, hold_form
from bot.core.input.grammar import ChangeCommand
from bot.core.input.names import read_duration, read_hold, read_reason, read_scheduled_window, read_user
from bot.core.input.options import ADOPT, ORDER, SET, WAVES
from bot.core.input.selection import read_hosts, read_selection, read_units
from bot.core.policy.hold import conflict
from bot.core.requests import Change, Selection, Verb
from bot.core.rollout.wave_sizes import read_waves
from bot.core.text import unmangle
from bot.errors import UsageError
from bot.workflow import Desk
from handlers.bolt import InvalidFields
from handlers.payload import Submission


def read_form(desk: Desk, sent: Submission) -> ChangeCommand:
    """The change from the form. Every field is parsed before any is refused, so that all errors are shown at once."""
    readers: dict[str, Callable[[str], Any]] = {
        forms.HOST: lambda _: read_hosts(_list(sent.chosen(forms.HOST)), desk.places),
        forms.UNIT: lambda _: read_units(_list(sent.chosen(forms.UNIT))),
        forms.WAVES: lambda typed: read_waves(unmangle.text(typed)) if typed else (),
        forms.USER: lambda typed: read_user(_word(typed)) if typed else "",
        forms.DURATION: lambda typed: read_duration(unmangle.text(typed), desk.now) if typed else None,
        forms.WHEN: lambda typed: read_scheduled_window(unmangle.text(typed), desk.now) if typed else None,
        hold_form.REVIEW_ON: lambda typed: read_hold(
            sent.fields.get(hold_form.OWNERS, ""), unmangle.text(typed), desk.now
        ),
        forms.REASON: read_reason,
    }
    read, wrong = {}, {}
    if sent.caller.place.is_home and not sent.fields.get(forms.CHANNEL):
        wrong[forms.CHANNEL] = "Choose a channel where people see it."
    for block, reader in readers.items():
        value = sent.fields.get(block, "")
        try:
            read[block] = reader(value.strip() if isinstance(value, str) else "")
        except UsageError as error:
            wrong[block] = str(error)
    if wrong:
        raise InvalidFields(wrong)
    selection = _selection(read, sent.fields)
    change = _change(read, sent.fields.get(forms.HOW, ()))
    if no := conflict(change):
        raise InvalidFields({_field_at_fault(change): no})
    if change.adopt and not read[forms.REASON]:
        raise InvalidFields({forms.REASON: "Say why it stays masked: nobody knows why somebody else masked it."})
    return ChangeCommand(change, read[forms.REASON], selection=selection)


def _field_at_fault(change: Change) -> str:
    if change.adopt:
        return forms.HOW if change.duration else forms.DURATION
    return hold_form.OWNERS


def _change(read: Mapping[str, Any], how: Sequence[str]) -> Change:
    hosts = ",".join(read[forms.HOST])
    return Change(
        Verb.MASK,
        hosts,
        read[forms.UNIT][0],
        runtime=forms.RUNTIME in how,
        keep_running=forms.KEEP_RUNNING in how,
        adopt=forms.ADOPT in how,
        user=read[forms.USER],
        duration=read[forms.DURATION],
        hold=read[hold_form.REVIEW_ON],
        scheduled_window=read[forms.WHEN],
    )


def _selection(read: Mapping[str, Any], fields: Mapping[str, Any]) -> Selection | None:
    """What a rollout is about, with its options as if they had been typed."""
    how, waves = fields.get(forms.HOW, ()), read[forms.WAVES]
    ticked = {forms.SET: SET, forms.ORDER: ORDER, forms.ADOPT: ADOPT}
    options = {option: "" for tick, option in ticked.items() if tick in how}
    options |= {WAVES: ",".join(waves)} if waves else {}
    try:
        return read_selection((read[forms.HOST], read[forms.UNIT]), options)
    except UsageError as error:
        raise InvalidFields({forms.WAVES if waves else forms.HOW: str(error)}) from None


def _list(chosen: Sequence[str]) -> str:
    """What is chosen, as a list that could be typed; an explanation in the menu is no choice."""
    return ",".join(one for one in map(_word, chosen) if one)


def _word(typed: str) -> str:
    return "" if typed == form_options.NOTHING else unmangle.word(unmangle.text(typed).strip())
