"""Where people hear of what a rule covers, as policy.yaml says it."""

import pytest

from bot.core.policy.model import Routing
from tests.config.folder import POLICY, Folder

WITH_CHANNEL = POLICY.replace("{prefixes: [inc-]}", "{ids: [C0APPROVE], prefixes: [inc-]}")


def test_a_rule_names_a_channel_for_its_cards_groups_to_call_and_channels_to_tell(folder: Folder) -> None:
    folder.policy = (
        WITH_CHANNEL
        + """\
    card_channel: C0APPROVE
    mention: [sre]
    tell: [C0OPS, G0LEADS]
    from_private: true
"""
    )
    (rule,) = folder.load().policy.rules
    assert rule.routing == Routing("C0APPROVE", ("sre",), ("C0OPS", "G0LEADS"), from_private=True)


def test_without_a_word_people_hear_of_it_where_it_was_asked(folder: Folder) -> None:
    assert folder.load().policy.rules[0].routing == Routing()


WRONG = {
    "a channel where the bot does not act": (
        "card_channel: C0OTHER",
        "policy.yaml:11: rules[0].card_channel: `C0OTHER` is not among `channels.ids`",
    ),
    "a channel by its name": ("card_channel: approvals", "policy.yaml:11: rules[0].card_channel: "),
    "a person to tell": ("tell: [U0BOB]", "policy.yaml:11: rules[0].tell[0]: "),
    "a group that is none": ("mention: [sres]", "policy.yaml:11: rules[0].mention[0]: there is no group `sres`."),
}


@pytest.mark.parametrize(("line", "said"), WRONG.values(), ids=WRONG)
def test_refused_with_file_and_line(line: str, said: str, folder: Folder) -> None:
    folder.policy = WITH_CHANNEL + f"    {line}\n"
    (complaint,) = folder.complaints()
    assert complaint.startswith(said)


def test_a_no_is_heard_of_by_nobody_else(folder: Folder) -> None:
    folder.policy = WITH_CHANNEL + "  - {name: never, forbid: payday, tell: [C0OPS]}\n"
    assert folder.complaints() == ["policy.yaml:11: rules[1]: forbids the change, so leave out `tell`"]
