"""What is counted: stages, outcomes and times; and no label that grows with units, hosts or people."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.health import Backlog
from bot.core.requests import Outcome, Stage
from bot.edges import metrics
from bot.errors import HostError, SlackError
from tests.core.situations import NOW, waiting


def sample(name: str, **labels: str) -> float:
    return metrics.REGISTRY.get_sample_value(name, labels) or 0.0


def test_requests_are_counted_by_stage_and_outcome_with_how_long_they_took() -> None:
    asked = waiting()
    approved = replace(asked, stage=Stage.APPROVED, approved_at=NOW + timedelta(seconds=40))
    done = replace(approved, stage=Stage.DONE, finished_at=NOW + timedelta(seconds=42)).on_target(
        outcome=Outcome.PROVEN
    )
    began = [
        sample("maskbot_requests_total", verb="mask", stage="done"),
        sample("maskbot_changes_total", verb="mask", outcome="proven"),
        sample("maskbot_approval_seconds_sum"),
        sample("maskbot_carry_out_seconds_sum", verb="mask"),
    ]
    for request in (asked, approved, done):
        metrics.count_stage_change(request)
    ended = [
        sample("maskbot_requests_total", verb="mask", stage="done"),
        sample("maskbot_changes_total", verb="mask", outcome="proven"),
        sample("maskbot_approval_seconds_sum"),
        sample("maskbot_carry_out_seconds_sum", verb="mask"),
    ]
    waited = (approved.approved_at or NOW) - asked.asked_at
    assert [round(after - before, 3) for before, after in zip(began, ended, strict=True)] == [
        1.0,
        1.0,
        waited.total_seconds(),
        2.0,
    ]


@pytest.mark.parametrize(
    ("error", "result"),
    [
        (SlackError("no", code="some_word_of_slacks"), "refused"),
        (SlackError("no", code="ratelimited", passing=True), "passing"),
        (HostError("no", code="ssh_refused", passing=True), "passing"),
        (ValueError("ours"), "refused"),
    ],
)
def test_what_fails_is_counted_by_whether_trying_again_can_help(error: Exception, result: str) -> None:
    before = sample("maskbot_ssh_seconds_count", phase="connect", result=result)
    with pytest.raises(type(error)), metrics.time_ssh("connect"):
        raise error
    assert sample("maskbot_ssh_seconds_count", phase="connect", result=result) == before + 1


def test_what_waits_is_shown_whenever_somebody_asks_and_not_where_the_store_is_silent() -> None:
    seen = Backlog({"waiting": 3}, leases=2, due=1, due_age=7.5, undelivered=4, retried=2, final_cards=1)
    found = {
        family.name: family.samples
        for family in metrics.BacklogCollector(lambda: seen, lambda: [("syslog", 7, True)]).collect()
    }
    assert {one.labels["stage"]: one.value for one in found["maskbot_open_requests"]}["waiting"] == 3
    assert found["maskbot_due_seconds"][0].value == 7.5
    assert (found["maskbot_audit_unshipped"][0].value, found["maskbot_audit_sink_down"][0].value) == (7, 1)
    assert list(metrics.BacklogCollector(lambda: None, list).collect()) == []


def test_no_label_holds_what_people_or_hosts_call_things() -> None:
    metrics.count_stage_change(waiting())
    text = metrics.exposition().decode()
    for word in ("cron", "web-01", "alice", "U0", "U1"):
        assert word not in text
