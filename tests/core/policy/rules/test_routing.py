"""Where people hear of a request: what its rule says, where its card may stand, and what stays in a private channel."""

from dataclasses import replace

import pytest

from bot.core.people.identity import Place
from bot.core.policy.decide import decide
from bot.core.policy.model import Allow, Facts, Moment, NeedsApproval, Refuse, Routing, Unknown
from bot.core.requests import Route
from tests.core.situations import INCIDENT, POLICY, PROD, facts, looked, request, snapshot, waiting

ROUTING = Routing(card_channel="C9", mention=("sre",), tell=("C7", "C8"))
ROUTED = replace(POLICY, rules=(replace(PROD, routing=ROUTING),))
CARDS = {"C9": Place("C9", name="approvals")}
PRIVATE = replace(INCIDENT, is_private=True)


def routing(given: Facts, said: Routing = ROUTING) -> Routing:
    answer = decide(given, replace(POLICY, rules=(replace(PROD, routing=said),)))
    assert isinstance(answer, NeedsApproval), answer
    return answer.routing


def test_a_rule_says_where_people_hear_of_what_it_covers() -> None:
    assert routing(facts(cards=CARDS)) == ROUTING


def test_what_was_asked_in_a_private_channel_stays_there() -> None:
    assert routing(facts(place=PRIVATE)) == Routing(mention=("sre",))


def test_unless_the_rule_means_private_channels_as_well() -> None:
    means_it = replace(ROUTING, from_private=True)
    assert routing(facts(place=PRIVATE, cards=CARDS), means_it) == means_it


def test_what_needs_no_vote_is_heard_of_in_the_same_places() -> None:
    free = replace(POLICY, rules=(replace(PROD, need=0, routing=ROUTING),))
    answer = decide(looked(snapshot(), request(), cards=CARDS), free)
    assert isinstance(answer, Allow)
    assert answer.routing == ROUTING


NO_PLACE = {
    "nobody is there": ({}, "not_in_channel"),
    "the bot is not in it": ({"C9": replace(CARDS["C9"], is_member=False)}, "not_in_channel"),
    "it is shared": ({"C9": replace(CARDS["C9"], is_internal=False)}, "channel_shared"),
    "it is archived": ({"C9": replace(CARDS["C9"], is_archived=True)}, "channel_archived"),
}


@pytest.mark.parametrize("moment", [Moment.ASK, Moment.LOOKED, Moment.VOTE, Moment.ACT])
@pytest.mark.parametrize(("cards", "code"), NO_PLACE.values(), ids=NO_PLACE)
def test_no_card_stands_where(cards: dict[str, Place], code: str, moment: Moment) -> None:
    answer = decide(looked(snapshot(), moment=moment, cards=cards), ROUTED)
    assert isinstance(answer, Refuse)
    assert (answer.code, answer.reason.startswith("Rule `prod` puts its cards into C9")) == (code, True)


def test_where_nobody_can_tell_what_the_channel_is_it_is_asked_again() -> None:
    answer = decide(facts(unknown={"C9": Unknown("nobody knows")}), ROUTED)
    assert answer == Refuse("group_unknown", "nobody knows")


def test_a_card_that_stands_already_counts_where_it_stands() -> None:
    """The policy may have been changed since."""
    stands = replace(waiting(), route=Route(card_channel="C5"))
    given = looked(snapshot(), stands, Moment.VOTE, cards={**CARDS, "C5": Place("C5", is_archived=True)})
    answer = decide(given, ROUTED)
    assert isinstance(answer, Refuse)
    assert "C5" in answer.reason
    assert isinstance(decide(looked(snapshot(), waiting(), Moment.VOTE), ROUTED), NeedsApproval)
