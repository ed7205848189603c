"""What a person at a terminal is told while a request comes along."""

from dataclasses import replace
from datetime import timedelta

from bot.cli import status_line
from bot.core.requests import Request, ScheduledWindow, Sent, Stage
from handlers import json_view
from tests.core.cards.situations import NOW, change, proven, under_way, waiting


def with_steps(request: Request, *steps: str) -> Request:
    return request.on_target(sent=tuple(Sent(step, ("systemctl", step), NOW) for step in steps))


def news(before: Request | None, now: Request) -> list[str]:
    return status_line.news(json_view.request(before) if before else {}, json_view.request(now))


def test_no_step_is_left_out_however_quickly_they_follow_each_other() -> None:
    said = news(with_steps(under_way(), "link"), with_steps(under_way(), "link", "stop", "reload"))

    assert said[:2] == ["stopping the unit", "reloading systemd (daemon-reload)"]


def test_steps_that_were_sent_right_before_the_end_are_told_and_the_end_is_told_elsewhere() -> None:
    said = news(with_steps(under_way(), "link", "stop"), with_steps(proven(), "link", "stop", "reload", "try-start"))

    assert said == ["reloading systemd (daemon-reload)", "trying a start, which must be refused"]


def test_a_window_is_told_to_who_waits_for_it_and_to_who_votes() -> None:
    window = ScheduledWindow(NOW + timedelta(hours=19), NOW + timedelta(hours=20))
    asked = waiting(wanted=change(scheduled_window=window))
    local = window.opens.astimezone()

    (said,) = news(None, replace(asked, stage=Stage.APPROVED))

    opens = f"its window, which opens at {local:%Y-%m-%d %H:%M %Z}"
    assert f"waits for {opens}, and web-01 to answer and to run no other change" in said
    assert any(
        line.startswith(f"  when:    {local:%Y-%m-%d %H:%M}") for line in status_line.plan(json_view.request(asked))
    )


def test_what_was_told_is_not_told_again() -> None:
    assert news(with_steps(proven(), "link"), with_steps(proven(), "link")) == []


def test_at_first_it_says_where_the_request_stands() -> None:
    (said,) = news(None, replace(waiting(), stage=Stage.ASKED))

    assert said.startswith("checking worker.service")
