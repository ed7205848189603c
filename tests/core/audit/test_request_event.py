"""The audit event about a request: its data are complete, whoever writes it."""

from dataclasses import replace

from bot.core.audit.request_event import event
from bot.core.requests import Selection
from bot.core.systemd.units import UnitName
from tests.core.cards.situations import CAROL, change, handed, waiting


def test_it_says_what_the_request_is_about() -> None:
    asked = handed(waiting())
    written = event(asked, "approval.refused", outcome="denied", code="self_approval", actor=CAROL, tries=2)
    assert (written.type, written.outcome, written.code, written.request_id) == (
        "approval.refused",
        "denied",
        "self_approval",
        asked.id,
    )
    assert (written.actor, written.data["tries"]) == (CAROL, 2)
    assert written.data["change"] == "mask web-01 worker.service"
    assert (written.data["requester"], written.data["owner"]) == ("UALICE", "UCAROL")
    assert asked.target.before
    assert written.data["machine_id"] == asked.target.before.machine_id


def test_of_a_rollout_it_names_every_host_and_unit() -> None:
    asked = waiting(wanted=change(host="@web,db-01"))
    units = (UnitName("worker.service"), UnitName("nginx.service"))
    whole = replace(asked, ask=replace(asked.ask, selection=Selection(("@web", "db-01"), units, with_triggers=True)))
    assert event(whole, "request.received").data["change"] == "mask @web,db-01 worker.service,nginx.service --set"


def test_a_request_without_a_look_names_no_machine() -> None:
    asked = waiting()
    never_seen = replace(asked, target=replace(asked.target, before=None))
    assert "machine_id" not in event(never_seen, "request.received").data
