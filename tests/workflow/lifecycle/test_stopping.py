"""Units that do not simply stop: slow, deaf, endless, unkillable, kept up, and started again while they go down."""

from collections.abc import Callable, Iterator

import pytest

from bot.core.input.grammar import Question, QuestionKind
from bot.core.requests import Outcome, Request, Stage
from bot.core.steps import StepLimits
from bot.core.systemd.units import UnitName
from bot.errors import UsageError
from handlers import cli_queries
from tests.workflow.conftest import Opening
from tests.workflow.fleet import AnyHost, Fleet
from tests.workflow.hands import cut_off, let_in
from tests.workflow.slack import ALICE, BOB, caller, words
from tests.workflow.wire import Call
from tests.workflow.world import World


@pytest.fixture(scope="module")
def fleet(real_fleet: Fleet) -> Fleet:
    """Systemd itself is the subject."""
    return real_fleet


pytestmark = pytest.mark.ssh

TALK = """use IO::Socket::UNIX; my $c = IO::Socket::UNIX->new("/run/echo.sock") or die "refused"; print readline($c)"""
LOG = "/run/said"
SAYS = "/bin/sh -c 'sleep {seconds}; echo {word} >>" + LOG + "'"
# With a reload in between systemd counts its limit from the first stop command on (measured), so it is not a short one.
# Its main process ends when somebody has written MAY_END, so that its settings can be read until then.
MAY_END = "/run/may-end"
PHASES = f"""[Service]
ExecStart=/bin/sh -c 'trap "until [ -e {MAY_END} ]; do sleep 0.1; done; echo main >>{LOG}; exit 0" TERM; \\
  sleep infinity & wait'
ExecStop={SAYS.format(seconds=1, word="one")}
ExecStop={SAYS.format(seconds=1, word="two")}
ExecStop={SAYS.format(seconds=1, word="three")}
ExecStopPost={SAYS.format(seconds=0, word="post")}
TimeoutStopSec=60
"""
# A database's: it is never killed, and only its main process is told to end.
DATABASE = """[Service]
ExecStart=/bin/sh -c 'sleep infinity & trap "kill $$!; sleep 6; exit 0" TERM; wait'
TimeoutStopSec=900
SendSIGKILL=no
KillMode=process
"""
# It asks for more time than it was given: sd_notify(3). Only its main process is sent SIGTERM: systemd goes through the
# control group until it finds no new process in it, and would meet the one that asks.
ASKING = """[Service]
Type=notify
NotifyAccess=all
ExecStart=/bin/sh -c 'sleep infinity & trap "kill $$!; systemd-notify EXTEND_TIMEOUT_USEC=20000000; sleep 9; exit 0" \
  TERM; systemd-notify --ready; wait'
TimeoutStopSec=6
KillMode=mixed
"""
# It is deaf, never killed and started again by itself, its child is spared, and what it does afterwards takes a while.
DEFIANT = f"""[Unit]
OnFailure=alarm.service
[Service]
ExecStart=/bin/sh -c 'trap "" TERM; sleep infinity & wait'
ExecStopPost=/bin/sh -c 'sleep 2; echo post >>{LOG}'
TimeoutStopSec=infinity
SendSIGKILL=no
KillMode=process
Restart=always
RestartSec=100ms
"""
ALARM = f"""[Service]
Type=oneshot
ExecStart=/bin/sh -c 'echo alarm >>{LOG}'
"""
PATIENT = """[Service]
ExecStart=/bin/sleep infinity
KillSignal=SIGCONT
TimeoutStopSec=infinity
"""
# The same without its settings, which a mask of a running unit takes.
DEAF = """[Service]
ExecStart=/bin/sh -c 'trap "" TERM; exec sleep infinity'
TimeoutStopSec=infinity
"""
SELDOM = """[Unit]
StartLimitBurst=1
StartLimitIntervalSec=1h
[Service]
ExecStart=/usr/bin/sleep infinity
ExecStop=/bin/sh -c 'until [ -e /run/may-stop ]; do sleep 0.2; done'
TimeoutStopSec=infinity
[Install]
WantedBy=multi-user.target
"""
SLOW_START = """[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'until [ -e /run/may-start ]; do sleep 0.2; done'
"""


