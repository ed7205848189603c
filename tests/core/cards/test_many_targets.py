"""Answers about many targets: what is alike is one line, all of it fits, and foreign text stays harmless."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given

from bot.core.cards import answers, many_targets, replies
from bot.core.input.grammar import Question, QuestionKind
from bot.core.policy.model import Allow, Explanation, NeedsApproval, Refuse
from bot.core.requests import Change, Rollout, RolloutTarget, Selection, Stage, TargetStatus, Verb
from bot.core.systemd.units import ActiveState, LoadState, UnitName
from tests.core.cards.limits import problems
from tests.core.cards.reading import read
from tests.core.cards.situations import NAMES, NOW, masked, off_record, proven, running, waiting
from tests.core.cards.test_foreign_text import FOREIGN, SLOW, assert_harmless

WORKER, NGINX = UnitName("worker.service"), UnitName("nginx.service")
CHOSEN = Selection(("@web", "db-01"), (WORKER, NGINX), ("1", "rest"))
CHANGE = Change(Verb.MASK, "@web,db-01", WORKER)
PLAN = Question(QuestionKind.PLAN, "@web,db-01", WORKER, CHANGE, CHOSEN)
NO = Refuse("critical", "ssh.service is on the critical list.", "Nobody can approve this.")
NEEDS = NeedsApproval("prod", "", 1, 0, ("sre",), timedelta(minutes=15), timedelta(hours=1))


def test_what_is_alike_is_one_line_the_most_frequent_first() -> None:
    odd = many_targets.state(running(load=LoadState.NOT_FOUND, active=ActiveState.INACTIVE, sub="dead"), [])
    found = [
        ("db-01", NGINX, odd),
        ("db-01", WORKER, many_targets.state(masked(), [proven()])),
        ("db-02", WORKER, many_targets.state(masked(), [])),
        ("db-04", WORKER, many_targets.state(off_record(), [])),
        ("db-03", WORKER, many_targets.not_known("db-03 does not answer.")),
        *((f"web-{number:02}", WORKER, many_targets.state(running(), [])) for number in range(30)),
    ]
    text = read(many_targets.status("@web,db-01", found), NAMES)
    head, first, *others = text.split("\n")
    assert head == "STATUS · 35 targets on @web,db-01"
    assert first.startswith("worker.service on web-00, web-01, ")
    assert "web-19, 10 more: running, enabled" in first
    assert others[0] == "nginx.service on db-01: there is no such unit"
    assert others[1].endswith("(by maskbot)")
    assert others[2].endswith("(not by maskbot)")
    assert others[3].endswith("(by maskbot, not on record)")
    assert others[4] == "worker.service on db-03: not known: db-03 does not answer."
    assert "1 target on" in read(many_targets.status("x", found[:1]), NAMES)


def test_a_plan_says_that_people_are_asked_once() -> None:
    told = [
        ("web-01", WORKER, many_targets.planned(running(), NEEDS)),
        ("db-01", WORKER, many_targets.planned(None, Allow("lab", "lab is free"))),
    ]
    text = read(many_targets.plan_or_why(PLAN, told, "", NOW), NAMES)
    assert text.startswith("PLAN, NOBODY IS ASKED · mask @web,db-01 worker.service,nginx.service --waves 1,rest")
    assert "worker.service on web-01: running, enabled; needs 1 of @sre (rule prod)" in text
    assert "worker.service on db-01: needs no approval: lab is free" in text
    assert "People are asked once, for what the strictest of these needs." in text
    assert "is refused:" not in text


@pytest.mark.parametrize("word", [QuestionKind.PLAN, QuestionKind.WHY])
def test_what_is_refused_together_is_said_instead(word: QuestionKind) -> None:
    told = [("web-01", WORKER, many_targets.planned(running(), NEEDS))]
    text = read(many_targets.plan_or_why(replace(PLAN, word=word), told, "Two must stay.", NOW), NAMES)
    assert "One request for all of them is refused: Two must stay." in text
    assert "People are asked" not in text


def test_why_names_the_check_that_refuses() -> None:
    steps = [Explanation("unit is not critical", applies=True, why="", decides=True)]
    told = [
        ("web-01", WORKER, many_targets.decision(NO, steps)),
        ("web-02", WORKER, many_targets.decision(NO, [])),
        ("web-03", WORKER, many_targets.decision(NEEDS, steps)),
    ]
    text = read(many_targets.plan_or_why(replace(PLAN, word=QuestionKind.WHY, change=None), told, "", NOW), NAMES)
    assert text.startswith("WHY · @web,db-01 worker.service,nginx.service")
    assert 'Nobody can approve this. (decided by the check "unit is not critical")' in text
    assert "Nobody can approve this.\n" in text
    assert "`/mask why HOST UNIT` says more about one of them." in text


def test_500_targets_that_all_differ_fit_into_a_message() -> None:
    told = [(f"host-{n}", WORKER, many_targets.not_known(f"{n}: " + "it does not answer " * 20)) for n in range(500)]
    said = many_targets.status("@all", told)
    assert problems(said) == []
    assert "more lines" in read(said, NAMES)


def test_a_history_says_on_how_many_targets_a_rollout_ended_as_asked() -> None:
    statuses = (TargetStatus.DONE, TargetStatus.UNDONE, TargetStatus.FAILED, TargetStatus.LEFT_OUT)
    targets = tuple(RolloutTarget(f"web-{n}", WORKER, status=status) for n, status in enumerate(statuses))
    whole = replace(waiting(), stage=Stage.DONE, rollout=Rollout(targets=targets))
    assert "as asked on 2 of 3 targets" in read(answers.history([whole], NOW), NAMES)


def test_a_request_for_many_is_read_back_with_all_its_words() -> None:
    asked = "mask @web,db-01 worker.service,nginx.service --waves 1,rest"
    assert replies.acknowledge(CHANGE, selection=CHOSEN) == f"Got it: `{asked}`. Checking each host."
    assert replies.acknowledge_repeat(CHANGE, CHOSEN).startswith(f"This message asked for `{asked}`, ")


@SLOW
@given(FOREIGN)
def test_foreign_text_stays_harmless(text: str) -> None:
    said = many_targets.decision(Refuse("code", text, text), [Explanation(text, applies=True, why=text, decides=True)])
    found = [(text, WORKER, said), ("web-01", WORKER, many_targets.not_known(text))]
    assert_harmless(many_targets.status(text, found))
    assert_harmless(many_targets.plan_or_why(PLAN, found, text, NOW))
