"""Copies of the record: where they go, how far they have come, when a sink counts as down, and what is sent."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.audit import audit_shipping
from bot.core.audit.audit_shipping import ShippingProgress, SyslogAddress, SyslogTransport, made_at
from bot.core.audit.chain import Head, number_of
from bot.core.cards import audit_shipping as words
from bot.core.policy.decide import decide
from bot.core.policy.model import Allow, Facts, Moment, Refuse
from bot.core.policy.rules.audit_shipping import AUDIT_UNAVAILABLE
from bot.core.requests import Verb, Verdict
from bot.core.systemd.units import Layer
from tests.core.situations import BOB, CAROL, NOW, POLICY, facts, looked, masked, our_mask, request, snapshot, waiting

SECOND = timedelta(seconds=1)
RECORD = {
    "seq": 7,
    "ts": "2026-03-01T03:00:00.000Z",
    "type": "exec.intent",
    "hash": "ab" * 32,
    "prev": "cd" * 32,
    "data": {"reason": 'a "quoted"]\n reason\u202e'},
}


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("tcp://log.example.com:601", SyslogAddress(SyslogTransport.TCP, "log.example.com", 601)),
        ("tls://[2001:db8::1]:6514", SyslogAddress(SyslogTransport.TLS, "2001:db8::1", 6514)),
        ("unix:/run/log.sock", SyslogAddress(SyslogTransport.UNIX, path="/run/log.sock")),
        ("unix:///run/log.sock", SyslogAddress(SyslogTransport.UNIX, path="/run/log.sock")),
    ],
)
def test_a_syslog_receiver_is_named_by_its_way_and_place(text: str, address: SyslogAddress) -> None:
    assert audit_shipping.read_address(text) == address


@pytest.mark.parametrize(
    "text", ["", "log.example.com", "udp://log:514", "tcp://log", "tcp://:601", "tcp://log:x", "tcp://log:601/a",
             "tcp://a@log:601", "tcp://log:601?a", "unix:run", "unix://host/run", "unix:"],
)  # fmt: skip
def test_anything_else_is_no_place(text: str) -> None:
    with pytest.raises(ValueError, match="has to be like tcp://"):
        audit_shipping.read_address(text)


def test_one_ships_at_a_time_until_its_time_is_over() -> None:
    held = ShippingProgress().with_lease("bot-1", NOW, 30 * SECOND)
    assert held.is_leased_by_another("bot-2", NOW)
    assert not held.is_leased_by_another("bot-1", NOW)
    assert not held.is_leased_by_another("bot-2", NOW + 30 * SECOND)
    assert not ShippingProgress().is_leased_by_another("bot-2", NOW)
    assert not ShippingProgress(by="bot-1").is_leased_by_another("bot-2", NOW)


def test_what_fails_keeps_its_first_time_until_it_is_taken() -> None:
    failed = ShippingProgress(7, NOW).with_failure("refused", NOW).with_failure("too slow", NOW + SECOND)
    assert (failed.failing_since, failed.why, failed.seq) == (NOW, "too slow", 7)
    taken = failed.with_shipped(9, NOW + 2 * SECOND)
    assert (taken.failing_since, taken.why, taken.seq, taken.at) == (None, "", 9, NOW + 2 * SECOND)


def test_a_sink_is_down_when_it_takes_nothing_and_when_nothing_is_shipped() -> None:
    later = NOW + 11 * SECOND
    assert audit_shipping.trouble("syslog", ShippingProgress(7, NOW), None, later) == ""
    assert audit_shipping.trouble("syslog", ShippingProgress(7, NOW), later, later) == ""
    assert audit_shipping.trouble("syslog", ShippingProgress(7, later), NOW, later) == "", "it comes forward"
    behind = audit_shipping.trouble("syslog", ShippingProgress(7, NOW), NOW, later)
    assert behind == "audit shipping to `syslog` is behind: nothing was shipped for 10 seconds"
    assert audit_shipping.trouble("syslog", ShippingProgress(), NOW, later) == behind
    down = audit_shipping.trouble("syslog", ShippingProgress().with_failure("Connection refused", NOW), NOW, NOW)
    assert down == ("audit shipping to `syslog` has failed since 2026-03-01 03:00 UTC (Connection refused)")


def test_a_record_is_one_line_of_syslog_that_nothing_in_it_can_end() -> None:
    (line,) = audit_shipping.syslog_lines([RECORD], host="bot-host")
    head, _, body = line.decode("ascii").partition("] ")
    assert head == (
        f'<110>1 2026-03-01T03:00:00.000Z bot-host maskbot - exec.intent [maskbot@32473 seq="7" hash="{"ab" * 32}" '
        f'prev="{"cd" * 32}"'
    )
    assert json.loads(body) == RECORD
    assert b"\n" not in line
    assert audit_shipping.frame(b"abc") == b"3 abc"
    (odd,) = audit_shipping.syslog_lines([RECORD | {"type": "a b\né"}], host="")
    assert odd.decode().split(" ")[2:6] == ["-", "maskbot", "-", "a_b__"]


def test_what_somebody_broke_and_an_operator_accepted_is_shipped_as_it_stands() -> None:
    broken = {"seq": 'x"]', "hash": b"\xff", "prev": "", "type": "t", "found_by": {"seq": 9, "type": "t"}}
    (line,) = audit_shipping.syslog_lines([broken], host="bot-host")
    assert line.startswith(b'<110>1 - bot-host maskbot - t [maskbot@32473 seq="x__" hash="b\'_xff\'" prev="-"] {')
    assert (number_of(broken), number_of(RECORD)) == (9, 7)
    assert made_at(RECORD) == NOW
    assert [made_at(broken | {"ts": ts}) for ts in (1, "now")] == [None, None]
    assert made_at(broken) is None


def test_a_webhook_gets_the_records_in_their_order() -> None:
    said = json.loads(audit_shipping.as_json_list([RECORD, RECORD | {"seq": 8}]))
    assert (said["version"], [record["seq"] for record in said["records"]]) == (1, [7, 8])


DOWN = "audit shipping to `syslog` has failed since 2026-03-01 03:00 UTC (Connection refused)"
ASKED = facts(waiting(), Moment.VOTE, approvers=(BOB,), unshipped=DOWN)


@pytest.mark.parametrize("moment", [Moment.ASK, Moment.LOOKED, Moment.BREAK_GLASS, Moment.ACT])
def test_no_new_mask_without_the_copies_that_are_required(moment: Moment) -> None:
    answer = decide(replace(looked(snapshot(), moment=moment), unshipped=DOWN), POLICY)
    assert isinstance(answer, Refuse)
    assert answer.code == AUDIT_UNAVAILABLE
    assert answer.reason == f"New masks must wait: {DOWN}, and new masks need that copy of the audit log."


def test_what_waits_cannot_be_approved_but_denied() -> None:
    no = decide(replace(ASKED, voter=CAROL, verdict=Verdict.APPROVE), POLICY)
    assert isinstance(no, Refuse)
    assert no.code == AUDIT_UNAVAILABLE
    assert not isinstance(decide(replace(ASKED, voter=CAROL, verdict=Verdict.DENY), POLICY), Refuse)


def undo() -> Facts:
    return looked(masked(Layer.PERSISTENT), request("cron.service", Verb.UNMASK), own_mask=our_mask(), unshipped=DOWN)


def test_an_undo_goes_on() -> None:
    assert isinstance(decide(undo(), POLICY), Allow)


def test_people_are_told_what_it_means() -> None:
    required, other = (words.sink_failure("syslog", "too slow", is_required=one) for one in (True, False))
    assert "AUDIT SHIPPING TO syslog FAILS: too slow." in required
    assert "New masks wait until it works again" in required
    assert "Everything else goes on." in other
    assert "works again" in words.sink_recovery("syslog")
    assert words.anchor(Head(7, "ab")).endswith("maskbot audit verify --anchor 7:ab")
