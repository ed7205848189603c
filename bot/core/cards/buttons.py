"""The buttons of a card: their labels, and the request and plan that a click is about."""

from collections.abc import Sequence

from bot.core.cards.blocks import LABEL, Action, Block, plain_text
from bot.core.cards.titles import is_rollout, subject
from bot.core.requests import Request

_CONFIRM_TITLE, _CONFIRM_TEXT, _CONFIRM_LABEL = 100, 300, 30  # Slack's limits ("Confirmation dialog object")
_NAMED = 4  # units in a confirmation
DIGEST_SIGNS = 12  # the length of the digest in a button's value

LABELS = {
    Action.APPROVE: "Approve",
    Action.DENY: "Deny",
    Action.WITHDRAW: "Withdraw",
    Action.FORCE: "Stop by force",
    Action.DETAILS: "Details",
    Action.UNMASK: "Unmask",
    Action.MASK_AGAIN: "Mask again",
    Action.START_AGAIN: "Start it again",
    Action.LOOK_NOW: "Check now",
    Action.EXTEND: "Extend",
    Action.KEEP: "Keep",
    Action.GIVE_END: "Set an expiry",
    Action.HOLD: "Hold it",
    Action.BREAK_GLASS: "Break glass",
    Action.ANSWER: "Answer",
    Action.HAND_OVER: "Hand over",
    Action.SIGN: "Sign off",
    Action.GO_ON: "Go on now",
    Action.PAUSE: "Pause",
    Action.STOP_HERE: "Stop here",
    Action.UNDO_ALL: "Undo all",
    Action.RETRY_FAILED: "Retry failed only",
    Action.MASK_SET: "Mask the set",
}
_STYLES = {
    Action.APPROVE: "primary",
    Action.DENY: "danger",
    Action.FORCE: "danger",
    Action.BREAK_GLASS: "danger",
    Action.ANSWER: "primary",
}


_ASK_FIRST = {Action.UNMASK: "Unmask", Action.UNDO_ALL: "Undo all of"}


def buttons(request: Request, actions: Sequence[Action], *, starts: Sequence[str] = ()) -> Block:
    """A row of buttons for this request. `starts` is what an undo would start: its button says so and asks first."""
    elements = [_button(request, action) for action in actions]
    for action, element in zip(actions, elements, strict=True):
        if starts and action in _ASK_FIRST:
            element["confirm"] = _confirm(request, action, starts)
    return {"type": "actions", "block_id": "buttons", "elements": elements}


def _confirm(request: Request, action: Action, starts: Sequence[str]) -> Block:
    named = [*starts[:_NAMED], *([f"{len(starts) - _NAMED} more"] if len(starts) > _NAMED else [])]
    which = " and ".join(", ".join(named).rsplit(", ", 1))
    removed = "The masks are" if action is Action.UNDO_ALL else "The mask is"
    again = f"{which} {'start' if len(starts) > 1 else 'starts'} again"
    return {
        "title": plain_text(f"{_ASK_FIRST[action]} {subject(request)}?", _CONFIRM_TITLE),
        "text": plain_text(f"{removed} removed, and everything is put back: {again}.", _CONFIRM_TEXT),
        "confirm": plain_text(LABELS[action], _CONFIRM_LABEL),
        "deny": plain_text("Cancel", _CONFIRM_LABEL),
    }


def end_buttons(mask: Request) -> tuple[Action, ...]:
    """The buttons for another expiry, or for the first one, and for none; a target ends with its whole rollout."""
    if mask.ask.rollout:
        return ()
    return (Action.EXTEND if mask.aftercare.expires_at else Action.GIVE_END, Action.KEEP)


def value(request: Request) -> str:
    """The value of a button: the request, and the digest of the plan on the card."""
    return f"{request.id}:{request.target.digest[:DIGEST_SIGNS]}"


def _button(request: Request, action: Action) -> Block:
    change = subject(request) if is_rollout(request) else f"{request.target.unit} on {request.target.host}"
    block: Block = {
        "type": "button",
        "action_id": action.value,
        "text": plain_text(LABELS[action], LABEL),
        "value": value(request),
        "accessibility_label": plain_text(f"{LABELS[action]}: {change}", LABEL)["text"],
    }
    return block | ({"style": _STYLES[action]} if action in _STYLES else {})
