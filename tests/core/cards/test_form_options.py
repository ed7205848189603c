"""What a list offers: the best fits first, within Slack's limits, and what was typed at the end."""

import pytest

from bot.core.cards import form_options
from bot.core.cards.blocks import Block
from bot.core.systemd.units import UnitName
from tests.lab.slack.blockrules import check_options

LISTED = tuple(map(UnitName, ("anacron.service", "cron.service", "cron.timer", "crond-x.service", "sshcron.service")))


def texts(options: list[Block]) -> list[str]:
    assert check_options({"options": options}) == []
    return [option["text"]["text"] for option in options]


def plain(_: UnitName) -> str:
    return ""


def guarded(unit: UnitName) -> str:
    return "critical: remote access" if "ssh" in str(unit) else ""


def test_an_exact_name_comes_first_then_what_begins_so_and_protected_ones_after_the_others() -> None:
    found = texts(form_options.units("cron", LISTED, "web-01", guarded))
    assert found == [
        "cron.service",
        "cron.timer",
        "crond-x.service",
        "anacron.service",
        "sshcron.service (critical: remote access)",
    ]


@pytest.mark.parametrize("typed", ["CRON", " “cron” ", "cron\u200b"])
def test_what_was_typed_is_repaired_first(typed: str) -> None:
    assert texts(form_options.units(typed, LISTED, "web-01", plain))[0] == "cron.service"


def test_whatever_is_typed_can_be_chosen_if_it_is_a_name() -> None:
    options = form_options.units("foo.timer", LISTED, "web-01", plain)
    assert texts(options) == ["Use foo.timer (not seen on web-01)"]
    assert [option["value"] for option in options] == ["foo.timer"]
    assert (
        texts(form_options.units("ssh", LISTED, "web-01", guarded))[-1] == "Use ssh.service (critical: remote access)"
    )


@pytest.mark.parametrize("typed", ["a b", "../x", "cr*", "x" * 300, "<!channel>"])
def test_what_is_no_name_chooses_nothing(typed: str) -> None:
    (option,) = form_options.units(typed, (), "web-01", plain)
    assert option["value"] == form_options.NOTHING
    (option,) = form_options.units_to_come(typed, "web-01", "", plain)
    assert option["value"] == form_options.NOTHING


def test_never_more_than_slack_shows_and_no_name_that_does_not_fit() -> None:
    many = [UnitName(f"unit-{number:03}.service") for number in range(300)]
    found = texts(form_options.units("unit", many, "web-01", guarded))
    assert len(found) == form_options.MOST
    assert found[-1] == "Use unit.service (not seen on web-01)"
    long = UnitName("x" * 160 + ".service")
    assert texts(form_options.units("x", [long], "web-01", plain)) == ["Use x.service (not seen on web-01)"]
    assert len(texts(form_options.hosts([f"web-{number:03}" for number in range(300)], "web"))) == form_options.MOST


def test_hosts_are_found_the_same_way() -> None:
    known = ["db-web", "web", "web-01"]
    assert texts(form_options.hosts(known, "WEB")) == ["web", "web-01", "db-web"]
    assert texts(form_options.hosts(known, "")) == known
    (option,) = form_options.hosts(known, "nothing")
    assert option["value"] == form_options.NOTHING


def test_without_a_host_there_is_nothing_to_choose() -> None:
    assert texts(form_options.units_of_no_host()) == ["Choose the host first"]
