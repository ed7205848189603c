"""Where a mask goes: the rows of the measured table."""

from typing import Any

import pytest

from bot.core.policy.mask_layer import choose_layer, where_masked, with_plan
from bot.core.policy.model import Refuse
from bot.core.requests import Change, Request, Verb
from bot.core.requests.plan import plan_digest
from bot.core.systemd.guard import RIGHTS
from bot.core.systemd.units import FileKind, Layer, OtherFile, Snapshot, UnitName
from tests.core.situations import masked, request, snapshot

CRON = UnitName("cron.service")
MASK = Change(Verb.MASK, "web-01", CRON)
UNTIL_REBOOT = Change(Verb.MASK, "web-01", CRON, runtime=True)
OF_A_USER = Change(Verb.MASK, "web-01", CRON, user="deploy")
UNMASK = Change(Verb.UNMASK, "web-01", CRON)


def local(kind: FileKind = FileKind.FILE, **changed: Any) -> Snapshot:
    """A unit whose own file is in /etc/systemd/system."""
    return snapshot(layers={Layer.PERSISTENT: kind}, fragment="/etc/systemd/system/cron.service", **changed)


def in_run(kind: FileKind = FileKind.FILE) -> Snapshot:
    return snapshot(layers={Layer.RUNTIME: kind}, fragment="/run/systemd/system/cron.service")


LAYERS: dict[str, tuple[Change, Snapshot, Layer]] = {
    "a vendor unit": (MASK, snapshot(), Layer.PERSISTENT),
    "a vendor unit, until reboot": (UNTIL_REBOOT, snapshot(), Layer.RUNTIME),
    "a local file": (MASK, local(), Layer.CONTROL),
    "a linked unit": (MASK, local(FileKind.LINK), Layer.CONTROL),
    "a device at its path": (MASK, local(FileKind.OTHER), Layer.CONTROL),
    "a file in /run": (MASK, in_run(), Layer.PERSISTENT),
    "an instance of a local template": (
        MASK,
        snapshot("worker@1.service", fragment="/etc/systemd/system/worker@.service"),
        Layer.PERSISTENT,
    ),
    "from an ordinary generator": (MASK, snapshot(fragment="/run/systemd/generator/cron.service"), Layer.PERSISTENT),
    "no file at all, but running": (MASK, snapshot(fragment=""), Layer.PERSISTENT),
    "a mask until reboot there": (MASK, masked(Layer.RUNTIME), Layer.PERSISTENT),
    "our control link there": (
        MASK,
        snapshot(
            layers={Layer.CONTROL: FileKind.MASK, Layer.PERSISTENT: FileKind.FILE},
            fragment="/etc/systemd/system.control/cron.service",
        ),
        Layer.CONTROL,
    ),
    "a user's vendor unit": (OF_A_USER, snapshot(), Layer.PERSISTENT),
    "unmask: persistent": (UNMASK, masked(Layer.PERSISTENT), Layer.PERSISTENT),
    "unmask: until reboot": (UNMASK, masked(Layer.RUNTIME), Layer.RUNTIME),
    "unmask: the control layer": (UNMASK, masked(Layer.CONTROL), Layer.CONTROL),
    "unmask: two, the higher one": (UNMASK, masked(Layer.PERSISTENT, Layer.RUNTIME), Layer.PERSISTENT),
}


@pytest.mark.parametrize(("change", "seen", "layer"), LAYERS.values(), ids=LAYERS)
def test_the_layer_of(change: Change, seen: Snapshot, layer: Layer) -> None:
    assert choose_layer(change, seen) is layer


