"""What real hosts answered, read into snapshots; and nothing else is believed."""

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.systemd.guard import NEVER, RIGHTS
from bot.core.systemd.look import look_argv, parse_look
from bot.core.systemd.output import FOREVER, read_span
from bot.core.systemd.remembered import RememberedMask
from bot.core.systemd.status import parse_status, read_status
from bot.core.systemd.unit_files import is_known, unread
from bot.core.systemd.units import FileKind, Layer, LoadState, Snapshot, Surroundings, UnitName
from bot.errors import HostError, HostileOutput, UsageError
from tests.core.record import CASES, RECORDED, SCANS

CONTROL, PERSISTENT, RUNTIME = "/etc/systemd/system.control/", "/etc/systemd/system/", "/run/systemd/system/"


def recording(name: str) -> str:
    return (RECORDED / f"{name}.txt").read_text()


def silent(name: str) -> str:
    """A recording without what it says of stop commands."""
    return re.sub("(?s)@stopping\n.*?@host\n", "@host\n", recording(name))


def parsed_look(name: str) -> Snapshot:
    case = CASES[name]
    return parse_look(recording(name), UnitName(case.unit))


def around(name: str) -> Surroundings:
    found = parsed_look(name).around
    assert found is not None
    return found


# load, active, sub, unit file state, and where systemd has it from
@pytest.mark.parametrize(
    ("name", "states", "fragment"),
    [
        ("running", "loaded active running enabled", "/lib/systemd/system/worker.service"),
        ("linked_not_loaded", "loaded active running enabled", "/lib/systemd/system/worker.service"),
        ("masked", "masked inactive dead masked", PERSISTENT + "worker.service"),
        ("masked_running", "masked active running masked", PERSISTENT + "worker.service"),
        ("masked_twice", "masked active running masked", PERSISTENT + "cron.service"),
        ("masked_alias_in_etc", "masked active running masked", PERSISTENT + "primary.service"),
        ("alias_masked_alone", "loaded active running enabled", "/lib/systemd/system/worker.service"),
        ("local", "loaded active running enabled", PERSISTENT + "local.service"),
        ("local_masked_in_control", "masked active running masked", CONTROL + "local.service"),
        ("local_runtime_mask_without_effect", "loaded active running enabled", PERSISTENT + "local.service"),
        ("linked", "loaded active running enabled", PERSISTENT + "linked.service"),
        ("empty_file", "masked inactive dead masked", PERSISTENT + "hollow.service"),
        ("other_device", "masked inactive dead masked", PERSISTENT + "hollow.service"),
        ("relative_mask", "masked active running masked", PERSISTENT + "cron.service"),
        ("in_run", "loaded inactive dead disabled", RUNTIME + "passing.service"),
        ("masked_by_hand", "masked inactive dead masked", PERSISTENT + "handmade.service"),
        ("masked_by_vendor", "masked inactive dead masked", "/lib/systemd/system/vendormasked.service"),
        ("generated", "loaded active running generated", "/run/systemd/generator/generated.service"),
        ("generated_early", "loaded active running generated", "/run/systemd/generator.early/early.service"),
        ("transient", "loaded active running transient", "/run/systemd/transient/transient-one.service"),
        ("not_found", "not-found inactive dead ", ""),
        ("instance", "loaded active running enabled", "/lib/systemd/system/template@.service"),
        ("socket", "loaded active listening enabled", "/lib/systemd/system/echo.socket"),
        ("triggered", "loaded inactive dead static", "/lib/systemd/system/echo.service"),
        ("timer", "loaded active waiting enabled", "/lib/systemd/system/beat.timer"),
        ("path", "loaded active waiting enabled", "/lib/systemd/system/watched.path"),
        ("wrapper", "loaded active exited enabled", "/lib/systemd/system/db.service"),
        ("stopping", "loaded deactivating stop enabled", "/lib/systemd/system/slowstop.service"),
        ("stopped_by_force", "loaded failed failed enabled", "/lib/systemd/system/stubborn.service"),
        ("user_running", "loaded active running enabled", "/usr/lib/systemd/user/indexer.service"),
        ("user_masked", "masked inactive dead masked", "/home/deploy/.config/systemd/user/indexer.service"),
        ("user_own_file", "loaded active running enabled", "/home/deploy/.config/systemd/user/mirror.service"),
    ],
)
def test_states_are_read_as_systemd_said_them(name: str, states: str, fragment: str) -> None:
    snapshot = parsed_look(name)
    assert f"{snapshot.load} {snapshot.active} {snapshot.sub} {snapshot.file_state}" == states
    assert snapshot.fragment == fragment
    assert str(snapshot.id) in snapshot.names


