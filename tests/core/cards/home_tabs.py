"""Pages of people who have nothing to do with the bot, and who have a lot to do with it."""

from dataclasses import replace
from datetime import timedelta

from bot.core.policy.home import Health, HomeView, RuleRights, UnreachableHost
from bot.core.policy.model import Rule
from bot.core.requests import Aftercare, KillSwitch, Verb
from tests.core.cards.cases import ENDED, distinct, guarded
from tests.core.cards.rollouts import OVER, RUNNING
from tests.core.cards.situations import CAROL, NOW, proven, talked, under_way, with_break_glass

HEALTH = Health("0.1.0", open_requests=3)
PROD = Rule("prod", environments=frozenset({"prod", "edge"}), need=2, approve=("sre", "dba"), distinct=True)
WEB = Rule("web", host_groups=frozenset({"web"}), units=("nginx*", "php*"), verbs=frozenset({Verb.MASK}), need=0)
LAB = Rule("lab", environments=frozenset({"lab"}), host_groups=frozenset({"db"}), approve=("sre",))

ROLLOUT = replace(RUNNING["wave 2"], id="r8")
EMPTY = HomeView(HEALTH)
FULL = HomeView(
    health=replace(
        HEALTH,
        unreachable=(UnreachableHost("db-01", NOW - timedelta(minutes=3), "db-01: connection refused <!here>."),),
        kill_switch=KillSwitch(CAROL, "carol", "release <!here> night", NOW - timedelta(hours=1)),
    ),
    to_decide=(guarded(), replace(distinct(), id="r2")),
    to_sign=(replace(with_break_glass(proven()), id="r5"),),
    masks=(
        proven(),
        replace(OVER["partly"], id="r6"),
        replace(proven(), id="r3", aftercare=Aftercare(expires_at=NOW + timedelta(hours=2)), undo_until=None),
    ),
    open=(replace(talked("is the <replica> healthy?"), id="r4"), under_way(), under_way(unknown_since=NOW), ROLLOUT),
    finished=(ENDED["denied"], proven(), OVER["stopped"]),
    rights=(
        RuleRights(PROD, may_ask=True, may_approve=False),
        RuleRights(WEB, may_ask=True, may_approve=False),
        RuleRights(LAB, may_ask=True, may_approve=True),
        RuleRights(Rule("all", approve=("sre",)), may_ask=False, may_approve=True),
    ),
    more_to_decide=4,
    more_masks=1,
    more_open=2,
    not_known="Slack did not say who is in @dba (ratelimited).",
    can_break_glass=frozenset({"r2", "r4"}),
)