@pytest.fixture(scope="module")
def impatient_world(open_world: Opening) -> Iterator[World]:
    """A running bot to which everything is slow that takes half a second."""
    with open_world(limits=StepLimits(patience=0.5)) as one:
        yield one


def put(host: AnyHost, unit: str, text: str, *, start: bool = True) -> None:
    """A vendor unit more, running."""
    host.write(f"/usr/lib/systemd/system/{unit}", text)
    host.run("rm", "-f", LOG, MAY_END)
    host.run("systemctl", "daemon-reload")
    if start:
        host.run("systemctl", "start", unit)


def log_words(host: AnyHost) -> list[str]:
    return host.run("cat", LOG).stdout.split()


def active(host: AnyHost, unit: str) -> str:
    return host.show(unit, "ActiveState")["ActiveState"]


def card_of(world: World, request: Request) -> str:
    found = world.slack.marked(f"{request.id}:card")
    return words(found[0].text) if found else ""


@pytest.mark.fault("F21", how="a unit whose own stop takes six seconds")
def test_a_long_stop_is_shown_while_it_lasts(shared_world: World, saw: Callable[[str], str]) -> None:
    asked = shared_world.mask("slowstop")
    shared_world.vote(asked)

    def card() -> str:
        return card_of(shared_world, asked)

    shared_world.until(lambda: "its stop command 1 of 1 (stop); each step may take up to 20 s" in card(), "progress")
    assert active(shared_world.hosts["web-01"], "slowstop.service") == "deactivating"
    saw(next(line for line in card().splitlines() if "Waits for" in line))
    done = shared_world.until_final(asked)
    assert done.target.outcome is Outcome.PROVEN
    assert not done.target.settings_lost
    assert [sent.step for sent in done.target.sent].count("stop") == 1
    saw(shared_world.card(done).partition("\n")[0])


@pytest.mark.fault("F22", how="a unit that ignores SIGTERM")
def test_what_had_to_be_killed_is_said_so(shared_world: World, saw: Callable[[str], str]) -> None:
    host = shared_world.hosts["web-02"]
    done = shared_world.masked("stubborn", host="web-02")
    assert done.target.outcome is Outcome.PROVEN
    by_force = "by force, when its time was up (Result=timeout, TimeoutStopSec=4 s)"
    assert by_force in shared_world.card(done)
    saw(f"{shared_world.card(done).partition(chr(10))[0]}: {by_force}")
    assert host.show("stubborn.service", "ActiveState") == {"ActiveState": "failed"}


@pytest.mark.fault("F77", how="a real unit with five steps of its own, and a daemon-reload of root after each second")
def test_a_stop_of_many_steps_ends_as_by_hand_while_somebody_reloads(
    shared_world: World, saw: Callable[[str], str]
) -> None:
    host = shared_world.hosts["web-01"]
    put(host, "phases.service", PHASES)
    asked = shared_world.mask("phases")
    shared_world.vote(asked)
    for step in ("one", "two", "three"):
        shared_world.until(lambda step=step: step in log_words(host), step)  # type: ignore[misc]
        host.run("systemctl", "daemon-reload")
        assert host.show("phases.service", "TimeoutStopUSec") == {"TimeoutStopUSec": "1min"}
    host.write(MAY_END, "")
    done = shared_world.until_final(asked)
    assert done.target.outcome is Outcome.PROVEN, done.target.note
    assert log_words(host) == ["one", "two", "three", "main", "post"]
    assert host.show("phases.service", "LoadState", "Result") == {"LoadState": "masked", "Result": "success"}
    card = shared_world.card(done)
    assert "Its stop" not in card
    saw(f"{card.partition(chr(10))[0]}: {', '.join(log_words(host))}")
    shared_world.undo(done)
    assert active(host, "phases.service") == "active"


