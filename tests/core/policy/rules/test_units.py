"""Which units nobody may mask, and which masks would not hold or could not be undone."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bot.core.policy.decide import decide
from bot.core.policy.model import Allow, Facts, ListedUnit, Moment, NeedsApproval, Policy, Refuse
from bot.core.requests import Outcome, Request, Verb
from bot.core.systemd.guard import RIGHTS
from bot.core.systemd.own_machine import OwnMachine
from bot.core.systemd.side_effects import SideEffects
from bot.core.systemd.units import ActiveState, FileKind, Layer, LoadState, Snapshot, UnitName
from tests.core.situations import (
    POLICY,
    WEB,
    facts,
    looked,
    masked,
    our_mask,
    related_unit,
    request,
    snapshot,
)

NEVER = "Nobody can approve this."


# As the shipped list has them: of whole types, because no such unit is masked by its own name.
WHOLE = replace(
    POLICY,
    critical=(
        *POLICY.critical,
        *(ListedUnit(f"*.{kind}", "storage") for kind in ("automount", "swap", "slice", "scope")),
        ListedUnit("*.target", "boot and shutdown"),
    ),
)


def refusal(asked: Facts, policy: Policy = POLICY) -> Refuse:
    answer = decide(asked, policy)
    assert isinstance(answer, Refuse), answer
    return answer


def unmask(unit: str = "cron.service") -> Request:
    return request(unit, Verb.UNMASK)


CRITICAL_BY_NAME = {
    "by its name": "ssh.service",
    "by a pattern": "ssh@1-2.service",
    "by its alias": "sshd.service",
    "an instance, by the template's pattern": "getty@tty1.service",
    "of a type that the policy does not even allow": "home.mount",
    "a socket that starts it": "dbus.socket",
    "in systemd's own escapes": r"s\x73h.service",
}


@pytest.mark.parametrize("unit", CRITICAL_BY_NAME.values(), ids=CRITICAL_BY_NAME)
def test_a_critical_unit_is_refused_before_any_look(unit: str) -> None:
    answer = refusal(facts(request(unit)))
    assert (answer.code, answer.hint) == ("critical_unit", NEVER)


def test_a_critical_unit_is_refused_in_words_that_say_why() -> None:
    assert refusal(facts(request("ssh.service"))).reason == (
        "ssh.service is on the critical list: remote access. Masking it would lock everybody out of web-01."
    )


def test_a_real_name_that_is_critical_does_not_hide_behind_an_alias() -> None:
    seen = snapshot("ssh.service", asked=UnitName("login.service"), aliases=("login.service",))
    assert refusal(looked(seen)).reason.startswith("login.service is ssh.service on web-01, which is on the critical")


def test_an_alias_that_is_critical_does_not_hide_behind_a_real_name() -> None:
    answer = refusal(looked(snapshot("login.service", aliases=("sshd.service",))))
    assert answer.code == "critical_unit"
    assert answer.reason.startswith("login.service is sshd.service on web-01")


def test_an_instance_is_found_by_the_template_on_the_list() -> None:
    policy = replace(POLICY, critical=(ListedUnit("getty@.service", "login"),))
    answer = decide(facts(request("getty@tty1.service")), policy)
    assert isinstance(answer, Refuse)
    assert answer.reason == "getty@tty1.service is on the critical list: login."


def test_case_counts_as_it_does_for_systemd() -> None:
    assert isinstance(decide(facts(request("SSH.service")), POLICY), NeedsApproval)


@pytest.mark.parametrize("unit", ["ssh-keys.timer", "wake.socket"])
def test_what_starts_a_critical_unit_is_as_critical(unit: str) -> None:
    seen = snapshot(unit, starts=(related_unit("login.service", "ssh.service"),))
    answer = refusal(looked(seen))
    assert answer.code == "critical_unit"


def test_a_socket_by_another_name_is_told_by_what_it_starts() -> None:
    answer = refusal(looked(snapshot("wake.socket", starts=(related_unit("ssh.service"),))))
    assert answer.reason.startswith("wake.socket starts ssh.service, which is on the critical list: remote access")


def test_a_critical_unit_that_would_stop_with_it_is_told_by_any_of_its_names() -> None:
    stops = (related_unit("worker-metrics.service"), related_unit("login.service", "sshd.service"))
    answer = refusal(looked(snapshot(would_stop=stops)))
    assert (answer.code, answer.hint) == ("critical_would_stop", NEVER)
    assert answer.reason.startswith("sshd.service depends on cron.service and is on the critical list")


@pytest.mark.parametrize("unit", ["app.target", "srv-data.mount", "srv-data.automount", "app.slice", "run-1.scope"])
def test_somebodys_own_target_or_mount_that_stops_too_is_neither_boot_nor_storage(unit: str) -> None:
    policy = WHOLE
    answer = refusal(looked(snapshot(would_stop=(related_unit(unit),))), policy)
    assert answer.code == "cannot_be_restarted"
    assert answer.reason == f"{unit} would stop with cron.service, and the bot cannot start units of that type again."
    down = (related_unit(unit, active=ActiveState.INACTIVE),)
    assert isinstance(decide(looked(snapshot(would_stop=down)), policy), NeedsApproval)
    kept = looked(snapshot(would_stop=(related_unit(unit),)), request(keep_running=True))
    assert isinstance(decide(kept, policy), NeedsApproval)


@pytest.mark.parametrize(
    "unit",
    [
        "multi-user.target",
        "network-online.target",
        "boot-efi.mount",
        "var-lib.mount",
        "a.swap",
        "system.slice",
        "session-4.scope",
    ],
)
def test_a_target_or_mount_that_carries_the_host_is_critical_where_it_stops_too(unit: str) -> None:
    policy = WHOLE
    for active in (ActiveState.ACTIVE, ActiveState.INACTIVE):
        answer = refusal(looked(snapshot(would_stop=(related_unit(unit, active=active),))), policy)
        assert (answer.code, unit in answer.reason) == ("critical_would_stop", True)


def test_a_mount_that_an_installation_names_is_critical_for_its_own_reason() -> None:
    own = ListedUnit("srv-data.mount", "the books of {host}")
    answer = refusal(
        looked(snapshot(would_stop=(related_unit("srv-data.mount"),))), replace(POLICY, critical=(*WHOLE.critical, own))
    )
    assert answer.reason.endswith("is on the critical list: the books of web-01.")


def test_a_timer_that_starts_somebodys_own_target_starts_nothing_critical() -> None:
    policy = WHOLE
    timer = snapshot("beat.timer", starts=(related_unit("app.target"),))
    assert isinstance(decide(looked(timer, request("beat.timer")), policy), NeedsApproval)
    for unit in ("poweroff.target", "reboot.target"):
        seen = snapshot("beat.timer", starts=(related_unit(unit),))
        given = looked(seen, request("beat.timer"))
        assert refusal(given, policy).code == "critical_unit"


def test_a_host_where_the_guard_is_not_called_as_root_is_told_apart() -> None:
    answer = refusal(looked(snapshot(rights=frozenset())))
    assert answer.code == "no_rights"
    assert "sudo or doas on web-01 does not let the bot's login call the guard as root" in answer.reason


def test_a_mask_of_others_needs_root_s_leave_on_the_host() -> None:
    seen = masked(Layer.PERSISTENT, rights=without("foreign-masks"))
    answer = refusal(looked(seen, unmask()))
    assert (answer.code, "does not remove masks that the bot did not make" in answer.reason) == ("no_rights", True)
    assert "foreign-masks: yes" in answer.hint
    own = looked(masked(Layer.RUNTIME, rights=without("foreign-masks")), unmask(), own_mask=our_mask(Layer.RUNTIME))
    assert isinstance(decide(own, POLICY), Allow)


def test_units_that_would_stop_with_it_and_are_not_critical_are_for_people_to_judge() -> None:
    assert isinstance(decide(looked(snapshot(would_stop=(related_unit("a.service"),))), POLICY), NeedsApproval)


@pytest.mark.parametrize(
    ("keepers", "hint"),
    [
        (["keeper.service"], "Mask keeper.service on web-01 first, then ask again."),
        (
            ["multi-user.target"],
            "multi-user.target cannot be masked, so somebody must remove that Upholds= first.",
        ),
        (
            ["keeper.service", "ssh.service"],
            "keeper.service and ssh.service cannot be masked, so somebody must remove that Upholds= first.",
        ),
    ],
)
def test_the_way_out_of_being_kept_up_leads_to_an_end(keepers: list[str], hint: str) -> None:
    answer = refusal(looked(snapshot(upheld_by=tuple(related_unit(one) for one in keepers))))
    who = " and ".join(keepers)
    assert answer.reason == f"cron.service is kept up by {who} (Upholds=), which starts it again at once."
    assert answer.hint == hint


ENDS_THE_HOST: dict[str, tuple[Snapshot, dict[str, Any]]] = {
    "its own end": (snapshot(actions=("SuccessAction=reboot-force",)), {}),
    "its failure": (snapshot(actions=("FailureAction=poweroff-immediate",)), {}),
    "a stop that takes too long": (snapshot(actions=("JobTimeoutAction=reboot",)), {}),
    "a start too many": (snapshot(actions=("StartLimitAction=reboot",)), {}),
    "its end, left running": (snapshot(actions=("SuccessAction=exit",)), {"keep_running": True}),
    "the end of what stops with it": (
        snapshot(would_stop=(replace(related_unit("db.service"), actions=("FailureAction=kexec",)),)),
        {},
    ),
}


@pytest.mark.parametrize(("seen", "options"), ENDS_THE_HOST.values(), ids=ENDS_THE_HOST)
def test_nobody_can_approve_what_may_take_the_host_down(seen: Snapshot, options: dict[str, Any]) -> None:
    answer = refusal(looked(seen, request(**options)))
    assert (answer.code, answer.hint) == ("ends_the_host", NEVER)
    assert "Action=" in answer.reason
    assert refusal(looked(seen, request(verb=Verb.UNMASK))).code == "not_masked"


LIFELINES: dict[str, Snapshot] = {
    "itself": snapshot(login_units=frozenset({"cron.service"})),
    "one of its aliases": snapshot(aliases=("vpn.service",), login_units=frozenset({"vpn.service"})),
    "what stops with it": snapshot(would_stop=(related_unit("vpn.service"),), login_units=frozenset({"vpn.service"})),
}


@pytest.mark.parametrize("seen", LIFELINES.values(), ids=LIFELINES)
def test_our_own_login_is_not_cut_when_it_is_carried_by(seen: Snapshot) -> None:
    answer = refusal(looked(seen))
    assert (answer.code, answer.hint) == ("own_login", NEVER)


def test_what_listens_is_not_cut_where_nobody_can_tell_who_carries_our_login() -> None:
    answer = refusal(looked(snapshot(may_carry_us=frozenset({"cron.service"}))))
    assert answer.code == "own_login_unknown"
    assert "cron.service may carry the bot's own login on web-01" in answer.reason
    assert isinstance(decide(looked(snapshot(may_carry_us=frozenset({"other.service"}))), POLICY), NeedsApproval)


_AROUND = snapshot().around
assert _AROUND is not None
BOOT_ID = _AROUND.boot_id
ON_ITS_MACHINE: dict[str, tuple[Snapshot, OwnMachine, bool]] = {
    "its unit": (snapshot(), OwnMachine(BOOT_ID, frozenset({"cron.service"})), True),
    "what stops its unit": (
        snapshot(would_stop=(related_unit("maskbot.service"),)),
        OwnMachine(BOOT_ID, frozenset({"maskbot.service"})),
        True,
    ),
    "the engine of its container": (
        snapshot(would_stop=(related_unit("containerd.service"),)),
        OwnMachine(BOOT_ID, is_container=True),
        True,
    ),
    "an engine, and it is in no container": (
        snapshot(would_stop=(related_unit("containerd.service"),)),
        OwnMachine(BOOT_ID),
        False,
    ),
    "its unit on another machine": (snapshot(), OwnMachine("another boot", frozenset({"cron.service"})), False),
    "an unknown machine": (snapshot(), OwnMachine("", frozenset({"cron.service"})), False),
}


@pytest.mark.parametrize(("seen", "machine", "is_refused"), ON_ITS_MACHINE.values(), ids=ON_ITS_MACHINE)
def test_the_bot_masks_nothing_that_carries_itself(seen: Snapshot, machine: OwnMachine, *, is_refused: bool) -> None:
    answer = decide(replace(looked(seen), own_machine=machine), POLICY)
    assert isinstance(answer, Refuse if is_refused else NeedsApproval)
    assert getattr(answer, "code", "") == ("carries_the_bot" if is_refused else "")


def test_taking_a_mask_off_a_critical_unit_may_be_asked_and_needs_as_much_as_a_guarded_one() -> None:
    seen = masked(Layer.PERSISTENT, id=UnitName("ssh.service"), names=frozenset({"ssh.service"}))
    answer = decide(looked(seen, unmask("ssh.service")), POLICY)
    assert isinstance(answer, NeedsApproval)
    assert answer.need == 2
    assert answer.guarded.startswith("remote access")


GUARDED = {
    "by its name": snapshot("docker.service"),
    "by an alias": snapshot("moby.service", aliases=("docker.service",)),
}


@pytest.mark.parametrize("seen", GUARDED.values(), ids=GUARDED)
def test_a_guarded_unit_needs_more_and_says_why(seen: Snapshot) -> None:
    answer = decide(looked(seen), POLICY)
    assert isinstance(answer, NeedsApproval)
    assert (answer.need, answer.guarded) == (2, "every container of this host stops with it")


KINDS = {
    "a type the policy does not allow": ("swap.swap", "unit_type_not_allowed"),
    "a template": ("worker@.service", "template"),
}


@pytest.mark.parametrize(("unit", "code"), KINDS.values(), ids=KINDS)
def test_by_its_name_alone_is_refused(unit: str, code: str) -> None:
    assert refusal(facts(request(unit))).code == code


def test_a_template_is_answered_with_what_an_instance_looks_like() -> None:
    assert refusal(facts(request("worker@.service"))).hint == "Name one instance, like worker@NAME.service."


def test_a_name_that_is_really_of_another_type_is_refused_after_the_look() -> None:
    assert refusal(looked(snapshot("swap.swap", asked=UnitName("cron.service")))).code == "unit_type_not_allowed"


def test_instances_are_allowed_unless_the_policy_says_otherwise() -> None:
    asked = facts(request("worker@1.service"))
    assert isinstance(decide(asked, POLICY), NeedsApproval)
    answer = decide(asked, replace(POLICY, instances=False))
    assert isinstance(answer, Refuse)
    assert answer.code == "instance_not_allowed"
    assert isinstance(decide(facts(), replace(POLICY, instances=False)), NeedsApproval)


def test_a_unit_that_is_not_there_is_answered_with_names_that_are_near() -> None:
    seen = snapshot(load=LoadState.NOT_FOUND, active=ActiveState.INACTIVE, near=("crond.service",))
    answer = refusal(looked(seen))
    assert answer == Refuse("unit_not_found", "cron.service is not found on web-01.", "Did you mean crond.service?")


def test_a_unit_that_is_not_there_for_that_user_says_so() -> None:
    seen = snapshot(load=LoadState.NOT_FOUND, active=ActiveState.INACTIVE)
    assert (
        refusal(looked(seen, request(user="deploy"))).reason == "cron.service is not found on web-01 for user deploy."
    )
    assert refusal(looked(replace(seen, around=None))).hint.startswith("`/mask status web-01`")


def test_another_machine_behind_the_name_is_refused() -> None:
    pinned = replace(WEB, machine_id="m2")
    assert refusal(looked(snapshot(), host=pinned)).code == "wrong_machine"
    assert isinstance(decide(looked(snapshot(), host=replace(WEB, machine_id="m1")), POLICY), NeedsApproval)


def test_a_host_without_systemd_is_refused() -> None:
    assert refusal(looked(snapshot(systemd=""))).code == "no_systemd"


RUNTIME, KEEP = {"runtime": True}, {"keep_running": True}
RUNS = ActiveState.ACTIVE
# What the host says, the options of the request, and the code of the refusal: the rows of the measured table.
REFUSED: dict[str, tuple[Snapshot, dict[str, Any], str]] = {
    "perpetual": (snapshot(perpetual=True), {}, "perpetual"),
    "transient": (snapshot(transient=True), {}, "transient"),
    "from an early generator": (snapshot(fragment="/run/systemd/generator.early/cron.service"), {}, "generated_early"),
    "in system.control": (snapshot(layers={Layer.CONTROL: FileKind.FILE}), {}, "control_file"),
    "a local file, not allowed the control layer": (
        snapshot(layers={Layer.PERSISTENT: FileKind.FILE}, rights=frozenset(RIGHTS) - {"control"}),
        {},
        "needs_control_layer",
    ),
    "a local file, until reboot": (snapshot(layers={Layer.PERSISTENT: FileKind.FILE}), RUNTIME, "runtime_shadowed"),
    "a file in /run, until reboot": (snapshot(layers={Layer.RUNTIME: FileKind.FILE}), RUNTIME, "runtime_file"),
    "masked already": (masked(Layer.PERSISTENT), {}, "already_masked"),
    "masked already, until reboot wanted": (masked(Layer.PERSISTENT), RUNTIME, "already_masked"),
    "masked until reboot already": (masked(Layer.RUNTIME), RUNTIME, "already_masked"),
    "masked in the control layer already": (masked(Layer.CONTROL), {}, "already_masked"),
    "masked in both layers": (masked(Layer.PERSISTENT, Layer.RUNTIME), {}, "already_masked"),
    "masked by its package": (masked(), {}, "already_masked"),
    "masked by an empty file": (
        snapshot(layers={Layer.PERSISTENT: FileKind.EMPTY}, load=LoadState.MASKED, active=ActiveState.INACTIVE),
        {},
        "already_masked",
    ),
    "RefuseManualStop": (snapshot(refuse_manual_stop=True), {}, "cannot_be_stopped"),
    "CanStop=no": (snapshot(can_stop=False), {}, "cannot_be_stopped"),
    "kept up by another": (snapshot(upheld_by=(related_unit("keeper.service"),)), {}, "kept_up"),
    "RefuseManualStart": (snapshot(refuse_manual_start=True), {}, "cannot_be_restarted"),
    "running, its file deleted": (snapshot(load=LoadState.NOT_FOUND, fragment=""), {}, "cannot_be_restarted"),
    "a live watchdog": (snapshot(watchdog_usec=3_000_000, notify_access="main"), KEEP, "watchdog_would_kill"),
    "somebody stops it right now": (snapshot(active=ActiveState.DEACTIVATING, pending_job="7"), {}, "busy_unit"),
    "still starting, to be left so": (snapshot(active=ActiveState.ACTIVATING, pending_job="7"), KEEP, "busy_unit"),
}


@pytest.mark.parametrize(("seen", "options", "code"), REFUSED.values(), ids=REFUSED)
def test_nobody_is_asked_about_a_unit_that_is(seen: Snapshot, options: dict[str, Any], code: str) -> None:
    answer = refusal(looked(seen, request(**options)))
    assert answer.code == code
    assert answer.reason.endswith(".")


GOES_ON: dict[str, tuple[Snapshot, dict[str, Any]]] = {
    "an ordinary vendor unit": (snapshot(), {}),
    "until reboot": (snapshot(), RUNTIME),
    "a local file, in the control layer": (snapshot(layers={Layer.PERSISTENT: FileKind.FILE}), {}),
    "masked until reboot, now for good": (masked(Layer.RUNTIME), {}),
    "a link that systemd has not read": (snapshot(layers={Layer.PERSISTENT: FileKind.MASK}), {}),
    "kept up by what is down": (snapshot(upheld_by=(related_unit("keeper.service", active=ActiveState.FAILED),)), {}),
    "kept up, and left running": (snapshot(upheld_by=(related_unit("keeper.service"),)), KEEP),
    "down, with an action": (snapshot(actions=("SuccessAction=reboot",), active=ActiveState.INACTIVE), {}),
    "beside what is down and has an action": (
        snapshot(
            would_stop=(
                replace(related_unit("db.service", active=ActiveState.INACTIVE), actions=("FailureAction=reboot",)),
            )
        ),
        {},
    ),
    "RefuseManualStop, and down": (snapshot(refuse_manual_stop=True, active=ActiveState.FAILED), {}),
    "RefuseManualStop, left running": (snapshot(refuse_manual_stop=True), KEEP),
    "RefuseManualStart, left running": (snapshot(refuse_manual_start=True), KEEP),
    "a watchdog, but stopped in order": (snapshot(watchdog_usec=3_000_000, notify_access="main"), {}),
    "a watchdog that nobody feeds": (snapshot(watchdog_usec=3_000_000), KEEP),
    "a watchdog, and down": (
        snapshot(watchdog_usec=3_000_000, notify_access="main", active=ActiveState.INACTIVE),
        KEEP,
    ),
    "no watchdog, left running": (snapshot(), KEEP),
    "hanging in its start": (snapshot(active=ActiveState.ACTIVATING, pending_job="7"), {}),
    "with a bad setting": (snapshot(load=LoadState.BAD_SETTING), {}),
}


@pytest.mark.parametrize(("seen", "options"), GOES_ON.values(), ids=GOES_ON)
def test_people_are_asked_about(seen: Snapshot, options: dict[str, Any]) -> None:
    assert isinstance(decide(looked(seen, request(**options)), POLICY), NeedsApproval)


def test_a_mount_made_by_hand_is_not_taken_away() -> None:
    allowed = replace(POLICY, critical=(), unit_types=frozenset({"mount"}))
    by_hand = looked(snapshot("mnt.mount", fragment=""))
    answer = decide(by_hand, allowed)
    assert isinstance(answer, Refuse)
    assert answer.code == "cannot_be_restarted"
    assert isinstance(decide(looked(snapshot("mnt.mount")), allowed), NeedsApproval)


def test_a_job_that_passes_does_not_void_an_approval() -> None:
    seen = snapshot(active=ActiveState.ACTIVE, pending_job="7")
    assert isinstance(decide(looked(seen, moment=Moment.ACT), POLICY), NeedsApproval)


def test_masked_already_by_us_says_by_whom_and_since_when() -> None:
    answer = refusal(looked(masked(Layer.PERSISTENT), own_mask=our_mask()))
    assert answer.reason == (
        "cron.service is already masked on web-01 (persistent), asked by alice, since 2026-03-01 02:00 UTC."
    )
    assert answer.hint == ""
    mask = replace(our_mask(), ask=replace(our_mask().ask, reason="it leaks"))
    said = refusal(looked(masked(Layer.PERSISTENT), own_mask=mask)).reason
    assert ", asked by alice (it leaks), since 2026-03-01 02:00 UTC." in said


def test_masked_already_and_still_running_says_what_would_stop_it() -> None:
    answer = refusal(looked(masked(Layer.PERSISTENT, active=RUNS)))
    assert (
        answer.hint == "It still runs. To stop it, unmask it and ask again: it is then stopped with its own settings."
    )


def wrong_unmasks() -> dict[str, tuple[Snapshot, str]]:
    empty = snapshot(layers={Layer.PERSISTENT: FileKind.EMPTY}, load=LoadState.MASKED, active=ActiveState.INACTIVE)
    return {
        "is not masked": (snapshot(), "not_masked"),
        "does not exist": (snapshot(load=LoadState.NOT_FOUND, active=ActiveState.INACTIVE), "unit_not_found"),
        "is masked by its package": (masked(), "vendor_masked"),
        "is masked by an empty file": (empty, "empty_file"),
    }


@pytest.mark.parametrize(("seen", "code"), wrong_unmasks().values(), ids=wrong_unmasks())
def test_nothing_is_unmasked_that(seen: Snapshot, code: str) -> None:
    assert refusal(looked(seen, unmask())).code == code


def test_a_mask_of_somebody_else_is_taken_off_with_an_approval_even_where_masks_need_none() -> None:
    free = replace(POLICY, rules=(replace(POLICY.rules[0], need=0),))
    answer = decide(looked(masked(Layer.RUNTIME), unmask()), free)
    assert isinstance(answer, NeedsApproval)
    assert answer.need == 1


def without(*rights: str) -> frozenset[str]:
    return frozenset(RIGHTS) - set(rights)


LACKING: dict[str, tuple[Callable[[frozenset[str]], Snapshot], Request, str]] = {
    "to mask": (lambda rights: snapshot(rights=rights), request(), "mask"),
    "to take the mask back": (lambda rights: snapshot(rights=rights), request(), "unmask"),
    "to reload": (lambda rights: snapshot(rights=rights), request(), "reload"),
    "to stop": (lambda rights: snapshot(rights=rights), request(), "stop"),
    "to start it again": (lambda rights: snapshot(rights=rights), request(), "start"),
    "to start it again after it has failed": (lambda rights: snapshot(rights=rights), request(), "reset-failed"),
    "to try a start as the proof": (lambda rights: snapshot(rights=rights), request(keep_running=True), "start"),
    "to unmask": (lambda rights: masked(Layer.RUNTIME, rights=rights), unmask(), "unmask"),
    "to unmask in the control layer": (lambda rights: masked(Layer.CONTROL, rights=rights), unmask(), "control"),
}


@pytest.mark.parametrize(("seen", "asked", "right"), LACKING.values(), ids=LACKING)
def test_nobody_is_asked_where_the_bot_lacks_the_right(
    seen: Callable[[frozenset[str]], Snapshot], asked: Request, right: str
) -> None:
    answer = refusal(looked(seen(without(right)), asked))
    assert answer.code == "no_rights"
    assert f"It lacks: {right}." in answer.reason
    assert isinstance(decide(looked(seen(frozenset(RIGHTS)), asked), POLICY), NeedsApproval)


def test_a_right_that_is_not_needed_is_not_asked_for() -> None:
    few = snapshot(rights=without("control", "stop", "reset-failed"), active=ActiveState.INACTIVE)
    assert isinstance(decide(looked(few), POLICY), NeedsApproval)
    only_unmask = masked(Layer.PERSISTENT, rights=frozenset({"unmask", "reload", "foreign-masks"}))
    assert isinstance(decide(looked(only_unmask, unmask()), POLICY), NeedsApproval)


def test_a_short_look_knows_nothing_of_rights_and_related_units_and_refuses_nothing_for_them() -> None:
    assert isinstance(decide(looked(replace(snapshot(), around=None)), POLICY), NeedsApproval)


def test_what_we_stopped_without_masking_it_is_brought_back() -> None:
    stopped = our_mask(outcome=Outcome.NOT_PROTECTED)
    asked = looked(snapshot(active=ActiveState.INACTIVE), unmask(), own_mask=stopped)
    assert isinstance(decide(asked, POLICY), Allow)


def test_our_own_mask_that_is_gone_already_is_not_undone() -> None:
    assert refusal(looked(snapshot(), unmask(), own_mask=our_mask())).code == "not_masked"


def test_undoing_our_mask_leaves_an_empty_file_of_another_layer_alone() -> None:
    kinds = {Layer.CONTROL: FileKind.MASK, Layer.PERSISTENT: FileKind.EMPTY}
    seen = snapshot(layers=kinds, load=LoadState.MASKED, active=ActiveState.INACTIVE)
    assert isinstance(decide(looked(seen, unmask(), own_mask=our_mask(Layer.CONTROL)), POLICY), Allow)
    assert refusal(looked(seen, unmask(), own_mask=our_mask(Layer.PERSISTENT))).code == "empty_file"


def test_a_socket_whose_service_runs_is_not_stopped_for_it_could_not_be_started_again() -> None:
    busy = snapshot("echo.socket", starts=(related_unit("echo.service"),))
    answer = refusal(looked(busy))
    assert answer.code == "cannot_be_restarted"
    assert "its service echo.service runs, and systemd starts no socket whose service runs" in answer.reason
    assert answer.hint == "Mask echo.service with `--set`, which masks both."
    together = looked(busy, request("echo.socket", beside=("echo.service",)))
    assert isinstance(decide(together, POLICY), NeedsApproval)
    for fine in (
        replace(busy, side_effects=SideEffects(accepts=True)),
        snapshot("echo.socket", starts=(related_unit("echo.service", active=ActiveState.INACTIVE),)),
        replace(busy, active=ActiveState.INACTIVE),
    ):
        assert isinstance(decide(looked(fine), POLICY), NeedsApproval)


def test_a_unit_whose_file_is_gone_since_systemd_read_it_could_not_be_started_again() -> None:
    gone = snapshot(need_daemon_reload=True, fragment_hash="")
    assert "its unit file is gone" in refusal(looked(gone)).reason
    assert isinstance(decide(looked(snapshot(need_daemon_reload=True)), POLICY), NeedsApproval)
    assert isinstance(decide(looked(snapshot(fragment_hash="")), POLICY), NeedsApproval)
