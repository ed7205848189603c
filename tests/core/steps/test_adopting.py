"""A mask that somebody else made becomes ours by a look alone, and its undo removes exactly that link."""

from dataclasses import replace

import pytest

from bot.core.requests import Change, Outcome, Target, Verb
from bot.core.steps import Done, StepContext, next_step, observe
from bot.core.steps.adopting import adoptable
from bot.core.steps.kinds import LookFully
from bot.core.steps.restoring import starts_again
from bot.core.systemd.units import Layer
from tests.core.walks import NOON, WORKER, Site, Walk, undoing

LINK = f"/etc/systemd/system/{WORKER}"


def adopting(site: Site) -> Walk:
    """`/mask web-01 worker --adopt --for 7d` there."""
    change = Change(Verb.MASK, "web-01", WORKER, adopt=True)
    return Walk(site, change, Target("web-01", WORKER, Layer.PERSISTENT, before=site.look(full=True)))


def adopted(site: Site) -> Walk:
    """The same, carried out."""
    walk = adopting(site)
    walk.run()
    return walk


def undo_of(mask: Walk) -> Walk:
    """Its undo."""
    return replace(undoing(mask), change=mask.change.as_undo(WORKER))


@pytest.fixture
def site() -> Site:
    """A unit that somebody masked by hand."""
    found = Site(is_up=False)
    found.put_mask(Layer.PERSISTENT, loaded=True)
    return found


def test_nothing_is_sent_and_the_very_link_is_known_from_then_on(site: Site) -> None:
    walk = adopting(site)
    assert walk.run() == Done(Outcome.PROVEN)
    assert walk.steps == []
    assert walk.target.made == site.layer(Layer.PERSISTENT)
    assert walk.target.adopted
    assert site.is_masked


def test_its_undo_removes_that_link_as_one_that_the_bot_did_not_make_and_starts_nothing(site: Site) -> None:
    undo = undo_of(adopted(site))
    assert undo.run() == Done(Outcome.UNMASKED)
    assert undo.steps == ["unlink persistent", "reload"]
    assert any("unlink-foreign" in word for word in undo.target.sent[0].argv)
    assert not site.is_masked
    assert site.active.is_down


def test_no_card_says_that_its_undo_starts_what_ran_although_it_was_masked() -> None:
    site = Site()
    site.put_mask(Layer.PERSISTENT, loaded=True)
    mask = adopted(site)
    site.root(f"stop {WORKER}")
    seen = site.look(full=True)
    assert starts_again(replace(mask.target, adopted=False), seen) == (str(WORKER),)
    assert starts_again(mask.target, seen) == ()


def test_a_link_that_somebody_made_anew_is_left_alone_by_its_undo(site: Site) -> None:
    mask = adopted(site)
    site.root(f"unmask {WORKER}")
    site.put_mask(Layer.PERSISTENT, loaded=True)
    assert undo_of(mask).run().outcome is Outcome.NOT_OURS
    assert site.is_masked


def test_what_another_layer_masks_is_still_masked_after_its_undo(site: Site) -> None:
    mask = adopted(site)
    site.put_mask(Layer.RUNTIME, loaded=True)
    undo = undo_of(mask)
    assert undo.run().outcome is Outcome.NOT_UNMASKED
    assert undo.steps == ["unlink persistent", "reload"]


def test_a_link_that_was_replaced_or_removed_before_its_turn_is_not_adopted(site: Site) -> None:
    walk = adopting(site)
    site.root(f"unmask {WORKER}")
    assert walk.run().outcome is Outcome.FAILED
    site.put_mask(Layer.PERSISTENT, loaded=True)
    assert walk.run().outcome is Outcome.FAILED
    assert walk.target.made is None
    assert walk.steps == []


def test_a_link_that_was_replaced_between_two_looks_is_not_adopted(site: Site) -> None:
    walk = adopting(site)
    first = observe(walk.target, walk.change, site.look())
    assert first.made == site.layer(Layer.PERSISTENT)
    site.root(f"unmask {WORKER}")
    site.put_mask(Layer.PERSISTENT, loaded=True)
    seen = site.look(full=True)
    target = observe(first, walk.change, seen)
    ended = next_step(StepContext(walk.change, target), seen, NOON)
    assert isinstance(ended, Done)
    assert ended.outcome is Outcome.FAILED


def test_a_link_that_systemd_has_not_loaded_is_not_adopted() -> None:
    site = Site()
    site.put_mask(Layer.PERSISTENT)
    assert adopting(site).run().outcome is Outcome.FAILED


def test_without_a_layer_or_a_look_before_there_is_nothing_to_adopt(site: Site) -> None:
    walk = adopting(site)
    for target in (replace(walk.target, layer=None), replace(walk.target, before=None)):
        assert adoptable(target, site.look()) is None
        assert observe(target, walk.change, site.look()).made is None


def test_a_layer_without_a_mask_has_nothing_to_adopt(site: Site) -> None:
    assert adoptable(replace(adopting(site).target, layer=Layer.RUNTIME), site.look()) is None


def test_nothing_is_adopted_without_a_full_look(site: Site) -> None:
    walk, seen = adopting(site), site.look()
    target = observe(walk.target, walk.change, seen)
    assert next_step(StepContext(walk.change, target), seen, NOON) == LookFully()
