"""The card of a change that was carried out: the outcome as a fresh look has shown it, before beside after."""

from collections.abc import Iterator
from datetime import datetime

from bot.core.cards import break_glass, brought_down, drift, expiry, reload, still_running, unit_state, unrecorded
from bot.core.cards.before_after import MASKED, screen_reader_lines, table
from bot.core.cards.blocks import Action, Block, Markup, Text, clock, day, escape, join, message, row, section, words
from bot.core.cards.buttons import buttons, end_buttons
from bot.core.cards.consequences import twins
from bot.core.cards.live_mask import mask_set, would_start
from bot.core.cards.outcomes import TITLES
from bot.core.cards.rollout.actions import actions as rollout_actions
from bot.core.cards.rollout.heads import title as rollout_title
from bot.core.cards.titles import approvals, automatic_reason, is_rollout, requester, subject
from bot.core.cards.unrecorded import UNDONE
from bot.core.requests import Loss, Outcome, Request, Target, Verb
from bot.core.systemd.units import ActiveState, Snapshot

# For a unit that still runs after its stop.
_UP = {Outcome.PROVEN: "MASKED AND PROVEN, LEFT RUNNING", Outcome.KILLED: "KILLED, STILL STOPPING"}
_WHY = (
    *(Outcome.FAILED, Outcome.NOT_PROTECTED, Outcome.NOT_LOADED, Outcome.NOT_UNMASKED, Outcome.NOT_OURS),
    *(Outcome.MASKED_RUNNING, Outcome.MASKED_RESTARTED),
)
_NOTES = {
    **dict.fromkeys(_WHY, "Why"),
    **dict.fromkeys((Outcome.RESTORED_PARTLY, Outcome.CALLED_OFF_PARTLY), "Not as before"),
}
_ENDED = {
    Outcome.PROVEN: "proven",
    Outcome.RESTORED: "proven",
    Outcome.UNMASKED: "proven",
    Outcome.CALLED_OFF: "withdrawn and proven",
    Outcome.EXTENDED: "done",
    Outcome.KILLED: "killed",
}
_REMOVED = (Outcome.RESTORED, Outcome.RESTORED_PARTLY, Outcome.UNMASKED)
_AND_BACK = " Its stop had begun already; once it was down, it was started again."
_LOST = {Loss.REBOOTED: "ENDED WITH THE REBOOT", Loss.ENDED: "ENDED WITH THE LAST LOGOUT", Loss.UNDONE: UNDONE}
_UNTOUCHED = (Outcome.FAILED, Outcome.NO_CHANGE)
_NOT_UNDONE = (*_UNTOUCHED, Outcome.NOT_OURS, Outcome.NOT_UNMASKED)


def card(request: Request, now: datetime) -> Text:
    """The outcome, never better than what was seen."""
    target = request.target
    shown = [table(target)] if target.after and target.outcome not in _UNTOUCHED else []
    return message(
        f"{title(request)} · {subject(request)}",
        *_sections(
            break_glass=[*break_glass.rows(request)],
            meaning=[*_meaning(request), *_special_note(request)],
            table=shown,
            facts=[*_facts(request)],
        ),
        section("people", [*_people(request, now)]),
        buttons(request, break_glass.with_sign_off(request, actions(request, now)), starts=would_start(request)),
        instead={"table": [*screen_reader_lines(target)]} if shown else {},
    )


def title(request: Request) -> str:
    """The outcome as a head line; a mask that was undone since says so."""
    target = request.target
    if request.rollout is not None:
        return rollout_title(request, request.rollout)
    outcome = target.outcome or Outcome.UNKNOWN
    if since := _title_since(request, outcome):
        return since
    if outcome is Outcome.EXTENDED and request.ask.new_kind:
        return expiry.NEW_KINDS[request.ask.new_kind]
    if outcome is Outcome.EXTENDED and request.ask.change.hold:
        return "HOLD KEPT"
    if outcome is Outcome.EXTENDED and request.ask.change.duration is None:
        return "KEPT, WITHOUT EXPIRY"
    if outcome in _UP and target.after and not target.after.active.is_down:
        return _UP[outcome]
    if outcome is Outcome.PROVEN and target.adopted:
        return "ADOPTED"
    if outcome is Outcome.MASKED_RESTARTED:
        return TITLES[outcome] + still_running.by_whom(target)
    if outcome in _REMOVED and _masked_still(target):
        return "MASK REMOVED, STILL MASKED"
    return TITLES[outcome] + ", HELD" * bool(request.hold)


