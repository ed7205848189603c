"""The situations that people get cards about, each by what is special in it."""

from dataclasses import replace
from datetime import datetime, timedelta

from bot.core.people.identity import ITSELF, Shift
from bot.core.requests import (
    Aftercare,
    Cause,
    Duration,
    Extension,
    ExtraApprovalReason,
    Forced,
    Hold,
    HoldState,
    KillSwitch,
    Loss,
    NewKind,
    Outcome,
    Paging,
    Request,
    Route,
    ScheduledWindow,
    SeenDrift,
    Sent,
    SlowWait,
    Stage,
    Tally,
    Verb,
    Verdict,
)
from bot.core.systemd.side_effects import ElapseBase, SideEffects
from bot.core.systemd.unit_files import NOT_KNOWN
from bot.core.systemd.units import ActiveState, FileKind, Layer, Snapshot, UnitName
from tests.core.cards.situations import (
    ALICE,
    BOB,
    CAROL,
    NOW,
    SENT,
    approval,
    around,
    change,
    finished,
    handed,
    layers,
    masked,
    of_deploy,
    off_record,
    proven,
    related_unit,
    running,
    signed_off,
    stopped,
    talked,
    under_way,
    vote,
    waiting,
    with_break_glass,
)

INFINITE = 2**64 - 1

SOCKET = related_unit("worker.socket", sub="listening")
DEAD_SOCKET = related_unit("worker.socket", ActiveState.FAILED, "failed")
BUSY = running(
    restarts=7,
    around=around(
        would_stop=(
            related_unit("worker-metrics.service"),
            related_unit("worker-report.service", ActiveState.INACTIVE, "dead"),
        ),
        triggers=(
            SOCKET,
            related_unit("worker.timer", sub="waiting"),
            related_unit("worker.path", ActiveState.INACTIVE, "dead"),
        ),
        members=(related_unit("worker@1.service"),),
        pending_reload=("nginx.service",),
        is_edited=True,
        counted_anew=("beat.timer",),
        copies=("cron-too.service",),
        pending_besides=12,
        drop_ins=(("/etc/systemd/system/worker.service.d/secret.conf", f"{NOT_KNOWN}: 17 bytes, file 5:1.0"),),
    ),
)
ALIASED = running(
    "ssh.service",
    asked=UnitName("sshd" + ".service"),
    names=frozenset({"ssh.service", "sshd.service", "openssh.service"}),
)
LOCAL = running(
    "app.service", fragment="/etc/systemd/system/app.service", layers=layers("app.service", persistent=FileKind.FILE)
)


ON_CALL = (Shift(BOB, NOW + timedelta(hours=9), "bob <!here>"), Shift(CAROL))


def guarded() -> Request:
    request = waiting(
        approval=approval(rule="prod guarded", need=2, groups=("sre", "@dba"), guarded="it carries the mail")
    )
    return replace(request, votes=(vote(), vote(CAROL, tally=Tally.RECORDED)))


def distinct(*groups: str) -> Request:
    """Two approvals from different groups are asked for; each who voted is in these."""
    request = waiting(approval=approval(need=2, groups=("sre", "dba"), distinct=True))
    voters = (BOB, CAROL)[: len(groups)]
    votes = tuple(vote(voter, groups=tuple(held.split())) for voter, held in zip(voters, groups, strict=True))
    return replace(request, votes=votes)


def asked_anew() -> Request:
    return replace(guarded(), changed_since=("its unit file: 3fa9c1d2 → 77aa01bc",), approval=approval(need=4))


def through_control() -> Request:
    return waiting(LOCAL, change("app.service")).on_target(layer=Layer.CONTROL)


def user_unit() -> Request:
    return waiting(stopped(file_state="", restarts=1), change(user="deploy", runtime=True))


def unmask(seen: Snapshot | None = None, *, undoes: str = "") -> Request:
    request = waiting(seen or masked(), change(verb=Verb.UNMASK))
    return replace(request, ask=replace(request.ask, undoes=undoes, reason=""))


def adopting(request: Request) -> Request:
    """The same for a mask that somebody made by hand."""
    wanted = change(adopt=True, duration=Duration(lasts=timedelta(days=7)))
    return replace(request, ask=replace(request.ask, change=wanted)).on_target(adopted=True, sent=())


def lifting() -> Request:
    """An undo that people are asked about, with what it starts."""
    return unmask(undoes="r0").on_target(starts=("worker.socket", "worker.service", "worker-metrics.service"))


def kept_running(unit: str = "worker.service", **seen: object) -> Request:
    return waiting(running(unit, **seen), change(unit, keep_running=True))


def ended(stage: Stage, because: str = "", **changes: object) -> Request:
    return replace(waiting(), stage=stage, because=because, finished_at=NOW, **changes)  # type: ignore[arg-type]


