"""Pages: the fields that each receiver documents, a signature that anybody can check, and when a page is over."""

import hashlib
import hmac
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.core.cards.alert import details, resolution, summary
from bot.core.paging import Alert, Call, Format, key_of, render, signature_headers, why_not
from bot.core.requests import Cause, Paging, Request, Stage
from bot.core.requests.timers import is_page_still_needed, next_due
from tests.core.situations import NOW, our_mask, request, waiting

LINK = "https://example.slack.com/archives/C1/p1"
PAGE = Alert(
    "maskbot-r1",
    "Not approved yet: the mask of cron.service on web-01, asked by alice",
    NOW,
    "web-01",
    LINK,
    {"request": "r1", "asked_by": "alice"},
)
OVER = replace(PAGE, summary="Over: the mask of cron.service on web-01 is denied", is_over=True)
LATER = NOW + timedelta(minutes=3)
URL = "https://pager.example.com/v2/alerts"


def call(page: Alert, form: Format) -> Call:
    return render(page, form, url=URL, key="K3Y", now=LATER)


def body(page: Alert, form: Format) -> Any:
    return json.loads(call(page, form).body)


def test_plain_json_says_all_of_it() -> None:
    assert body(PAGE, Format.GENERIC) == {
        "version": 1,
        "event": "trigger",
        "dedup_key": "maskbot-r1",
        "summary": PAGE.summary,
        "source": "web-01",
        "severity": "critical",
        "at": "2026-03-01T03:00:00Z",
        "sent_at": "2026-03-01T03:03:00Z",
        "link": LINK,
        "details": {"request": "r1", "asked_by": "alice"},
    }
    assert body(replace(OVER, link=""), Format.GENERIC) | {"details": {}} == {
        "version": 1,
        "event": "resolve",
        "dedup_key": "maskbot-r1",
        "summary": OVER.summary,
        "source": "web-01",
        "severity": "critical",
        "at": "2026-03-01T03:00:00Z",
        "sent_at": "2026-03-01T03:03:00Z",
        "link": None,
        "details": {},
    }


def test_pagerduty_has_an_event_with_a_routing_key_and_a_payload() -> None:
    event = body(PAGE, Format.PAGERDUTY)

    assert event == {
        "routing_key": "K3Y",
        "event_action": "trigger",
        "dedup_key": "maskbot-r1",
        "payload": {
            "summary": PAGE.summary,
            "source": "web-01",
            "severity": "critical",
            "timestamp": "2026-03-01T03:00:00Z",
            "component": "maskbot",
            "custom_details": {"request": "r1", "asked_by": "alice"},
        },
        "client": "maskbot",
        "links": [{"href": LINK, "text": "The card in Slack"}],
    }
    over = body(replace(OVER, link=""), Format.PAGERDUTY)
    assert (over["event_action"], over["dedup_key"], "links" in over) == ("resolve", "maskbot-r1", False)
    assert len(body(replace(PAGE, summary="x" * 2000), Format.PAGERDUTY)["payload"]["summary"]) == 1024


def test_opsgenie_has_an_alert_by_its_alias_and_another_address_to_close_it() -> None:
    opened, closed = call(PAGE, Format.OPSGENIE), call(OVER, Format.OPSGENIE)

    assert (opened.url, opened.headers) == (URL, {"Authorization": "GenieKey K3Y"})
    assert json.loads(opened.body) == {
        "message": PAGE.summary,
        "alias": "maskbot-r1",
        "description": f"{PAGE.summary}\n{LINK}",
        "details": {"request": "r1", "asked_by": "alice"},
        "entity": "web-01",
        "source": "maskbot",
        "priority": "P1",
        "tags": ["maskbot"],
    }
    assert len(body(replace(PAGE, summary="x" * 200), Format.OPSGENIE)["message"]) == 130
    assert closed.url == f"{URL}/maskbot-r1/close?identifierType=alias"
    assert closed.headers == {"Authorization": "GenieKey K3Y"}
    assert json.loads(closed.body) == {"source": "maskbot", "note": OVER.summary}


def test_alertmanager_has_a_list_of_alerts_that_end_by_themselves_only_much_later() -> None:
    (firing,), (ended,) = body(PAGE, Format.ALERTMANAGER), body(OVER, Format.ALERTMANAGER)

    assert firing == {
        "labels": {
            "alertname": "maskbot",
            "severity": "critical",
            "instance": "web-01",
            "dedup_key": "maskbot-r1",
        },
        "annotations": {"summary": PAGE.summary, "request": "r1", "asked_by": "alice"},
        "startsAt": "2026-03-01T03:00:00Z",
        "endsAt": "2026-03-02T03:00:00Z",
        "generatorURL": LINK,
    }
    assert ended["labels"] == firing["labels"]
    assert ended["endsAt"] == "2026-03-01T03:03:00Z"


def test_what_alertmanager_would_call_is_called_as_alertmanager_would() -> None:
    firing, ended = body(PAGE, Format.ALERTMANAGER_WEBHOOK), body(OVER, Format.ALERTMANAGER_WEBHOOK)

    (alert,) = firing.pop("alerts")
    assert (alert["status"], alert["endsAt"], alert["fingerprint"]) == (
        "firing",
        "0001-01-01T00:00:00Z",
        "maskbot-r1",
    )
    assert firing == {
        "version": "4",
        "groupKey": '{}:{dedup_key="maskbot-r1"}',
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "maskbot",
        "groupLabels": {"dedup_key": "maskbot-r1"},
        "commonLabels": alert["labels"],
        "commonAnnotations": alert["annotations"],
        "externalURL": LINK,
    }
    assert (ended["status"], ended["alerts"][0]["status"]) == ("resolved", "resolved")
    assert ended["alerts"][0]["endsAt"] == "2026-03-01T03:03:00Z"