@pytest.mark.parametrize(
    ("unit", "text", "kept"),
    [
        ("database", DATABASE, {"TimeoutStopUSec": "15min", "SendSIGKILL": "no", "KillMode": "process"}),
        ("asking", ASKING, {"TimeoutStopUSec": "6s", "NotifyAccess": "all"}),
    ],
    ids=["never killed", "asks for more time"],
)
def test_what_needs_long_keeps_its_settings_to_the_end(
    impatient_world: World, unit: str, text: str, kept: dict[str, str]
) -> None:
    world, host = impatient_world, impatient_world.hosts["web-02"]
    put(host, f"{unit}.service", text)
    assert active(host, f"{unit}.service") == "active"
    asked = world.mask(unit, host="web-02")
    world.vote(asked)
    world.when(asked, lambda now: now.target.waiting is not None, "a slow stop")
    if "SendSIGKILL" in kept:
        host.run("systemctl", "daemon-reload")
    assert host.show(f"{unit}.service", "LoadState", *kept) == {"LoadState": "loaded", **kept}
    done = world.until_final(asked)
    assert done.target.outcome is Outcome.PROVEN, done.target.note
    assert "by force" not in world.card(done)
    assert host.show(f"{unit}.service", "Result") == {"Result": "success"}
    assert [sent.step for sent in done.target.sent][:3] == ["probe", "stop", "link"]


@pytest.mark.fault("F78", how="a real unit that never ends to stop, and a second change on its host")
def test_what_never_ends_to_stop_keeps_nobody_from_its_host_and_can_be_withdrawn(
    impatient_world: World, saw: Callable[[str], str]
) -> None:
    world, host = impatient_world, impatient_world.hosts["db-01"]
    put(host, "patient.service", PATIENT)
    asked = world.mask("patient", host="db-01")
    world.vote(asked)
    world.until(lambda: "still stopping" in card_of(world, asked), "a card that says what it waits for")
    card = card_of(world, asked)
    assert "its processes to exit after SIGTERM (stop-sigterm); it has no stop timeout" in card
    saw(next(line for line in card.splitlines() if "Waits for" in line))
    beside = world.masked("tuned", host="db-01")
    assert beside.target.outcome is Outcome.PROVEN
    assert world.undo(beside).target.outcome is Outcome.RESTORED
    saw(f"meanwhile: {world.card(beside).partition(chr(10))[0]}")
    assert world.mask("patient", host="db-01").stage is Stage.REFUSED
    for word in (QuestionKind.WHY, QuestionKind.STATUS):
        told = cli_queries.answer(world.deps, Question(word, "db-01", UnitName("patient.service")), caller(ALICE))
        assert "not masked yet (asked by alice)" in " ".join(told["lines"]), told["lines"]

    _withdraw(world, asked)
    assert host.show("patient.service", "LoadState", "ActiveState") == {
        "LoadState": "loaded",
        "ActiveState": "deactivating",
    }
    host.run("systemctl", "kill", "--signal=KILL", "patient.service")
    done = world.until_final(asked)
    assert done.target.outcome is Outcome.CALLED_OFF, done.target.note
    assert world.card(done).startswith("WITHDRAWN, AS BEFORE")
    saw(world.card(done).partition("\n")[0])
    assert host.show("patient.service", "LoadState", "ActiveState") == {"LoadState": "loaded", "ActiveState": "active"}
    host.run("systemctl", "kill", "--signal=KILL", "patient.service")


def test_what_another_request_changed_during_a_slow_stop_is_not_laid_to_this_one(impatient_world: World) -> None:
    world, host = impatient_world, impatient_world.hosts["db-01"]
    put(host, "patient.service", PATIENT)
    asked = world.mask("patient", host="db-01")
    world.vote(asked)
    world.until(lambda: "still stopping" in card_of(world, asked), "a card that says what it waits for")
    beside = world.masked("tuned", host="db-01")
    assert beside.target.outcome is Outcome.PROVEN
    host.run("systemctl", "kill", "--signal=KILL", "patient.service")
    done = world.until_final(asked)
    assert (done.target.outcome, "tuned.service" in world.card(done)) == (Outcome.PROVEN, False), world.card(done)
    back = world.undo(done)
    assert back.target.outcome is Outcome.RESTORED, back.target.note
    world.undo(beside)
    host.run("systemctl", "kill", "--signal=KILL", "patient.service")