def _title_since(request: Request, outcome: Outcome) -> str:
    """What has become of the mask since then; empty if nothing has."""
    if request.drift.lost:
        return _LOST.get(request.drift.lost, "OUR MASK IS GONE")
    if request.hold and request.hold_state.loss:
        return "HELD, BUT ITS MASK IS NOT OURS" if request.hold_state.loss is Loss.REPLACED else "HELD, BUT TAKEN OFF"
    if request.undone_by:
        return "OUR MASK IS GONE" if outcome in MASKED and request.was_gone else "UNDONE"
    return f"{TITLES[outcome]}, MASKED AGAIN SINCE" if request.repeated_by else ""


def _masked_still(target: Target) -> bool:
    """Another layer still masks the unit, by a mask that is not ours."""
    return target.after is not None and (target.after.is_masked or bool(target.after.mask_layers))


def _sections(**lines: list[Markup]) -> Iterator[Block]:
    return (section(name, texts) for name, texts in lines.items() if texts)


def undone_since(request: Request) -> Markup | None:
    """The fate of the mask since then, which replaces its outcome."""
    if request.drift.lost:
        return drift.loss_row(request)
    if request.undone_by and request.undone_by == request.aftercare.undo_request:
        if request.aftercare.no_login:
            return words("The bot could not log in again after it. A later card shows the undo.")
        return words("Time is up. A later card shows the undo.")
    if request.undone_at:
        return words("Undone {}. A later card shows how that went.", clock(request.undone_at))
    if request.was_gone and request.target.outcome in MASKED:
        return words("When the mask was to be undone, it was already gone or somebody had replaced it.")
    if request.undone_by:
        return words("This change has since been undone, or was already gone.")
    if request.repeated_by:
        return words("A later request did what this one could not. Its card shows how that went.")
    return None


def _meaning(request: Request) -> Iterator[Markup]:
    """Warnings that people must read before the table."""
    target, since = request.target, undone_since(request)
    if since:
        yield since
        return
    if target.outcome in _REMOVED and target.after and _masked_still(target):
        where = join(unit_state.LAYERS[layer] for layer in target.after.mask_layers) or escape("shipped by its package")
        as_before = ", which was there before ours" if target.outcome is Outcome.RESTORED else ""
        yield words("It is still masked by another mask ({}){}.", where, as_before)
    match target.outcome:
        case Outcome.NOT_PROTECTED:
            yield _unprotected(target.after)
        case Outcome.NOT_LOADED:
            yield words(
                "The mask link is there, but systemd has not loaded it: the unit can start until a daemon-reload."
            )
        case Outcome.MASKED_RUNNING | Outcome.MASKED_RESTARTED:
            yield still_running.advice(request.target)
        case Outcome.NO_CHANGE if not request.ask.change.force:
            yield words("There was nothing to change.")
        case Outcome.CALLED_OFF | Outcome.CALLED_OFF_PARTLY:
            yield words("It is not masked.{}", _AND_BACK if any(one.step == "stop" for one in target.sent) else "")
        case Outcome.UNMASKED:
            is_over = request.ask.undoes and not any(one.step.startswith("unlink") for one in target.sent)
            yield words("It ended with a reboot. Nothing was started.") if is_over else unrecorded.removed(target)
        case Outcome.NOT_OURS:
            yield words("The mask there now is not the one the bot made, so it was left alone.")


def _special_note(request: Request) -> Iterator[Markup]:
    """A forced stop, for a mask that has a card of its own; and a mask that somebody else made."""
    if request.target.adopted and request.is_live_mask:
        yield unrecorded.adopted(request.target)
    if request.ask.change.force:
        yield words("The card of the mask shows what follows.")


def _unprotected(after: Snapshot | None) -> Markup:
    if after is not None and after.active.is_down:
        return Markup("*STOPPED but NOT MASKED*: anything may start it")
    stopping = after is not None and after.active is ActiveState.DEACTIVATING
    return Markup("*NOT MASKED*, and it is still stopping" if stopping else "*NOT MASKED*, and it runs")


