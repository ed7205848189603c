"""`rollout` of a rule in policy.yaml: what it says, and what it leaves to other rules."""

from datetime import timedelta

import pytest

from bot.core.requests import KeepActive, RolloutRule
from tests.config.folder import POLICY, Folder


def test_each_key_says_something_and_one_that_is_not_there_nothing(folder: Folder) -> None:
    assert folder.load().policy.rules[0].rollout == RolloutRule()
    said = "waves: '1,10%,rest', pause: 2m, stop_after: 10%, in_parallel: 3, strict: true, wait_for_aftercheck: true"
    folder.policy = POLICY + f"    rollout: {{{said}, keep_active: {{group: web, at_least: 2}}}}\n"
    assert folder.load().policy.rules[0].rollout == RolloutRule(
        waves=("1", "10%", "rest"),
        pause=timedelta(minutes=2),
        stop_after="10%",
        in_parallel=3,
        keep_active=KeepActive("web", 2),
        strict=True,
        wait_for_aftercheck=True,
    )
    folder.policy = POLICY + "    rollout: {pause: 0m, stop_after: 2}\n"
    assert folder.load().policy.rules[0].rollout == RolloutRule(pause=timedelta(), stop_after="2")


WRONG = {
    "waves that are none": ("waves: 'rest,1'", "`rest,1` are no waves"),
    "no waves": ("waves: ''", "`` are no waves"),
    "no failure": ("stop_after: 0", "`0` is not a number of failures or a share"),
    "nothing at once": ("in_parallel: 0", "rollout.in_parallel: "),
    "nobody to keep": ("keep_active: {group: web, at_least: 0}", "rollout.keep_active.at_least: "),
}


@pytest.mark.parametrize(("entry", "said"), WRONG.values(), ids=WRONG)
def test_refused_with_file_and_line(entry: str, said: str, folder: Folder) -> None:
    folder.policy = POLICY + f"    rollout: {{{entry}}}\n"
    (complaint,) = folder.complaints()
    assert said in complaint


def test_a_group_that_no_host_has_is_warned_about(folder: Folder) -> None:
    folder.policy = POLICY + "    rollout: {keep_active: {group: wbe, at_least: 1}}\n"
    (warning,) = folder.load().warnings
    assert warning.text.endswith("rule prod: no host has host group `wbe`. Did you mean `web`?")
