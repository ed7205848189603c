"""The command line's handlers on a real desk: rights come from a mapping, answers are data, nothing waits for Slack."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.core.drift import HostView
from bot.core.hosts.inventory import Inventory
from bot.core.input.grammar import Question, QuestionKind
from bot.core.people.identity import Caller, PersonId, Place
from bot.core.policy.configuration import ConfigSnapshot
from bot.core.policy.groups import Group
from bot.core.policy.model import Policy, Rule
from bot.core.requests import (
    Aftercare,
    Approval,
    BreakGlass,
    FollowupKind,
    Outcome,
    Request,
    Rollout,
    RolloutTarget,
    Selection,
    Sent,
    SlowWait,
    Stage,
    Tally,
    TargetStatus,
    Verdict,
    Vote,
)
from bot.core.systemd.scan import parse_scan
from bot.core.systemd.units import FileKind, Layer, LayerFile, UnitName
from bot.edges.clock import SystemClock
from bot.edges.database import Database
from bot.edges.slack.channel import SlackChannel, web_client
from bot.edges.slack.directory_offline import FallbackDirectory, OfflineDirectory
from bot.errors import UsageError
from bot.ports import Periodic, Query
from bot.workflow import Deps, Desk, InForce
from bot.workflow.kill_switch import apply_switch_requests
from bot.workflow.process.documents import to_document
from bot.workflow.queries.answer_pool import AnswerPool
from handlers.cli import BotState, Shell
from handlers.cli_queries import SHELL
from tests.core.record import RECORDED
from tests.handlers.world import HOSTS, NoHost
from tests.lab.authenticator import PhoneApp
from tests.lab.keys import KEYS
from tests.lab.sqlite import new_sqlite

ALICE, BOB, CAROL = PersonId("T1", "UALICE"), PersonId("T1", "UBOB"), PersonId("T1", "UCAROL")
POLICY = Policy(
    "digest",
    frozenset({"T1"}),
    frozenset(),
    (),
    (Group("eng", frozenset({ALICE})), Group("sre", frozenset({BOB, CAROL}))),
    (Rule("prod", ask=frozenset({"eng"}), approve=("sre",)),),
    (),
    (),
    people={"alice": ALICE, "bob": BOB, "carol": CAROL, "eve": PersonId("T1", "UEVE")},
    shell_channel="C1",
)
PLAN = "0123456789abcdef"
Told = list[dict[str, Any]]


@dataclass
class Terminal:
    """A shell, and the store behind it; what others do meanwhile is done between two looks at the record."""

    shell: Shell
    store: Database
    deps: Deps
    meanwhile: list[Callable[[], object]]
    desk: Desk

    def run(self, user: str, **words: Any) -> Told:
        """Everything the caller is told, but the beats."""
        told = []
        for one in self.shell.serve(words, user):
            if one["event"] == "beat" and self.meanwhile:
                self.meanwhile.pop(0)()
            elif one["event"] != "beat":
                told.append(dict(one))
        return told

    def waiting(self, *, guarded: str = "", step_up: bool = False) -> Request:
        """Alice has asked, and the host was looked at."""
        self.run("alice", do="change", verb="mask", text="web-01 cron -- INC-1", key="1", wait=False)
        (asked,) = self.store.find(Query())
        within = asked.asked_at + timedelta(minutes=15)
        approval = Approval("prod", 1, ("sre",), within, guarded=guarded, step_up=step_up)
        return self.store.save(asked.on_target(digest=PLAN).move(Stage.WAITING, approval=approval))

    def tally(self, request_id: str, tally: Tally, reason: str = "") -> None:
        """The loop has counted the vote, or refused it."""
        request = self.store.get(request_id)
        (vote,) = request.votes
        self.store.save(replace(request, votes=(replace(vote, tally=tally, reason=reason),)))


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    clock = SystemClock()
    store = Database(new_sqlite(tmp_path / "maskbot.db"), clock=clock, instance="bot-1", keys=KEYS)
    directory = FallbackDirectory(OfflineDirectory(lambda: POLICY))
    channel = SlackChannel(web_client("", base="http://127.0.0.1:9/api/"))
    deps = Deps(
        store, NoHost(), directory, channel, clock, InForce(ConfigSnapshot(Inventory(HOSTS), POLICY)), keys=KEYS
    )
    answers = AnswerPool(deps)
    with store.exclusive(), closing(answers):
        state = BotState(is_ready=False, slack="not connected")
        desk = Desk(deps, answers)
        yield Terminal(Shell(desk, deps, lambda: state), store, deps, [], desk)


def exit_of(told: Told) -> tuple[int, str]:
    return told[-1]["exit"], told[-1]["text"]


@pytest.mark.parametrize("do", ["change", "vote", "question", "show", "switch", "followup", "withdraw", "extend"])
def test_a_user_whom_nobody_mapped_has_no_rights_and_leaves_no_trace(terminal: Terminal, do: str) -> None:
    request = terminal.waiting()
    words = {
        "do": do,
        "verb": "mask",
        "verdict": "approve",
        "id": request.id,
        "text": "web-01 cron",
        "kind": "answer",
    }

    code, text = exit_of(terminal.run("mallory", **words))

    assert (code, text) == (
        1,
        "The user mallory has no rights: `people:` in policy.yaml does not map them to a person.",
    )
    assert terminal.store.find(Query()) == [request]


def test_everybody_may_ask_whether_the_bot_is_ready(terminal: Terminal) -> None:
    terminal.waiting()

    state, end = terminal.run("#10001", do="state")

    assert state["state"] | {"version": ""} == {
        "version": "",
        "ready": False,
        "mode": "act",
        "slack": "not connected",
        "why": [],
        "open_requests": 1,
        "kill_switch": None,
    }
    assert end["exit"] == 1


def test_a_request_from_the_shell_is_recorded_for_the_mapped_person_with_its_reason(terminal: Terminal) -> None:
    terminal.run(
        "alice", do="change", verb="mask", text="--runtime web-01 cron -- it -- runs --away", key="1", wait=False
    )

    (request,) = terminal.store.find(Query())
    assert (request.ask.requester, request.ask.place.is_shell, request.ask.reason) == (ALICE, True, "it -- runs --away")
    assert str(request.ask.change) == "mask web-01 cron.service --runtime"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("web-01 cr*", "pattern"),
        ("web-09 cron", "There is no host"),
        ("cron web-01", "`maskbot mask web-01 cron`"),
        ("web-01 cron -- nginx.service too", "another unit"),
        ("status web-01", "Name a host and a unit"),
        ("", "Name a host and a unit"),
    ],
)
def test_words_that_make_no_sense_are_misuse_and_nothing_is_recorded(terminal: Terminal, text: str, said: str) -> None:
    code, sentence = exit_of(terminal.run("alice", do="change", verb="mask", text=text, key="1"))

    assert code == 2
    assert said in sentence
    assert terminal.store.find(Query()) == []


@pytest.mark.parametrize("words", [{}, {"do": "erase"}, {"do": "change", "verb": "stop", "text": "web-01 cron"}])
def test_words_of_another_version_are_misuse(terminal: Terminal, words: dict[str, str]) -> None:
    assert exit_of(terminal.run("alice", **words))[0] == 2


def test_the_same_call_twice_is_one_request(terminal: Terminal) -> None:
    for _ in range(2):
        terminal.run("alice", do="change", verb="mask", text="web-01 cron", key="same", wait=False)

    assert len(terminal.store.find(Query())) == 1


def test_who_waits_is_told_each_stage_and_then_how_it_ended(terminal: Terminal) -> None:
    def refused() -> None:
        (request,) = terminal.store.find(Query())
        terminal.store.save(request.move(Stage.REFUSED, because="no rule matches"))

    terminal.meanwhile.append(refused)

    told = terminal.run("alice", do="change", verb="mask", text="web-01 cron", key="1")

    assert [one["request"]["stage"] for one in told[:-1]] == ["asked", "refused"]
    assert exit_of(told)[0] == 1


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (Outcome.PROVEN, 0),
        (Outcome.RESTORED, 0),
        (Outcome.NO_CHANGE, 0),
        (Outcome.MASKED_RUNNING, 1),
        (Outcome.FAILED, 1),
    ],
)
def test_the_exit_code_is_zero_only_for_what_was_asked(terminal: Terminal, outcome: Outcome, code: int) -> None:
    def done() -> None:
        (request,) = terminal.store.find(Query())
        approved = terminal.store.save(request.move(Stage.APPROVED))
        running = terminal.store.save(approved.move(Stage.RUNNING))
        terminal.store.save(running.on_target(outcome=outcome).move(Stage.DONE))

    terminal.meanwhile.append(done)

    assert exit_of(terminal.run("alice", do="change", verb="mask", text="web-01 cron", key="1"))[0] == code


@pytest.mark.parametrize(
    ("last", "code"), [(TargetStatus.DONE, 0), (TargetStatus.FAILED, 1), (TargetStatus.SKIPPED, 1)]
)
def test_of_a_rollout_it_is_zero_only_if_every_target_is_as_asked(
    terminal: Terminal, last: TargetStatus, code: int
) -> None:
    cron = UnitName("cron.service")

    def done() -> None:
        (request,) = terminal.store.find(Query())
        targets = (RolloutTarget("web-01", cron, status=TargetStatus.DONE), RolloutTarget("web-02", cron, status=last))
        approved = terminal.store.save(request.move(Stage.APPROVED))
        running = terminal.store.save(approved.move(Stage.RUNNING, rollout=Rollout(targets=targets)))
        terminal.store.save(running.move(Stage.DONE))

    terminal.meanwhile.append(done)
    told = terminal.run("alice", do="change", verb="mask", text="web-01,web-02 cron --waves 1,rest why", key="1")
    assert exit_of(told)[0] == code
    assert told[-2]["request"]["change"] == "mask web-01,web-02 cron.service --waves 1,rest"
    assert [one["status"] for one in told[-2]["request"]["rollout"]["targets"]] == ["done", str(last)]
    (request,) = terminal.store.find(Query())
    assert request.ask.selection == Selection(("web-01", "web-02"), (cron,), ("1", "rest"))


def test_a_vote_is_over_when_it_is_counted(terminal: Terminal) -> None:
    request = terminal.waiting()
    terminal.meanwhile.append(lambda: terminal.tally(request.id, Tally.COUNTED))

    told = terminal.run("bob", do="vote", verdict="approve", id=request.id, plan=PLAN)

    assert exit_of(told) == (0, "")
    assert told[0]["request"]["votes"][0]["tally"] == "counted"
    (vote,) = terminal.store.get(request.id).votes
    assert (vote.voter, vote.verdict, vote.digest) == (BOB, Verdict.APPROVE, PLAN)


def test_a_refused_vote_says_why(terminal: Terminal) -> None:
    request = terminal.waiting()
    terminal.meanwhile.append(lambda: terminal.tally(request.id, Tally.REFUSED, "You asked for this."))

    told = terminal.run("alice", do="vote", verdict="approve", id=request.id, plan=PLAN)

    assert exit_of(told) == (1, "You asked for this.")


@pytest.mark.parametrize("plan", ["", "0", None, 7])
def test_a_vote_that_names_no_plan_does_not_count(terminal: Terminal, plan: object) -> None:
    """In Slack the button carries the plan that was shown; here it may not be guessed either."""
    request = terminal.waiting()
    code, _ = exit_of(terminal.run("bob", do="vote", verdict="approve", id=request.id, plan=plan))
    assert (code, terminal.store.get(request.id).votes) == (1, ())


def test_a_verdict_that_there_is_not_is_misuse(terminal: Terminal) -> None:
    request = terminal.waiting()
    assert exit_of(terminal.run("bob", do="vote", verdict="maybe", id=request.id, plan=PLAN))[0] == 2


def test_a_request_is_shown_to_those_who_may_see_it_in_slack(terminal: Terminal) -> None:
    request = terminal.waiting()
    assert [one["event"] for one in terminal.run("bob", do="show", id=request.id)] == ["request", "end"]
    told = terminal.run("eve", do="show", id=request.id)
    assert [one["event"] for one in told] == ["end"]
    assert "Only those who may ask for or approve this change" in exit_of(told)[1]


def test_at_a_terminal_too_one_person_does_no_more_than_60_things_a_minute(terminal: Terminal) -> None:
    request = terminal.waiting()
    told = [exit_of(terminal.run("bob", do="withdraw", id=request.id))[1] for _ in range(61)]
    assert "60 things within a minute" in told[-1]
    assert "60 things" not in told[-2]
    assert [one["event"] for one in terminal.run("bob", do="show", id=request.id)] == ["request", "end"]


def test_a_vote_on_a_plan_that_has_changed_since_it_was_shown_does_not_count(terminal: Terminal) -> None:
    request = terminal.waiting()

    code, text = exit_of(terminal.run("bob", do="vote", verdict="approve", id=request.id, plan="fedcba"))

    assert code == 1
    assert "The plan has changed" in text
    assert terminal.store.get(request.id).votes == ()


def test_a_guarded_unit_needs_the_word_on_console_access_here_too(terminal: Terminal) -> None:
    request = terminal.waiting(guarded="the database")

    code, text = exit_of(terminal.run("bob", do="vote", verdict="approve", id=request.id, plan=PLAN))

    assert code == 1
    assert "console access" in text


@pytest.mark.parametrize("do", ["show", "vote", "followup", "withdraw", "extend"])
def test_a_request_that_is_not_there_is_named(terminal: Terminal, do: str) -> None:
    told = terminal.run("bob", do=do, verdict="approve", id="r0000000000")

    assert exit_of(told) == (1, "There is no request `r0000000000`.")


@pytest.mark.parametrize("kind", ["mask", "", ["sign_off"], {"answer": 1}, None])
def test_a_followup_of_no_kind_that_there_is_gets_a_sentence(terminal: Terminal, kind: object) -> None:
    told = terminal.run("bob", do="followup", kind=kind, id=terminal.waiting().id)

    assert exit_of(told) == (1, "The running bot does not know this command. It may be another version.")


def gone_alone(terminal: Terminal) -> Request:
    """Bob went ahead with alice's request alone, it is over, and the sign-off is owed."""
    request = terminal.waiting()
    used = BreakGlass(
        BOB, "bob", "nobody is awake", request.asked_at, PLAN, groups=("sre",), remind_at=request.asked_at
    )
    for stage in (Stage.APPROVED, Stage.RUNNING, Stage.DONE):
        request = terminal.store.save(replace(request, break_glass=used).move(stage).on_target(outcome=Outcome.PROVEN))
    return request


