"""The state of a request in one line for a terminal, from the bot's JSON (`handlers/json_view.py`)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from bot.cli import rollout_line
from bot.core.cards.outcomes import TITLES
from bot.core.requests import Outcome, Stage
from bot.core.text.sanitize import clean

Shown = Mapping[str, Any]
_FINAL = {stage.value for stage in Stage if stage.is_final}
_STEPS = {
    "link": "creating the mask link",
    "unlink": "removing the mask link",
    "stop": "stopping the unit",
    "reload": "reloading systemd (daemon-reload)",
    "try-start": "trying a start, which must be refused",
    "reset-failed": "clearing its failed state",
    "start": "starting the unit",
}
_ENDS = {
    "refused": "REFUSED",
    "denied": "DENIED",
    "withdrawn": "WITHDRAWN",
    "timed_out": "TIMED OUT",
    "cancelled": "CANCELLED",
}


def line(text: str) -> str:
    """One line that is safe on a terminal, whoever wrote it."""
    return clean(text.replace("\n", " "), lines=1, width=1000)


def is_over(request: Shown) -> bool:
    """Whether the stage is final."""
    return request["stage"] in _FINAL


def news(before: Shown, now: Shown) -> list[str]:
    """What is new about a request since the last report: each step that was sent, and its present state.

    Steps are quicker than the reads of the record; none is left out if two came between two reads.
    """
    told = len(before.get("commands", ()))
    steps = [line(_step(command["step"])) for command in now["commands"][told:]]
    return steps if is_over(now) else [*steps, current(now)]


def current(request: Shown) -> str:
    """The current stage, or the outcome."""
    if rollout_line.is_rollout(request) and request["stage"] in ("asked", "running"):
        return line(rollout_line.current(request))
    host, unit = request["host"], request["unit"]
    match request["stage"]:
        case "asked" | "approved" if request["note"]:
            return line(f"pending: {request['note']}")
        case "asked":
            return line(f"checking {unit} on {host}")
        case "waiting":
            return line(_waiting(request))
        case "approved":
            free = "its turn" if rollout_line.is_rollout(request) else f"{host} to answer and to run no other change"
            return line(f"{_approvals(request)}; waits for {_window(request)}{free}")
        case "running":
            return line(_running(request))
        case _:
            return line(headline(request))


def headline(request: Shown) -> str:
    """The outcome, and why."""
    is_done = request["stage"] == "done"
    why = request["note"] or (_approvals(request) if is_done and request["votes"] else request["because"])
    return f"{request['change']}: {_end(request)}. {why}".removesuffix(" ")


def table(request: Shown) -> list[tuple[str, str, str]]:
    """Before beside after, row by row; `?` was not seen."""
    rows = (("Load", "load"), ("Active", "active"), ("Sub", "sub"), ("Unit file", "unit_file"))
    before, after = request["before"] or {}, request["after"] or {}
    found = [(label, before.get(key, "?"), after.get(key, "?")) for label, key in rows]
    proofs = [sent for sent in request["commands"] if sent["step"] == "try-start" and sent["exit_code"] is not None]
    start = [("Start", "-", "refused" if proofs[-1]["exit_code"] else "NOT REFUSED")] if proofs else []
    return [(label, line(was) or "-", line(now) or "-") for label, was, now in [*found, *start]]


def plan(request: Shown) -> list[str]:
    """The plan that a voter decides on."""
    asked = request["approval"] or {}
    before = request["before"] or {}
    states = (before.get(key) for key in ("load", "active", "sub", "unit_file"))
    told = [
        f"{request['change']}, asked by {request['requester']}",
        f"  reason:  {request['reason'] or '(none given)'}",
        f"  now:     {', '.join(state for state in states if state) or 'not checked yet'}",
        f"  rule:    {asked.get('rule') or '(none yet)'}, {request['counted']} of {asked.get('need', '?')} approvals",
    ]
    if request.get("forces"):
        told.append("  lost:    SIGKILL cuts its own stop short: unwritten data is lost")
    if len(hosts := request.get("hosts", ())) > 1:
        told.append(f"  on:      {', '.join(hosts)}")
    if window := request.get("scheduled_window"):
        told.append(f"  when:    {_time(window['opens'])} to {_time(window['closes'])}")
    if rollout_line.is_rollout(request):
        told[2:3] = rollout_line.plan(request)
    guarded = [f"  guarded: {asked['guarded']}"] if asked.get("guarded") else []
    code = ["  code:    approving needs a code from your authenticator"] if asked.get("step_up") else []
    return [line(one) for one in [*told, *guarded, *code]]


def _end(request: Shown) -> str:
    if request["stage"] == "done" and rollout_line.is_rollout(request):
        return rollout_line.end(request)
    if request["stage"] != "done":
        return _ENDS.get(request["stage"], str(request["stage"]).upper())
    return TITLES[Outcome(request["outcome"] or Outcome.UNKNOWN)]


def _waiting(request: Shown) -> str:
    asked = request["approval"]
    missing = asked["need"] - request["counted"]
    until = datetime.fromisoformat(asked["approve_by"]).astimezone()
    anew = f"asked again ({'; '.join(request['changed_since'])}): " if request["changed_since"] else ""
    more = " more" if request["counted"] else ""
    return (
        f"{anew}waits for {missing}{more} approval{'s' * (missing != 1)}: `maskbot approve {request['id']}` "
        f"by one of {_groups(asked['groups'])}, until {until:%H:%M}"
    )


def _groups(names: Sequence[str]) -> str:
    return " or ".join(f"@{name}" for name in names) or "nobody"


def _approvals(request: Shown) -> str:
    if request["break_glass"]:
        return f"{request['break_glass']['by']} used break-glass"
    voters = [vote["voter"] for vote in request["votes"] if (vote["verdict"], vote["tally"]) == ("approve", "counted")]
    return f"approved by {', '.join(voters)}" if voters else "no approval is needed"


def _window(request: Shown) -> str:
    window = request.get("scheduled_window")
    return f"its window, which opens at {_time(window['opens'])}, and " if window else ""


def _time(iso: str) -> str:
    return f"{datetime.fromisoformat(iso).astimezone():%Y-%m-%d %H:%M %Z}"


def _running(request: Shown) -> str:
    if request["unknown_since"]:
        return f"not known yet, checking again: {request['note']}"
    if not request["commands"]:
        return f"beginning on {request['host']}"
    return _step(request["commands"][-1]["step"])


def _step(said: str) -> str:
    name, _, detail = said.partition(" ")
    return f"{_STEPS.get(name, name)} {detail}".rstrip()