@pytest.mark.parametrize(
    ("lines", "sub", "command"),
    [
        (["ExecStop yes yes", "ExecStop yes no", "ExecStop no no", "ExecStopPost no no"], "stop", (2, 3)),
        (["ExecStop yes yes", "ExecStopPost yes no"], "stop-post", (1, 1)),
        (["ExecStop yes yes"], "stop-sigterm", (0, 0)),
        (["ExecStop no no"], "stop", (0, 0)),
        ([], "stop", (0, 0)),
    ],
)
def test_which_of_its_stop_commands_runs_is_read(lines: list[str], sub: str, command: tuple[int, int]) -> None:
    told = "".join(f"{line}\n" for line in ["@stopping", *lines])
    said = silent("stopping").replace("@host\n", f"{told}@host\n").replace("SubState=stop\n", f"SubState={sub}\n")
    assert parse_look(said, UnitName("slowstop.service")).stop_command == command


@pytest.mark.parametrize("line", ["ExecStart yes no", "ExecStop yes", "ExecStop"])
def test_no_other_line_is_taken_for_a_stop_command(line: str) -> None:
    with pytest.raises(HostileOutput, match="stop command"):
        parse_look(silent("stopping").replace("@host\n", f"@stopping\n{line}\n@host\n"), UnitName("slowstop.service"))


def test_what_ends_the_host_and_what_keeps_a_unit_up_are_read() -> None:
    said = recording("surroundings").replace("\nUpheldBy=\n", "\nUpheldBy=keeper.service\n", 1)
    said = said.replace("\nSuccessAction=none\n", "\nSuccessAction=reboot-force\n", 1)
    snapshot = parse_look(said, UnitName(CASES["surroundings"].unit))
    assert snapshot.actions == ("SuccessAction=reboot-force",)
    started = said.replace("\nStartLimitAction=none\n", "\nStartLimitAction=reboot\n", 1)
    also = parse_look(started, UnitName(CASES["surroundings"].unit))
    assert also.actions == ("SuccessAction=reboot-force", "StartLimitAction=reboot")
    ends = said.replace("\nOnFailure=\n", "\nOnFailure=rescue.target note.service reboot.target\n", 1)
    assert parse_look(ends, UnitName(CASES["surroundings"].unit)).actions == (
        "SuccessAction=reboot-force",
        "OnFailure=rescue.target",
        "OnFailure=reboot.target",
    )
    assert (snapshot.spared, snapshot.kill_mode) == (False, "control-group")
    assert parse_look(said.replace("SendSIGKILL=yes", "SendSIGKILL=no", 1), UnitName("worker.service")).spared
    assert snapshot.around is not None
    assert [other.unit for other in snapshot.around.upheld_by] == ["keeper.service"]
    with pytest.raises(HostileOutput, match="action"):
        parse_look(said.replace("=reboot-force", "=reboot; now"), UnitName(CASES["surroundings"].unit))


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("running", {}),
        ("linked_not_loaded", {Layer.PERSISTENT: FileKind.MASK}),
        ("masked", {Layer.PERSISTENT: FileKind.MASK}),
        ("masked_twice", {Layer.PERSISTENT: FileKind.MASK, Layer.RUNTIME: FileKind.MASK}),
        ("local", {Layer.PERSISTENT: FileKind.FILE}),
        ("local_masked_in_control", {Layer.CONTROL: FileKind.MASK, Layer.PERSISTENT: FileKind.FILE}),
        ("local_runtime_mask_without_effect", {Layer.PERSISTENT: FileKind.FILE, Layer.RUNTIME: FileKind.MASK}),
        ("linked", {Layer.PERSISTENT: FileKind.LINK}),
        ("empty_file", {Layer.PERSISTENT: FileKind.EMPTY}),
        ("other_device", {Layer.PERSISTENT: FileKind.LINK}),
        ("relative_mask", {Layer.PERSISTENT: FileKind.MASK}),
        ("in_run", {Layer.RUNTIME: FileKind.FILE}),
        ("masked_by_vendor", {}),
        ("user_masked", {Layer.PERSISTENT: FileKind.MASK}),
        ("user_own_file", {Layer.PERSISTENT: FileKind.FILE}),
    ],
)
def test_the_file_of_every_layer_is_seen_whether_systemd_has_read_it_or_not(
    name: str, kinds: dict[Layer, FileKind]
) -> None:
    assert {file.layer: file.kind for file in parsed_look(name).layers if file.kind is not FileKind.ABSENT} == kinds


