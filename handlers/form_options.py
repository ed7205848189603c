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
        _fetch_units(desk, draft.host, click)
    asks_where = click.caller.place.is_home
    form.open(_mask_form(desk, draft, asks_where=asks_where), click)


def _mask_form(desk: Desk, draft: Draft, *, asks_where: bool) -> Block:
    """The mask form; if it cannot be rendered, without what was typed already."""
    return form_or_none(
        desk,
        lambda: forms.mask_form(desk.places, draft, owners=desk.hold_owners, asks_where=asks_where),
        lambda: forms.mask_form(desk.places, asks_where=asks_where),
    )


def hosts(desk: Desk, typing: TypedText) -> list[Block]:
    """The hosts and groups that match what was typed."""
    return form_options.hosts(desk.places, typing.typed)


def units(desk: Desk, typing: TypedText) -> list[Block]:
    """The host's units that match; what was typed, as long as they are not known."""
    host = desk.form_options.first_host(typing.host)
    if not host:
        return form_options.units_of_no_host()
    offered = desk.form_options.units(host, asker=typing.caller.id)
    protection = desk.form_options.protection(host)
    if offered.units is None:
        return form_options.units_to_come(typing.typed, host, offered.why_not, protection)
    return form_options.units(typing.typed, offered.units, host, protection)


def host_chosen(desk: Desk, chosen: Submission, form: OpenForm) -> str:
    """Fetch the first host's units, and note it in the form, since Slack does not send it with what is typed."""
    fields = chosen.fields
    host = ",".join(chosen.chosen(forms.HOST))
    _fetch_units(desk, host, chosen.click)
    how = fields.get(forms.HOW, ())
    draft = Draft(
        host,
        ",".join(chosen.chosen(forms.UNIT)),
        runtime=forms.RUNTIME in how,
        keep_running=forms.KEEP_RUNNING in how,
        user=fields.get(forms.USER, ""),
        duration=fields.get(forms.DURATION, ""),
        scheduled_window=fields.get(forms.WHEN, ""),
        owners=fields.get(hold_form.OWNERS, ""),
        review=fields.get(hold_form.REVIEW_ON, ""),
        reason=fields.get(forms.REASON, ""),
        waves=fields.get(forms.WAVES, ""),
        with_triggers=forms.SET in how,
        in_order=forms.ORDER in how,
        adopt=forms.ADOPT in how,
    )
    form.refill(_mask_form(desk, draft, asks_where=forms.CHANNEL in fields), chosen.click)
    return ""


def _fetch_units(desk: Desk, hosts: str, click: Click) -> None:
    if host := desk.form_options.first_host(hosts):
        desk.form_options.units(host, asker=click.caller.id)