@pytest.mark.parametrize("form", Format)
def test_no_word_that_somebody_wrote_gets_out_of_its_place(form: Format) -> None:
    rude = replace(PAGE, summary='"},{"\\u202e\n', details={"reason": '"}]'})

    assert json.loads(call(rude, form).body)
    assert call(rude, form).body.isascii()


def test_a_signature_is_over_the_time_and_the_body() -> None:
    headers = signature_headers(b'{"a":1}', "s3cret", NOW)

    sent = headers["X-Maskbot-Timestamp"]
    assert sent == str(int(NOW.timestamp()))
    wanted = hmac.new(b"s3cret", b"v1:" + sent.encode() + b':{"a":1}', hashlib.sha256).hexdigest()
    assert headers["X-Maskbot-Signature"] == f"v1={wanted}"
    assert signature_headers(b'{"a":2}', "s3cret", NOW)["X-Maskbot-Signature"] != headers["X-Maskbot-Signature"]
    assert signature_headers(b'{"a":1}', "s3cret", LATER)["X-Maskbot-Signature"] != headers["X-Maskbot-Signature"]


@pytest.mark.parametrize(
    "url", ["https://pager.example.com", "https://10.0.0.1:8443/x?token=t", "http://127.0.0.1:9093/api/v2/alerts",
            "http://localhost:8080", "http://[::1]/x"],
)  # fmt: skip
def test_pages_go_over_tls_or_to_this_machine(url: str) -> None:
    assert why_not(url) == ""


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://pager.example.com/s3cret", "has to begin with https://"),
        ("http://127.0.0.1.example.com/", "has to begin with https://"),
        ("ftp://localhost/", "has to begin with https://"),
        ("https://me:s3cret@pager.example.com/", "without a user"),
        ("https:///nowhere", "with a host"),
        ("https://pager.example.com:s3cret/", "is not an address"),
        ("https://[s3cret/", "is not an address"),
        ("", "with a host"),
    ],
)
def test_any_other_address_is_refused_without_repeating_it(url: str, why: str) -> None:
    assert why in why_not(url)
    assert "s3cret" not in why_not(url)


def undecided() -> Request:
    return replace(waiting(), paging=Paging(Cause.UNDECIDED, paged_at=NOW))


def unknown(**changed: Any) -> Request:
    running = replace(request(), stage=Stage.RUNNING, paging=Paging(Cause.UNKNOWN, paged_at=NOW), due_at=LATER)
    return running.on_target(**{"unknown_since": NOW} | changed)


def test_a_page_is_over_as_soon_as_its_cause_is() -> None:
    assert is_page_still_needed(undecided())
    assert is_page_still_needed(unknown())
    assert not is_page_still_needed(replace(undecided(), stage=Stage.DENIED))
    assert not is_page_still_needed(unknown(unknown_since=None))
    assert not is_page_still_needed(replace(unknown(), stage=Stage.DONE))
    assert not is_page_still_needed(waiting())


def test_what_is_over_is_told_at_once_in_whatever_stage() -> None:
    assert next_due(unknown()) == LATER
    for stage in (Stage.APPROVED, Stage.DENIED, Stage.TIMED_OUT, Stage.DONE):
        assert next_due(replace(undecided(), stage=stage)) == NOW
    assert next_due(replace(unknown(unknown_since=None), paging=Paging(Cause.UNKNOWN, due_at=NOW))) == LATER


def test_it_says_what_it_is_about_and_how_it_ended() -> None:
    asked = replace(waiting(), ask=replace(waiting().ask, reason="runaway\njob \x1b[31m" + "x" * 500))

    assert summary(asked, Cause.UNDECIDED).startswith(
        "Not approved yet: the mask of cron.service on web-01, asked by alice: runaway job xxx"
    )
    assert len(summary(asked, Cause.UNDECIDED)) < 250
    assert summary(waiting(), Cause.UNDECIDED).endswith("asked by alice")
    assert summary(unknown(), Cause.UNKNOWN) == (
        "Not known: whether the mask of cron.service on web-01 took effect, since 03:00 UTC"
    )
    assert summary(request(), Cause.UNKNOWN) == "Not known: whether the mask of cron.service on web-01 took effect"
    assert resolution(our_mask()) == "Over: the mask of cron.service on web-01 is masked and proven"
    assert resolution(replace(waiting(), stage=Stage.WITHDRAWN)).endswith("is withdrawn")
    assert key_of(waiting()) == "maskbot-r1"


def test_it_carries_what_whoever_gets_up_wants_to_know() -> None:
    assert details(waiting(need=2)) == {
        "request": "r1",
        "change": "mask web-01 cron.service",
        "asked_by": "alice",
        "stage": "waiting",
        "approvals": "0 of 2",
    }
    assert details(unknown(note="web-01 does not answer."))["why"] == "web-01 does not answer."