def test_a_link_is_told_from_a_later_one_at_the_same_place() -> None:
    links = [parsed_look(name).layer(Layer.PERSISTENT) for name in ("linked_not_loaded", "masked", "masked_running")]
    assert {link.path for link in links} == {PERSISTENT + "worker.service"}
    assert {link.target for link in links} == {"/dev/null"}
    assert len({link.identity for link in links}) == 3
    assert all(link.identity for link in links)


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("running", False),
        ("linked_not_loaded", False),
        ("masked", True),
        ("masked_running", True),
        ("masked_alias_in_etc", True),
        ("alias_masked_alone", False),
        ("local_runtime_mask_without_effect", False),
        ("local_masked_in_control", True),
        ("user_masked", True),
    ],
)
def test_masked_is_what_systemd_refuses_under_every_name(name: str, masked: bool) -> None:  # noqa: FBT001 - a table
    assert parsed_look(name).is_masked is masked


@pytest.mark.parametrize(
    ("name", "others"),
    [
        ("running", {"oldname.service": LoadState.LOADED}),
        ("vendor_alias", {"oldname.service": LoadState.LOADED}),
        ("masked", {"oldname.service": LoadState.ERROR}),
        ("alias_masked_alone", {"oldname.service": LoadState.MASKED}),
        ("masked_alias_in_etc", {"secondary.service": LoadState.ERROR}),
        ("local", {}),
        ("many_names", dict.fromkeys((f"runlevel{level}.target" for level in (2, 3, 4)), LoadState.LOADED)),
    ],
)
def test_further_names_are_asked_by_themselves_and_not_forgotten_once_it_is_masked(
    name: str, others: dict[str, LoadState]
) -> None:
    snapshot = parsed_look(name)
    assert dict(snapshot.other_names_load) == others
    assert snapshot.names == {str(snapshot.id), *others}


def test_an_alias_is_answered_with_the_real_unit_and_its_layers() -> None:
    snapshot = parsed_look("vendor_alias")
    assert (str(snapshot.asked), str(snapshot.id)) == ("oldname.service", "worker.service")
    assert [file.path for file in snapshot.layers] == [
        folder + "worker.service" for folder in (CONTROL, PERSISTENT, RUNTIME)
    ]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("running", {"timeout_stop_usec": 3_000_000, "restart": "no", "kill_mode": "control-group"}),
        ("stopping", {"timeout_stop_usec": 20_000_000}),
        ("no_limit_for_stopping", {"timeout_stop_usec": FOREVER}),
        ("stopped_by_force", {"result": "timeout"}),
        ("watchdog", {"watchdog_usec": 15_000_000, "notify_access": "all"}),
        ("not_found", {"watchdog_usec": 0, "main_pid": 0, "invocation": "", "is_missing": True}),
        ("transient", {"transient": True, "is_missing": False}),
        ("scope", {"perpetual": True, "can_stop": False}),
        ("refuses_manual_start", {"refuse_manual_start": True, "refuse_manual_stop": False}),
        ("refuses_manual_stop", {"refuse_manual_start": False, "refuse_manual_stop": True}),
        ("timer", {"main_pid": 0, "notify_access": "none", "kill_mode": "", "pending_job": ""}),
        ("slice", {"perpetual": True, "kill_mode": "", "around": None}),
    ],
)
def test_properties_are_read_by_their_kind(name: str, values: dict[str, Any]) -> None:
    snapshot = parsed_look(name)
    assert {key: getattr(snapshot, key) for key in values} == values


@pytest.mark.parametrize("name", ["running", "drop_in"])
def test_what_systemd_does_not_print_of_a_unit_has_its_usual_value(name: str) -> None:
    usual = "CanStart|CanStop|SendSIGKILL|Transient|Perpetual|RefuseManualStart|RefuseManualStop|NeedDaemonReload"
    usual += "|WatchdogUSec|NRestarts|Job|SourcePath|Accept|Persistent|FreezerState|OnFailure|UpheldBy"
    text = re.sub(rf"(?m)^({usual})=.*\n", "", recording(name))
    assert text != recording(name)
    assert parse_look(text, UnitName(CASES[name].unit)) == parsed_look(name)


def test_a_running_unit_has_a_process_and_a_stopping_one_a_job() -> None:
    assert parsed_look("running").main_pid > 1
    assert len(parsed_look("running").invocation) == 32
    assert parsed_look("stopping").pending_job.isdecimal()
    assert parsed_look("crash_loop").restarts >= 0


def test_a_process_that_outlives_its_unit_is_told_by_the_control_group_alone() -> None:
    outlived, gone = parsed_look("outlived_by_a_process"), parsed_look("stopped_by_force")
    assert {(snapshot.sub, snapshot.result, snapshot.main_pid) for snapshot in (outlived, gone)} == {
        ("failed", "timeout", 0)
    }
    assert (outlived.control_group, gone.control_group) == ("/system.slice/unkillable.service", "")


