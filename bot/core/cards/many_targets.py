"""Answers about many targets: what is alike is one line, the most frequent first."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from bot.core.cards import answers, unit_state
from bot.core.cards.blocks import MESSAGE, Block, Markup, Text, clock, escape, join, message, section, words
from bot.core.cards.mask_inventory import lines
from bot.core.cards.rollout.state_summary import state_summary
from bot.core.input.grammar import Question, QuestionKind
from bot.core.policy.model import Decision, Explanation, Refuse
from bot.core.requests import Request
from bot.core.systemd.units import Snapshot, UnitName

Told = tuple[str, UnitName, Markup]  # host, unit, and what is said of it
_HOSTS = 20  # named in a line
_ROOM = MESSAGE - 1500  # characters for the lines


def status(asked: str, found: Sequence[Told]) -> Text:
    """The state of units on many hosts."""
    return message(f"STATUS · {_count(found)} on {asked}", *_sections(found))


def plan_or_why(question: Question, found: Sequence[Told], why_refused: str, now: datetime) -> Text:
    """What the policy says of each target of a change, and why one request for all of them is refused, if it is."""
    what = f"{question.change.noun if question.change else ''} {question.selection}".strip()
    refused = [words("One request for all of them is refused: {}", escape(why_refused, width=500))] * bool(why_refused)
    if question.word is QuestionKind.WHY:
        more = [*refused, words("`/mask why HOST UNIT` says more about one of them.")]
        return message(f"WHY · {what}", *_sections(found), section("more", more))
    asked = words("People are asked once, for what the strictest of these needs. What is refused is left out.")
    notes = [*(refused or [asked]), words("Checked {}. Nothing was changed and nobody was asked.", clock(now))]
    return message(f"PLAN, NOBODY IS ASKED · {what}", *_sections(found), section("answer", notes))


def state(seen: Snapshot, ours: Sequence[Request]) -> Markup:
    """The state of a unit in a few words, and whose mask it is."""
    if seen.is_missing:
        return words("there is no such unit")
    not_on_record = " (by maskbot, not on record)" if seen.made_by_us else " (not by maskbot)" * bool(seen.mask_layers)
    whose = " (by maskbot)" if ours else not_on_record
    return words("{}{}", unit_state.now(seen), whose)


def planned(seen: Snapshot | None, decided: Decision) -> Markup:
    """One target in a preview of many: how its unit is, if it was seen, and how the policy would answer."""
    return words("{}; {}", state_summary(seen), answers.in_short(decided)) if seen else answers.in_short(decided)


def decision(decided: Decision, explained: Sequence[Explanation]) -> Markup:
    """What the policy says, and the check that decides."""
    said = answers.in_short(decided)
    by = next((one.step for one in explained if one.decides), "")
    return words('{} (decided by the check "{}")', said, by) if by and isinstance(decided, Refuse) else said


def not_known(why: str) -> Markup:
    """Why nothing is known of a target."""
    return words("not known: {}", escape(why, width=300))


def _count(found: Sequence[Told]) -> str:
    return f"{len(found)} target" + "s" * (len(found) != 1)


def _sections(found: Sequence[Told]) -> list[Block]:
    alike = [*_alike(found)]
    blocks, left = lines("targets", alike, room=_ROOM)
    return [*blocks, *([section("targets-more", [words("… {} more lines", left)])] if left else [])]


def _alike(found: Sequence[Told]) -> Iterator[Markup]:
    """A line for each unit and all the hosts of which the same is said."""
    groups = dict[tuple[UnitName, Markup], list[str]]()
    for host, unit, said in found:
        groups.setdefault((unit, said), []).append(host)
    for (unit, said), hosts in sorted(groups.items(), key=lambda one: -len(one[1])):
        yield words("*{} on {}*: {}", unit, join(hosts, most=_HOSTS), said)
