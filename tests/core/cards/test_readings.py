"""What people read, word for word: every card as plain text in `golden/`, to be read and compared.

`GOLDEN=write pytest tests/core/cards` writes the files anew; a reviewer reads the difference.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from bot.core.cards import (
    answers,
    break_glass,
    details,
    evidence,
    forms,
    home,
    kill_switch,
    line,
    note,
    plain,
    refusal,
    reminder,
    render,
    replies,
    slow_unit,
    step_up_forms,
)
from bot.core.cards.blocks import Action
from bot.core.cards.config_reload import rejection_notice, reload_notice, too_many_connections
from bot.core.cards.rollout.listing import listing
from bot.core.cards.sentences import outcome_without_card
from bot.core.input.draft import Draft
from bot.core.people.identity import Place, Shift
from bot.core.policy.model import Allow, Explanation, NeedsApproval, Refuse, Routing
from bot.core.policy.rules.approvers import Approvers
from bot.core.requests import Followup, FollowupKind, KillSwitch, Request, Selection, Sent, Stage, Tally, Target
from bot.core.step_up.authenticator import Authenticator, Offer, StepUpState
from bot.core.systemd.units import ActiveState, FileKind, LoadState, UnitName
from tests.core.cards.cases import ALIASED, BUSY, CARDS, DONE, ENDED, INFINITE, WAITING, by_force, guarded, unmask
from tests.core.cards.expiry import said_of_ends, said_of_holds
from tests.core.cards.home_tabs import EMPTY, FULL
from tests.core.cards.mask_inventories import SLOW, said_in_handovers, said_in_lists, said_of_the_watch
from tests.core.cards.notes import all_notes
from tests.core.cards.reading import read, read_form, read_page
from tests.core.cards.rollouts import CARDS as ROLLOUTS
from tests.core.cards.rollouts import notes
from tests.core.cards.situations import (
    ALICE,
    BOB,
    CAROL,
    NAMES,
    NOW,
    SENT,
    approval,
    around,
    change,
    handed,
    layers,
    masked,
    off_record,
    proven,
    related_unit,
    running,
    talked,
    under_way,
    vote,
    waiting,
    with_break_glass,
)

GOLDEN = Path(__file__).parent / "golden"
BY = NOW + timedelta(minutes=13)
PLACE = Place("C1")
STOPPED = KillSwitch(BOB, "bob", "it masks the wrong hosts <!here>", NOW - timedelta(hours=1))
LINK = "https://example.slack.com/archives/C1/p1"


def cards(group: str) -> dict[str, str]:
    return {name: read(render(request, now=NOW), NAMES) for name, request in CARDS[group].items()}


def lines() -> dict[str, str]:
    finals = {name: request for group in (DONE, ENDED) for name, request in group.items()}
    said = {name: read(line(request, link=LINK), NAMES) for name, request in finals.items()}
    return said | {"announced elsewhere: failed": read(line(DONE["failed"], link=LINK, calls=False), NAMES)}


def threads() -> dict[str, str]:
    many = proven(sent=tuple(replace(SENT[1], at=NOW + timedelta(seconds=second)) for second in range(17)))
    look = proven(
        sent=(Sent("look", ("sh", "-c", "show\nstat"), NOW), Sent("stop", ("systemctl", "stop", "a b"), NOW)),
        status_before="",
        status_after="",
        after=masked(
            other_names_load=(("sshd.service", LoadState.ERROR),), layers=layers("x.service", runtime=FileKind.EMPTY)
        ),
    )
    requests = {
        "proven": proven(),
        "checks and commands without an answer": look,
        "many commands": many,
        "nothing was sent": under_way(),
        "an undo has no start to prove": DONE["restored"],
    }
    return {name: "\n---\n".join(read(text, NAMES) for text in evidence(request)) for name, request in requests.items()}


def all_details() -> dict[str, str]:
    odd = replace(
        proven(
            after=None,
            last_seen=running(
                timeout_stop_usec=INFINITE,
                around=around(
                    drop_ins=(("/etc/systemd/system/worker.service.d/a.conf", "f"),),
                    failed=("x.service",),
                    would_stop=(related_unit("y.service"),),
                ),
            ),
        ),
        stage=Stage.RUNNING,
        approval=None,
        because="",
        votes=(
            vote(console_works=True, reason="tick"),
            vote(CAROL, tally=Tally.REFUSED, reason="You may not approve."),
        ),
    )
    bare = replace(waiting(), target=Target("web-01", UnitName("worker.service")), stage=Stage.ASKED)
    requests = {
        "waiting": waiting(),
        "proven": proven(),
        "handed over": handed(waiting()),
        "followups": replace(
            with_break_glass(talked("is the replica healthy?")),
            followups=(
                Followup(FollowupKind.BREAK_GLASS, CAROL, "carol", NOW, PLACE, "db on fire", tally=Tally.COUNTED),
                Followup(
                    FollowupKind.SIGN_OFF,
                    CAROL,
                    "carol",
                    NOW,
                    PLACE,
                    tally=Tally.REFUSED,
                    refusal="Somebody else <has> to.",
                ),
                Followup(FollowupKind.HAND_OVER, ALICE, "alice", NOW, PLACE, to=CAROL),
            ),
        ),
        "under way": odd,
        "not checked yet": bare,
        "seen in part": under_way(last_seen=running(around=None, timeout_stop_usec=0)),
    }
    offered = details(talked("why?"), now=NOW, offers=(Action.ANSWER, Action.BREAK_GLASS, Action.HAND_OVER))
    read_out = {name: read(details(request, now=NOW), NAMES) for name, request in requests.items()}
    return read_out | {"with what its reader may do": read(offered, NAMES)}


def all_answers() -> dict[str, str]:
    minutes = timedelta(minutes=15)
    needs = NeedsApproval("prod", "the rule asks for it", 1, 0, ("sre",), minutes, minutes)
    tick = replace(needs, need=2, guarded="it carries the mail", step_up=True)
    routed = replace(
        needs,
        need=2,
        groups=("sre", "on-call"),
        distinct=True,
        on_call=(Shift(CAROL, NOW + timedelta(hours=9), "carol"),),
        routing=Routing("C0APPROVE", ("on-call",), ("C0OPS", "a channel")),
    )
    no = Refuse("critical", "ssh.service is on the critical list: remote access.", "Nobody can approve this.")
    explained = [
        Explanation("requester is one of us", applies=True, why=""),
        Explanation("unit is not critical", applies=False, why="ssh.service is on the critical list.", decides=True),
        Explanation("rule prod", applies=True, why="@eng may ask; needs 1 of @sre", line=12),
        Explanation("rule lab", applies=False, why="the environment is prod", line=20),
    ]
    missing = running(load=LoadState.NOT_FOUND, active=ActiveState.INACTIVE, sub="dead")
    foreign = masked(fragment="")
    texts = {
        "status": answers.status("web-01", BUSY, [], NOW),
        "status, our mask": answers.status("web-01", masked(), [proven()], NOW),
        "status, a mask that waits for the stop": answers.status("web-01", running(), [SLOW], NOW),
        "why, of a mask that waits for the stop": answers.why(
            waiting(), no, explained, stopping=slow_unit.status(SLOW, NOW)
        ),
        "plan, a stop by force": answers.plan(by_force(), needs, NOW),
        "status, a foreign mask": answers.status("web-01", foreign, [], NOW),
        "status, a mask that is not on record": answers.status("web-01", off_record(), [], NOW),
        "status, another name": answers.status("web-01", ALIASED, [], NOW),
        "status, a typo": answers.status("web-01", replace(missing, around=around(near=("crond.service",))), [], NOW),
        "status, no such unit": answers.status("web-01", replace(missing, around=None), [], NOW),
        "plan": answers.plan(waiting(BUSY), needs, NOW),
        "plan, guarded": answers.plan(waiting(), tick, NOW),
        "plan, routed from different groups": answers.plan(waiting(), routed, NOW),
        "plan, no approval needed": answers.plan(
            unmask(undoes="r1"), Allow("undo", "it is the undo of our own mask"), NOW
        ),
        "plan, refused": answers.plan(waiting(ALIASED, change("sshd.service")), no, NOW),
        "why, and who could approve": answers.why(
            waiting(),
            needs,
            [
                Explanation("quorum", applies=True, why="the rule asks for it", decides=True),
                *explained[2:],
                Explanation("limits", applies=False, why="with this one 2 of 10 hosts", line=30),
            ],
            [
                Approvers("sre", (BOB, CAROL)),
                Approvers("on-call", (BOB,), (Shift(BOB, NOW + timedelta(hours=2), "bob"), Shift(CAROL))),
                Approvers("dba", unknown="Slack did not say who is in @dba <!here>."),
                Approvers("lead"),
            ],
        ),
        "why": answers.why(waiting(ALIASED, change("sshd.service")), no, explained),
        "status, while new masks are stopped": kill_switch.with_note(
            answers.status("web-01", BUSY, [], NOW), STOPPED, []
        ),
        "status, while one asks to turn the kill switch off": kill_switch.with_note(
            answers.status("web-01", BUSY, [], NOW), STOPPED, ["carol"]
        ),
        "new masks are stopped": note(kill_switch.on_announcement("bob", "it masks the wrong hosts")),
        "new masks stay stopped": note(kill_switch.stays_on_announcement("alice", "not yet!")),
        "one asks to turn the kill switch off": note(kill_switch.off_request_announcement("carol", "it is mended")),
        "new masks go on": note(kill_switch.off_announcement(STOPPED, ("carol", "bob"))),
        "history": answers.history([proven(), waiting(), ENDED["denied"], WAITING["without a reason"]], NOW),
        "history, empty": answers.history([], NOW),
        "history, long": answers.history([proven()] * 50, NOW),
        "help": answers.help_text(["db-01", "web-01", "web-02"], FULL.rights, uses_kill_switch=True),
        "help, for one who may nothing, elsewhere": answers.help_text(
            ["web-01"],
            (),
            uses_kill_switch=False,
            not_here="The bot does not act in this channel. Ask in a channel that the policy names.",
        ),
        "a plain sentence": plain("You may not ask for masks on prod hosts; @eng may."),
        "a note": note("3 minutes are left to decide.", mentions=["UBOB", "S0SRE", "all of them"]),
        "a note elsewhere": note("A mask of ours is gone.\nSee the host.", link=LINK),
        **{
            f"somebody used break-glass, {name}": note(text)
            for name, text in said_of_break_glass(with_break_glass(waiting()))
        },
        "a reminder": reminder(waiting(), by=BY, mentions=["UBOB", "S0SRE"], link=LINK, now=NOW),
        "a reminder, one approval is there": reminder(
            guarded(), by=BY, mentions=[], link="", now=NOW + timedelta(minutes=8)
        ),
        "a refusal": refusal("cron.service is not found on web-01.", "Did you mean `crond.service`?"),
        "nothing to say": plain(""),
        "a configuration": note(reload_notice(["rule prod changed", "host web-03 is new"], digest="3fa9c1d27b64" * 5)),
        "a configuration, nothing new": note(reload_notice([], digest="3fa9c1d27b64" * 5)),
        "more connections than bots": note(too_many_connections(12, most=10)),
        "a channel that is gone": note(outcome_without_card(render(proven(), now=NOW).text)),
        "a configuration, wrong": note(
            rejection_notice(["policy.yaml:9: rules[0].aks: <x>"] * 14, digest="3fa9c1d27b64" * 5)
        ),
    }
    return {name: read(text, NAMES) for name, text in texts.items()}


def said_of_break_glass(request: Request) -> Iterator[tuple[str, str]]:
    """To those who were skipped, and to those who could sign for it."""
    if request.break_glass:
        yield "announced", break_glass.announcement(request, request.break_glass)
        yield "with a sign-off owed", break_glass.reminder(request, request.break_glass)


def all_forms() -> dict[str, str]:
    typed = Draft("web-01", "worker.service", runtime=True, keep_running=True, user="deploy", duration="2h")
    views = {
        "a bare /mask": forms.mask_form(["web-01", "web-02"]),
        "with what was typed": forms.mask_form(["web-01"], replace(typed, reason="INC-2041 <x>")),
        "too many hosts for a list": forms.mask_form([f"web-{number:03}" for number in range(101)], typed),
        "lists that were typed": forms.mask_form(
            [f"web-{number:03}" for number in range(101)],
            replace(typed, host="web-001,@db", unit="a.service,b.timer", waves="1,rest"),
        ),
        "from anywhere": forms.mask_form(["web-01"], asks_where=True),
        "where holds may be asked for": forms.mask_form(["web-01"], owners=["dba", "sre"]),
        "a hold that was typed": forms.mask_form(["web-01"], Draft(owners="sre", review="90d"), owners=["dba", "sre"]),
        "keep a hold": forms.keep_form(DONE["held, put back and kept"]),
        "deny": forms.deny_form(waiting()),
        "approve": forms.approve_form(guarded()),
        "extend": forms.extend_form(DONE["proven, and it ends"]),
        "keep": forms.keep_form(DONE["proven, and it ends"]),
        "give it an end": forms.extend_form(proven()),
        "keep it without expiry": forms.keep_form(proven()),
        "hold it": forms.hold_form(proven(), owners=["dba", "sre"]),
        "approve on the Home tab": forms.confirm_form(waiting()),
        "approve a guarded unit there": forms.confirm_form(guarded()),
        "use break-glass": forms.break_glass_form(waiting(), least=10),
        "use break-glass on a guarded unit": forms.break_glass_form(guarded(), least=10),
        "answer": forms.answer_form(talked("is the replica healthy?")),
        "answer, although nobody asks": forms.answer_form(waiting()),
        "hand over": forms.hand_over_form(waiting()),
        "sign-off": forms.sign_off_form(with_break_glass(proven())),
        "approve with a code": forms.approve_form(waiting(approval=approval(step_up=True))),
        "use break-glass with a code": forms.break_glass_form(waiting(), least=10, asks_code=True),
        "enrol": step_up_forms.enrol_form(
            Offer("GEZD GNBV", "otpauth://totp/maskbot:bob?secret=GEZDGNBV&issuer=maskbot")
        ),
        "enrol again": step_up_forms.replace_form(StepUpState(Authenticator("lab", "a1", NOW))),
        "approve, without a rule": forms.approve_form(replace(guarded(), approval=None)),
    }
    return {name: read_form(view, NAMES) for name, view in views.items()}


def all_pages() -> dict[str, str]:
    pages = {"empty": EMPTY, "full": FULL}
    return {name: read_page(home.view(page, NOW), NAMES) for name, page in pages.items()}


def all_replies() -> dict[str, str]:
    return {
        "got it": replies.acknowledge(change(user="deploy")),
        "got it, for many": replies.acknowledge(
            change(host="@web,db-01"),
            selection=Selection(("@web", "db-01"), (UnitName("worker.service"),), ("1", "rest")),
        ),
        "unmasked while it is stopping": replies.withdrawn_mask(proven()),
        "an edited message": replies.acknowledge_repeat(change(user="deploy")),
        "a mistake of ours": replies.internal_error("1a2b3c4d"),
        "from elsewhere": replies.FOREIGN,
        "an old button": replies.OLDER_CARD,
        "a late form": replies.FORM_TOO_LATE,
        "busy": replies.BUSY,
        "maybe recorded": replies.MAYBE,
        "the kill switch": replies.acknowledge_switch("freeze"),
    }


def file_of(readings: Mapping[str, str]) -> str:
    return "\n".join(f"=== {name}\n\n{text}\n" for name, text in readings.items())


def rollouts() -> dict[str, str]:
    cards = {
        f"{group}: {name}": read(render(request, now=NOW), NAMES)
        for group, requests in ROLLOUTS.items()
        for name, request in requests.items()
        if "500" not in name  # nobody reads names of 255 letters; tests/core/cards/test_rollout.py does
    }
    lines = {
        f"line: {name}": read(line(one, link=LINK), NAMES)
        for name, one in (ROLLOUTS["over"] | ROLLOUTS["ended"]).items()
        if "500" not in name
    }
    threads = {
        f"thread: {name}": "\n---\n".join(read(text, NAMES) for text in listing(ROLLOUTS["over"][name]))
        for name in ("partly", "an undo, partly", "a set")
    }
    more = {"details": read(details(ROLLOUTS["over"]["partly"], now=NOW), NAMES)}
    return cards | lines | threads | more | {f"note: {name}": read(note(said), NAMES) for name, said in notes().items()}


READINGS: dict[str, Callable[[], dict[str, str]]] = {
    **{group: partial(cards, group) for group in CARDS},
    "rollouts": rollouts,
    "lines": lines,
    "evidence": threads,
    "details": all_details,
    "answers": all_answers,
    "ends": said_of_ends,
    "holds": said_of_holds,
    "lists": said_in_lists,
    "handovers": said_in_handovers,
    "watch": said_of_the_watch,
    "forms": all_forms,
    "home": all_pages,
    "replies": all_replies,
    "notes": all_notes,
}


@pytest.mark.parametrize("name", list(READINGS))
def test_it_reads_as_agreed(name: str) -> None:
    path, shown = GOLDEN / f"{name}.txt", file_of(READINGS[name]())
    if os.environ.get("GOLDEN") == "write":
        path.write_text(shown)
    assert shown == path.read_text()


def test_every_file_is_compared() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == set(READINGS)
