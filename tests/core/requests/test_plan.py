"""What people approve: the unit as it is, not as it happens to be doing."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.core.requests import Change, Hold, Request, Tally, Target, Verb, Verdict, Vote
from bot.core.requests.plan import differences, kind_digest, plan_digest, plan_of, with_earlier_approvals
from bot.core.steps.commands import argv
from bot.core.steps.kinds import Command, Kill, Link, Probe, Reload, ResetFailed, Start, Stop, TryStart, Unlink
from bot.core.systemd.units import ActiveState, FileKind, Layer, LoadState, RelatedUnit, Snapshot
from tests.core.situations import BOB, NOW, broken, layer_files, request, snapshot
from tests.core.walks import WORKER, Site

CHANGE = Change(Verb.MASK, "web-01", WORKER)
SEEN = Site(beside={"metrics.service": f"Requires={WORKER}"}).look(full=True)


def _around(seen: Snapshot, **changed: object) -> Snapshot:
    assert seen.around is not None
    return replace(seen, around=replace(seen.around, **changed))  # type: ignore[arg-type]


def _metrics(active: ActiveState) -> tuple[RelatedUnit, ...]:
    return (RelatedUnit("metrics.service", frozenset(), LoadState.LOADED, active),)


def test_what_has_no_link_to_make_or_remove_has_a_plan_as_well() -> None:
    back = replace(CHANGE, verb=Verb.UNMASK)
    plan = plan_digest(back, SEEN, None)
    assert len(plan) == 64
    assert plan != plan_digest(back, replace(SEEN, machine_id="f" * 32), None)


@pytest.mark.parametrize(
    "meanwhile",
    [
        lambda seen: replace(seen, active=ActiveState.FAILED, sub="failed", restarts=7),
        lambda seen: replace(seen, main_pid=4711, invocation="other"),
        lambda seen: _around(seen, boot_id="after a reboot", failed=("x.service",)),
        lambda seen: _around(seen, would_stop=_metrics(ActiveState.INACTIVE)),
    ],
)
def test_how_it_is_doing_never_voids_an_approval(meanwhile: Callable[[Snapshot], Snapshot]) -> None:
    assert plan_digest(CHANGE, meanwhile(SEEN), Layer.PERSISTENT) == plan_digest(CHANGE, SEEN, Layer.PERSISTENT)


@pytest.mark.parametrize(
    ("meanwhile", "said"),
    [
        (lambda seen: replace(seen, machine_id="1" * 32), "the machine"),
        (lambda seen: replace(seen, fragment="/etc/systemd/system/worker.service"), "its unit file"),
        (lambda seen: _around(seen, fragment_hash="f" * 64), "its unit file"),
        (lambda seen: _around(seen, drop_ins=(("/etc/x.conf", "hash"),)), "its drop-ins"),
        (lambda seen: _around(seen, would_stop=()), "what stops with it"),
        (lambda seen: _around(seen, triggers=_metrics(ActiveState.ACTIVE)), "what triggers it"),
        (lambda seen: replace(seen, names=frozenset({"worker.service", "w.service"})), "its other names"),
    ],
)
def test_what_it_is_does_and_people_are_told_what(meanwhile: Callable[[Snapshot], Snapshot], said: str) -> None:
    found = meanwhile(SEEN)
    assert plan_digest(CHANGE, found, Layer.PERSISTENT) != plan_digest(CHANGE, SEEN, Layer.PERSISTENT)
    before, after = (plan_of(CHANGE, seen, Layer.PERSISTENT) for seen in (SEEN, found))
    (difference,) = differences(before, after)
    assert difference.startswith(f"{said}: ")


def test_a_new_mask_layer_and_other_options_are_other_plans() -> None:
    site = Site(beside={"metrics.service": f"Requires={WORKER}"})
    site.put_mask(Layer.RUNTIME)
    digests = {
        plan_digest(CHANGE, SEEN, Layer.PERSISTENT),
        plan_digest(CHANGE, SEEN, Layer.CONTROL),
        plan_digest(CHANGE, site.look(full=True), Layer.PERSISTENT),
        plan_digest(replace(CHANGE, keep_running=True), SEEN, Layer.PERSISTENT),
    }
    assert len(digests) == 4


def test_the_same_would_be_done_on_another_machine_however_long_it_lasts() -> None:
    seen, asked = snapshot(), request().ask.change
    held = replace(asked, host="web-02", hold=Hold("sre", NOW))
    kind = kind_digest(asked, seen, Layer.PERSISTENT)
    assert kind_digest(held, replace(seen, machine_id="another"), Layer.PERSISTENT) == kind
    assert kind != plan_digest(asked, seen, Layer.PERSISTENT)
    assert kind_digest(held, _around(seen, drop_ins=("later.conf",)), Layer.PERSISTENT) != kind
    assert kind_digest(replace(held, keep_running=True), seen, Layer.PERSISTENT) != kind
    assert kind_digest(held, seen, Layer.CONTROL) != kind


def test_nothing_and_long_hashes_are_said_shortly() -> None:
    seen = _around(SEEN, fragment_hash="hash")
    found = _around(SEEN, fragment_hash="ab" * 32, would_stop=())
    before, after = (plan_of(CHANGE, each, Layer.PERSISTENT) for each in (seen, found))
    assert differences(before, after) == (
        "its unit file: /lib/systemd/system/worker.service, hash → /lib/systemd/system/worker.service, abababab",
        "what stops with it: metrics.service → none",
    )


def test_a_plan_needs_a_full_look() -> None:
    with pytest.raises(ValueError, match="full look"):
        plan_digest(CHANGE, Site().look(), Layer.PERSISTENT)


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (Probe(), "probe persistent"),
        (Link(), "link persistent worker.service"),
        (Unlink(Layer.RUNTIME), "unlink runtime worker.service 7:8.9"),
        (Unlink(Layer.RUNTIME, foreign=True), "unlink-foreign runtime worker.service 7:8.9"),
        (Stop(), "stop worker.service"),
        (Kill(), "kill worker.service"),
        (Reload(), "reload"),
        (TryStart(), "try-start worker.service"),
        (TryStart("alias.service"), "try-start alias.service"),
        (Start("metrics.service"), "start metrics.service"),
        (ResetFailed("metrics.service"), "reset-failed metrics.service"),
    ],
)
def test_each_step_is_one_command_of_the_vocabulary(step: Command, words: str) -> None:
    seen = snapshot("worker.service")
    layers = tuple(replace(file, identity="7:8.9") for file in seen.layers)
    sent = argv(step, Target("web-01", CHANGE.unit, Layer.PERSISTENT, last_seen=replace(seen, layers=layers)), user="")
    assert " ".join(sent) == f"maskbot-guard {words}"


def test_what_was_not_looked_at_is_not_removed() -> None:
    with pytest.raises(ValueError, match="looked at"):
        argv(Unlink(Layer.RUNTIME), Target("web-01", CHANGE.unit, Layer.PERSISTENT), user="")


def test_a_link_without_a_layer_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="layer"):
        argv(Link(), Target("web-01", CHANGE.unit), user="")


def _approved() -> Request:
    """A request that Bob approved, for the plan of `SEEN`."""
    asked = broken(request(str(WORKER)))
    first = replace(asked, ask=replace(asked.ask, change=CHANGE), act_by=NOW + timedelta(hours=1))
    first = first.on_target(before=SEEN, layer=Layer.PERSISTENT, digest="first")
    vote = Vote(BOB.id, BOB.name, Verdict.APPROVE, NOW, "first", Tally.COUNTED)
    used = replace(first.break_glass, digest="first") if first.break_glass else None
    return replace(first, votes=(vote, replace(vote, digest="older")), break_glass=used)


def _repeated(**target: Any) -> Request:
    asked = request(str(WORKER))
    again = replace(asked, id="r2", ask=replace(asked.ask, change=CHANGE, repeats="r1"))
    return again.on_target(**{"before": SEEN, "layer": Layer.PERSISTENT, "digest": "second", **target})


def test_the_approvals_of_an_unchanged_plan_hold_for_the_request_that_repeats_it() -> None:
    first = _approved()
    linked = replace(SEEN, layers=layer_files(str(WORKER), {Layer.PERSISTENT: FileKind.MASK}))
    for again in (_repeated(), _repeated(before=linked)):  # our own link may be in place already
        found = with_earlier_approvals(again, first, NOW)
        assert [(vote.voter, vote.digest) for vote in found.counted_votes] == [(BOB.id, "second")]
        assert (found.is_break_glass, found.approval, found.act_by) == (True, first.approval, first.act_by)
    earlier = replace(first, break_glass=None)
    assert with_earlier_approvals(_repeated(), earlier, NOW).break_glass is None


def test_they_do_not_hold_once_they_are_too_old_or_the_unit_has_changed() -> None:
    first, again = _approved(), _repeated()
    by_itself = replace(again, ask=replace(again.ask, by_itself=True))
    assert with_earlier_approvals(by_itself, first, NOW) is by_itself
    assert with_earlier_approvals(again, first, NOW + timedelta(hours=2)) is again
    assert with_earlier_approvals(again, replace(first, act_by=None), NOW) is again
    for target in ({"before": replace(SEEN, machine_id="f" * 32)}, {"before": None}, {"layer": Layer.RUNTIME}):
        changed = _repeated(**target)
        assert with_earlier_approvals(changed, first, NOW) is changed
    assert with_earlier_approvals(again, first.on_target(before=None), NOW) is again
    assert with_earlier_approvals(again, first.on_target(layer=None), NOW) is again
