"""Why a rollout waits or pauses, in words."""

from bot.core.cards.rollout import reasons
from bot.core.requests import RolloutTarget
from bot.core.systemd.units import UnitName


def test_each_says_what_holds_the_next_wave() -> None:
    forged = RolloutTarget("web-01", UnitName("cron.service"))
    assert reasons.not_recorded(forged) == (
        "the database says something about cron.service on web-01 that the bot never recorded"
    )
    assert reasons.not_any_more("No changes during a freeze.") == (
        "because the next wave would be refused now: No changes during a freeze"
    )
    assert reasons.needs_more(2) == "because its approvals no longer cover the next wave: it needs 2 now"
