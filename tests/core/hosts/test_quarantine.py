"""A host that is not trusted for now: what sets it aside, what ends that, and what people hear of it."""

from dataclasses import replace

import pytest

from bot.core.cards import quarantine as words
from bot.core.hosts.inventory import Host
from bot.core.hosts.quarantine import ANOTHER_KEY, REFUSES_US, Quarantine, quarantine_for
from tests.core.situations import NOW

WEB = Host("web-01", "192.0.2.1", 22, "maskbot", "prod", pins=frozenset({"SHA256:old"}))
PINNED_ANEW = replace(WEB, pins=frozenset({"SHA256:new"}))
OTHER_KEY, LOCKED_OUT = quarantine_for(WEB, ANOTHER_KEY, NOW), quarantine_for(WEB, REFUSES_US, NOW)


@pytest.mark.parametrize(
    ("kept", "host", "is_so"), [(OTHER_KEY, WEB, True), (OTHER_KEY, PINNED_ANEW, False), (LOCKED_OUT, WEB, False)]
)
def test_only_another_key_than_those_pinned_now_sets_a_host_aside(kept: Quarantine, host: Host, is_so: object) -> None:
    assert kept.sets_aside(host) is is_so


def test_a_host_with_another_key_is_trusted_again_when_its_pins_are_others_or_it_is_gone() -> None:
    assert not OTHER_KEY.has_ended(WEB)
    assert OTHER_KEY.has_ended(PINNED_ANEW)
    assert OTHER_KEY.has_ended(None)


def test_a_host_that_refuses_our_key_is_trusted_again_when_it_lets_us_in() -> None:
    assert not LOCKED_OUT.has_ended(WEB)
    assert not LOCKED_OUT.has_ended(PINNED_ANEW)
    assert replace(LOCKED_OUT, is_over=True).has_ended(WEB)


def test_people_hear_why_nothing_is_sent_and_who_has_to_act() -> None:
    assert words.refusal(OTHER_KEY) == (
        f"web-01 has been in quarantine since {NOW:%Y-%m-%d %H:%M} UTC: its host key is not the pinned one."
        " Nothing is sent to it until an operator has pinned its new key."
    )
    assert words.cancellation(OTHER_KEY).endswith("Nothing was changed. Ask again afterwards.")
    assert "change `host_keys` and reload" in words.operator_notice(OTHER_KEY)
    assert "`maskbot doctor web-01`" in words.operator_notice(LOCKED_OUT)
    assert words.end_notice(OTHER_KEY) == "web-01 is trusted again."
    assert words.end_notice(LOCKED_OUT) == "web-01 accepts the bot's key again."