def hears(terminal: Terminal, request_id: str, tally: Tally, refusal: str = "") -> None:
    """The loop has heard what is wanted."""
    request = terminal.store.get(request_id)
    (followup,) = request.followups
    terminal.store.save(replace(request, followups=(replace(followup, tally=tally, refusal=refusal),)))


@pytest.mark.parametrize(
    ("tally", "refusal", "code"), [(Tally.COUNTED, "", 0), (Tally.REFUSED, "You used break-glass.", 1)]
)
def test_a_sign_off_is_given_when_somebody_has_verified_who_signs(
    terminal: Terminal, tally: Tally, refusal: str, code: int
) -> None:
    request = gone_alone(terminal)
    terminal.meanwhile += [lambda: None, lambda: hears(terminal, request.id, tally, refusal)]

    told = terminal.run("alice", do="followup", kind="sign_off", id=request.id, text="page me")

    assert exit_of(told) == (code, refusal or "Signed off.")
    assert told[0]["request"]["break_glass"]["reason"] == "nobody is awake"
    (followup,) = terminal.store.get(request.id).followups
    assert (followup.kind, followup.by, followup.text) == (FollowupKind.SIGN_OFF, ALICE, "page me")


def test_where_no_sign_off_is_owed_none_is_given(terminal: Terminal) -> None:
    told = terminal.run("alice", do="followup", kind="sign_off", id=terminal.waiting().id)
    assert exit_of(told) == (1, "No sign-off is owed for this.")


