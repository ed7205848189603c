"""What a request says about itself, and how a vote is written into it."""

from dataclasses import replace

from bot.core.hosts.inventory import Host
from bot.core.policy.model import Refuse
from bot.core.requests import Tally
from bot.core.requests.proof import caveats
from bot.core.systemd.units import ActiveState
from tests.core.cards.situations import CAROL, around, masked, running, vote, waiting


def test_a_vote_replaces_the_same_persons_vote_on_the_same_plan_alone() -> None:
    mine, older, other = vote(), replace(vote(), digest="0" * 64), vote(CAROL)
    asked = replace(waiting(), votes=(older, mine, other))
    refused = replace(mine, tally=Tally.REFUSED)
    assert asked.with_vote(refused).votes == (older, refused, other)


def test_uncounted_votes_are_those_that_are_not_counted_yet_in_their_order() -> None:
    first, second = vote(CAROL, tally=Tally.RECORDED), replace(vote(CAROL, tally=Tally.RECORDED), digest="newer")
    counted = replace(vote(CAROL), digest="older")
    assert replace(waiting(), votes=(first, counted, second)).uncounted_votes == (first, second)


def test_a_refusal_is_one_sentence_or_two() -> None:
    assert Refuse("no", "You may not.").sentence == "You may not."
    assert Refuse("no", "You may not.", "Ask @sre.").sentence == "You may not. Ask @sre."


def test_a_host_without_a_pinned_machine_may_be_any() -> None:
    host = Host("web-01", "192.0.2.1", 22, "maskbot", "prod")
    assert host.is_machine("1" * 32)
    pinned = replace(host, machine_id="1" * 32)
    assert (pinned.is_machine("1" * 32), pinned.is_machine("2" * 32)) == (True, False)


def test_the_states_are_those_of_systemd() -> None:
    assert running().unit_states == {"load": "loaded", "active": "active", "sub": "running", "unit_file": "enabled"}


def test_a_proven_mask_has_caveats() -> None:
    target = replace(waiting().target, before=running())
    assert list(caveats(target, masked())) == []
    assert list(caveats(replace(target, before=None), masked())) == []
    left = masked(around=around(failed=("db.service",)), control_group="/system.slice/worker.service")
    assert list(caveats(target, left)) == [
        "Failed since: db.service.",
        "Processes that it started are still running.",
    ]
    assert list(caveats(replace(target, beside=("db.service",)), left)) == [
        "Processes that it started are still running."
    ]
    assert list(caveats(target, replace(left, active=ActiveState.ACTIVE))) == ["Failed since: db.service."]
