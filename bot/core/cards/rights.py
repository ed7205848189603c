"""What the rules of the policy let one person do, one line for each rule."""

from collections.abc import Iterable, Iterator, Sequence

from bot.core.cards.approval import who_may
from bot.core.cards.blocks import Markup, join, words
from bot.core.policy.home import RuleRights
from bot.core.policy.model import Rule


def rows(rights: Sequence[RuleRights]) -> Iterator[Markup]:
    """For each rule: where, what, and with whose approval."""
    if not rights:
        yield words("No rule lets you ask or approve. `/mask why HOST UNIT` shows who may.")
    yield from (words("*{}*  {}", right.rule.name, _right(right)) for right in rights)


def _right(right: RuleRights) -> Markup:
    rule = right.rule
    verbs = " and ".join(f"{verb}s" for verb in sorted(rule.verbs))
    may = [words("ask for {}", verbs)] * right.may_ask + [words("approve")] * right.may_approve
    needed = who_may(rule.need, rule.approve, distinct=rule.distinct) if rule.need else "no approval"
    return words("{}: you may {} (needs {})", _where(rule), join(may, ", and "), needed)


def _where(rule: Rule) -> Markup:
    """The hosts and units of a rule."""
    hosts = [*_names("", rule.environments, " hosts"), *_names("group ", rule.host_groups)]
    units = [] if rule.units == ("*",) else [words("units {}", join(rule.units))]
    return join([*(hosts or [words("all hosts")]), *units])


def _names(before: str, names: Iterable[str], after: str = "") -> Iterator[Markup]:
    listed = sorted(names)
    if listed:
        yield words("{}{}{}", before, join(listed, " or "), after)