FOLLOWUPS = {
    "a question": ("bob", {"kind": "ask_for_more", "text": "is it drained?"}, "The question is on the card."),
    "a handover by login": ("alice", {"kind": "hand_over", "to": "bob"}, "Handed over."),
    "a handover by Slack id": ("alice", {"kind": "hand_over", "to": "<@UBOB|bob>"}, "Handed over."),
}


@pytest.mark.parametrize(("user", "words", "answer"), FOLLOWUPS.values(), ids=FOLLOWUPS)
def test_what_is_wanted_beside_a_vote_is_recorded_by_the_person_and_waited_for(
    terminal: Terminal, user: str, words: dict[str, str], answer: str
) -> None:
    request = terminal.waiting()
    terminal.meanwhile += [lambda: None, lambda: hears(terminal, request.id, Tally.COUNTED)]

    assert exit_of(terminal.run(user, do="followup", id=request.id, **words)) == (0, answer)

    (followup,) = terminal.store.get(request.id).followups
    assert (str(followup.kind), followup.by, followup.place) == (words["kind"], POLICY.people[user], SHELL)
    assert (followup.text, followup.to) == (words.get("text", ""), BOB if "to" in words else None)


def test_nobody_is_handed_anything_who_is_not_known(terminal: Terminal) -> None:
    code, text = exit_of(terminal.run("alice", do="followup", kind="hand_over", id=terminal.waiting().id, to="bbo"))
    assert (code, text.partition(".")[0]) == (1, "No person has the login or id `bbo`")


