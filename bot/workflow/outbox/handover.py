"""The handover: what the next on-call has to know, posted on a schedule; missed ones are posted once together."""

from contextlib import suppress

from bot.core.cards import handover as words
from bot.core.cards import note
from bot.core.cards.blocks import Text
from bot.core.people.identity import Place
from bot.errors import Stale
from bot.ports import Message, MessageKind, Periodic
from bot.workflow.process.deps import Deps
from bot.workflow.process.render import render_or_fall_back
from bot.workflow.requests.kill_switch_state import with_kill_switch_note
from bot.workflow.requests.mask_inventory import read_mask_inventory

HANDOVER = "handover"
_NOT_DRAWN = "The bot failed to show the handover. Try `/mask handover` or `/mask list`."


def schedule_handover(deps: Deps) -> None:
    """Schedule the next handover as the policy says. One that came due while no bot ran is still due."""
    wanted, task = deps.in_force.policy.handover_schedule, deps.store.get_periodic(HANDOVER)
    schedule = str(wanted.schedule) if wanted else ""
    if wanted is None or (task and task.due_at and task.document.get("schedule") == schedule):
        return
    due_at = wanted.schedule.next_after(deps.clock.now())
    with suppress(Stale):  # another replica was quicker
        deps.store.save_periodic(Periodic(HANDOVER, {"schedule": schedule}, due_at, task.version if task else 0))


def compose_handover(deps: Deps) -> Text:
    """The text of the handover at this moment."""
    found = read_mask_inventory(deps)
    return with_kill_switch_note(
        deps, render_or_fall_back(deps, "handover", lambda: words.scheduled_handover(found), lambda: note(_NOT_DRAWN))
    )


def post_handover(deps: Deps, task: Periodic) -> None:
    """Post the handover and schedule the next in one transaction. What Slack refuses until then is dropped."""
    wanted = deps.in_force.policy.handover_schedule
    if wanted is None:
        deps.store.save_periodic(Periodic(task.name, {}, None, task.version))
        return
    due_at = wanted.schedule.next_after(deps.clock.now())
    said = Message(MessageKind.HANDOVER, place=Place(wanted.channel), until=due_at)
    deps.store.save_periodic(
        Periodic(task.name, {"schedule": str(wanted.schedule)}, due_at, task.version), messages=[said]
    )