def units(related: tuple[Any, ...]) -> list[str]:
    return [one.unit for one in related]


def test_what_else_runs_is_known_but_for_what_comes_and_goes_with_logins() -> None:
    found = around("surroundings")
    assert {"worker.service", "cron.service", "echo.socket", "beat.timer", "multi-user.target"} <= {*found.up}
    assert not [name for name in found.up if name.startswith(("user@", "session-", "run-", "systemd-logind"))]
    assert {"slowstop.service", "db.service"}.isdisjoint(found.moving)
    assert "crashloop.service" in {*found.up, *found.moving}


def test_the_surroundings_of_an_ordinary_unit() -> None:
    found = around("surroundings")

    assert (found.hostname, found.systemd[:4], len(found.boot_id)) == ("web-01", "252.", 36)
    assert len(found.fragment_hash) == 64
    assert units(found.would_stop) == ["metrics.service", "partof.service"]
    assert {one.active.value for one in found.would_stop} == {"active"}
    link = PERSISTENT + "multi-user.target.wants/worker.service"
    alias = ("/usr/lib/systemd/system/oldname.service", "worker.service")
    assert found.wants_links == ((link, "/lib/systemd/system/worker.service"), alias)
    assert (found.triggers, found.members, found.pending_reload, found.near) == ((), (), (), ())
    assert (found.rights, found.spared) == (frozenset(RIGHTS), "")


def changed(name: str, old: str, new: str) -> str:
    text = recording(name)
    assert old in text
    return text.replace(old, new, 1)


def test_a_guard_that_spares_the_unit_says_why_and_words_of_a_later_one_are_left_out() -> None:
    text = changed("surroundings", "@rights\n", "@rights\nlater\nnever it is critical here\n")
    found = parse_look(text, UnitName("worker.service")).around
    assert found
    assert (found.rights, found.spared) == (frozenset({*RIGHTS, NEVER}), "it is critical here")


@pytest.mark.parametrize("more", ["", " later"])
def test_the_guard_says_which_masks_of_the_unit_it_made(more: str) -> None:
    line = f"mask worker.service - persistent 7:1700000000.000000001 r7 ran{more}\n"
    found = parse_look(changed("surroundings", "@rights\n", f"@rights\n{line}"), UnitName("worker.service"))
    known = RememberedMask("worker.service", "", "persistent", "7:1700000000.000000001", "r7", ran=True)
    assert found.around
    assert found.around.remembered == (() if more else (known,))
    assert found.around.rights == frozenset(RIGHTS)
    assert found.made_by_us is None  # another link stands there


def test_the_closure_holds_what_is_critical_behind_a_harmless_name() -> None:
    assert units(around("takes_critical_along").would_stop) == ["auditd.service"]


def test_a_trigger_is_seen_from_both_ends_and_also_while_the_unit_is_inactive() -> None:
    assert units(around("triggered").triggers) == ["echo.socket"]
    assert units(around("socket").starts) == ["echo.service"]


def test_a_look_at_a_result_sees_the_same_without_what_only_a_decision_needs() -> None:
    found, whole = around("result"), around("surroundings")
    assert units(found.would_stop) == units(whole.would_stop)
    assert (found.hostname, found.systemd) == (whole.hostname, whole.systemd)
    assert (found.rights, found.login_units, found.pending_reload) == (frozenset(), frozenset(), ())


def test_the_status_behind_the_end_of_an_answer_is_for_people_and_says_nothing_to_the_bot() -> None:
    answer, status = recording("result"), (RECORDED / "running.status").read_text()
    with_status = f"{answer}{status}@unit\nId=other.service\n@end\n"
    assert parse_look(with_status, UnitName("worker.service")) == parse_look(answer, UnitName("worker.service"))
    assert parse_status(with_status) == read_status(status)
    assert parse_status(answer) == ""


def test_a_wrapper_names_what_can_be_started_beside_it() -> None:
    assert units(around("wrapper").members) == ["db@main.service"]


def test_what_leads_to_a_device_is_a_mask_and_has_no_content() -> None:
    assert parsed_look("to_zero").load is LoadState.MASKED
    assert (around("to_zero").fragment_hash, around("to_zero").drop_ins) == ("", ())


