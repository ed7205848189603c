"""The card while a change is being carried out: which step, since when, how long it may take."""

from datetime import datetime

from bot.core.cards import glass, states
from bot.core.cards.buttons import buttons
from bot.core.cards.kit import Action, Markup, Text, clock, message, row, section, words
from bot.core.cards.titles import approved, asked, subject
from bot.core.changes import Request, Sent, Target, Verb

_LONG = 2.0  # seconds after which it is worth saying how long a step has taken

_STEPS = {
    "link": "putting the mask in its place",
    "unlink": "taking the mask away",
    "stop": "stopping",
    "reload": "letting systemd read its files (daemon-reload)",
    "try-start": "trying a start, to see it refused",
    "reset-failed": "clearing the failed state of",
    "start": "starting",
}


def card(request: Request, now: datetime) -> Text:
    """Progress, without a promise."""
    doing = "MASKING" if request.ask.change.verb is Verb.MASK else "UNMASKING"
    rows = [row("Step", _step(request.target, now))]
    if request.target.last_seen:
        rows.append(row("Seen", states.doing(request.target.last_seen)))
    return message(
        f"{doing} {subject(request)} · under way",
        section("people", [*glass.rows(request), asked(request), *approved(request)]),
        section("progress", rows),
        buttons(request, [Action.DETAILS]),
    )


def _step(target: Target, now: datetime) -> Markup:
    if not target.sent:
        return words("looking at the host")
    newest = target.sent[-1]
    what = describe(newest)
    seconds = (now - newest.at).total_seconds()
    if newest.step == "stop":
        return words("{} for {}{}", what, states.span(seconds), _allowed(target))
    if seconds < _LONG:
        return what
    return words("{}, since {}", what, clock(newest.at))


def describe(sent: Sent) -> Markup:
    """A step in people's words, with the unit it is about if that is another one."""
    name, _, detail = sent.step.partition(" ")
    known = _STEPS.get(name, name)
    return words("{} {}", known, detail) if detail and name != "unlink" else words("{}", known)


def _allowed(target: Target) -> str:
    limit = states.stop_limit(target.before) if target.before else None
    if limit is None:
        return ""
    return "; it sets itself no limit" if limit == float("inf") else f"; it may take up to {states.span(limit)}"