def test_who_goes_ahead_alone_does_so_with_the_plan_they_read_and_stays_until_it_is_over(terminal: Terminal) -> None:
    request = terminal.waiting(guarded="it is the way in")

    def is_over() -> None:
        hears(terminal, request.id, Tally.COUNTED)
        now = terminal.store.get(request.id)
        for stage in (Stage.APPROVED, Stage.RUNNING, Stage.DONE):
            now = terminal.store.save(now.move(stage).on_target(outcome=Outcome.PROVEN))

    terminal.meanwhile += [is_over]
    words = {"kind": "break_glass", "id": request.id, "text": "nobody is awake", "console_works": True}
    assert exit_of(terminal.run("bob", do="followup", plan="of yesterday", **words))[0] == 1

    told = terminal.run("bob", do="followup", plan=PLAN, **words)

    assert exit_of(told) == (0, "")
    assert told[-2]["request"]["stage"] == "done"
    (followup,) = terminal.store.get(request.id).followups
    assert (followup.kind, followup.digest, followup.console_works) == (FollowupKind.BREAK_GLASS, PLAN, True)


def test_whose_request_it_is_withdraws_it(terminal: Terminal) -> None:
    request = terminal.waiting()
    assert exit_of(terminal.run("bob", do="withdraw", id=request.id)) == (
        1,
        "Only alice, who asked, can withdraw this. You can deny it.",
    )
    assert exit_of(terminal.run("alice", do="withdraw", id=request.id)) == (0, "")
    assert terminal.store.get(request.id).stage is Stage.WITHDRAWN