def test_a_stop_by_force_ends_what_is_never_killed_and_starts_by_itself(impatient_world: World) -> None:
    world, host = impatient_world, impatient_world.hosts["db-01"]
    host.write("/usr/lib/systemd/system/alarm.service", ALARM)
    put(host, "defiant.service", DEFIANT)
    mask = world.mask("defiant", host="db-01")
    world.vote(mask)
    mask = world.when(mask, lambda now: now.can_be_forced, "a slow stop")
    asked = world.desk.slow_stops.force(mask.id, caller(ALICE, "defiant"))
    card = world.card(world.until_answered(asked))
    for said_before in ("(SendSIGKILL=no)", "(KillMode=process)", "alarm.service may be started", "(ExecStopPost=)"):
        assert said_before in card

    done = world.approve(asked)
    assert done.target.outcome is Outcome.KILLED, done.target.note
    is_older = "systemd 252" in host.run("systemctl", "--version").stdout  # 257 kills ExecStopPost= too (measured)
    assert world.card(done).startswith("KILLED, STILL STOPPING" if is_older else "STOPPED BY FORCE")
    masked = world.until_final(mask)
    assert masked.target.outcome is Outcome.PROVEN, masked.target.note
    assert "by force, approved by bob" in world.card(masked)
    assert host.show("defiant.service", "LoadState", "Result", "NRestarts", "ControlGroup") == {
        "LoadState": "masked",
        "Result": "signal",
        "NRestarts": "0",
        "ControlGroup": "",
    }
    assert log_words(host) == (["post", "alarm"] if is_older else ["alarm"])
    assert [sent.step for sent in masked.target.sent] == ["probe", "stop", "link", "reload", "try-start"]


def _withdraw(world: World, asked: Request) -> None:
    """Whose it is withdraws it, once."""
    with pytest.raises(UsageError, match="Only alice"):
        world.desk.withdraw(asked.id, by=BOB.id)
    world.desk.withdraw(asked.id, by=ALICE.id)
    world.until(lambda: "it is started again once it is down" in card_of(world, asked), "the withdrawal on the card")
    with pytest.raises(UsageError, match="Too late"):
        world.desk.withdraw(asked.id, by=ALICE.id)


def test_a_host_that_was_away_during_a_slow_stop_is_waited_for_as_before(impatient_world: World) -> None:
    world, host = impatient_world, impatient_world.hosts["db-01"]
    put(host, "patient.service", PATIENT)
    asked = world.mask("patient", host="db-01")
    world.vote(asked)
    world.until(lambda: "still stopping" in card_of(world, asked), "a slow stop")
    cut_off(host)
    world.until(lambda: card_of(world, asked).startswith("NOT KNOWN YET"), "a card that says that nobody knows")
    let_in(host)
    world.until(lambda: "still stopping" in card_of(world, asked), "a slow stop, seen again")
    host.run("systemctl", "kill", "--signal=KILL", "patient.service")
    done = world.until_final(asked)
    assert done.target.outcome is Outcome.PROVEN, done.target.note
    assert [sent.step for sent in done.target.sent].count("stop") == 1


def test_what_is_unmasked_on_its_way_down_is_restored_once_it_is_down(impatient_world: World) -> None:
    world, host = impatient_world, impatient_world.hosts["web-01"]
    put(host, "leaving.service", DEAF)
    mask = world.masked("leaving", keep_running=True)
    host.run("systemctl", "stop", "--no-block", "leaving.service")
    undo = world.begin_undo(mask)
    world.until(lambda: "still stopping" in card_of(world, undo), "a card that says that it is still stopping")
    assert active(host, "leaving.service") == "deactivating"
    host.run("systemctl", "kill", "--signal=KILL", "leaving.service")
    done = world.until_final(undo)
    assert done.target.outcome is Outcome.RESTORED, done.target.note
    assert active(host, "leaving.service") == "active"
    host.run("systemctl", "kill", "--signal=KILL", "leaving.service")


def test_a_withdrawal_starts_what_may_be_started_only_once_in_a_while(impatient_world: World) -> None:
    world, host = impatient_world, impatient_world.hosts["db-01"]
    host.write("/run/may-stop", "")
    put(host, "seldom.service", SELDOM)
    # What nothing wants is unloaded at its stop, and its count is gone with it; a reload may reset it as well.
    for verb in ("enable", "stop", "reset-failed", "start"):
        host.run("systemctl", verb, "seldom.service")
    host.run("rm", "/run/may-stop")
    asked = world.mask("seldom", host="db-01")
    world.vote(asked)
    world.until(lambda: "still stopping" in card_of(world, asked), "a card that says what it waits for")
    _withdraw(world, asked)
    host.write("/run/may-stop", "")
    done = world.until_final(asked)
    assert done.target.outcome is Outcome.CALLED_OFF, done.target.note
    start = "start seldom.service"
    assert [sent.step for sent in done.target.sent][-3:] == [start, "reset-failed seldom.service", start]
    assert active(host, "seldom.service") == "active"


