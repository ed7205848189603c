"""Whether enough people could ever approve, as far as the file itself says who they are."""

from collections.abc import Iterable, Iterator, Sequence

from bot.core.people import PersonId
from bot.core.policy import Group, Rule


def unreachable(rules: Sequence[Rule], groups: Iterable[Group]) -> Iterator[tuple[int, str]]:
    """The rules under which nobody who asks could ever get enough approvals, with a sentence for each.

    Where a Slack user group may approve, only Slack knows: that is asked when somebody asks.
    """
    by_name = {group.name: group for group in groups}
    for position, rule in enumerate(rules):
        best = _most_approvers(rule, by_name)
        if not rule.forbid and best is not None and best < rule.need:
            yield position, f"{rule.need} approvals can never be reached: {_could(best)}, whoever asks"


def guarded_unreachable(rules: Sequence[Rule], groups: Iterable[Group], need: int) -> Iterator[tuple[Rule, str]]:
    """The rules that are fine for ordinary units, but under which no guarded unit could ever be approved."""
    by_name = {group.name: group for group in groups}
    for rule in rules:
        best = _most_approvers(rule, by_name)
        if not rule.forbid and best is not None and rule.need <= best < need:
            yield rule, f"guarded units need {need} approvals, and {_could(best)}: none could be masked under this rule"


def _most_approvers(rule: Rule, groups: dict[str, Group]) -> int | None:
    """How many others could approve for the luckiest asker; None if Slack alone knows."""
    if any(groups[name].slack_group for name in rule.approve):
        return None
    approvers = _people(rule.approve, groups)
    if any(groups[name].slack_group for name in rule.ask):
        return len(approvers)
    return max((len(approvers - {asker}) for asker in _people(rule.ask, groups)), default=0)


def _people(names: Iterable[str], groups: dict[str, Group]) -> set[PersonId]:
    return {person for name in names for person in groups[name].users}


def _could(number: int) -> str:
    return f"at most {number} {'person' if number == 1 else 'people'} could give one"
