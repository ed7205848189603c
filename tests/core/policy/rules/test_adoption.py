"""Masks that somebody else made: which can be adopted, that people approve it, and who ends them."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.core.policy.decide import decide
from bot.core.policy.hold import conflict
from bot.core.policy.mask_layer import choose_layer
from bot.core.policy.model import NeedsApproval, Policy, Refuse
from bot.core.requests import Change, Duration, Hold, Request, ScheduledWindow, Verb
from bot.core.systemd.guard import RIGHTS
from bot.core.systemd.units import ActiveState, FileKind, Layer, LoadState, Snapshot, UnitName
from tests.core.situations import NOW, POLICY, looked, masked, our_mask, request, snapshot

WEEK = Duration(lasts=timedelta(days=7))
ADOPTED = Change(Verb.MASK, "web-01", UnitName("cron.service"), duration=WEEK, adopt=True)
HAND_MADE = masked(Layer.PERSISTENT)


def adopt(seen: Snapshot = HAND_MADE, *, reason: str = "INC-42", policy: Policy = POLICY, **facts: Any) -> object:
    """What is said to a request to adopt what was seen."""
    asked = request(duration=WEEK, adopt=True)
    return decide(looked(seen, replace(asked, ask=replace(asked.ask, reason=reason)), **facts), policy)


def code(answer: object) -> str:
    assert isinstance(answer, Refuse), answer
    return answer.code


def adopted() -> Request:
    """One of ours that somebody else made."""
    mask = our_mask()
    return replace(mask, ask=replace(mask.ask, change=ADOPTED)).on_target(layer=Layer.PERSISTENT, adopted=True)


@pytest.mark.parametrize("layer", [Layer.PERSISTENT, Layer.RUNTIME])
def test_one_loaded_link_is_put_to_the_approvers_whether_its_unit_runs_or_not(layer: Layer) -> None:
    assert isinstance(adopt(masked(layer)), NeedsApproval)
    assert choose_layer(ADOPTED, masked(layer)) is layer
    runs = masked(layer, active=ActiveState.ACTIVE, sub="running", can_stop=False)
    assert isinstance(adopt(runs), NeedsApproval)


@pytest.mark.parametrize(
    "seen",
    [
        snapshot(),
        masked(),
        masked(Layer.PERSISTENT, Layer.RUNTIME),
        masked(Layer.PERSISTENT, load=LoadState.LOADED),
        replace(
            HAND_MADE,
            layers=tuple(
                replace(file, kind=FileKind.EMPTY) if file.layer is Layer.RUNTIME else file for file in HAND_MADE.layers
            ),
        ),
    ],
    ids=["no mask", "by its package", "two links", "not loaded", "a link and an empty file"],
)
def test_what_no_undo_could_remove_exactly_is_not_adopted(seen: Snapshot) -> None:
    assert code(adopt(seen)) == "no_mask_to_adopt"


def test_it_needs_a_reason_and_is_not_ours_already() -> None:
    assert code(adopt(reason=" ")) == "needs_reason"
    assert code(adopt(own_mask=our_mask())) == "already_masked"


def test_whoever_asks_for_a_mask_that_others_made_is_told_how_to_adopt_it() -> None:
    def hint(seen: Snapshot, own_mask: Request | None = None) -> str:
        answer = decide(looked(seen, own_mask=own_mask), POLICY)
        assert isinstance(answer, Refuse)
        assert answer.code == "already_masked"
        return answer.hint

    assert hint(HAND_MADE) == "To give that mask an owner, a reason and an expiry, ask with `--adopt --for 7d`."
    assert [hint(HAND_MADE, our_mask()), hint(masked()), hint(masked(Layer.PERSISTENT, Layer.RUNTIME))] == [""] * 3


def without(right: str) -> Snapshot:
    """The mask on a host whose guard may not do that."""
    around = HAND_MADE.around
    assert around
    return replace(HAND_MADE, around=replace(around, rights=frozenset(RIGHTS) - {right}))


def test_a_host_that_would_not_let_its_link_be_removed_has_none_adopted() -> None:
    assert code(adopt(without("foreign-masks"))) == "no_rights"
    assert isinstance(adopt(without("stop")), NeedsApproval)


def test_its_undo_is_never_free_and_needs_that_right_too() -> None:
    undo = request(verb=Verb.UNMASK)
    undo = replace(undo, ask=replace(undo.ask, undoes="r0"))
    assert isinstance(decide(looked(HAND_MADE, undo, own_mask=adopted()), POLICY), NeedsApproval)
    assert code(decide(looked(without("foreign-masks"), undo, own_mask=adopted()), POLICY)) == "no_rights"


def test_it_is_extended_like_any_mask_although_it_was_masked_before() -> None:
    asked = request(duration=Duration(until=NOW + timedelta(hours=1)))
    mask = replace(adopted(), aftercare=replace(adopted().aftercare, expires_at=NOW, approved_until=NOW))
    longer = replace(asked, ask=replace(asked.ask, extends="r0"))
    assert not isinstance(decide(looked(HAND_MADE, longer, own_mask=mask), POLICY), Refuse)
    assert not mask.can_be_held


@pytest.mark.parametrize(
    "options",
    [
        {"duration": None},
        {"runtime": True},
        {"keep_running": True},
        {"hold": Hold("sre", NOW)},
        {"scheduled_window": ScheduledWindow(NOW, NOW + timedelta(hours=1))},
    ],
)
def test_it_has_an_end_and_no_other_option(options: dict[str, Any]) -> None:
    assert conflict(ADOPTED) == ""
    assert "`--adopt` adopts a mask as it is" in conflict(replace(ADOPTED, **options))


def test_its_words_can_be_typed_again_and_its_undo_is_an_unmask() -> None:
    assert str(ADOPTED) == "mask web-01 cron.service --adopt --for 7d"
    assert ADOPTED.noun == "adoption"
    assert str(ADOPTED.as_undo(ADOPTED.unit)) == "unmask web-01 cron.service"