def _facts(request: Request) -> Iterator[Markup]:
    target = request.target
    if target.outcome is Outcome.EXTENDED:
        yield from expiry.new_expiry_rows(request)
    if target.note:
        yield row(_NOTES.get(target.outcome or Outcome.UNKNOWN, "Note"), target.note)
    yield from _since_asking(target)
    yield from brought_down.also_stopped(target)
    if target.after and target.outcome in MASKED:
        yield from twins(target.after)
    yield from brought_down.how_it_stopped(target)
    yield from reload.applied(target)
    if request.ask.change.runtime and target.outcome is Outcome.PROVEN:
        yield row("Lasts", "until the next reboot of the host")


def _since_asking(target: Target) -> Iterator[Markup]:
    """Differences between the unit right before the change and the card that people approved."""
    planned, before = target.planned, target.before
    if planned is None or before is None:
        return
    if planned.active is not before.active:
        yield row("Changed since", f"it was {unit_state.activity(planned)} when approval was asked")
    if planned.around and before.around and planned.around.boot_id != before.around.boot_id:
        yield row("Changed since", "the host was rebooted after approval was asked")


def _people(request: Request, now: datetime) -> Iterator[Markup]:
    yield from who_and_when(request, now, _ENDED.get(request.target.outcome or Outcome.UNKNOWN, "last checked"))
    is_undo_free = request.is_live_mask and request.undo_until
    if not is_undo_free and Action.MASK_AGAIN in actions(request, now) and request.act_by:
        yield words("The approval is valid until {}.", clock(request.act_by))


def who_and_when(request: Request, now: datetime, ended: str) -> Iterator[Markup]:
    """Who asked and approved, when it ended, why it was asked for, when it expires, and who may undo it."""
    people = [requester(request, "asked"), *approvals(request)]
    if request.ask.by_itself:
        why = request.because if request.ask.undoes and request.because else automatic_reason(request)
        if request.target.outcome in _NOT_UNDONE:
            why = why.partition(". Undone")[0]
        people = [words("{}{}", why[:1].upper(), why[1:]), *([] if request.ask.undoes else people[1:])]
    when = [words("{} {}", ended, clock(request.finished_at))] if request.finished_at else []
    yield join([*people, *when])
    if request.ask.reason.strip():
        yield row("Reason", request.ask.reason)
    yield from expiry.rows(request)
    if request.is_live_mask and request.undo_until:
        open_until = words("You can undo without approval until {}.", day(request.undo_until))
        yield open_until if now < request.undo_until else words("Undo needs approval again.")


def actions(request: Request, now: datetime) -> tuple[Action, ...]:
    """The buttons for what can be done now."""
    target = request.target
    if is_rollout(request):
        return rollout_actions(request)
    if request.hold:
        again = (Action.MASK_AGAIN,) if request.hold_state.loss is Loss.REMOVED else ()
        keep = () if request.ask.rollout else (Action.KEEP,)
        return (*again, Action.UNMASK, *keep, Action.DETAILS)
    if request.is_live_mask:
        longer, whole_set = end_buttons(request), mask_set(request)
        both = (*longer, *whole_set) if request.aftercare.expires_at else (*whole_set, *longer)
        return (Action.UNMASK, *both, Action.DETAILS)
    if target.outcome is Outcome.NOT_OURS and target.after and target.after.mask_layers:
        return (Action.UNMASK, Action.DETAILS)
    if not request.can_be_undone or request.ask.change.verb is not Verb.MASK:
        return (Action.DETAILS,)
    again = (Action.MASK_AGAIN,) if request.act_by is None or now < request.act_by else ()
    if target.outcome is Outcome.NOT_PROTECTED:
        return (*again, *((Action.START_AGAIN,) if _was_brought_down(target) else ()), Action.DETAILS)
    return (*again, Action.UNMASK, Action.DETAILS)


def _was_brought_down(target: Target) -> bool:
    """Whether the unit ran before the change, and does not now."""
    return bool(target.before and target.after and target.after.active.is_down and not target.before.active.is_down)