NO_LOGIN = "web-01: the login was refused."


def ending(**changes: object) -> Request:
    """A proven mask that ends by itself."""
    aftercare = Aftercare(expires_at=NOW + timedelta(hours=2), approved_until=NOW + timedelta(hours=2))
    return replace(proven(), aftercare=replace(aftercare, **changes))  # type: ignore[arg-type]


def extending(request: Request, until: datetime | None = None) -> Request:
    """The same for a mask that is there already and would end in two hours."""
    ask, duration = request.ask, Duration(until=until) if until else None
    expires_at = NOW + timedelta(hours=2)
    wanted = replace(ask, change=replace(ask.change, duration=duration), extends="r0", instead_of=expires_at)
    return replace(request, ask=wanted)


def turning(request: Request, kind: NewKind) -> Request:
    """The same for a mask without expiry that gets one, becomes a hold, or stays as it is."""
    ask, hold = request.ask, Hold("sre", NOW + timedelta(days=90)) if kind is NewKind.HELD else None
    duration = Duration(until=NOW + timedelta(hours=4)) if kind is NewKind.ENDING else None
    again = NOW + timedelta(days=7) if kind is NewKind.LOOKED_AT else None
    wanted = replace(ask.change, duration=duration, hold=hold)
    return replace(request, ask=replace(ask, change=wanted, extends="r0", new_kind=kind, remind_at=again))


def turned(kind: NewKind, until: datetime | None = None, reason: str = "INC-4711") -> Request:
    """A mask of ours after that."""
    again = NOW + timedelta(days=7) if kind is NewKind.LOOKED_AT else None
    by = Extension("r1", ALICE, "alice", NOW, until, reason, new_kind=kind, remind_at=again)
    held = HoldState(made_later=Hold("sre", until)) if kind is NewKind.HELD and until else HoldState()
    expires_at = until if kind is NewKind.ENDING else None
    mask = replace(proven(), hold_state=held, undo_until=None if held.made_later else proven().undo_until)
    return replace(mask, aftercare=Aftercare(expires_at=expires_at, extensions=(by,)))


def with_hold(request: Request, **history: object) -> Request:
    """The same, held by @sre for three months."""
    hold = Hold("sre", NOW + timedelta(days=90))
    change = replace(request.ask.change, hold=hold)
    return replace(request, ask=replace(request.ask, change=change), undo_until=None, hold_state=HoldState(**history))  # type: ignore[arg-type]


def review(request: Request) -> Request:
    """The same for a hold that is there already and goes on."""
    return replace(request, ask=replace(with_hold(request).ask, extends="r0", instead_of=NOW))


def came_by_itself(request: Request) -> Request:
    """Nobody asked for it, and nobody voted."""
    undoes = "r0" if request.ask.change.verb is Verb.UNMASK else ""
    ask = replace(
        request.ask, requester=ITSELF, requester_name="maskbot", reason="runaway job", by_itself=True, undoes=undoes
    )
    return replace(request, ask=ask, votes=(), because="time is up. Undone automatically, as approved")


def sent(step: str, ago: float = 1) -> Sent:
    return Sent(step, ("systemctl", step), NOW - timedelta(seconds=ago))


def after(outcome: Outcome, **seen: object) -> Request:
    """A change that went wrong halfway."""
    return finished(outcome, running(**seen), sent=SENT[:3], note="Failed to reload daemon: <refused>")  # type: ignore[arg-type]


TONIGHT = ScheduledWindow(NOW + timedelta(hours=19), NOW + timedelta(hours=20))
OPEN = ScheduledWindow(NOW - timedelta(minutes=10), NOW + timedelta(minutes=50))


def slow(**target: object) -> Request:
    """A mask of a unit that has been stopping for a while."""
    sending = {"sent": (sent("stop", 40),)} | target
    return under_way(waiting=SlowWait(NOW - timedelta(seconds=30), NOW), **sending)


def by_force(seen: Snapshot | None = None, **changes: object) -> Request:
    """A stop by force that is asked for, of a unit that has been stopping for a while."""
    stopping = seen or running(active=ActiveState.DEACTIVATING, sub="stop-sigterm")
    request = waiting(stopping, change(force=True))
    return replace(request, ask=replace(request.ask, forces="r0"), **changes)  # type: ignore[arg-type]


def killed(outcome: Outcome, after: Snapshot, note: str = "") -> Request:
    """What became of it."""
    stopping = running(active=ActiveState.DEACTIVATING, sub="stop-sigterm")
    request = finished(outcome, after, planned=stopping, before=stopping, sent=(sent("kill"),), note=note)
    return replace(request, ask=by_force().ask, undo_until=None)


