"""The documents of periodic tasks: what is written is read as it was, and nothing is understood by half."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.core.audit.audit_shipping import ShippingProgress
from bot.core.drift import HostOutage, HostView
from bot.core.hosts.quarantine import ANOTHER_KEY, REFUSES_US, Quarantine
from bot.core.kill_switch import KillSwitchState, SwitchRequest, SwitchResult
from bot.core.people.identity import PersonId, Place
from bot.core.requests import KillSwitch
from bot.core.systemd.scan import parse_scan
from bot.errors import WrittenByNewerVersion
from bot.workflow.process.documents import from_document, to_document
from bot.workflow.requests.kill_switch_state import read_state

NOW = datetime(2026, 3, 1, 2, 58, 0, 123456, tzinfo=UTC)
RECORDED = Path(__file__).parents[2] / "core" / "recorded"
BOB = PersonId("T1", "U2", "E1")
THAW = SwitchRequest(
    turns_off=True, by=BOB, name="bob", place=Place("C1", thread="1.2"), reason="over", at=NOW, key="key-1"
)
SWITCH = KillSwitch(BOB, "bob", "it masks the wrong hosts", NOW)
SCANS = [parse_scan((RECORDED / f"{name}.txt").read_text()) for name in ("scan_of_every_kind", "scan_with_agents")]

VALUES: Mapping[str, object] = {
    "kill switch: nothing": KillSwitchState(),
    "kill switch: half lifted": KillSwitchState(
        SWITCH, (THAW,), (THAW,), (SwitchResult("key-1", "Done.", is_done=True),)
    ),
    "quarantine: another key": Quarantine("web-01", ANOTHER_KEY, NOW, ("SHA256:a", "SHA256:b")),
    "quarantine: told and over": Quarantine("web-01", REFUSES_US, NOW, (), is_told=True, is_over=True),
    "shipping: nothing": ShippingProgress(),
    "shipping: a sink that fails": ShippingProgress(7, NOW, "bot-1", NOW + timedelta(seconds=1)).with_failure(
        "refused", NOW
    ),
    "watch: never scanned": HostView("web-01"),
    "watch: away": HostView(
        "web-01", NOW, SCANS[0], {"/etc/systemd/system/cron.service": "r1"}, HostOutage(NOW, "No.", 3)
    ),
    "watch: scanned": HostView("web-01", NOW, SCANS[1]),
}


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_it_is_read_as_it_was_written(value: object) -> None:
    assert from_document(type(value), json.loads(json.dumps(to_document(value)))) == value


def test_an_empty_document_is_the_first_state() -> None:
    assert (from_document(ShippingProgress, {}), read_state({})) == (ShippingProgress(), KillSwitchState())


def test_what_a_newer_version_added_is_passed_over() -> None:
    assert from_document(ShippingProgress, {"seq": 3, "of_a_newer_one": 1}) == ShippingProgress(3)


@pytest.mark.parametrize(
    "document",
    [{"only_on": ["web"]}, {"kill_switch": {**to_document(SWITCH), "only_on": ["web"]}}],
    ids=["beside the switch", "in the switch"],
)
def test_a_kill_switch_of_a_newer_version_is_never_passed_over(document: Mapping[str, Any]) -> None:
    with pytest.raises(WrittenByNewerVersion, match=r"The stored KillSwitchState cannot be read \(.*only_on: "):
        read_state(document)


@pytest.mark.parametrize(
    ("kind", "document", "why"),
    [
        (ShippingProgress, {"seq": "7"}, r"ShippingProgress cannot be read \(seq: int_type\)"),
        (ShippingProgress, {"at": "yesterday"}, r"ShippingProgress cannot be read \(at: datetime"),
        (Quarantine, {"host": "web-01"}, r"Quarantine cannot be read \(code: missing; since: missing; pins: missing\)"),
        (
            HostView,
            {"host": "web-01", "unreachable": {"since": NOW.isoformat()}},
            r"HostView .* \(unreachable.because: missing\)",
        ),
        (
            KillSwitchState,
            {"results": [{"key": "k", "text": "t", "is_done": "yes"}]},
            r"\(results.0.is_done: bool_type",
        ),
    ],
    ids=["another type", "no time", "missing", "missing inside", "no truth value"],
)
def test_what_cannot_be_read_says_where(kind: type[object], document: Mapping[str, Any], why: str) -> None:
    with pytest.raises(WrittenByNewerVersion, match=why):
        from_document(kind, document)
