"""What may go down and be brought back, without a host: systemd says what a test wants, and nothing happens."""

import pytest

from bot.core.systemd.host_rules import END_STARTS, NEEDED_BY, RIVALS, STARTS_TOO, STOPS_TOO
from bot.edges.guard.judge import Judged, check_name, judge, judge_removal, judge_start
from bot.edges.guard.process import Refused
from bot.edges.guard.units import Manager
from tests.edges.guard.manager_stand_in import Property, Systemd
from tests.edges.guard.processes_stand_in import Processes

CLIENT = "192.0.2.1 5022 192.0.2.2 22"
CRON = "cron.service"


@pytest.fixture(autouse=True)
def login(processes: Processes) -> None:
    """The bot's own, by way of a unit that no list has."""
    processes.are("0::/system.slice/entry.service/session\n")


def judged(
    unit: str = CRON, *critical: str, known: tuple[str, ...] = (), connection: str = CLIENT, is_ours: bool = False
) -> Judged:
    return judge(Manager("", []), unit, critical, known, connection, is_ours=is_ours)


def refused(unit: str = CRON, *critical: str, known: tuple[str, ...] = ()) -> str:
    with pytest.raises(Refused) as why:
        judged(unit, *critical, known=known)
    return str(why.value)


def refused_start(*critical: str) -> str:
    with pytest.raises(Refused) as why:
        judge_start(Manager("", []), CRON, critical, CLIENT)
    return str(why.value)


@pytest.mark.parametrize("name", ["a.service", "a@b.service", "a.socket", "a.timer", "a.path", "a.b.service"])
def test_these_are_names_of_units_that_it_handles(name: str) -> None:
    check_name(name)


@pytest.mark.parametrize("name", ["", "a", "a.target", "a@.service", "a@b.slice", "../a.service", "-a.service"])
def test_these_are_none(systemd: Systemd, name: str) -> None:
    for ask in (check_name, judged, lambda unit: judge_removal(Manager("", []), unit, [])):
        with pytest.raises(Refused) as why:
            ask(name)
        assert str(why.value) == f"{name!r} is not the name of a unit that the bot handles"
    assert systemd.asked == []


def test_of_a_long_name_80_signs_are_repeated() -> None:
    with pytest.raises(Refused, match=f"^'{'x' * 80}' is not"):
        check_name("x" * 300)


def test_what_may_go_down_is_told_with_its_names_and_what_runs_around_it(systemd: Systemd) -> None:
    systemd.has(CRON, "active", "crond.service", RequiredBy=["up.service", "down.service"], TriggeredBy=["c.timer"])
    systemd.has("up.service", "activating", BoundBy=["far.service"])
    systemd.has("down.service", "failed")
    systemd.has("far.service", "deactivating")
    systemd.has("c.timer")
    found = judged(known=("before.service", CRON))
    assert found.names == [CRON, "crond.service", "before.service"]
    assert found.running == [CRON, "up.service", "far.service", "c.timer"]
    systemd.has("c.timer", "inactive")
    systemd.has(CRON, "inactive", TriggeredBy=["c.timer"])
    assert (judged().names, judged().running) == ([CRON], [])


def test_it_is_named_first_by_the_name_that_was_asked_for(systemd: Systemd) -> None:
    systemd.has("crond.service", "active", CRON)
    assert judged().names == [CRON, "crond.service"]


@pytest.mark.parametrize("pattern", [CRON, "cr*.service"])
def test_what_is_critical_stays(systemd: Systemd, pattern: str) -> None:
    systemd.has(CRON)
    assert refused(CRON, "x.service", pattern) == f"{CRON} is critical on this host ({pattern})"


def test_also_by_another_name(systemd: Systemd) -> None:
    systemd.has(CRON, "active", "crond.service")
    says = f"{CRON} is crond.service, which is critical on this host (crond.*)"
    assert refused(CRON, "crond.*") == says
    with pytest.raises(Refused) as why:
        judge_removal(Manager("", []), CRON, ["crond.*"])
    assert str(why.value) == says
    judge_removal(Manager("", []), CRON, ["other.*"])
    says = f"{CRON} is old.service, which is critical on this host (old.*)"
    assert refused(CRON, "old.*", known=("old.service",)) == says


def test_also_as_one_of_a_template(systemd: Systemd) -> None:
    systemd.has("getty@tty1.service")
    assert "is getty@.service, which is critical" in refused("getty@tty1.service", "getty@.service")