FORCED = Forced("r9", NOW - timedelta(seconds=20), ("bob",))
DATABASE = running(
    active=ActiveState.DEACTIVATING,
    sub="stop",
    stop_command=(1, 2),
    kill_mode="process",
    spared=True,
    side_effects=SideEffects(stop_starts=("alarm.service",)),
)
HABITS = SideEffects(
    is_frozen=True,
    stop_starts=("alarm.service",),
    conflicts=("shutdown.target", "rival.service"),
    is_persistent=True,
    turn=ElapseBase.MONOTONIC,
)
WAITING = {
    "what its stop and its start bring about": waiting(running(side_effects=HABITS, twins=("worker-twin.service",))),
    "left running, and none of that": waiting(running(side_effects=HABITS), change(keep_running=True)),
    "a stop by force": by_force(),
    "a stop by force, of a database in its stop command": by_force(DATABASE),
    "a stop by force, of what runs after its stop": by_force(
        running(active=ActiveState.DEACTIVATING, sub="stop-post", stop_command=(1, 1), kill_mode="none")
    ),
    "a stop by force, of what went down while it was asked for": by_force(stopped()),
    "a stop by force that was not checked yet": replace(by_force(), stage=Stage.ASKED).on_target(
        planned=None, before=None
    ),
    "a stop by force, approved": by_force(stage=Stage.APPROVED, votes=(vote(),), act_by=NOW + timedelta(minutes=10)),
    "an ordinary unit": waiting(),
    "many related units": waiting(BUSY),
    "two approvals, one there, one being checked, and a tick": guarded(),
    "each approval needs a code": waiting(approval=approval(step_up=True)),
    "two approvals from different groups": distinct(),
    "two from different groups, one is there": distinct("sre dba"),
    "two from different groups, and both came from one": distinct("sre", "sre"),
    "somebody is mentioned": replace(waiting(), route=Route(mentions=("S0SRE", "UCAROL", "nobody"))),
    "approved, and nobody is mentioned any more": replace(
        waiting(), stage=Stage.APPROVED, votes=(vote(),), route=Route(mentions=("S0SRE",))
    ),
    "somebody is on call": waiting(approval=approval(groups=("on-call",), on_call=ON_CALL)),
    "asked anew": asked_anew(),
    "configuration management works there": waiting(running(around=around(agents=("ansible-pull", "puppet")))),
    "another name": waiting(ALIASED, change("sshd.service")),
    "a unit of the administrator's own": through_control(),
    "of its related units nothing is known": waiting(running(around=None)),
    "a user's unit, stopped, until the next reboot": user_unit(),
    "kept running": kept_running(),
    "kept running, with a watchdog": kept_running(watchdog_usec=180_000_000, notify_access="main"),
    "two hours": waiting(wanted=change(duration=Duration(lasts=timedelta(hours=2)))),
    "until six, and it does not run": waiting(stopped(), change(duration=Duration(until=NOW + timedelta(hours=3)))),
    "a socket kept running": kept_running("worker.socket", around=around(starts=(related_unit("worker.service"),))),
    "no limit for stopping": waiting(running(timeout_stop_usec=INFINITE)),
    "failed, and about to be started": waiting(
        running(active=ActiveState.FAILED, sub="failed", result="exit-code", pending_job="42 start")
    ),
    "in a crash loop": waiting(running(active=ActiveState.ACTIVATING, sub="auto-restart", restarts=1)),
    "in the middle of its run": waiting(running(active=ActiveState.ACTIVATING, sub="start")),
    "started by something unusual": waiting(
        running(around=around(triggers=(related_unit("data.automount", sub="waiting"),)), refuse_manual_start=True)
    ),
    "a mask that systemd has not read": waiting(running(layers=layers("worker.service", Layer.PERSISTENT))),
    "undoing our mask": unmask(undoes="r1"),
    "undoing our mask, with what starts again": lifting(),
    "adopting a mask": adopting(waiting(masked(around=around(counted_anew=("beat.timer",))))),  # it reloads nothing
    "down, and its end may take the host down": waiting(stopped(actions=("SuccessAction=reboot-force",))),
    "removing somebody else's mask": unmask(),
    "removing a mask that is not on record": unmask(off_record()),
    "removing a mask that is not on record, of what did not run": unmask(off_record(ran=False)),
    "removing what is not there": waiting(running(), change(verb=Verb.UNMASK)),
    "in a freeze, outside of a window, beyond a limit": waiting(
        approval=approval(
            need=3,
            groups=("lead",),
            raised=(
                ExtraApprovalReason("freeze", "change freeze year-end (the books are closed)", NOW + timedelta(days=2)),
                ExtraApprovalReason(
                    "outside_window", "outside the maintenance window nights", NOW + timedelta(hours=18)
                ),
                ExtraApprovalReason("outside_window", "outside the maintenance window nights"),
                ExtraApprovalReason("blast_radius", "4 hosts within 10 minutes, 3 allowed"),
            ),
        )
    ),
    "new masks are stopped": replace(waiting(), kill_switch=KillSwitch(BOB, "bob", "it masks the wrong hosts", NOW)),
    "without a reason": replace(waiting(), ask=replace(waiting().ask, reason="")),
    "not checked yet": replace(waiting(), stage=Stage.ASKED).on_target(planned=None, before=None),
    "handed over": handed(waiting()),
    "somebody wants to know more": talked("is the replica healthy <!here>?"),
    "and got an answer": talked("is the replica healthy?", "yes, 2 s behind"),
    "nobody had to be asked": with_break_glass(
        replace(waiting(), stage=Stage.APPROVED, act_by=NOW + timedelta(minutes=10), because="carol used break-glass")
    ),
    "break-glass, but asked again since": with_break_glass(
        replace(waiting(), changed_since=("its unit file: 3fa9c1d2 → 77aa01bc",)), digest="another"
    ),
    "with days to decide": replace(waiting(), approval=approval(approve_by=NOW + timedelta(days=2, hours=3))),
    "approved": replace(waiting(), stage=Stage.APPROVED, votes=(vote(),), act_by=NOW + timedelta(minutes=10)),
    "a later end": extending(waiting(), until=NOW + timedelta(hours=4)),
    "a later end, approved": extending(
        replace(waiting(), stage=Stage.APPROVED, votes=(vote(),), act_by=NOW + timedelta(minutes=10)),
        until=NOW + timedelta(hours=4),
    ),
    "no end any more": extending(waiting()),
    "a first end": turning(waiting(), NewKind.ENDING),
    "it becomes a hold": turning(waiting(), NewKind.HELD),
    "a mask that expires becomes a hold": replace(
        waiting(), ask=replace(turning(waiting(), NewKind.HELD).ask, instead_of=NOW + timedelta(hours=2))
    ),
    "no end, and looked at again": turning(waiting(), NewKind.LOOKED_AT),
    "no end any more, of a mask whose end is not known": replace(
        waiting(), ask=replace(extending(waiting()).ask, instead_of=None)
    ),
    "a hold": with_hold(waiting()),
    "a hold of a unit that is down": with_hold(waiting(stopped())),
    "a hold, approved, and its host away": with_hold(
        replace(
            waiting().on_target(note="web-01 does not answer."),
            stage=Stage.APPROVED,
            votes=(vote(),),
            act_by=NOW + timedelta(days=90),
        )
    ),
    "a hold that is kept": review(replace(waiting(), stage=Stage.APPROVED, approval=None, because="@sre reviewed it")),
    "its end has come": came_by_itself(
        replace(unmask(undoes="r1"), stage=Stage.APPROVED, approval=None, approved_at=NOW, act_by=None)
    ),
    "asked for a time": replace(
        waiting(wanted=change(scheduled_window=TONIGHT)), approval=approval(approve_by=TONIGHT.opens)
    ),
    "approved for its window": replace(
        waiting(wanted=change(scheduled_window=TONIGHT)), stage=Stage.APPROVED, votes=(vote(),), act_by=TONIGHT.closes
    ),
    "its window is open, and its host away": replace(
        waiting(wanted=change(scheduled_window=OPEN)).on_target(note="web-01 does not answer."),
        stage=Stage.APPROVED,
        votes=(vote(),),
        act_by=OPEN.closes,
    ),
    "approved without anybody's approval": replace(
        waiting(), stage=Stage.APPROVED, approval=None, because="undo of our own mask"
    ),
}
RUNNING = {
    "before the first step": under_way(),
    "the link": under_way(sent=(sent("link"),)),
    "a long stop": under_way(
        sent=(sent("stop", 14),), last_seen=running(active=ActiveState.DEACTIVATING, sub="stop-sigterm")
    ),
    "a slow stop, in its second command": slow(
        last_seen=running(active=ActiveState.DEACTIVATING, sub="stop", stop_command=(2, 3))
    ),
    "a slow stop, in its command after it": slow(
        last_seen=running(active=ActiveState.DEACTIVATING, sub="stop-post", stop_command=(1, 1))
    ),
    "a slow stop, SIGKILL was sent": slow(
        forced=FORCED, last_seen=running(active=ActiveState.DEACTIVATING, sub="stop-post", stop_command=(1, 1))
    ),
    "a slow stop, SIGKILL was sent without approval": slow(
        forced=replace(FORCED, approvers=()), last_seen=running(active=ActiveState.DEACTIVATING, sub="stop-post")
    ),
    "a slow stop, SIGKILL was sent by who used break-glass": slow(
        forced=replace(FORCED, approvers=(), break_glass_by="carol"),
        last_seen=running(active=ActiveState.DEACTIVATING, sub="stop-post"),
    ),
    "a stop by force, under way": replace(under_way(sent=(sent("kill"),)), ask=by_force().ask),
    "a slow stop of another kind": slow(last_seen=running(active=ActiveState.DEACTIVATING, sub="deactivating")),
    "a stop that waits for its turn": slow(last_seen=running(pending_job="7")),
    "a reload that is waited for": slow(sent=(), last_seen=running(active=ActiveState.RELOADING, sub="reload")),
    "a slow stop, withdrawn": slow(
        called_off=NOW, last_seen=running(active=ActiveState.DEACTIVATING, sub="final-sigterm")
    ),
    "a slow stop without a limit": slow(
        before=running(timeout_stop_usec=INFINITE), last_seen=running(active=ActiveState.DEACTIVATING, sub="stop")
    ),
    "a slow stop whose limit is not known": slow(before=None, last_seen=running(active=ActiveState.DEACTIVATING)),
    "a slow stop that nobody checked since": slow(last_seen=None),
    "a slow start": replace(
        slow(sent=(sent("start worker.service", 140),), last_seen=running(active=ActiveState.ACTIVATING, sub="start")),
        ask=replace(waiting().ask, change=change(verb=Verb.UNMASK)),
    ),
    "a stop without a limit": under_way(sent=(sent("stop", 300),), before=running(timeout_stop_usec=INFINITE)),
    "a stop whose limit is not known": under_way(sent=(sent("stop", 9000),), before=running(timeout_stop_usec=0)),
    "a stop of what was never checked": under_way(sent=(sent("stop"),), before=None),
    "a reload that takes long": under_way(sent=(sent("reload", 5),)),
    "starting a related unit": replace(
        under_way(sent=(sent("start worker.socket"),)), ask=replace(waiting().ask, change=change(verb=Verb.UNMASK))
    ),
    "removing the link, nobody had to approve": replace(
        under_way(sent=(sent("unlink persistent"),)), votes=(), because="the undo of our own mask"
    ),
    "nobody had to approve, and nobody says why": replace(under_way(), votes=(), because=""),
    "no approval on record": replace(under_way(), votes=(), approved_at=None),
    "break-glass was used": with_break_glass(under_way()),
}
DONE = {
    "proven, and others came and went meanwhile": proven(
        before=running(around=around(up=("worker.service", "helper.service", "cron.service"))),
        after=masked(around=around(up=("cron.service", "alarm.service")), twins=("worker-twin.service",)),
    ),
    "the end of a mask until the next reboot is found at its undo": replace(
        finished(Outcome.UNMASKED, running(), verb=Verb.UNMASK),
        ask=replace(unmask(undoes="r1").ask),
    ),
    "proven": proven(),
    "proven, with related units": proven(
        before=BUSY,
        after=masked(
            around=around(
                would_stop=(related_unit("worker-metrics.service", ActiveState.INACTIVE, "dead"),),
                triggers=(DEAD_SOCKET,),
            )
        ),
    ),
    "proven, a related unit was not checked": proven(before=BUSY, after=masked()),
    "proven, by properties alone": proven(sent=SENT[:3]),
    "proven, with a note": proven(note="Failed since: other.service."),
    "proven, stopped by force": proven(after=masked(result="timeout"), before=running(timeout_stop_usec=4_000_000)),
    "proven, stopped by force as people approved": proven(
        after=masked(active=ActiveState.FAILED, sub="failed", result="signal"), forced=FORCED
    ),
    "killed": killed(Outcome.KILLED, stopped(active=ActiveState.FAILED, sub="failed", result="signal")),
    "killed, and its commands after the stop run": killed(
        Outcome.KILLED, running(active=ActiveState.DEACTIVATING, sub="stop-post"), "SIGKILL was sent."
    ),
    "not killed, since it had stopped by itself": killed(Outcome.NO_CHANGE, stopped(), "It had stopped by itself."),
    "proven, its own stop did not run": proven(settings_lost=True, after=masked(around=None)),
    "proven, but things had changed since asking": proven(
        planned=stopped(around=around(boot_id="b-1")),
        before=running(timeout_stop_usec=0),
        last_seen=masked(result="timeout"),
    ),
    "proven, and handed over since": handed(proven()),
    "proven, and somebody used break-glass": with_break_glass(proven()),
    "proven, break-glass and signed off": signed_off(proven(), "no harm done, page me next time"),
    "proven, break-glass and signed off without a word": signed_off(proven()),
    "proven, break-glass although somebody had approved": replace(
        with_break_glass(proven(), need=2, have=1, groups=("sre", "dba")), votes=(vote(),)
    ),
    "break-glass, stopped but not masked": with_break_glass(
        after(Outcome.NOT_PROTECTED, active=ActiveState.INACTIVE, sub="dead")
    ),
    "break-glass, stopped but not masked, and done by a later request": replace(
        with_break_glass(after(Outcome.NOT_PROTECTED)), repeated_by="r2"
    ),
    "proven, left running": finished(
        Outcome.PROVEN, masked(active=ActiveState.ACTIVE, sub="running", main_pid=4711), sent=SENT[:1]
    ),
    "proven, until the next reboot": replace(
        finished(Outcome.PROVEN, masked(layer=Layer.RUNTIME)), ask=replace(waiting().ask, change=change(runtime=True))
    ),
    "proven, and it ends": ending(),
    "proven, and its end is overdue": ending(
        overdue="web-01 does not answer.", try_at=NOW + timedelta(minutes=5), undo_request="r2"
    ),
    "proven, and the bot cannot log in again": ending(expires_at=NOW, no_login=NO_LOGIN),
    "proven, and undone since the bot could not log in again": replace(
        ending(expires_at=NOW, no_login=NO_LOGIN, undo_request="r2"), undone_by="r2", undone_at=NOW
    ),
    "proven, overdue, being undone": ending(overdue="Another request about this mask is still running."),
    "proven, its end put off": ending(
        extensions=(
            Extension("r3", CAROL, "carol", NOW, NOW + timedelta(hours=1)),
            Extension("r4", ALICE, "alice", NOW, NOW + timedelta(hours=2), "the deploy <takes> longer"),
        )
    ),
    "proven, and kept": ending(
        expires_at=None, extensions=(Extension("r5", ALICE, "alice", NOW, None, "it must never run here"),)
    ),
    "held": with_hold(proven()),
    "held, and taken off": with_hold(
        proven(), loss=Loss.REMOVED, loss_seen_at=NOW, suspects=("puppet",), try_at=NOW + timedelta(seconds=5)
    ),
    "held, taken off again and again": with_hold(
        proven(),
        loss=Loss.REMOVED,
        reapplied_at=(NOW, NOW, NOW),
        why="The bot masked it again 3 times recently and pauses now.",
    ),
    "held, and lifted by our own doing": with_hold(proven(), loss=Loss.UNDONE, loss_seen_at=NOW),
    "held, and somebody made the mask anew": with_hold(proven(), loss=Loss.REPLACED, loss_seen_at=NOW),
    "held, put back and kept": replace(
        with_hold(proven(), reapplied_at=(NOW,)),
        aftercare=Aftercare(
            extensions=(
                Extension("r5", BOB, "bob", NOW, NOW + timedelta(days=60)),
                Extension("r6", CAROL, "carol", NOW, NOW + timedelta(days=90), "the investigation <goes> on"),
            )
        ),
    ),
    "held, and kept without a word": replace(
        with_hold(proven()),
        aftercare=Aftercare(extensions=(Extension("r5", BOB, "bob", NOW, NOW + timedelta(days=60)),)),
    ),
    "held with many, by a card of its own": replace(
        with_hold(proven()), ask=replace(with_hold(proven()).ask, rollout="r0")
    ),
    "a hold is put back": replace(
        came_by_itself(with_hold(proven())),
        ask=replace(came_by_itself(with_hold(proven())).ask, requester=ALICE, requester_name="alice", repeats="r0"),
        because="approved with the hold",
    ),
    "a hold was kept": review(replace(finished(Outcome.EXTENDED, None, sent=()), votes=(), because="@sre reviewed it")),
    "proven long ago": replace(proven(), undo_until=NOW),
    "still running": finished(
        Outcome.MASKED_RUNNING,
        masked(active=ActiveState.DEACTIVATING, sub="stop-sigterm"),
        note="It did not stop within its stop timeout.",
    ),
    "restarted by its socket": finished(
        Outcome.MASKED_RESTARTED,
        masked(active=ActiveState.ACTIVE, sub="running"),
        before=running(around=around(triggers=(SOCKET,))),
        note="Something started it again before the mask was loaded.",
    ),
    "restarted by nobody knows what": finished(
        Outcome.MASKED_RESTARTED, masked(active=ActiveState.ACTIVE), before=None
    ),
    "stopped but not masked": after(Outcome.NOT_PROTECTED, active=ActiveState.INACTIVE, sub="dead"),
    "not masked, and it runs": replace(after(Outcome.NOT_PROTECTED), act_by=None),
    "not loaded": after(Outcome.NOT_LOADED),
    "a start that was not refused": finished(
        Outcome.NOT_PROTECTED,
        stopped(),
        sent=(*SENT[:3], replace(SENT[3], exit_code=0)),
        note="A start was not refused.",
    ),
    "not masked, and on its way down": finished(Outcome.NOT_PROTECTED, running(active=ActiveState.DEACTIVATING)),
    "withdrawn halfway": finished(Outcome.CALLED_OFF, running(), sent=SENT[:2]),
    "withdrawn before it was told to stop": finished(Outcome.CALLED_OFF, running(), sent=()),
    "withdrawn halfway, in part": finished(
        Outcome.CALLED_OFF_PARTLY, stopped(), sent=SENT[:2], note="It was active and is failed now"
    ),
    "failed, after a transfer": handed(finished(Outcome.FAILED, None)),
    "failed": finished(Outcome.FAILED, None, note="Failed to mask unit: Read-only file system"),
    "no change": finished(Outcome.NO_CHANGE, masked(), note="The unit was already masked when the bot came to it."),
    "restored": finished(Outcome.RESTORED, running(), Verb.UNMASK, planned=masked(), before=masked(), sent=SENT[:1]),
    "restored in part": finished(
        Outcome.RESTORED_PARTLY,
        stopped(),
        Verb.UNMASK,
        before=masked(),
        note="It was active and is failed now",
        sent=SENT[:1],
    ),
    "a foreign mask is gone": finished(
        Outcome.UNMASKED, stopped(), Verb.UNMASK, planned=masked(), before=masked(), sent=SENT[:1]
    ),
    "not ours": finished(
        Outcome.NOT_OURS,
        masked(),
        Verb.UNMASK,
        planned=masked(),
        before=masked(),
        sent=(),
        note="Somebody replaced the mask.",
    ),
    "restored, and another layer masks it still": finished(
        Outcome.RESTORED,
        masked(layer=Layer.RUNTIME),
        Verb.UNMASK,
        planned=masked(),
        before=masked(),
        sent=SENT[:1],
    ),
    "a foreign mask removed, and its package masks it still": finished(
        Outcome.UNMASKED,
        masked(layers=layers("worker.service")),
        Verb.UNMASK,
        planned=masked(),
        before=masked(),
        sent=SENT[:1],
    ),
    "its end came": came_by_itself(finished(Outcome.RESTORED, running(), Verb.UNMASK, before=masked(), sent=SENT[:1])),
    "its end came, and it was not ours": came_by_itself(
        finished(Outcome.NOT_OURS, masked(), Verb.UNMASK, before=masked(), sent=(), note="Somebody made it again.")
    ),
    "extended": extending(finished(Outcome.EXTENDED, None, sent=()), until=NOW + timedelta(hours=4)),
    "extended without approval": replace(
        extending(finished(Outcome.EXTENDED, None, sent=()), until=NOW + timedelta(hours=4)), votes=(), approval=None
    ),
    "kept": extending(finished(Outcome.EXTENDED, None, sent=())),
    "adopted": replace(
        adopting(finished(Outcome.PROVEN, masked())),
        undo_until=None,
        aftercare=Aftercare(expires_at=NOW + timedelta(days=7)),
    ).on_target(planned=masked(), before=masked()),
    "adopted, and not on record": replace(
        adopting(finished(Outcome.PROVEN, masked())),
        undo_until=None,
        aftercare=Aftercare(expires_at=NOW + timedelta(days=7)),
    ).on_target(planned=off_record(), before=off_record()),
    "a mask that is not on record is removed": finished(
        Outcome.UNMASKED, stopped(), Verb.UNMASK, planned=off_record(), before=off_record(), sent=SENT[:1]
    ),
    "a mask that is not on record is removed, of what did not run": finished(
        Outcome.UNMASKED, stopped(), Verb.UNMASK, planned=masked(), before=off_record(ran=False), sent=SENT[:1]
    ),
    "a mask is removed, and nobody looked before": finished(
        Outcome.UNMASKED, stopped(), Verb.UNMASK, planned=masked(), before=None, sent=SENT[:1]
    ),
    "an adopted mask is removed": replace(
        finished(Outcome.UNMASKED, stopped(), Verb.UNMASK, sent=(Sent("unlink persistent", ("u",), NOW, 0),)),
        ask=unmask(undoes="r1").ask,
    ).on_target(planned=masked(), before=masked()),
    "given a first end": replace(
        turning(finished(Outcome.EXTENDED, None, sent=()), NewKind.ENDING),
        votes=(),
        approval=None,
        because="it only gets an expiry",
    ),
    "made a hold": turning(finished(Outcome.EXTENDED, None, sent=()), NewKind.HELD),
    "looked at again": replace(
        turning(finished(Outcome.EXTENDED, None, sent=()), NewKind.LOOKED_AT),
        votes=(),
        approval=None,
        because="it stays as it was approved, and its owner is reminded again",
    ),
    "proven, and given a first end": turned(NewKind.ENDING, NOW + timedelta(hours=4)),
    "proven, and made a hold": turned(NewKind.HELD, NOW + timedelta(days=90)),
    "proven, and looked at again": turned(NewKind.LOOKED_AT),
    "undone": replace(proven(), undone_by="r2", undone_at=NOW),
    "undone, as an older version noted it": replace(proven(), undone_by="r2"),
    "our mask is gone": replace(proven(), undone_by="r2", was_gone=True),
    "our mask is gone, and would have ended": replace(ending(), undone_by="r2", was_gone=True),
    "it ended by itself": replace(ending(undo_request="r2"), undone_by="r2", undone_at=NOW),
    "our mask is gone, and nobody undid it": replace(proven(), drift=SeenDrift(Loss.REMOVED, NOW, ("puppet",))),
    "our mask is gone, by our own doing": replace(proven(), drift=SeenDrift(Loss.UNDONE, NOW)),
    "our mask was replaced": replace(proven(), drift=SeenDrift(Loss.REPLACED, NOW)),
    "our mask ended with a reboot": replace(proven(), drift=SeenDrift(Loss.REBOOTED)),
    "our mask ended with a user's manager": of_deploy(replace(proven(), drift=SeenDrift(Loss.ENDED, NOW))),
    "what was stopped is gone": replace(after(Outcome.NOT_PROTECTED), undone_by="r2", was_gone=True),
    "stopped but not masked, and done by a later request": replace(after(Outcome.NOT_PROTECTED), repeated_by="r2"),
    "not finished by the clock, no reason": replace(
        proven(), finished_at=None, undo_until=None, ask=replace(waiting().ask, reason="")
    ),
}
OUTCOME_UNKNOWN = {
    "after a stop": replace(
        under_way(
            sent=SENT[:2], unknown_since=NOW - timedelta(seconds=2), last_seen=running(), note="web-01 does not answer."
        ),
        due_at=NOW + timedelta(seconds=9),
    ),
    "the mask was there": under_way(unknown_since=NOW, last_seen=masked()),
    "an undo, overdue": replace(
        under_way(outcome=Outcome.UNKNOWN, before=None),
        ask=replace(waiting().ask, change=change(verb=Verb.UNMASK)),
        due_at=NOW,
    ),
    "somebody is paged soon": replace(
        under_way(unknown_since=NOW), paging=Paging(Cause.UNKNOWN, due_at=NOW + timedelta(minutes=2))
    ),
    "somebody was paged": replace(
        under_way(unknown_since=NOW - timedelta(minutes=3)), paging=Paging(Cause.UNKNOWN, paged_at=NOW)
    ),
    "nobody is paged any more": replace(under_way(unknown_since=NOW), paging=Paging(Cause.UNDECIDED)),
    "over without an outcome": finished(Outcome.UNKNOWN, None),
    "break-glass, and over without an outcome": with_break_glass(finished(Outcome.UNKNOWN, None)),
}
ENDED = {
    "refused": ended(Stage.REFUSED, "worker.service is on the critical list."),
    "denied": ended(
        Stage.DENIED, "bob denied it: no", votes=(vote(verdict=Verdict.DENY, reason="not during the freeze"),)
    ),
    "denied without a word": ended(Stage.DENIED, "bob denied it.", votes=(vote(verdict=Verdict.DENY),)),
    "denied by nobody on record": ended(Stage.DENIED, "bob denied it."),
    "withdrawn": ended(Stage.WITHDRAWN, "alice withdrew it."),
    "withdrawn for its set": ended(Stage.WITHDRAWN, "alice withdrew it to ask for it together with what triggers it."),
    "withdrawn by its new owner": handed(ended(Stage.WITHDRAWN, "carol withdrew it.")),
    "withdrawn after somebody used break-glass": with_break_glass(ended(Stage.WITHDRAWN, "alice withdrew it.")),
    "timed out": ended(Stage.TIMED_OUT, "Not approved in time (0 of 1)."),
    "ended without a word": replace(ended(Stage.TIMED_OUT), finished_at=None),
    "an extension is not approved in time": extending(
        ended(Stage.TIMED_OUT, "Nobody decided."), until=NOW + timedelta(hours=4)
    ),
    "cancelled": ended(Stage.CANCELLED, "Its channel is gone."),
}
CARDS = {"waiting": WAITING, "running": RUNNING, "done": DONE, "outcome_unknown": OUTCOME_UNKNOWN, "ended": ENDED}