@pytest.mark.fault("F79", how="a real unit whose start waits for a file, half a second of patience")
def test_a_slow_start_is_said_to_go_on_until_it_is_up(impatient_world: World, saw: Callable[[str], str]) -> None:
    world, host = impatient_world, impatient_world.hosts["web-02"]
    host.write("/run/may-start", "")
    put(host, "slowstart.service", SLOW_START)
    mask = world.masked("slowstart", host="web-02")
    host.run("rm", "/run/may-start")
    undo = world.begin_undo(mask)
    world.until(lambda: "still starting" in card_of(world, undo), "a card that says that it is still starting")
    assert active(host, "slowstart.service") == "activating"
    saw(card_of(world, undo).partition("\n")[0])
    host.write("/run/may-start", "")
    done = world.until_final(undo)
    assert done.target.outcome is Outcome.RESTORED, done.target.note
    assert active(host, "slowstart.service") == "active"
    saw(world.card(done).partition("\n")[0])


def test_what_another_unit_keeps_up_is_stopped_once_that_is_masked(shared_world: World) -> None:
    host = shared_world.hosts["web-01"]
    put(host, "kept.service", "[Service]\nExecStart=/bin/sleep infinity\n", start=False)
    put(host, "keeper.service", "[Unit]\nUpholds=kept.service\n[Service]\nExecStart=/bin/sleep infinity\n")
    shared_world.until(lambda: active(host, "kept.service") == "active", "a unit that is kept up")
    refused = shared_world.mask("kept")
    assert refused.stage is Stage.REFUSED
    assert "kept up by keeper.service" in refused.because
    keeper = shared_world.masked("keeper")
    assert keeper.target.outcome is Outcome.PROVEN
    kept = shared_world.masked("kept")
    assert kept.target.outcome is Outcome.PROVEN
    assert active(host, "kept.service") == "inactive"


def test_what_takes_its_host_down_is_never_masked(shared_world: World) -> None:
    host = shared_world.hosts["web-01"]
    ways = ("SuccessAction=reboot-force", "OnSuccess=poweroff.target", "OnFailure=rescue.target")
    sleeps = "[Service]\nExecStart=/bin/sleep infinity\n"
    for number, ends in enumerate(ways):
        lethal = f"/usr/lib/systemd/system/lethal-{number}.service"
        host.write(lethal, f"[Unit]\n{ends}\n{sleeps}")
        host.write(f"/usr/lib/systemd/system/under-{number}.service", sleeps)
    names = [f"lethal-{number}.service" for number in range(len(ways))]
    bound = [f"under-{number}.service" for number in range(len(ways))]
    host.run("systemctl", "daemon-reload")
    host.run("systemctl", "start", *bound, *names)
    for number, ends in enumerate(ways):
        refused = shared_world.mask(f"lethal-{number}")
        assert refused.stage is Stage.REFUSED
        assert f"lethal-{number}.service has {ends}" in refused.because

    for number, name in enumerate(names):
        host.write(f"/run/systemd/system/{name}.d/under.conf", f"[Unit]\nBindsTo=under-{number}.service\n")
    host.run("systemctl", "daemon-reload")
    for number, ends in enumerate(ways):
        also = shared_world.mask(f"under-{number}")
        assert (also.stage, f"lethal-{number}.service has {ends}" in also.because) == (Stage.REFUSED, True)
    assert [active(host, name) for name in names] == ["active"] * len(names)
    for name in names:
        host.write(f"/usr/lib/systemd/system/{name}", sleeps)
    host.run("sh", "-c", f"systemctl daemon-reload; systemctl stop {' '.join(names)}")


def test_a_unit_that_reloads_is_stopped_once_that_is_over(shared_world: World) -> None:
    host = shared_world.hosts["web-02"]
    stop = SAYS.format(seconds=0, word="stopped")
    text = f"[Service]\nExecStart=/bin/sleep infinity\nExecReload=/bin/sleep 1\nExecStop={stop}\n"
    put(host, "rereading.service", text)

    def reload(call: Call) -> None:
        if call.verb == "probe":
            shared_world.wire.after.remove(reload)
            host.run("systemctl", "reload", "--no-block", "rereading.service")

    asked = shared_world.mask("rereading", host="web-02")
    shared_world.wire.after.append(reload)
    done = shared_world.approve(asked)
    assert done.target.outcome is Outcome.PROVEN, done.target.note
    assert log_words(host) == ["stopped"]


