"""How a rollout goes on: the waves, the worst by name, and why it does not go on."""

from collections.abc import Iterator
from datetime import datetime

from bot.core.cards.blocks import Markup, clock, escape, join, mention, row, until, words
from bot.core.cards.rollout import counts
from bot.core.cards.rollout.heads import stopped_why
from bot.core.requests import Request, Rollout, TargetStatus

_WORST = 5
_ASKED = 3
_NOTE = 200


def rows(request: Request, rollout: Rollout, now: datetime) -> Iterator[Markup]:
    """The rows of a rollout that runs."""
    yield from _waves(rollout, now)
    yield from _standstill(request, rollout)
    yield from worst(request, rollout)
    yield from _asked_again(rollout)


def worst(request: Request, rollout: Rollout) -> Iterator[Markup]:
    """Name the worst targets, with what is wrong with each, and count the rest."""
    found, is_alone = counts.worst(request, rollout), counts.is_of_one_unit(rollout)
    for one in found[:_WORST]:
        name, how = counts.name(one, is_alone=is_alone), counts.word(request, one)
        note = escape(counts.note(request, one), width=_NOTE)
        yield words("*{}*  {}: {}", name, how, note) if note else words("*{}*  {}", name, how)
    if len(found) > _WORST:
        yield words("… {} more, which Details lists", len(found) - _WORST)


def _waves(rollout: Rollout, now: datetime) -> Iterator[Markup]:
    """The waves that are done, that run, and that come: the ones next to the running wave by themselves."""
    if rollout.last_wave <= 1 or rollout.stopped_at:
        return
    between = rollout.is_between_waves
    done = rollout.wave if between else rollout.wave - 1
    said = [words("{} done", _numbers(1, done))] if done > 0 else []
    if not between and rollout.wave:
        settled = sum(not one.status.is_open and one.status is not TargetStatus.READY for one in _at(rollout))
        said.append(words("wave {} in progress ({} of {} finished)", rollout.wave, settled, len(_at(rollout))))
    if rollout.wave < rollout.last_wave:
        coming = [one for one in rollout.planned if one.wave > rollout.wave]
        said.append(
            words("{} still to come ({})", _numbers(rollout.wave + 1, rollout.last_wave), counts.number_of(coming))
        )
    yield row("Progress", join(said, " · "))
    if between and not (rollout.paused_at or rollout.waits_for):
        yield row("Next", _next_wave(rollout, now))


def _at(rollout: Rollout) -> counts.Targets:
    return rollout.in_wave(rollout.wave)


def _numbers(first: int, last: int) -> str:
    if first == last:
        return f"wave {first}"
    return f"waves {first} {'and' if last == first + 1 else 'to'} {last}"


def _next_wave(rollout: Rollout, now: datetime) -> Markup:
    begins = rollout.wave_ended_at + rollout.settings.pause if rollout.wave_ended_at else now
    number = rollout.wave + 1
    if rollout.go_on:
        return words("wave {} begins now", number)
    if begins > now:
        return words("wave {} begins {}", number, until(begins, now))
    if rollout.settings.wait_for_aftercheck:
        return words("wave {} begins if the first check after this one finds nothing worse", number)
    return words("wave {} begins now", number)


def _standstill(request: Request, rollout: Rollout) -> Iterator[Markup]:
    """Why nothing more is begun, and what each button would do."""
    run = len(rollout.with_status(TargetStatus.STARTED, TargetStatus.UNKNOWN))
    still = words("; {} still in progress", run) if run else Markup("")
    if rollout.stopped_at:
        by = escape(stopped_why(rollout), width=80)
        yield row("Stopped", words("{} {}: nothing more is begun{}", clock(rollout.stopped_at), by, still))
    elif rollout.paused_at:
        yield row("Paused", words("{} {}: nothing more is begun{}", clock(rollout.paused_at), _why(rollout), still))
        yield row("Waits for", words("{}, an approver or whoever is on call", _owner(request)))
    elif rollout.waits_for:
        yield row("Waits", words("nothing more is begun for now: {}{}", escape(rollout.waits_for), still))
    elif (unknown := rollout.with_status(TargetStatus.UNKNOWN)) and rollout.wave < rollout.last_wave:
        what = "it is" if len(unknown) == 1 else "they are"
        yield row("Waits", words("no further wave begins before {} known", what))


def _why(rollout: Rollout) -> Markup:
    if rollout.paused_by:
        return words("by {}", escape(rollout.paused_by, width=80))
    return words("by itself {}", escape(rollout.why_paused))


def _owner(request: Request) -> Markup:
    return mention(request.owner, request.owner_name)


def _asked_again(rollout: Rollout) -> Iterator[Markup]:
    """Targets whose plan has changed: each has a card of its own in the thread."""
    found, is_alone = rollout.with_status(TargetStatus.ASKED_AGAIN), counts.is_of_one_unit(rollout)
    for one in found[:_ASKED]:
        why = escape(one.note, width=_NOTE) if one.note else words("its plan has changed")
        yield row("Asked again", words("{}: {}. Its card is in the thread", counts.name(one, is_alone=is_alone), why))
    if len(found) > _ASKED:
        yield row("Asked again", words("{} more, in the thread", len(found) - _ASKED))