def test_an_unmask_of_what_is_still_stopping_withdraws_its_mask(terminal: Terminal) -> None:
    request = terminal.waiting()
    for stage in (Stage.APPROVED, Stage.RUNNING):
        request = terminal.store.save(request.move(stage))
    now = request.asked_at
    mask = terminal.store.save(request.on_target(sent=(Sent("stop", (), now, 0),), waiting=SlowWait(now, now)))

    told = terminal.run("bob", do="change", verb="unmask", text="web-01 cron")
    assert exit_of(told)[0] == 1
    assert "its mask waits for the unit to stop. Only alice, who asked, can withdraw this." in exit_of(told)[1]

    told = terminal.run("alice", do="change", verb="unmask", text="web-01 cron")
    assert told[0]["request"]["id"] == mask.id
    assert exit_of(told)[0] == 0
    assert "That mask is now withdrawn." in exit_of(told)[1]


def test_a_mask_is_extended_or_kept_by_a_request_of_its_own(terminal: Terminal) -> None:
    request = terminal.waiting()
    for stage in (Stage.APPROVED, Stage.RUNNING):
        request = terminal.store.save(request.move(stage))
    expires_at = request.asked_at + timedelta(hours=1)
    done = request.move(Stage.DONE, aftercare=Aftercare(expires_at=expires_at)).on_target(outcome=Outcome.PROVEN)
    terminal.store.save(done)

    for words in ({"until": "2h"}, {"text": "the disk is not there yet"}):
        assert terminal.run("alice", do="extend", id=done.id, key=str(words), wait=False, **words)[-1]["exit"] == 0
    assert exit_of(terminal.run("alice", do="extend", id=done.id)) == (1, "Keeping a mask needs a reason.")

    asked = [one for one in terminal.store.find(Query()) if one.ask.extends == done.id]
    ends = {one.ask.change.duration.until if one.ask.change.duration else None for one in asked}
    assert ends == {(expires_at + timedelta(hours=2)).replace(microsecond=0), None}


