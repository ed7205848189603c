"""A flood is turned away before anything is written down: by person and minute, and by how much is open at all."""

import pytest

from bot.core.policy.calendar_and_limits import RequestLimits
from bot.core.policy.model import Refuse
from bot.core.policy.rules.admission import Traffic, there_is_room, there_is_room_for_an_undo

BOUNDS = RequestLimits(requests_per_minute=5, open_requests=100)
TOO_FAST = Refuse(
    "rate_limited",
    "You asked 5 times within a minute; the policy allows 5.",
    "Nothing was recorded. Ask again in a minute.",
)
TOO_MANY = Refuse(
    "queue_full",
    "100 requests are already open. No more are accepted until some of them end.",
    "Nothing was recorded.",
)
TRAFFIC = {
    "nothing": (Traffic(0, 0), BOUNDS, None),
    "the last that is allowed": (Traffic(4, 99), BOUNDS, None),
    "one too fast": (Traffic(5, 0), BOUNDS, TOO_FAST),
    "one too many": (Traffic(0, 100), BOUNDS, TOO_MANY),
    "both": (Traffic(5, 100), BOUNDS, TOO_FAST),
    "without bounds": (Traffic(999, 999), RequestLimits(), None),
}


@pytest.mark.parametrize(("traffic", "bounds", "no"), TRAFFIC.values(), ids=TRAFFIC)
def test_there_is_room_for(traffic: Traffic, bounds: RequestLimits, no: Refuse | None) -> None:
    assert there_is_room(traffic, bounds) == no


UNDOS = {
    "the last that is allowed": (Traffic(29, 999), BOUNDS, ""),
    "one too fast": (Traffic(30, 0), BOUNDS, "rate_limited"),
    "without bounds": (Traffic(999, 999), RequestLimits(open_requests=1), ""),
}


@pytest.mark.parametrize(("traffic", "bounds", "code"), UNDOS.values(), ids=UNDOS)
def test_there_is_six_times_the_room_for_undos_however_many_requests_are_open(
    traffic: Traffic, bounds: RequestLimits, code: str
) -> None:
    no = there_is_room_for_an_undo(traffic, bounds)
    assert (no.code if no else "") == code
    assert no is None or "up to 30 times" in no.reason