def test_files_that_cannot_be_read_are_not_known_and_files_that_systemd_has_not_read_are_seen() -> None:
    found = around("files_of_all_kinds")
    names = {path.removeprefix("/etc/systemd/system/tuned.service.d/"): content for path, content in found.drop_ins}
    assert {name: is_known(content) for name, content in names.items()} == {
        "50-nice.conf": True,
        "two words.conf": False,  # root's alone
        "big.conf": False,
        "off.conf": True,  # a link to /dev/null: that file is switched off
        "/run/systemd/system/service.d": False,  # nobody but root sees what is in there
        "/run/systemd/system/tuned.service.d/not-loaded.conf": True,
    }
    assert found.fragment_hash.startswith("not known: 205 bytes, file ")
    assert unread(parsed_look("files_of_all_kinds")) == (
        "/lib/systemd/system/tuned.service",
        "/etc/systemd/system/tuned.service.d/big.conf",
        "/etc/systemd/system/tuned.service.d/two words.conf",
        "/run/systemd/system/service.d",
    )
    assert unread(parsed_look("drop_in")) == unread(parsed_look("running")) == ()


def test_what_is_loaded_and_not_on_the_disk_is_not_known() -> None:
    lines = recording("drop_in").replace("50-nice.conf\n", "60-gone.conf\n", 1)
    found = parse_look(lines, UnitName("tuned.service")).around
    assert found
    assert dict(found.drop_ins)[PERSISTENT + "tuned.service.d/60-gone.conf"] == "not known"


def test_a_line_may_be_as_long_as_all_units_of_a_host_make_it() -> None:
    many = " ".join(f"a-rather-long-name-of-some-service-number-{number:04}.service" for number in range(1000))
    text = changed("surroundings", "RequiredBy=metrics.service", f"RequiredBy=metrics.service {many}")
    found = parse_look(text, UnitName("worker.service")).around
    assert found
    assert len(found.would_stop) == 1002


def test_drop_ins_are_known_by_their_content() -> None:
    ((path, content),) = around("drop_in").drop_ins
    assert path == PERSISTENT + "tuned.service.d/50-nice.conf"
    assert len(content) == 64


def test_the_edits_of_others_that_a_reload_would_apply_are_named() -> None:
    assert around("pending_reload").pending_reload == ("gate.service",)


def test_a_file_that_is_gone_and_a_template_that_changed_are_edits_too() -> None:
    assert around("edited_and_gone").pending_reload == ("leaving.service", "template@.service")


@pytest.mark.parametrize(
    ("name", "path", "kind"),
    [
        ("masked_by_the_kernel", "/run/systemd/generator.early/cron.service", FileKind.MASK),
        ("masked_in_run_control", "/run/systemd/system.control/cron.service", FileKind.MASK),
        ("attached", "/etc/systemd/system.attached/portable.service", FileKind.FILE),
    ],
)
def test_what_other_folders_have_under_the_name_is_seen_too(name: str, path: str, kind: FileKind) -> None:
    first = parsed_look(name).elsewhere[0]
    assert (first.path, first.kind, parsed_look(name).fragment) == (path, kind, path)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("masked", "/dev/null"),
        ("masked_twice", "/dev/null"),
        ("masked_alias_in_etc", "/dev/null"),
        ("local_masked_in_control", "/dev/null"),
        ("relative_mask", "/dev/null"),
        ("masked_by_the_kernel", "/dev/null"),
        ("masked_in_run_control", "/dev/null"),
        ("user_masked", "/dev/null"),
        ("linked", "/opt/lab/linked.service"),
    ],
)
def test_of_a_systemd_that_shows_where_a_link_leads_the_link_is_found(name: str, shown: str) -> None:
    """Systemd 247 does so (measured)."""
    of_247 = re.sub("(?m)^FragmentPath=.*$", f"FragmentPath={shown}", recording(name), count=1)
    assert of_247 != recording(name)
    assert parse_look(of_247, UnitName(CASES[name].unit)).fragment == parsed_look(name).fragment


def test_a_file_that_no_link_leads_to_stays_what_systemd_says() -> None:
    elsewhere = re.sub("(?m)^FragmentPath=.*$", "FragmentPath=/opt/other.service", recording("linked"), count=1)
    assert parse_look(elsewhere, UnitName("linked.service")).fragment == "/opt/other.service"


def test_our_own_login_hangs_on_these_units_under_all_their_names() -> None:
    login_units = around("carries_our_login").login_units
    assert {"ssh.service", "sshd.service", "system.slice", "user.slice"} <= login_units
    assert any(name.startswith("session-") for name in login_units)
    assert "init.scope" not in login_units


def test_an_alias_link_is_an_enablement_link_too() -> None:
    assert (PERSISTENT + "sshd.service", "/lib/systemd/system/ssh.service") in around("carries_our_login").wants_links


def test_what_is_not_found_has_near_names() -> None:
    assert around("not_found").near == ("cron.service",)