def test_sign_offs_that_are_owed_stand_beside_the_masks(terminal: Terminal) -> None:
    request = gone_alone(terminal)

    answer, _ = terminal.run("alice", do="question", text="list")

    assert [one["id"] for one in answer["answer"]["sign_offs_owed"]] == [request.id]
    assert any("bob used break-glass" in line for line in answer["lines"])


def test_who_asks_to_go_ahead_alone_says_why(terminal: Terminal) -> None:
    told = terminal.run("alice", do="change", verb="mask", text="web-01 cron --break-glass -- no", key="1", wait=False)

    assert exit_of(told) == (1, "Break-glass needs a reason of at least 10 characters.")
    terminal.run(
        "alice", do="change", verb="mask", text="--break-glass web-01 cron -- nobody is awake", key="2", wait=False
    )
    assert [asked.ask.break_glass for asked in terminal.store.find(Query())] == [True]


def test_what_is_masked_can_be_asked_while_slack_is_away(terminal: Terminal) -> None:
    answer, end = terminal.run("alice", do="question", text="list")

    assert (answer["answer"]["masks"], answer["answer"]["sign_offs_owed"]) == ([], [])
    assert [(host["host"], host["seen_at"]) for host in answer["answer"]["hosts"]] == [
        ("db-01", None),
        ("web-01", None),
        ("web-02", None),
    ]
    assert answer["lines"][0] == "MASKS · 0 by maskbot, 0 by others"
    assert end["exit"] == 0


def test_a_list_names_every_mask_whose_it_is_and_when_each_host_was_looked_at(terminal: Terminal) -> None:
    seen = parse_scan((RECORDED / "scan_of_ours.txt").read_text())
    worker = seen.at("/etc/systemd/system/worker.service")
    assert worker
    made = LayerFile(Layer.PERSISTENT, worker.path, FileKind.MASK, "/dev/null", worker.identity)
    request = terminal.waiting()
    for stage in (Stage.APPROVED, Stage.RUNNING):
        request = terminal.store.save(request.move(stage))
    done = request.on_target(made=made, outcome=Outcome.PROVEN, unit=UnitName("worker.service"))
    terminal.store.save(done.move(Stage.DONE))
    page = HostView("web-01", request.asked_at, seen)
    terminal.store.save_periodic(Periodic("watch:web-01", to_document(page), request.asked_at))

    answer, _ = terminal.run("alice", do="question", text="list web-01")

    told = [(mask["unit"], mask["ours"], mask["path"]) for mask in answer["answer"]["masks"]]
    assert told == [
        ("worker.service", True, "/etc/systemd/system/worker.service"),
        ("handmade.service", False, "/etc/systemd/system/handmade.service"),
    ]
    assert answer["answer"]["masks"][0]["request"]["id"] == request.id
    assert "MASKS ON web-01 · 1 by maskbot, 1 by others" in answer["lines"]
    foreign = seen.at("/etc/systemd/system/handmade.service")
    assert foreign
    since = f"    since {foreign.made_at:%Y-%m-%d}"
    assert [line for line in answer["lines"] if line.startswith(since)]


def test_a_handover_tells_what_waits_and_what_runs(terminal: Terminal) -> None:
    request = terminal.waiting()

    answer, end = terminal.run("bob", do="question", text="handover")

    assert [one["id"] for one in answer["answer"]["waiting"]] == [request.id]
    assert answer["lines"][0] == "HANDOVER · 0 masked, 1 waiting, 0 under way"
    assert any(
        "mask cron.service on web-01: needs 1 approval, 15 min left, by alice" in line for line in answer["lines"]
    )
    assert end["exit"] == 0


def taken_up(terminal: Terminal) -> None:
    """The loop has carried out a kill switch command."""
    task = terminal.store.claim_periodic("bot-1")
    assert task
    apply_switch_requests(terminal.deps, task)


def switched(terminal: Terminal, user: str, text: str) -> tuple[int, str]:
    terminal.meanwhile.append(lambda: taken_up(terminal))
    return exit_of(terminal.run(user, do="switch", text=text, key=f"{user} {text}"))


