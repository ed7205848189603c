"""The format of an alert for each kind of receiver: PagerDuty, Opsgenie, Alertmanager, or plain JSON.

The fields are those of the receivers' documentation: PagerDuty "Events API v2", Opsgenie "Alert API", Prometheus
"Alerts API" and "webhook_config".
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import quote

from bot.core.paging.alert import Alert

Fields = Mapping[str, Any]

# Alertmanager resolves an alert that is not sent again after `resolve_timeout` (5 minutes), unless it has an end time.
_LONGEST_ALERT = timedelta(days=1)
_NOT_ENDED = "0001-01-01T00:00:00Z"


class Format(StrEnum):
    """The kind of receiver."""

    GENERIC = "generic"
    PAGERDUTY = "pagerduty"
    OPSGENIE = "opsgenie"  # and Jira Service Management, which has the same API
    ALERTMANAGER = "alertmanager"  # Alertmanager itself
    ALERTMANAGER_WEBHOOK = "alertmanager-webhook"  # a receiver of Alertmanager's webhooks


@dataclass(frozen=True, slots=True)
class Call:
    """A POST: its URL, its headers beside the usual ones, and its body."""

    url: str
    body: bytes
    headers: Mapping[str, str]


def render(page: Alert, form: Format, *, url: str, key: str, now: datetime) -> Call:
    """The call for an alert; `key` is the receiver's key for us, if it wants one."""
    return FORMATS[form](page, url, key, now)


def _generic(page: Alert, url: str, _key: str, now: datetime) -> Call:
    event = {
        "version": 1,
        "event": "resolve" if page.is_over else "trigger",
        "dedup_key": page.key,
        "summary": page.summary,
        "source": page.source,
        "severity": "critical",
        "at": _time(page.at),
        "sent_at": _time(now),
        "link": page.link or None,
        "details": dict(page.details),
    }
    return _call(url, event)


def _pagerduty(page: Alert, url: str, key: str, _now: datetime) -> Call:
    event: dict[str, Any] = {
        "routing_key": key,
        "event_action": "resolve" if page.is_over else "trigger",
        "dedup_key": page.key,
        "payload": {
            "summary": page.summary[:1024],
            "source": page.source,
            "severity": "critical",
            "timestamp": _time(page.at),
            "component": "maskbot",
            "custom_details": dict(page.details),
        },
        "client": "maskbot",
    }
    return _call(url, event | ({"links": [{"href": page.link, "text": "The card in Slack"}]} if page.link else {}))


def _opsgenie(page: Alert, url: str, key: str, _now: datetime) -> Call:
    headers = {"Authorization": f"GenieKey {key}"}
    if page.is_over:
        closing = f"{url.rstrip('/')}/{quote(page.key, safe='')}/close?identifierType=alias"
        return _call(closing, {"source": "maskbot", "note": page.summary}, headers)
    alert = {
        "message": page.summary[:130],
        "alias": page.key,
        "description": "\n".join(filter(None, (page.summary, page.link))),
        "details": dict(page.details),
        "entity": page.source,
        "source": "maskbot",
        "priority": "P1",
        "tags": ["maskbot"],
    }
    return _call(url, alert, headers)


def _alertmanager(page: Alert, url: str, _key: str, now: datetime) -> Call:
    ends = now if page.is_over else page.at + _LONGEST_ALERT
    alert = {**_with_labels(page), "startsAt": _time(page.at), "endsAt": _time(ends), "generatorURL": page.link}
    return _call(url, [alert])


def _alertmanager_webhook(page: Alert, url: str, _key: str, now: datetime) -> Call:
    status = "resolved" if page.is_over else "firing"
    labelled = _with_labels(page)
    alert = {
        "status": status,
        **labelled,
        "startsAt": _time(page.at),
        "endsAt": _time(now) if page.is_over else _NOT_ENDED,
        "generatorURL": page.link,
        "fingerprint": page.key,
    }
    group = {
        "version": "4",
        "groupKey": f"{{}}:{{dedup_key={json.dumps(page.key)}}}",
        "truncatedAlerts": 0,
        "status": status,
        "receiver": "maskbot",
        "groupLabels": {"dedup_key": page.key},
        "commonLabels": labelled["labels"],
        "commonAnnotations": labelled["annotations"],
        "externalURL": page.link,
        "alerts": [alert],
    }
    return _call(url, group)


def _with_labels(page: Alert) -> Fields:
    """Labels identify an alert, so none of them changes between the alert and its resolution."""
    labels = {"alertname": "maskbot", "severity": "critical", "instance": page.source, "dedup_key": page.key}
    return {"labels": labels, "annotations": {"summary": page.summary, **page.details}}


def _call(url: str, event: object, headers: Mapping[str, str] | None = None) -> Call:
    body = json.dumps(event, ensure_ascii=True, separators=(",", ":")).encode()
    return Call(url, body, headers or {})


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


FORMATS: Mapping[Format, Callable[[Alert, str, str, datetime], Call]] = {
    Format.GENERIC: _generic,
    Format.PAGERDUTY: _pagerduty,
    Format.OPSGENIE: _opsgenie,
    Format.ALERTMANAGER: _alertmanager,
    Format.ALERTMANAGER_WEBHOOK: _alertmanager_webhook,
}