def test_what_systemd_does_not_know_is_not_judged(systemd: Systemd) -> None:
    assert refused("no.service") == "there is no no.service on this host"
    assert judged("no.service", known=("no.service",)).running == []
    systemd.has("a.service", "inactive", LoadState="stub")
    assert refused("a.service") == "systemd does not say what a.service is"
    for load in ("loaded", "bad-setting", "error", "masked", "not-found"):
        systemd.has("a.service", "active", LoadState=load)
        assert judged("a.service").running == ["a.service"]
    systemd.has("a.timer", "active", LoadState="masked")
    assert refused("a.timer") == "a.timer is masked by somebody else, so it cannot be told what it starts"
    assert judged("a.timer", is_ours=True).running == ["a.timer"]


@pytest.mark.parametrize("relation", STOPS_TOO)
def test_what_goes_down_with_something_critical_stays(systemd: Systemd, relation: str) -> None:
    systemd.has(CRON, "active", **{relation: ["between.service"]})
    systemd.has("between.service", "inactive", **{relation: ["vital.service"]})
    systemd.has("vital.service", "inactive", "other-name.service")
    says = f"depends on {CRON} and is critical on this host"
    assert refused(CRON, "vital.*") == f"vital.service {says} (vital.*)"
    assert refused(CRON, "other-*") == f"other-name.service {says} (other-*)"
    systemd.has("between.service")
    assert judged(CRON, "vital.*").running == [CRON, "between.service"]


def test_what_starts_something_critical_stays(systemd: Systemd) -> None:
    systemd.has("a.timer", "active", Triggers=["job.service"])
    systemd.has("job.service", "inactive", "work.service")
    for vital in ("job.service", "work.service", "a.service", "a@.service"):
        assert refused("a.timer", vital) == f"{vital} is started by a.timer and is critical on this host ({vital})"


def test_a_target_counts_only_if_it_carries_the_host(systemd: Systemd) -> None:
    systemd.has(CRON, "active", RequiredBy=["web.target"])
    systemd.has("web.target")
    assert judged(CRON, "*.target").running == [CRON, "web.target"]
    systemd.has(CRON, "active", RequiredBy=["multi-user.target"])
    systemd.has("multi-user.target")
    assert refused(CRON, "*.target").startswith("multi-user.target depends on cron.service")


def test_what_carries_the_bot_s_login_stays(systemd: Systemd) -> None:
    systemd.has("entry.service", "active")
    carries = "entry.service carries the bot's login, and goes down with"
    assert refused("entry.service") == f"{carries} entry.service"
    systemd.has(CRON, "active", ConsistsOf=["entry.service"])
    assert refused() == f"{carries} {CRON}"
    systemd.has("other.service", "active", "entry.service")
    assert refused("other.service") == f"{carries} other.service"


@pytest.mark.parametrize("name", ["ssh.service", "sshd.service", "ssh.socket", "sshd.socket"])
def test_the_way_in_stays_by_its_name_alone(systemd: Systemd, name: str) -> None:
    systemd.has(CRON, "active", BoundBy=[name])
    systemd.has(name)
    for unit in (name, CRON):
        assert refused(unit) == f"{name} carries the bot's login, and goes down with {unit}"


def test_without_knowing_its_login_it_judges_nothing(systemd: Systemd) -> None:
    systemd.has(CRON)
    with pytest.raises(Refused, match="it cannot be told which unit carries the bot's login"):
        judged(connection="")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("SuccessAction", "reboot"),
        ("FailureAction", "poweroff"),
        ("StartLimitAction", "exit"),
        ("JobTimeoutAction", "halt"),
        ("OnFailure", "reboot.target"),
        ("OnSuccess", "systemd-poweroff.service"),
    ],
)
def test_what_may_take_the_host_down_with_it_stays_as_long_as_it_runs(systemd: Systemd, key: str, value: str) -> None:
    end: dict[str, Property] = {key: [value] if key.startswith("On") else value}
    says = f"has {key}={value}, so the host may go down with it"
    systemd.has(CRON, "active", **end)
    assert refused() == f"{CRON} {says}"
    systemd.has(CRON, "inactive", **end)
    assert judged().running == []
    systemd.has(CRON, "active", PropagatesStopTo=["beside.service"], SuccessAction="none", OnFailure=["mail.service"])
    systemd.has("beside.service", "active", **end)
    assert refused() == f"beside.service {says}"
    systemd.has("beside.service", "failed", **end)
    assert judged().running == [CRON]