def test_the_kill_switch_is_pulled_at_a_terminal_too(terminal: Terminal) -> None:
    assert switched(terminal, "bob", "freeze it masks the wrong hosts") == (
        0,
        "KILL SWITCH ON, by bob: it masks the wrong hosts.\n"
        "No new masks: what waits cannot be approved. What runs is finished, and undo still works. "
        "To turn it off, two people who may approve type `/mask thaw`.",
    )
    state, _ = terminal.run("#10001", do="state")
    switched_on = state["state"]["kill_switch"]
    assert switched_on | {"since": ""} == {
        "by": "bob",
        "reason": "it masks the wrong hosts",
        "since": "",
        "off_requested_by": [],
    }
    listed, _ = terminal.run("bob", do="question", text="list")
    assert listed["lines"][1].startswith("KILL SWITCH ON, by @")
    assert listed["answer"]["kill_switch"]["by"] == "bob"
    status, _ = terminal.run("bob", do="question", text="status web-01")
    assert status["answer"]["kill_switch"]["reason"] == "it masks the wrong hosts"

    assert switched(terminal, "bob", "thaw")[0] == 0
    assert switched(terminal, "bob", "thaw again") == (
        1,
        "You already asked for that. Somebody else who may approve must type `/mask thaw` too.",
    )


def test_the_kill_switch_is_not_for_everybody(terminal: Terminal) -> None:
    code, text = switched(terminal, "alice", "freeze x")
    assert (code, "Only people who may approve something" in text) == (1, True)


@pytest.mark.parametrize("text", ["freeze", "list", "web-01 cron"])
def test_another_word_than_its_two_is_misuse(terminal: Terminal, text: str) -> None:
    assert exit_of(terminal.run("bob", do="switch", text=text, key="1"))[0] == 2


def test_at_a_terminal_and_in_slack_a_person_has_two_questions_at_a_time(terminal: Terminal) -> None:
    with terminal.desk.asking(ALICE), terminal.desk.asking(ALICE):
        refused = exit_of(terminal.run("alice", do="question", text="list"))
        with pytest.raises(UsageError, match="two questions"):
            terminal.desk.answer(Question(QuestionKind.HELP), Caller(ALICE, "alice", Place("C1")))
        assert exit_of(terminal.run("bob", do="question", text="list"))[0] == 0
    assert (refused[0], "two questions that are not answered yet" in refused[1]) == (1, True)
    assert exit_of(terminal.run("alice", do="question", text="list"))[0] == 0


def test_a_question_that_makes_no_sense_is_misuse(terminal: Terminal) -> None:
    assert exit_of(terminal.run("alice", do="question", text="plan web-01"))[0] == 2


def test_votes_given_at_a_terminal_are_those_of_a_person_and_not_of_a_login(terminal: Terminal) -> None:
    request = terminal.waiting()
    terminal.meanwhile.append(lambda: terminal.tally(request.id, Tally.COUNTED))
    terminal.run("bob", do="vote", verdict="approve", id=request.id, plan=PLAN)

    again = terminal.run("bob", do="vote", verdict="deny", id=request.id, plan=PLAN)

    assert exit_of(again)[0] == 1
    assert [type(vote) for vote in terminal.store.get(request.id).votes] == [Vote]


@pytest.mark.parametrize("words", [{"do": "change", "verb": "unmask"}, {"do": "switch"}])
def test_an_end_without_its_dashes_is_asked_about_whatever_the_verb(terminal: Terminal, words: dict[str, str]) -> None:
    begin = "web-01 cron" if "verb" in words else "freeze"
    code, text = exit_of(terminal.run("alice", **words, text=f"{begin} for 2h", key="1"))
    assert (code, "If `for 2h` is the reason, put `--` before it" in text or "Did you mean" in text) == (2, True)
    assert terminal.store.find(Query()) == []


def test_keeping_a_mask_for_a_while_is_asked_about(terminal: Terminal) -> None:
    request = terminal.waiting()
    code, text = exit_of(terminal.run("alice", do="extend", id=request.id, text="until 18:00", key="2"))
    assert (code, f"For a later expiry instead, use `maskbot extend {request.id} 2h`." in text) == (1, True)
    code, text = exit_of(terminal.run("alice", do="extend", id=request.id, text="-- until 18:00", key="3"))
    assert (code, "maskbot extend" in text) == (1, False)  # it is no live mask


