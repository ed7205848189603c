"""The options of the mask form: hosts and units, while somebody types."""

from bot.core.cards import form_options, forms, hold_form
from bot.core.cards.blocks import Block
from bot.core.input.draft import EMPTY, Draft
from bot.workflow import Desk
from handlers.bolt import Forms, OpenForm, Surface
from handlers.form_fallback import form_or_none
from handlers.payload import Click, Submission, TypedText


def register(surface: Surface) -> None:
    """Register the lists, and the choice of a host, on which the list of units depends."""
    surface.options(forms.HOST, hosts)
    surface.options(forms.UNIT, units)
    surface.choice(forms.HOST, host_chosen)


def open_form(desk: Desk, form: Forms, click: Click, draft: Draft = EMPTY) -> None:
    """Open the form with what is known, and fetch the units before anybody needs them. Raises `UsageError`."""
    if draft.host:
        desk.form_options.units(draft.host, asker=click.caller.id)
    asks_where = click.caller.place.is_home
    form.open(_mask_form(desk, draft, asks_where=asks_where), click)


def _mask_form(desk: Desk, draft: Draft, *, asks_where: bool) -> Block:
    """The mask form; if it cannot be rendered, without what was typed already."""
    return form_or_none(
        desk,
        lambda: forms.mask_form(desk.hosts, draft, owners=desk.hold_owners, asks_where=asks_where),
        lambda: forms.mask_form(desk.hosts, asks_where=asks_where),
    )


def hosts(desk: Desk, typing: TypedText) -> list[Block]:
    """The hosts that match what was typed."""
    return form_options.hosts(desk.hosts, typing.typed)


def units(desk: Desk, typing: TypedText) -> list[Block]:
    """The host's units that match; what was typed, as long as they are not known."""
    if typing.host not in desk.hosts:
        return form_options.units_of_no_host()
    offered = desk.form_options.units(typing.host, asker=typing.caller.id)
    protection = desk.form_options.protection(typing.host)
    if offered.units is None:
        return form_options.units_to_come(typing.typed, typing.host, offered.why_not, protection)
    return form_options.units(typing.typed, offered.units, typing.host, protection)


def host_chosen(desk: Desk, chosen: Submission, form: OpenForm) -> str:
    """Fetch this host's units, and note the host in the form, since Slack does not send it with what is typed."""
    fields = chosen.fields
    host = fields.get(forms.HOST, "")
    desk.form_options.units(host, asker=chosen.caller.id)
    how = fields.get(forms.HOW, ())
    draft = Draft(
        host,
        fields.get(forms.UNIT, ""),
        runtime=forms.RUNTIME in how,
        keep_running=forms.KEEP_RUNNING in how,
        user=fields.get(forms.USER, ""),
        duration=fields.get(forms.DURATION, ""),
        scheduled_window=fields.get(forms.WHEN, ""),
        owners=fields.get(hold_form.OWNERS, ""),
        review=fields.get(hold_form.REVIEW_ON, ""),
        reason=fields.get(forms.REASON, ""),
    )
    form.refill(_mask_form(desk, draft, asks_where=forms.CHANNEL in fields), chosen.click)
    return ""