NO_LAYER: dict[str, tuple[Change, Snapshot, str, str]] = {
    "perpetual": (MASK, snapshot("init.scope", perpetual=True), "perpetual", "part of systemd itself"),
    "transient": (MASK, snapshot(transient=True), "transient", "transient"),
    "transient by its path": (MASK, snapshot(fragment="/run/systemd/transient/x.service"), "transient", "transient"),
    "an early generator's": (
        MASK,
        snapshot(fragment="/run/systemd/generator.early/cron.service"),
        "generated_early",
        "early generator",
    ),
    "a unit file in system.control": (
        MASK,
        snapshot(layers={Layer.CONTROL: FileKind.FILE}),
        "control_file",
        "overrides",
    ),
    "a unit file in the runtime control folder": (
        MASK,
        snapshot(fragment="/run/systemd/system.control/cron.service"),
        "control_file",
        "/run/systemd/system.control",
    ),
    "a local file until reboot": (UNTIL_REBOOT, local(), "runtime_shadowed", "/etc/systemd/system comes first"),
    "a linked unit until reboot": (UNTIL_REBOOT, local(FileKind.LINK), "runtime_shadowed", "no effect"),
    "a file in /run until reboot": (UNTIL_REBOOT, in_run(), "runtime_file", "/run/systemd/system itself"),
    "a link in /run until reboot": (UNTIL_REBOOT, in_run(FileKind.LINK), "runtime_file", "/run/systemd/system itself"),
    "a local file without the right": (
        MASK,
        local(rights=frozenset(RIGHTS) - {"control"}),
        "needs_control_layer",
        "/etc/systemd/system itself",
    ),
    "a local file, after a short look": (MASK, local(around=None), "needs_control_layer", "/etc/systemd/system itself"),
    "a user's own file": (OF_A_USER, local(), "needs_control_layer", "systemctl cannot put a mask"),
    "a file of a portable service until reboot": (
        UNTIL_REBOOT,
        snapshot(elsewhere=(OtherFile("/etc/systemd/system.attached/cron.service", FileKind.FILE),)),
        "runtime_shadowed",
        "/etc/systemd/system.attached/cron.service comes first",
    ),
    "a file that systemd has not loaded yet": (
        MASK,
        snapshot(elsewhere=(OtherFile("/run/systemd/system.control/cron.service", FileKind.LINK),)),
        "shadowed",
        "/run/systemd/system.control/cron.service comes first",
    ),
    "unmask: nothing is masked": (UNMASK, snapshot(), "not_masked", "is not masked on web-01"),
    "unmask: masked by its package": (UNMASK, masked(), "not_masked", "is not masked"),
}


@pytest.mark.parametrize(("change", "seen", "code", "said"), NO_LAYER.values(), ids=NO_LAYER)
def test_there_is_no_layer_for(change: Change, seen: Snapshot, code: str, said: str) -> None:
    answer = choose_layer(change, seen)
    assert isinstance(answer, Refuse)
    assert answer.code == code
    assert said in answer.reason


@pytest.mark.parametrize(("change", "hint"), [(MASK, "docs/operations.md"), (OF_A_USER, "deploy can rename that file")])
def test_a_local_file_comes_with_what_would_help(change: Change, hint: str) -> None:
    answer = choose_layer(change, local(rights=frozenset()))
    assert isinstance(answer, Refuse)
    assert hint in answer.hint


LOWER = (OtherFile("/usr/lib/systemd/system/cron.service", FileKind.FILE),)
ATTACHED = (OtherFile("/etc/systemd/system.attached/cron.service", FileKind.FILE), *LOWER)


@pytest.mark.parametrize(
    ("change", "elsewhere", "layer"),
    [
        (UNTIL_REBOOT, LOWER, Layer.RUNTIME),
        (MASK, ATTACHED, Layer.PERSISTENT),
        (MASK, (OtherFile("/run/systemd/system.control/cron.service", FileKind.MASK), *LOWER), Layer.PERSISTENT),
        (MASK, (OtherFile("/opt/odd/cron.service", FileKind.FILE),), Layer.PERSISTENT),
    ],
)
def test_what_stands_below_a_mask_or_masks_itself_is_in_nobodys_way(
    change: Change, elsewhere: tuple[OtherFile, ...], layer: Layer
) -> None:
    assert choose_layer(change, snapshot(elsewhere=elsewhere)) is layer


@pytest.mark.parametrize(
    ("seen", "where"),
    [
        (masked(Layer.PERSISTENT, Layer.RUNTIME), "persistent and runtime"),
        (masked(), "by its package"),
        (masked(fragment="/usr/lib/systemd/system/cron.service"), "by its package"),
        (masked(fragment="/usr/local/lib/systemd/system/x.service"), "by /usr/local/lib/systemd/system/x.service"),
        (masked(fragment="/etc/systemd/system.attached/x.service"), "by /etc/systemd/system.attached/x.service"),
        (masked(fragment="/run/systemd/generator.early/x.service"), "the kernel's command line (systemd.mask=)"),
        (masked(fragment=""), "in a way that systemd does not show"),
    ],
)
def test_where_a_unit_is_masked_is_said_by_the_file_that_systemd_goes_by(seen: Snapshot, where: str) -> None:
    assert where_masked(seen).endswith(where)


@pytest.mark.parametrize(
    ("seen", "asked", "unit", "layer"),
    [
        (snapshot(), request("vixie-cron.service"), "cron.service", Layer.PERSISTENT),
        (local(), request(), "cron.service", Layer.CONTROL),
        (masked(Layer.RUNTIME), request(verb=Verb.UNMASK), "cron.service", Layer.RUNTIME),
        (snapshot(), request(verb=Verb.UNMASK), "cron.service", None),
    ],
)
def test_a_plan_has_the_real_name_the_layer_and_the_digest(
    seen: Snapshot, asked: Request, unit: str, layer: Layer | None
) -> None:
    target = with_plan(asked, seen).target
    assert (str(target.unit), target.layer, target.planned, target.before) == (unit, layer, seen, seen)
    assert target.digest == plan_digest(asked.ask.change, seen, layer)