class TestStepUp:
    """Codes at a terminal, and the reset of an authenticator."""

    def enrolled(self, terminal: Terminal, who: PersonId = BOB) -> PhoneApp:
        """The person has enrolled in Slack."""
        codes, caller = terminal.desk.step_up, Caller(who, "bob", Place("C1"), "k")
        app = PhoneApp(codes.offer(caller).secret)
        codes.confirm(caller, app.fresh_code(terminal.deps.clock.now()))
        return app

    def approved(self, terminal: Terminal, request: Request, **words: str) -> tuple[int, str]:
        return exit_of(terminal.run("bob", do="vote", verdict="approve", id=request.id, plan=PLAN, **words))

    def test_an_approval_takes_a_code(self, terminal: Terminal) -> None:
        app, request = self.enrolled(terminal), terminal.waiting(step_up=True)
        (shown, _) = terminal.run("bob", do="show", id=request.id)
        assert shown["request"]["approval"]["step_up"] is True
        now = terminal.deps.clock.now()
        assert "add `--code`" in self.approved(terminal, request)[1]
        assert "not right" in self.approved(terminal, request, code=app.wrong_code(now))[1]
        assert terminal.store.get(request.id).votes == ()
        terminal.meanwhile.append(lambda: terminal.tally(request.id, Tally.COUNTED))
        assert self.approved(terminal, request, code=app.fresh_code(now)) == (0, "")
        assert [vote.stepped_up for vote in terminal.store.get(request.id).votes] == [True]

    def test_break_glass_takes_one_too(self, terminal: Terminal) -> None:
        app, request = self.enrolled(terminal), terminal.waiting(step_up=True)
        words = {"do": "followup", "kind": "break_glass", "id": request.id, "plan": PLAN, "text": "nobody is awake"}
        assert "add `--code`" in exit_of(terminal.run("bob", **words))[1]
        terminal.meanwhile.append(lambda: hears(terminal, request.id, Tally.COUNTED))
        terminal.run("bob", **words, code=app.fresh_code(terminal.deps.clock.now()), wait=False)
        assert [followup.stepped_up for followup in terminal.store.get(request.id).followups] == [True]

    def test_a_mask_with_break_glass_takes_one_with_the_request(self, terminal: Terminal) -> None:
        app = self.enrolled(terminal, ALICE)
        text = f"--break-glass --code={app.fresh_code(terminal.deps.clock.now())} web-01 cron -- nobody is awake"
        (asked, _) = terminal.run("alice", do="change", verb="mask", text=text, key="1", wait=False)
        assert terminal.store.get(asked["request"]["id"]).ask.stepped_up

    def reset(self, terminal: Terminal, user: str, person: str, reason: str = "his phone is gone") -> tuple[int, str]:
        return exit_of(terminal.run(user, do="reset_step_up", person=person, reason=reason))

    @pytest.mark.parametrize(("user", "person"), [("root", "bob"), ("root", "UBOB"), ("carol", "bob")])
    def test_root_or_another_approver_resets_it(self, terminal: Terminal, user: str, person: str) -> None:
        self.enrolled(terminal)
        code, text = self.reset(terminal, user, person)
        assert (code, f"The authenticator of {person} is removed" in text) == (0, True), text
        assert terminal.desk.step_up.state(BOB).authenticator is None
        (event,) = [one for one in terminal.store.chain() if one["type"] == "step_up.reset"]
        assert event["data"] == {"person": BOB.user, "by": user, "reason": "his phone is gone"}

    @pytest.mark.parametrize(
        ("user", "said"),
        [
            ("bob", "You cannot reset your own authenticator"),
            ("alice", "Only people who may approve something can reset"),
            ("mallory", "has no rights"),
        ],
    )
    def test_nobody_else_does(self, terminal: Terminal, user: str, said: str) -> None:
        self.enrolled(terminal)
        code, text = self.reset(terminal, user, "bob")
        assert (code, said in text) == (1, True), text
        assert terminal.desk.step_up.state(BOB).authenticator

    def test_it_needs_a_reason_and_somebody_who_has_one(self, terminal: Terminal) -> None:
        self.enrolled(terminal)
        assert "Say why with --reason" in self.reset(terminal, "root", "bob", reason=" ")[1]
        assert "alice has no authenticator here" in self.reset(terminal, "root", "alice")[1]
        assert "No person has the login or id `nobody`" in self.reset(terminal, "root", "nobody")[1]