@pytest.mark.parametrize("key", END_STARTS)
def test_what_systemd_starts_at_its_end_is_judged_like_any_start(systemd: Systemd, key: str) -> None:
    says = f"{CRON} has {key}=after.service, and a start of after.service would"
    systemd.has(CRON, "active", **{key: ["mail.service", "after.service"]})
    systemd.has("after.service", "inactive", Wants=["x.service"], Conflicts=["vital.service"])
    systemd.has("vital.service")
    assert refused(CRON, "vital.*") == f"{says} stop vital.service, which is critical on this host"
    systemd.has("x.service", "inactive", "poweroff.target")
    assert refused() == f"{says} bring up poweroff.target"
    systemd.has("after.service", "active", Wants=["x.service"], Conflicts=["vital.service"])
    assert judged(CRON, "vital.*").running == [CRON]
    systemd.has("after.service", "inactive", Wants=["x.service"])
    systemd.has(CRON, "inactive", **{key: ["after.service"]})
    assert judged().running == []


def test_what_starts_it_fails_with_its_mask(systemd: Systemd) -> None:
    systemd.has(CRON, "inactive", TriggeredBy=["c.socket"])
    systemd.has("c.socket", "active", "gate.socket", FailureAction="reboot")
    assert refused(CRON, "gate.*") == f"gate.socket starts {CRON} and is critical on this host (gate.*)"
    assert refused() == "c.socket has FailureAction=reboot, so the host may go down with it"
    systemd.has("c.socket", "inactive", "gate.socket", FailureAction="reboot")
    assert judged().running == []


@pytest.mark.parametrize("relation", STARTS_TOO)
def test_what_nothing_else_needs_stops_with_it(systemd: Systemd, relation: str) -> None:
    says = f"vital.service stops with {CRON} and is critical on this host (vital.*)"
    systemd.has("crond.service", "active", CRON, **{relation: ["far.service"], "RequiredBy": ["up.service"]})
    systemd.has("up.service", "active", Wants=["far.service"])
    systemd.has("far.service", "active", "f.service", StopWhenUnneeded=True, BindsTo=["vital.service"])
    systemd.has("vital.service", "active", StopWhenUnneeded=True, WantedBy=["far.service", "down.service"])
    systemd.has("down.service", "inactive")
    assert refused(CRON, "vital.*") == says
    assert refused(CRON, "f.*") == f"f.service stops with {CRON} and is critical on this host (f.*)"
    assert judged().running == ["crond.service", "up.service"], "what helps them comes with them"
    systemd.has("vital.service", "active", StopWhenUnneeded=True, FailureAction="reboot")
    assert refused() == "vital.service has FailureAction=reboot, so the host may go down with it"
    systemd.has("vital.service", "inactive", StopWhenUnneeded=True)
    judged(CRON, "vital.*")
    systemd.has("vital.service", "active", StopWhenUnneeded=False)
    judged(CRON, "vital.*")


@pytest.mark.parametrize("relation", NEEDED_BY)
def test_what_something_else_needs_goes_on_without_it(systemd: Systemd, relation: str) -> None:
    systemd.has(CRON, "active", Wants=["vital.service"])
    systemd.has("vital.service", "active", StopWhenUnneeded=True, **{relation: [CRON, "other.service"]})
    systemd.has("other.service", "activating")
    judged(CRON, "vital.*")
    systemd.has("other.service", "failed")
    assert "vital.service stops with" in refused(CRON, "vital.*")


def test_what_stops_with_such_a_helper_stops_too(systemd: Systemd) -> None:
    systemd.has(CRON, "active", Wants=["helper.service"])
    systemd.has("helper.service", "active", StopWhenUnneeded=True, ConsistsOf=["vital.service"])
    systemd.has("vital.service")
    assert "vital.service stops with" in refused(CRON, "vital.*")
    systemd.has("helper.service", "active", StopWhenUnneeded=True, WantedBy=["beside.service"])
    systemd.has(CRON, "active", RequiredBy=["beside.service"])
    systemd.has("beside.service", "active", Wants=["helper.service"])
    assert refused(CRON, "helper.*") == f"helper.service stops with {CRON} and is critical on this host (helper.*)"
    systemd.has("beside.service")
    systemd.has(CRON, "active", Wants=["helper.service"])
    systemd.has("helper.service", "active", StopWhenUnneeded=True, ConsistsOf=["ssh.service"])
    assert refused() == f"ssh.service carries the bot's login, and goes down with {CRON}"


