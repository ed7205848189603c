"""What people approve: the unit as it is, not as it happens to be doing."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from bot.core.requests import Change, Target, Verb
from bot.core.requests.plan import differences, plan_digest, plan_of
from bot.core.steps.commands import argv
from bot.core.steps.kinds import Command, Kill, Link, Probe, Reload, ResetFailed, Start, Stop, TryStart, Unlink
from bot.core.systemd.units import ActiveState, Layer, LoadState, RelatedUnit, Snapshot
from tests.core.situations import snapshot
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