def related(
    name: str, *, names: str = "", load: str = "loaded", active: str = "active", file_state: str = "disabled"
) -> str:
    states = f"LoadState={load}\nActiveState={active}\nSubState=any\nUnitFileState={file_state}\n"
    return f"Id={name}\nNames={names or name}\n{states}"


@pytest.mark.parametrize(
    ("units", "agents"),
    [
        ("", ()),
        (related("puppet.service"), ("puppet",)),
        (related("agent.service", names="agent.service salt-minion.service"), ("salt",)),
        (related("chef-client.timer", active="inactive", file_state="enabled"), ("chef",)),
        (related("puppet.service", active="inactive"), ()),
        (related("puppet.service", load="masked", active="inactive"), ()),
    ],
)
def test_configuration_management_that_works_there_is_seen_in_passing(units: str, agents: tuple[str, ...]) -> None:
    text = changed("surroundings", "\n@near\n", f"\n\n{units}@near\n")
    found = parse_look(text, UnitName("worker.service")).around
    assert found
    assert found.agents == agents


def test_a_users_manager_is_another_world_with_its_own_layers() -> None:
    found = parsed_look("user_running")
    assert [file.path for file in found.layers] == [
        "/home/deploy/.config/systemd/user.control/indexer.service",
        "/home/deploy/.config/systemd/user/indexer.service",
        "/run/user/2002/systemd/user/indexer.service",
    ]
    assert found.around is not None
    assert found.around.rights == set(RIGHTS) - {"control"}
    assert len(found.manager) == 32
    assert parsed_look("running").manager == ""


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("template", "not_a_unit"),
        ("no_bus", "no_bus"),
        ("user_without_manager", "no_user_manager"),
        ("user_unknown", "no_user"),
    ],
)
def test_a_host_that_cannot_be_asked_says_why(name: str, code: str) -> None:
    with pytest.raises(HostError) as refused:
        parsed_look(name)
    assert refused.value.code == code


@pytest.mark.parametrize(
    "answer",
    [
        changed("running", "LoadState=loaded\n", "LoadState=loaded\nLoadState=masked\n"),
        changed("running", "Restart=no\n", "Restart=no\nExecStart=/bin/sh\n"),
        changed("running", "Restart=no\n", "a line of somebody else\n"),
        changed("running", "ActiveState=active", "ActiveState=sleeping"),
        changed("running", "LoadState=loaded\nAct", "LoadState=fine\nAct"),
        changed("running", "MainPID=", "MainPID=-"),
        changed("running", "Transient=no", "Transient=perhaps"),
        changed("running", "TimeoutStopUSec=3s", "TimeoutStopUSec=soon"),
        changed("running", "Id=worker.service", "Id=../worker.service"),
        changed("running", "Id=worker.service", "Id=-.slice"),
        changed("running", "Id=worker.service", "Id=-.slice").replace("Names=", "Names=-.slice ", 1),
        changed("running", "Names=worker.service", "Names=other.service"),
        changed("running", "Names=worker.service", 'Names="worker.service'),
        changed("running", "@names\n", "@names\nnot a unit!\n"),
        changed("running", "@names", "@unit"),
        changed("running", "@names", "@news"),
        changed("running", "machine_id=", "machine_id=x"),
        changed("running", "machine_id=", "manager=x\nmachine_id="),
        changed("running", "@maskbot-look 1\n", "@maskbot-look 1\nstray\n"),
        changed("masked", "'/etc/systemd/system/worker.service' ->", "'/etc/systemd/system/cron.service' ->"),
        changed("masked", "symbolic link|9", "symbolic link|nine"),
        changed("surroundings", "@contents\n", "@contents\nnot a hash\n"),
        changed("surroundings", "@states\n", "@states\na.service loaded active\n"),
        changed("surroundings", "@states\n", "@states\na.service loaded sleeping dead\n").replace(
            "TriggeredBy=\n", "TriggeredBy=a.service\n", 1
        ),
        changed("surroundings", "@cgroups\n", "@cgroups\nnot a cgroup\n"),
        changed("surroundings", "@starters\n", "@starters\nnot a unit\n"),
        changed("surroundings", "@edited-for-many\n", "@edited-for-many\nnot a unit\n"),
        changed("surroundings", "@links\n", "@links\nnot a link\n"),
        changed("surroundings", "\nuptime=", "\nuptime=x"),
        changed("surroundings", "@related\n", "@related\nLoadState=loaded\n\n"),
        "Welcome to web-01!\n" + recording("running"),
        changed("running", "SubState=running", "SubState=\x1b[31mrunning"),
        changed("running", "SubState=running", "SubState=" + "r" * (4 * 1024 * 1024)),
    ],
)  # fmt: skip
def test_what_the_script_cannot_have_printed_is_not_believed(answer: str) -> None:
    with pytest.raises(HostError) as refused:
        parse_look(answer, UnitName("worker.service"))
    assert refused.value.code in ("hostile_output", "incomplete_observation")


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "\n",
        "x" * 10_000,
        recording("running")[:-1],
        recording("running").removesuffix("@end\n"),
        changed("running", "@end", "@endless"),
        changed("running", "LoadState=loaded\n", ""),
        changed("running", "LoadState=loaded\n@layers", "@layers"),
        changed("running", "machine_id=", "").replace("@host\n", "@host\nmachine_id=", 1)[:-6],
        "@maskbot-look 1\n@end\n",
        recording("surroundings").partition("@carriers")[0] + "@end\n",
        recording("result").partition("@states")[0] + "@states\n@end\n",
        re.sub(r"@states\n.*\n@kernel", "@states\n@kernel", recording("result"), flags=re.DOTALL),
        changed("surroundings", "hostname=web-01\n", ""),
    ],
)
def test_an_answer_that_is_cut_off_is_incomplete_and_never_inactive(answer: str) -> None:
    with pytest.raises(HostError) as refused:
        parse_look(answer, UnitName("worker.service"))
    assert (refused.value.code, refused.value.passing) == ("incomplete_observation", True)


