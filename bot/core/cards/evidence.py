"""The evidence in the card's thread: commands and answers, the head of the status, and the last look."""

import shlex
from collections.abc import Iterator, Sequence
from datetime import UTC

from bot.core.cards.before_after import start_proof
from bot.core.cards.blocks import SECTION, Markup, Text, code, row, screen_reader_text, section, words
from bot.core.cards.redact import redact
from bot.core.cards.rollout.listing import listing
from bot.core.cards.titles import subject
from bot.core.requests import Request, Sent, Target
from bot.core.systemd.units import FileKind, Snapshot

_COMMANDS = 8  # characters of a message
_ANSWER_LINES = 3


def evidence(request: Request) -> tuple[Text, ...]:
    """Messages for the thread of the card; they mention nobody. Of a rollout: all its targets."""
    if request.rollout is not None:
        return listing(request)
    target, name = request.target, subject(request)
    messages = [_message(f"What was sent to {target.host}", [commands(part)]) for part in _parts(target.sent)]
    heads = (("before", target.status_before), ("after", target.status_after))
    messages += [_message(f"systemctl status {name}, {when}", [code(redact(head))]) for when, head in heads if head]
    if target.after:
        messages.append(_message(f"What the last check of {name} showed", [*_facts(target, target.after)]))
    return tuple(messages)


def commands(sent: Sequence[Sent]) -> Markup:
    """The exact commands as a person would type them, each with its time (UTC), exit code, duration and answer."""
    rows = [text for one in sent for text in _command(one)]
    return code("\n".join(rows), most=SECTION - 300, lines=_COMMANDS * (2 + _ANSWER_LINES))


def _parts(sent: Sequence[Sent]) -> list[Sequence[Sent]]:
    return [sent[start : start + _COMMANDS] for start in range(0, len(sent), _COMMANDS)]


def _command(sent: Sent) -> Iterator[str]:
    yield f"{sent.at.astimezone(UTC):%H:%M:%S.%f}"[:-3] + f" {command_as_typed(sent.argv)}"
    yield "  no answer" if sent.exit_code is None else f"  exit {sent.exit_code}, {sent.millis} ms"
    answer = [f"  {line}" for line in redact(sent.output).split("\n") if line.strip()]
    yield from answer[:_ANSWER_LINES]


def command_as_typed(argv: Sequence[str]) -> str:
    """A command as a person would type it; the long script of a look is shown as `check`."""
    return "check" if any("\n" in word for word in argv) else shlex.join(argv)


def _facts(target: Target, after: Snapshot) -> Iterator[Markup]:
    rows = [
        f"Id         {after.id}",
        f"LoadState  {after.load}",
        *(f"  as {name}: {load}" for name, load in after.other_names_load),
        f"Active     {after.active} ({after.sub})",
        f"UnitFile   {after.file_state or '-'}",
        f"Fragment   {after.fragment or '-'}",
        *(f"Layer      {file.path} {_kind(file.kind, file.target)}" for file in after.layers if _is_there(file.kind)),
        f"MainPID    {after.main_pid or '-'}",
        f"Job        {after.pending_job or '-'}",
        f"Result     {after.result or '-'}",
    ]
    yield code("\n".join(rows))
    proof = start_proof(target)
    if proof:
        yield row("Start", words("{}", proof.lower()))


def _kind(kind: FileKind, target: str) -> str:
    return f"-> {target}" if target else f"({kind})"


def _is_there(kind: FileKind) -> bool:
    return kind is not FileKind.ABSENT


def _message(head: str, lines: list[Markup]) -> Text:
    title = words("{}", head)
    return Text(
        screen_reader_text(title, [section("evidence", lines)], {}),
        (section("evidence", [Markup(f"*{title}*"), *lines]),),
    )
