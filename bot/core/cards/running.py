"""The card while a change runs: its current step, since when, and how long it may take."""

from datetime import datetime

from bot.core.cards import break_glass, force_stop, slow_unit, unit_state
from bot.core.cards.blocks import Action, Markup, Text, clock, message, row, section, words
from bot.core.cards.buttons import buttons
from bot.core.cards.titles import approvals, requester_and_reason, subject
from bot.core.requests import Request, Sent, Target, Verb
from bot.core.systemd.units import ActiveState

_LONG = 2.0  # seconds after which the card says how long a step has taken

_STEPS = {
    "link": "creating the mask",
    "unlink": "removing the mask",
    "probe": "testing whether a mask can be made there, with a name no unit has",
    "unprobe": "removing that test again",  # of an older version
    "stop": "stopping",
    "kill": "sending SIGKILL to all its processes",
    "reload": "reloading systemd (daemon-reload)",
    "try-start": "trying a start, which must be refused",
    "reset-failed": "clearing its failed state",
    "start": "starting",
}


def card(request: Request, now: datetime) -> Text:
    """The progress, without a promise."""
    doing = "MASKING" if request.ask.change.verb is Verb.MASK else "UNMASKING"
    if request.ask.change.force:
        doing = "STOPPING BY FORCE"
    if request.target.called_off:
        doing = "WITHDRAWN:"
    rows = [row("Step", _step(request.target, now))]
    if request.target.last_seen:
        rows.append(row("Seen", unit_state.activity(request.target.last_seen)))
    if request.target.forced:
        rows.append(row("By force", force_stop.kill_sent_phrase(request.target.forced)))
    rows += slow_unit.rows(request)
    return message(
        f"{doing} {subject(request)} · {_how(request)}",
        section("people", [*break_glass.rows(request), requester_and_reason(request), *approvals(request)]),
        section("progress", rows),
        buttons(request, actions(request)),
    )


def actions(request: Request) -> tuple[Action, ...]:
    """The buttons for a stop that takes long."""
    withdraw = (Action.WITHDRAW,) if request.can_be_called_off else ()
    return (*withdraw, *((Action.FORCE,) if request.can_be_forced else ()), Action.DETAILS)


def _how(request: Request) -> str:
    """The current step; a slow stop or start is shown as such."""
    if request.target.called_off:
        return "to be started again"
    if request.target.waiting is None:
        return "under way"
    seen = request.target.last_seen
    if seen and seen.active is ActiveState.ACTIVATING:
        return "still starting"
    is_told = request.ask.change.verb is Verb.UNMASK or any(sent.step == "stop" for sent in request.target.sent)
    return "still stopping" if is_told else "waiting"


def _step(target: Target, now: datetime) -> Markup:
    if not target.sent:
        return words("checking the host")
    newest = target.sent[-1]
    what = describe(newest)
    seconds = (now - newest.at).total_seconds()
    if newest.step == "stop":
        return words("{} for {}", what, unit_state.span(seconds))
    if seconds < _LONG:
        return what
    return words("{}, since {}", what, clock(newest.at))


def describe(sent: Sent) -> Markup:
    """A step in people's words, with the unit it is about if that is another one."""
    name, _, detail = sent.step.partition(" ")
    known = _STEPS.get(name, name)
    return words("{} {}", known, detail) if detail and name != "unlink" else words("{}", known)