def test_files_that_may_not_be_seen_are_not_taken_for_absent() -> None:
    text = recording("user_masked")
    hidden = "\n".join(line for line in text.split("\n") if "|" not in line)
    with pytest.raises(HostError) as refused:
        parse_look(hidden, UnitName("indexer.service"))
    assert refused.value.code == "sudo_denied"


def test_something_odd_at_the_place_of_a_link_is_no_mask() -> None:
    text = changed("masked", "symbolic link|9", "directory|9").replace(" -> '/dev/null'", "")
    snapshot = parse_look(text, UnitName("worker.service"))
    assert snapshot.layer(Layer.PERSISTENT).kind is FileKind.OTHER
    assert snapshot.mask_layers == ()


def test_an_unknown_failure_is_still_a_failure() -> None:
    with pytest.raises(HostError) as refused:
        parse_look("@maskbot-look 1\n@failed\nwhatever\n@end\n", UnitName("cron.service"))
    assert refused.value.code == "show_failed"


def test_a_name_that_could_not_be_asked_never_counts_as_masked() -> None:
    text = changed("masked", "Names=worker.service", 'Names=worker.service "odd\\\\x2dname.service"')
    snapshot = parse_look(text, UnitName("worker.service"))
    assert dict(snapshot.other_names_load)["odd\\x2dname.service"] is LoadState.STUB
    assert not snapshot.is_masked


@given(st.data())
@settings(max_examples=3 * settings().max_examples)
def test_a_mangled_answer_is_refused_or_read_but_never_crashes(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(["running", "masked", "many_names", "user_masked", "surroundings"]))
    lines = recording(name).split("\n")
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(lines) - 1))
        match data.draw(st.sampled_from(["drop", "twice", "swap", "change", "insert"])):
            case "drop":
                del lines[at : at + 1]
            case "twice":
                lines.insert(at, lines[at])
            case "swap":
                lines[at], lines[-1 - at] = lines[-1 - at], lines[at]
            case "change":
                cut = data.draw(st.integers(0, len(lines[at])))
                lines[at] = lines[at][:cut] + data.draw(st.text(max_size=5)) + lines[at][cut + 1 :]
            case _:
                lines.insert(at, data.draw(st.text(max_size=20)))
        lines = lines or [""]
    try:
        snapshot = parse_look("\n".join(lines), UnitName(CASES[name].unit))
    except HostError:
        return
    assert str(snapshot.asked) in {str(snapshot.id), *snapshot.names}


@given(st.text())
def test_any_text_at_all_is_refused(text: str) -> None:
    with pytest.raises(HostError):
        parse_look(text, UnitName("cron.service"))


@pytest.mark.parametrize(
    ("written", "microseconds"),
    [
        ("0", 0),
        ("", 0),
        ("1us", 1),
        ("500ms", 500_000),
        ("3s", 3_000_000),
        ("1min 30s", 90_000_000),
        ("1h 2min 3s 4ms 5us", 3_723_004_005),
        ("12h 25min 57.747279s", 44_757_747_279),
        ("182.964ms", 182_964),
        ("2d", 172_800_000_000),
        ("1w", 604_800_000_000),
        ("1month", 2_629_800_000_000),
        ("1y", 31_557_600_000_000),
        ("infinity", FOREVER),
    ],
)
def test_lengths_of_time_are_read_as_systemd_writes_them(written: str, microseconds: int) -> None:
    assert read_span(written) == microseconds


