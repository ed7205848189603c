"""Show a request's progress: a live line for each stage on a terminal, plain lines elsewhere, and its result."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import typer
from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TextColumn
from rich.table import Table
from rich.text import Text

from bot.cli import rollout_line, status_line
from bot.cli.rollout_line import Bar

Words = Mapping[str, Any]
INTERRUPTED = 1


class _Elapsed(ProgressColumn):
    """The time since a stage began."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.finished_time if task.finished else task.elapsed or 0:.0f} s", style="dim")


class _Bar(ProgressColumn):
    """The bar of a rollout; other lines have none."""

    def __init__(self) -> None:
        super().__init__()
        self._bar = BarColumn(20)

    def render(self, task: Task) -> RenderableType:
        return self._bar.render(task) if task.fields.get("has_bar") else Text("")


class Lines:
    """One line for each event, on stderr; on a terminal the last line is live, and the one of a rollout has a bar."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        text = TextColumn("{task.description}", markup=False)
        done = SpinnerColumn(finished_text=Text("✔", style="green"))
        self._living = (
            Progress(done, text, _Bar(), _Elapsed(), console=self._console) if self._console.is_terminal else None
        )
        self._last = ""
        self._mark: object = None
        self._task: Any = None

    def advance(self, text: str, bar: Bar) -> None:
        """Show how far a rollout has come: in the same line on a terminal, elsewhere when there is something new."""
        if self._living is None and self._mark != bar.mark:
            self.show(text)
        elif self._living is not None:
            if self._mark is None:
                self.show(text)
            self._living.update(self._task, description=text, completed=bar.done, total=bar.total, has_bar=True)
        self._mark, self._last = bar.mark, text

    def show(self, text: str) -> None:
        """Show the next event."""
        if text == self._last:
            return
        self._last, self._mark = text, None
        if self._living is None:
            typer.echo(text, err=True)
            return
        self._living.start()
        self._finish()
        self._task = self._living.add_task(text, total=1)

    def close(self) -> None:
        """Stop the live line."""
        if self._living is not None:
            self._finish()
            self._living.stop()

    def _finish(self) -> None:
        if self._living is not None and self._task is not None:
            self._living.update(self._task, completed=self._living.tasks[self._task].total)


def tell(told: Iterable[Words], *, as_json: bool, verbose: bool = False) -> int:
    """Show the bot's messages, and return the exit code that came with them."""
    lines, newest = Lines(), dict[str, Any]()
    try:
        for words in told:
            match words["event"]:
                case "request":
                    if not as_json:
                        _report(lines, newest, words["request"])
                    newest = words["request"]
                case "answer" | "state" as kind:
                    newest = words[kind]
                    if not as_json:
                        _say(words, verbose=verbose)
                case "end":
                    lines.close()
                    return _end(newest, words, as_json=as_json)
    except KeyboardInterrupt:
        lines.close()
        typer.echo(_left_alone(newest), err=True)
        return INTERRUPTED
    raise AssertionError("the bot ended without an answer")


def _report(lines: Lines, before: Words, now: Words) -> None:
    bar = rollout_line.bar(now)
    if bar:
        lines.advance(status_line.current(now), bar)
        return
    for text in status_line.news(before, now):
        lines.show(text)


def _end(newest: dict[str, Any], words: Words, *, as_json: bool) -> int:
    code, text = int(words["exit"]), status_line.line(words["text"])
    if as_json:
        typer.echo(json.dumps(newest | ({"error": text} if text and code else {}), indent=2))
        return code
    if newest.get("stage") and status_line.is_over(newest):
        _result(newest)
    elif newest.get("stage") and not text:
        typer.echo(f"{newest['id']}: {status_line.current(newest)}")
    if text:
        typer.echo(text, err=bool(code))
    return code


def _result(request: Words) -> None:
    """The result, and the table before beside after."""
    typer.echo(status_line.line(status_line.headline(request)))
    if rollout_line.is_rollout(request):
        for text in rollout_line.result(request):
            typer.echo(status_line.line(text))
    if request["after"] is None:
        return
    table = Table(box=None, pad_edge=False, show_header=True, header_style="dim")
    for heading in ("", "before", "after"):
        table.add_column(heading)
    for label, was, now in status_line.table(request):
        table.add_row(label, Text(was), Text(now, style="bold" if was != now else ""))
    Console().print(table)


def _say(words: Words, *, verbose: bool) -> None:
    if words["event"] == "answer":
        for one in [*words["lines"], *(words.get("more", ()) if verbose else ())]:
            typer.echo(status_line.line(one))
        return
    state = words["state"]
    ready = "ready" if state["ready"] else "NOT READY"
    typer.echo(f"maskbot {state['version']}: {ready}, Slack: {status_line.line(state['slack'])}")
    if state.get("mode") == "observe":
        typer.echo("OBSERVE MODE: no host is changed, whatever is approved")
    for why in state.get("why", ()):
        typer.echo(f"problem: {status_line.line(why)}")
    typer.echo(f"open requests: {state['open_requests']}")
    if switch := state.get("kill_switch"):
        typer.echo(f"KILL SWITCH ON, by {status_line.line(switch['by'])}: {status_line.line(switch['reason'])}")


def _left_alone(request: Mapping[str, Any]) -> str:
    if not request.get("id"):
        return "Interrupted."
    return f"No longer waiting. Request {request['id']} goes on without you."
