"""Errors say who must act, and what a program can do about them."""

import pytest

from bot.core.hosts.inventory import Host, Inventory
from bot.errors import (
    HostBusy,
    HostError,
    HostileOutput,
    LostClaim,
    MaskbotError,
    NotYet,
    OutcomeUnknown,
    PagerError,
    SlackError,
    Stale,
)


def test_every_error_is_a_sentence_for_a_person() -> None:
    errors = HostError("It is away.", code="ssh_refused"), HostileOutput("It lies."), NotYet("Wait."), LostClaim("r1")
    for error in errors:
        assert isinstance(error, MaskbotError)
        assert str(error).endswith(".")


def test_an_unknown_outcome_says_where_it_was_sent() -> None:
    assert OutcomeUnknown("It did not answer.", address="192.0.2.1").address == "192.0.2.1"
    assert OutcomeUnknown("It did not answer.").address == ""


def test_what_a_host_cannot_have_printed_is_never_worth_another_try() -> None:
    error = HostileOutput("A key came twice.")

    assert (error.code, error.passing) == ("hostile_output", False)


def test_a_receiver_of_pages_says_itself_how_long_to_wait() -> None:
    error = PagerError("The pager answered 429.", code="http_429", retry_after=7.0)

    assert (str(error), error.code, error.retry_after) == ("The pager answered 429.", "http_429", 7.0)


def test_slack_says_itself_how_long_to_wait() -> None:
    error = SlackError("Too fast.", code="ratelimited", passing=True, retry_after=7.0)

    assert (error.code, error.passing, error.retry_after) == ("ratelimited", True, 7.0)


@pytest.mark.parametrize(("special", "general"), [(LostClaim, Stale), (HostBusy, NotYet)])
def test_who_knows_the_general_case_needs_no_special_one(special: type, general: type) -> None:
    assert issubclass(special, general)
    assert HostBusy("Busy.", again_in=2.0).again_in == 2.0


def test_only_a_host_of_the_inventory_has_a_name() -> None:
    hosts = tuple(Host(name, "192.0.2.1", 22, "maskbot", "prod") for name in ("web-02", "db-01", "web-01"))
    inventory = Inventory(hosts)

    assert inventory.names == ("db-01", "web-01", "web-02")
    assert inventory.get("db-01") is hosts[1]
    assert inventory.get("192.0.2.1") is None