@pytest.mark.parametrize("relation", STARTS_TOO)
def test_nothing_is_brought_up_that_ends_the_host(systemd: Systemd, relation: str) -> None:
    systemd.has(CRON, "inactive", **{relation: ["between.service"]})
    systemd.has("between.service", "failed", **{relation: ["x.service"]})
    systemd.has("x.service", "inactive", "runlevel6.target")
    assert refused_start() == f"a start of {CRON} would bring up runlevel6.target"
    systemd.has("x.service", "active", "runlevel6.target")
    judge_start(Manager("", []), CRON, [], CLIENT)
    systemd.has("x.service", "inactive", "runlevel6.target")
    systemd.has("between.service", "active", **{relation: ["x.service"]})
    judge_start(Manager("", []), CRON, [], CLIENT)
    systemd.has("runlevel6.target", "inactive", CRON)
    assert refused_start() == f"a start of {CRON} would bring up runlevel6.target"


def test_nothing_is_brought_up_that_stops_something_critical(systemd: Systemd) -> None:
    says = f"a start of {CRON} would stop vital.service, which is critical on this host"
    systemd.has(CRON, "inactive", Wants=["b.service"], Conflicts=["rival.service"])
    systemd.has("b.service", "inactive", Conflicts=["vital.service"])
    systemd.has("rival.service")
    systemd.has("r.service", "active", "vital.service")
    assert refused_start("vital.*") == says
    judge_start(Manager("", []), CRON, ["other.*"], CLIENT)
    systemd.has("r.service", "inactive", "vital.service")
    judge_start(Manager("", []), CRON, ["vital.*"], CLIENT)
    systemd.has("r.service", "active", "vital.service")
    systemd.has("b.service", "active", Conflicts=["vital.service"])
    judge_start(Manager("", []), CRON, ["vital.*"], CLIENT)
    systemd.has(CRON, "inactive", Conflicts=["vital.service"])
    assert refused_start("vital.*") == says


@pytest.mark.parametrize("relation", STOPS_TOO)
@pytest.mark.parametrize("rivalry", RIVALS)
def test_what_stops_with_a_rival_stops_with_the_start(systemd: Systemd, rivalry: str, relation: str) -> None:
    systemd.has(CRON, "inactive", **{rivalry: ["rival.service"]})
    systemd.has("rival.service", "active", **{relation: ["v.service"]})
    systemd.has("v.service", "active", "vital.service", "sysinit.target", SuccessAction="reboot")
    assert refused_start("rival.*") == f"a start of {CRON} would stop rival.service, which is critical on this host"
    assert refused_start("vital.*") == f"a start of {CRON} would stop vital.service, which is critical on this host"
    assert refused_start("*.target") == f"a start of {CRON} would stop sysinit.target, which is critical on this host"
    assert refused_start() == "v.service has SuccessAction=reboot, so the host may go down with it"
    systemd.has("v.service", "inactive", "vital.service", SuccessAction="reboot")
    judge_start(Manager("", []), CRON, ["vital.*"], CLIENT)
    systemd.has("v.service", "active", "some.target")
    judge_start(Manager("", []), CRON, ["*.target"], CLIENT)
    systemd.has("rival.service", "active", FailureAction="reboot")
    assert refused_start() == "rival.service has FailureAction=reboot, so the host may go down with it"
    systemd.has("rival.service", "inactive", **{relation: ["v.service"]})
    judge_start(Manager("", []), CRON, ["some.target"], CLIENT)


def test_a_start_anew_of_what_runs_is_judged_as_any_other(systemd: Systemd) -> None:
    systemd.has(CRON, "active", Conflicts=["vital.service"])
    systemd.has("vital.service", "reloading")
    assert "would stop vital.service" in refused_start("vital.*")


def test_nothing_is_brought_up_that_stops_the_way_in(systemd: Systemd) -> None:
    systemd.has(CRON, "inactive", Conflicts=["rival.service"])
    systemd.has("rival.service", "active", BoundBy=["entry.service"])
    systemd.has("entry.service")
    assert refused_start() == f"a start of {CRON} would stop entry.service, which carries the bot's login"
    systemd.has("entry.service", "inactive")
    judge_start(Manager("", []), CRON, [], CLIENT)
    systemd.has("ssh.socket", "active", "rival.service")
    assert refused_start() == f"a start of {CRON} would stop ssh.socket, which carries the bot's login"
    systemd.has("metrics.service", "active", OnSuccess=[CRON])
    assert refused("metrics.service").startswith(
        f"metrics.service has OnSuccess={CRON}, and a start of {CRON} would stop"
    )


def test_what_all_need_is_not_asked_about(systemd: Systemd) -> None:
    needed_by_all = ["sysinit.target", "basic.target", "system.slice", "-.slice", "-.mount"]
    systemd.has(CRON, "active", Requires=[*needed_by_all, "own.service"])
    systemd.has("own.service", "active", StopWhenUnneeded="no")
    assert judged().running == [CRON]
    assert {*needed_by_all}.isdisjoint(systemd.asked)
    assert "own.service" in systemd.asked
