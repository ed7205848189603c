"""What a person at a terminal is told of a rollout: one bar, and at the end what is not as asked, by name."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.cli import call, rollout_line, status_line
from bot.cli.progress import tell
from bot.core.requests import (
    Outcome,
    Request,
    Rollout,
    RolloutTarget,
    Selection,
    Stage,
    TargetStatus,
)
from bot.core.systemd.units import UnitName
from handlers import json_view
from handlers.cli_replies import end_message, request_message
from handlers.json_rollout import is_as_asked
from tests.core.cards.situations import NOW, change, waiting

WORKER, NGINX = UnitName("worker.service"), UnitName("nginx.service")
DONE, FAILED, READY = TargetStatus.DONE, TargetStatus.FAILED, TargetStatus.READY


def target(number: int, status: TargetStatus = READY, unit: UnitName = WORKER, **more: Any) -> RolloutTarget:
    made = {"wave": 1 if number == 0 else 2, "state_summary": "running, enabled"} | more
    return RolloutTarget(f"web-{number:02}", unit, f"r{number}", status, **made)


def whole(*targets: RolloutTarget, stage: Stage = Stage.RUNNING, **state: Any) -> Request:
    chosen = Selection(("@web",), tuple(dict.fromkeys(one.unit for one in targets)))
    asked = waiting(wanted=replace(change(), host="@web", unit=chosen.units[0]))
    rollout = Rollout(targets=targets, **{"wave": 1} | state)
    return replace(asked, stage=stage, rollout=rollout, ask=replace(asked.ask, selection=chosen))


def shown(request: Request) -> dict[str, Any]:
    return json_view.request(request)


FIRST = target(0, DONE, outcome=Outcome.PROVEN)
LOST = target(1, FAILED, outcome=Outcome.FAILED, note="the unit was restarted")
OUT = target(9, TargetStatus.LEFT_OUT, wave=0, state_summary="", note="web-09 does not answer")


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (whole(FIRST, target(1), OUT), "wave 1 of 2: 1 of 2 done, 1 not begun"),
        (whole(FIRST, LOST, target(2, TargetStatus.STARTED)), "wave 1 of 2: 1 of 3 done, 1 running, 1 failed"),
        (
            whole(FIRST, LOST, paused_at=NOW, why_paused="after 1 failure"),
            "paused after 1 failure; wave 1 of 2: 1 of 2 done, 1 failed",
        ),
        (whole(FIRST, target(1), paused_at=NOW, paused_by="bob"), "paused by bob; wave 1 of 2"),
        (whole(FIRST, target(1), paused_at=NOW), "paused; wave 1 of 2"),
        (whole(FIRST, target(1), stopped_at=NOW, stopped_by="bob"), "stopped by bob; wave 1 of 2"),
        (whole(FIRST, target(1), waits_for="too few run it"), "1 not begun; waits: too few run it"),
        (
            whole(target(0, TargetStatus.PLANNING), target(1), OUT, stage=Stage.ASKED),
            "checking 3 targets: 2 checked",
        ),
        (whole(FIRST, stage=Stage.APPROVED), "no approval is needed; waits for its turn"),
        (whole(FIRST, LOST, OUT, stage=Stage.DONE), ": 1 of 2 targets as asked."),
    ],
)
def test_how_far_it_has_come_is_one_line(request_: Request, said: str) -> None:
    assert said in status_line.current(shown(request_))


def test_each_outcome_is_counted_and_what_is_not_as_asked_has_its_reason() -> None:
    others = [target(number, DONE, outcome=Outcome.PROVEN) for number in range(2, 30)]
    skipped = target(40, TargetStatus.SKIPPED, unit=NGINX, note="the rollout was stopped")
    also = target(41, TargetStatus.SKIPPED, note="the rollout was stopped")
    lines = [*rollout_line.result(shown(whole(FIRST, LOST, *others, OUT, skipped, also, stage=Stage.DONE)))]
    assert lines[0].startswith("  29 masked and proven: web-00, web-02, ")
    assert lines[0].endswith("web-20, 9 more")
    assert lines[1] == "  2 skipped (the rollout was stopped): nginx.service on web-40, worker.service on web-41"
    assert "  1 failed, nothing was changed (the unit was restarted): web-01" in lines
    assert "  1 left out (web-09 does not answer): web-09" in lines


def test_a_voter_reads_what_is_alike_what_is_left_out_and_the_waves() -> None:
    odd = target(3, state_summary="inactive")
    told = status_line.plan(shown(whole(target(0), target(1), target(2), odd, OUT, stage=Stage.WAITING)))
    assert told[0] == "mask @web worker.service, asked by alice"
    assert "  3 alike: running, enabled: web-00, web-01, web-02" in told
    assert "  1 alike: inactive: web-03" in told
    assert "  1 alike: left out (web-09 does not answer): web-09" in told
    assert "  waves:   1, 3 hosts" in told
    assert not any("now:" in line for line in told)
    assert not any("waves" in line for line in status_line.plan(shown(whole(target(0, wave=0), stage=Stage.ASKED))))


def test_only_a_rollout_of_which_every_planned_target_is_as_asked_is_as_asked() -> None:
    assert is_as_asked(Rollout(targets=(FIRST, OUT)))
    for other in (LOST, target(2), target(2, TargetStatus.SKIPPED), target(2, TargetStatus.UNKNOWN)):
        assert not is_as_asked(Rollout(targets=(FIRST, other)))
    assert not is_as_asked(Rollout(targets=(OUT,)))


def test_programs_get_every_target_with_its_request() -> None:
    state = shown(whole(FIRST, LOST, OUT, paused_at=NOW, why_paused="after 1 failure", wave_ended_at=NOW))["rollout"]
    assert state["counts"] == {"done": 1, "failed": 1, "left_out": 1}
    assert (state["hosts"], state["units"], state["planned"]) == (["@web"], ["worker.service"], 2)
    assert state["paused"] == {"at": NOW.isoformat(), "by": None, "why": "after 1 failure"}
    assert state["targets"][1] == {
        "host": "web-01",
        "unit": "worker.service",
        "request": "r1",
        "status": "failed",
        "wave": 2,
        "like": "running, enabled",
        "outcome": "failed",
        "note": "the unit was restarted",
    }
    stopped = whole(FIRST, stopped_at=NOW + timedelta(hours=1), stopped_by="bob")
    assert shown(stopped)["rollout"]["stopped"]["by"] == "bob"


def test_the_options_are_passed_on_as_they_are_typed_in_slack() -> None:
    assert call.options({"waves": "1,rest", "set": True, "order": True, "user": ""}) == [
        "--set",
        "--order",
        "--waves=1,rest",
    ]


def story() -> Iterator[dict[str, Any]]:
    """A rollout of 30 hosts, from the first check to its end, with one failure."""
    planned = [target(number, TargetStatus.PLANNING) for number in range(30)]
    yield {**request_message(whole(*planned, stage=Stage.ASKED))}
    for settled in range(1, 31):
        done = [target(number, DONE, outcome=Outcome.PROVEN) for number in range(settled)]
        rest = [target(number) for number in range(settled, 30)]
        yield {**request_message(whole(*done, *rest, wave=2))}
    last = [*[target(number, DONE, outcome=Outcome.PROVEN) for number in range(30) if number != 1], LOST]
    yield {**request_message(whole(*last, stage=Stage.DONE))}
    yield {**end_message("", 1)}


def test_plain_lines_are_few_however_many_targets_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert tell(story(), as_json=False) == 1
    told = capsys.readouterr()
    lines = told.err.splitlines()
    assert lines[0] == "checking 30 targets: 0 checked"
    assert lines[-1] == "wave 2 of 2: 30 of 30 done"
    assert len(lines) <= 13
    assert "mask @web worker.service: 29 of 30 targets as asked." in told.out
    assert "  1 failed, nothing was changed (the unit was restarted): web-01" in told.out


@pytest.fixture
def _terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"FORCE_COLOR": "1", "TERM": "xterm", "COLUMNS": "100"}.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("_terminal")
def test_on_a_terminal_a_single_request_has_no_bar(capsys: pytest.CaptureFixture[str]) -> None:
    assert tell([request_message(waiting()), end_message("", 0)], as_json=False) == 0
    told = capsys.readouterr().err
    assert "waits for 1" in told
    assert "━" not in told


@pytest.mark.usefixtures("_terminal")
def test_on_a_terminal_one_line_has_a_bar(capsys: pytest.CaptureFixture[str]) -> None:
    assert tell(story(), as_json=False) == 1
    told = capsys.readouterr().err
    assert "━" in told
    assert "wave 2 of 2: 30 of 30 done" in told