def test_a_process_that_survives_its_unit_is_not_said_to_be_stopped(shared_world: World) -> None:
    host = shared_world.hosts["db-01"]
    host.run("systemctl", "start", "unkillable.service")
    done = shared_world.masked("unkillable", host="db-01")
    assert "sleep infinity" in host.run("systemd-cgls", "--no-pager", "--unit", "unkillable.service").stdout
    assert "by force" not in shared_world.card(done)
    assert "Processes that it started are still running" in shared_world.card(done)
    host.run("systemctl", "kill", "--signal=KILL", "unkillable.service")


@pytest.mark.fault("F23", how="a socket that is hit between stop and mask")
def test_what_its_socket_starts_again_is_stopped_again(shared_world: World, saw: Callable[[str], str]) -> None:
    host = shared_world.hosts["web-02"]
    host.run("perl", "-e", TALK)
    first = [True]

    def connect(call: Call) -> None:
        if call.verb == "stop" and call.unit == "echo.service" and first:
            first.pop()
            shared_world.until(lambda: active(host, "echo.service") == "inactive", "the first stop")
            host.run("perl", "-e", TALK)

    shared_world.wire.after.append(connect)
    done = shared_world.masked("echo", host="web-02")
    shared_world.wire.after.remove(connect)
    assert done.target.outcome is Outcome.PROVEN, (done.stage, done.because)
    assert [sent.step for sent in done.target.sent].count("stop") == 2
    saw(f"{shared_world.card(done).partition(chr(10))[0]}, stopped twice")
    assert host.show("echo.service", "LoadState", "ActiveState") == {"LoadState": "masked", "ActiveState": "inactive"}


def test_what_starts_right_after_the_link_is_stopped_with_its_own_settings(shared_world: World) -> None:
    host = shared_world.hosts["web-01"]
    put(host, "phases.service", PHASES)
    host.write(MAY_END, "")
    host.run("systemctl", "add-wants", "multi-user.target", "phases.service")  # what nothing wants is not kept loaded
    first = [True]

    def start(call: Call) -> None:
        if call.verb == "mask" and call.unit == "phases.service" and first:
            first.pop()
            host.run("systemctl", "start", "phases.service")
            host.run("systemctl", "daemon-reload")

    shared_world.wire.after.append(start)
    done = shared_world.masked("phases")
    shared_world.wire.after.remove(start)
    assert done.target.outcome is Outcome.PROVEN, done.target.note
    steps = [sent.step for sent in done.target.sent]
    assert steps[3:] == ["unlink persistent", "reload", "stop", "link", "reload", "try-start"]
    assert log_words(host) == ["one", "two", "three", "main", "post"] * 2
    assert shared_world.undo(done).target.outcome is Outcome.RESTORED


@pytest.mark.fault("F23", how="a socket that is hit after every stop")
def test_what_its_socket_always_starts_again_is_said_to_run(shared_world: World) -> None:
    host = shared_world.hosts["db-01"]
    host.run("perl", "-e", TALK)

    def connect(call: Call) -> None:
        if call.verb == "stop" and call.unit == "echo.service":
            shared_world.until(lambda: active(host, "echo.service") == "inactive", "a stop")
            host.run("perl", "-e", TALK)

    shared_world.wire.after.append(connect)
    done = shared_world.masked("echo", host="db-01")
    shared_world.wire.after.remove(connect)
    assert done.stage is Stage.DONE, done.because
    assert done.target.outcome is Outcome.MASKED_RESTARTED
    card = shared_world.card(done)
    assert card.startswith("MASKED, RESTARTED BY ITS SOCKET")
    assert host.show("echo.service", "LoadState", "ActiveState") == {"LoadState": "masked", "ActiveState": "active"}
    assert "systemctl stop echo.service, on db-01" in card
    host.run("systemctl", "stop", "echo.service")
    host.run("perl", "-e", TALK)
    assert active(host, "echo.service") == "inactive"