@pytest.mark.parametrize("written", ["soon", "-1s", "1 s", "1.s", ".5s", "1.1234567s", "٣s", "9" * 13 + "s"])
def test_other_lengths_of_time_are_refused(written: str) -> None:
    with pytest.raises(HostileOutput):
        read_span(written)


def test_a_look_names_its_size_and_its_unit_and_no_user_but_a_login() -> None:
    assert look_argv(UnitName("cron.service"), size="short") == ("maskbot-guard", "look", "short", "cron.service")
    other = look_argv(UnitName("a@b.timer"), size="full", user="deploy")
    assert other == ("maskbot-guard", "--user", "deploy", "look", "full", "a@b.timer")
    with pytest.raises(UsageError):
        look_argv(UnitName("cron.service"), size="full", user="$(id)")


def test_every_case_has_its_recording_and_every_recording_its_case() -> None:
    assert {path.stem for path in RECORDED.glob("*.txt")} == {*CASES, *SCANS}


def test_the_hash_of_a_file_whose_path_has_a_backslash_is_found_by_that_path() -> None:
    """sha256sum(1) doubles backslashes, and systemd quotes a list that has any (both measured)."""
    fragment, drop_in = r"/lib/systemd/system/a\x2db.service", r"/etc/systemd/system/a\x2db.service.d/x.conf"
    answer = recording("drop_in").replace("FragmentPath=/lib/systemd/system/tuned.service", f"FragmentPath={fragment}")
    answer = re.sub("(?m)^DropInPaths=.*$", "DropInPaths=" + json.dumps(drop_in).replace("\\", "\\\\"), answer)
    doubled = (path.replace("\\", "\\\\") for path in (fragment, drop_in))
    lines = "\n".join(f"\\{digit * 64}  {path}" for digit, path in zip("ab", doubled, strict=True))
    answer = re.sub("(?ms)^@contents\n.*?^@", lambda _: f"@contents\n{lines}\n@", answer)
    around = parse_look(answer, UnitName("tuned.service")).around
    assert around is not None
    assert around.fragment_hash == "a" * 64
    assert around.drop_ins == ((drop_in, "b" * 64),)


def test_a_name_of_which_nothing_is_said_makes_the_answer_incomplete() -> None:
    text = recording("running").replace(" oldname.service\n", " oldname.service other.service\n")
    with pytest.raises(HostError, match="lacks a name"):
        parse_look(text, UnitName("worker.service"))


def test_timers_that_a_reload_counts_anew_are_those_that_run() -> None:
    timers = "/etc/systemd/system/beat.timer.d/own.conf\n/lib/systemd/system/other.timer\n"
    text = re.sub(
        "\nuptime=.*\n", "\nuptime=12.34\n", changed("surroundings", "@counted-anew\n", f"@counted-anew\n{timers}")
    )
    around = parse_look(text, UnitName("worker.service")).around
    assert around
    assert (around.counted_anew, around.uptime) == (("beat.timer",), 12_340_000)


def test_changed_files_that_were_not_followed_are_counted() -> None:
    text = changed("surroundings", "@there\n", "@edited-besides\n12\n@there\n")
    around = parse_look(text, UnitName("worker.service")).around
    assert around
    assert around.pending_besides == 12


def test_copies_of_its_file_are_other_units_of_its_kind() -> None:
    names = "worker.service\nb.service\na.service\nb.service\ntemplate@.service\na.timer\nnot a unit.service\n"
    text = changed("surroundings", "@copies\n", f"@copies\n{names}")
    around = parse_look(text, UnitName("worker.service")).around
    assert around
    assert around.copies == ("a.service", "b.service")


@pytest.mark.parametrize("name", ["surroundings", "second_file"])
def test_further_names_that_are_asked_with_the_related_units_are_read_as_if_they_were_asked_apart(name: str) -> None:
    text, unit = recording(name), UnitName(CASES[name].unit)
    names = text.partition("@names\n")[2].partition("\n")[0]
    together = text.partition("@related\n")[2].partition("@near\n")[0]
    units = together.strip("\n").split("\n\n")
    own, others = ("\n\n".join(part) for part in (units[: len(names.split())], units[len(names.split()) :]))
    assert own
    apart = text.replace(f"@names\n{names}\n", f"@names\n{names}\n\n{own}\n").replace(together, f"\n{others}\n")
    assert apart != text
    assert parse_look(apart, unit) == parse_look(text, unit)
