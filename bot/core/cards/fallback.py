"""Replacements for messages that could not be rendered: the request's state in plain words, and its buttons.

Nothing that was seen on a host is shown here, so no odd answer of a host keeps people from their buttons.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from bot.core.cards import running as stopping
from bot.core.cards.blocks import (
    LABEL,
    Action,
    Block,
    Markup,
    Text,
    header,
    link_to,
    mention,
    ping,
    plain_text,
    row,
    screen_reader_text,
    section,
    words,
)
from bot.core.cards.break_glass import with_sign_off
from bot.core.cards.buttons import buttons, end_buttons
from bot.core.cards.outcomes import TITLES
from bot.core.cards.rollout.actions import actions as rollout_actions
from bot.core.cards.rollout.heads import title
from bot.core.cards.titles import is_rollout, stage_words, subject, what
from bot.core.cards.unrecorded import UNDONE
from bot.core.policy.home import HomeView
from bot.core.requests import Aftercare, Loss, Outcome, Request, Stage, Target, Verb

_OURS = "The bot failed to show this message in full. The operator finds the error in its log."
_NOT_SHOWN = "The consequences cannot be shown here. Approve only if you know them from elsewhere."
_EVIDENCE = "The commands and their answers cannot be shown here. `maskbot audit export` has all of them."
_PAGE = "The bot failed to show this page in full. The operator finds the error in its log."
_STAGES = {Stage.ASKED: "checking the host", Stage.WAITING: "needs approval"}
_SHOWN = 20  # requests on a Home tab


def card(request: Request, offered: Sequence[Action] | None = None) -> Text:
    """The card of a request, or another message about it with the buttons `offered`."""
    head = f"{state(request)} · {_subject(request)}"
    actions = _actions(request) if offered is None else offered
    blocks = [header(head), section("plain", [*_rows(request)])]
    blocks += [buttons(request, actions)] if actions else []
    return Text(screen_reader_text(head, blocks[1:2], {}), tuple(blocks))


def line(request: Request, link: str = "") -> Text:
    """The outcome line."""
    return _as_text([link_to(f"{state(request).lower()}: {_subject(request)}", link)])


def sentence(request: Request) -> str:
    """In place of any sentence about the request."""
    stands = state(request).lower()
    return f"{_subject(request)} has changed ({stands}), but the bot failed to show how: see its card."


def evidence(request: Request) -> tuple[Text, ...]:
    """In place of the evidence."""
    return (_as_text([words("{}: {}", _subject(request), Markup(_EVIDENCE))]),)


def note(sentence: str, mentions: Sequence[str] = ()) -> Text:
    """A sentence as one line of plain text, with its mentions."""
    called = " ".join(ping(one) for one in mentions)
    return _as_text([Markup(f"{called} {words('{}', sentence)}".strip())])


def home(shown: HomeView) -> Block:
    """A Home tab: the person's requests, each with its buttons."""
    listed = [
        *((one, (Action.APPROVE, Action.DENY, Action.DETAILS)) for one in shown.to_decide),
        *((one, _actions(one)) for one in (*shown.to_sign, *shown.masks)),
        *((one, _own_actions(one)) for one in shown.open),
    ]
    again = {
        "type": "button",
        "action_id": Action.REFRESH.value,
        "text": plain_text("Refresh", LABEL),
        "value": "home",
    }
    blocks = [{"type": "actions", "block_id": "tools", "elements": [again]}, section("plain", [words(_PAGE)])]
    for number, (request, actions) in enumerate(listed[:_SHOWN]):
        said = words("*{}* · {}", _subject(request), state(request).lower())
        blocks += [
            section(f"plain-{number}", [said]),
            buttons(request, actions) | {"block_id": f"plain-{number}-buttons"},
        ]
    return {"type": "home", "callback_id": "home", "blocks": blocks}


def without_details(request: Request) -> Request:
    """The request without its looks and notes, for a form that cannot show them."""
    target = request.target
    return replace(
        request,
        target=Target(target.host, target.unit, digest=target.digest, outcome=target.outcome),
        remarks=(),
        break_glass=None,
        aftercare=Aftercare(),
    )


def state(request: Request) -> str:
    """The state of the request, for a head line."""
    target = request.target
    if request.rollout is not None and request.stage in (Stage.RUNNING, Stage.DONE):
        return title(request, request.rollout)
    if request.stage is Stage.RUNNING:
        verb = "MASKING" if request.ask.change.verb is Verb.MASK else "UNMASKING"
        verb = "STOPPING BY FORCE" if request.ask.change.force else verb
        return TITLES[Outcome.UNKNOWN] if _is_unknown(target) else f"{verb}, UNDER WAY"
    if request.stage is not Stage.DONE:
        return f"{what(request)}, {_STAGES.get(request.stage) or stage_words(request)}".upper()
    if request.drift.lost:
        return UNDONE if request.drift.lost is Loss.UNDONE else "OUR MASK IS GONE"
    return "UNDONE" if request.undone_by else TITLES[target.outcome or Outcome.UNKNOWN]


def _is_unknown(target: Target) -> bool:
    return target.unknown_since is not None or target.outcome is Outcome.UNKNOWN


def _subject(request: Request) -> str:
    return subject(request) if is_rollout(request) else f"{request.target.unit} on {request.target.host}"


def _rows(request: Request) -> Iterator[Markup]:
    yield row("Asked", words("by {}", mention(request.ask.requester, request.ask.requester_name)))
    if request.ask.reason.strip():
        yield row("Reason", request.ask.reason)
    if request.stage is Stage.WAITING:
        yield words(_NOT_SHOWN)
    elif request.stage.is_final and request.because:
        yield row("Because", request.because)
    if request.target.note:
        yield row("Note", request.target.note)
    yield words(_OURS)


def _actions(request: Request) -> tuple[Action, ...]:
    """The card's buttons, as far as they follow from the stage alone."""
    return tuple(dict.fromkeys([*_by_stage(request), *([Action.SIGN] if _owes(request) else []), Action.DETAILS]))


def _by_stage(request: Request) -> Iterator[Action]:
    match request.stage:
        case Stage.WAITING:
            yield from (Action.APPROVE, Action.DENY, Action.WITHDRAW)
        case Stage.ASKED | Stage.APPROVED:
            yield Action.WITHDRAW
        case Stage.RUNNING | Stage.DONE if is_rollout(request) and not request.ask.extends:
            yield from with_sign_off(request, rollout_actions(request))
        case Stage.RUNNING if _is_unknown(request.target):
            yield Action.LOOK_NOW
        case Stage.RUNNING:
            yield from stopping.actions(request)
        case Stage.DONE if request.ask.change.verb is Verb.MASK and request.can_be_undone:
            yield Action.UNMASK
            if request.is_live_mask and not request.hold:
                yield from end_buttons(request)


def _own_actions(request: Request) -> tuple[Action, ...]:
    """The buttons for one's own open request."""
    return (Action.DETAILS,) if request.stage is Stage.RUNNING else (Action.WITHDRAW, Action.DETAILS)


def _owes(request: Request) -> bool:
    return request.stage.is_final and request.owes_sign_off


def _as_text(rows: Sequence[Markup]) -> Text:
    block = section("said", rows)
    return Text(block["text"]["text"], (block,))
