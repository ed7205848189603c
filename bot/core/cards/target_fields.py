"""The form fields that say what a mask is about and how: hosts and groups, units, ticks, and waves."""

from collections.abc import Iterable, Sequence

from bot.core.cards.blocks import Block, option
from bot.core.cards.form_fields import input_block, text_input
from bot.core.cards.form_options import LONGEST_VALUE, MOST
from bot.core.input.draft import Draft

HOST, UNIT, HOW, WAVES = "host", "unit", "how", "waves"
RUNTIME, KEEP_RUNNING, SET, ORDER, ADOPT = "runtime", "keep_running", "set", "order", "adopt"

_HOW = {
    RUNTIME: "Only until the next reboot (--runtime)",
    KEEP_RUNNING: "Leave the unit running (--keep-running)",
    SET: "Also what triggers the unit: sockets, timers, paths (--set)",
    ORDER: "One host after the other (--order)",
    ADOPT: "Take over the mask that somebody else made (--adopt)",
}
_HOST_HINT = "One or more, also groups like @web."
_UNIT_HINT = "Type part of a name and choose; one or more. cron means cron.service. The list is that of the first host."
_HOW_HINT = "Otherwise: stopped, and masked until somebody unmasks it."
_WAVES_HINT = "Of several hosts: how many at a time, like 1,10%,rest. If empty, as the policy says."


def target_fields(places: Sequence[str], draft: Draft) -> list[Block]:
    """The fields, with what is known already. `places` are hosts and groups."""
    return [
        input_block(HOST, "Host", _hosts(places, _items(draft.host)), hint=_HOST_HINT) | {"dispatch_action": True},
        input_block(UNIT, "Unit", _searchable(UNIT, _items(draft.unit)), hint=_UNIT_HINT),
        input_block(HOW, "How", _ticks(draft), hint=_HOW_HINT, optional=True),
        input_block(WAVES, "Waves", text_input(WAVES, draft.waves), hint=_WAVES_HINT, optional=True),
    ]


def _items(typed: str) -> list[str]:
    return [one for one in typed.split(",") if 0 < len(one) <= LONGEST_VALUE]


def _hosts(places: Sequence[str], chosen: Sequence[str]) -> Block:
    """A list with all hosts and groups if Slack can show them, otherwise one that follows what is typed."""
    if not 0 < len(places) <= MOST:
        return _searchable(HOST, chosen)
    listed = [option(one, one) for one in places]
    return _menu("multi_static_select", HOST, [one for one in chosen if one in places]) | {"options": listed}


def _searchable(name: str, chosen: Sequence[str]) -> Block:
    """A list whose options Slack asks us for while somebody types; see `form_options`."""
    return _menu("multi_external_select", name, chosen) | {"min_query_length": 0}


def _menu(kind: str, name: str, chosen: Iterable[str]) -> Block:
    initial = [option(one, one) for one in chosen][:MOST]
    return {"type": kind, "action_id": name} | ({"initial_options": initial} if initial else {})


def _ticks(draft: Draft) -> Block:
    ticked = [RUNTIME] * draft.runtime + [KEEP_RUNNING] * draft.keep_running
    ticked += [SET] * draft.with_triggers + [ORDER] * draft.in_order + [ADOPT] * draft.adopt
    boxes: Block = {"type": "checkboxes", "action_id": HOW, "options": [option(_HOW[how], how) for how in _HOW]}
    return boxes | ({"initial_options": [option(_HOW[how], how) for how in ticked]} if ticked else {})
