"""Questions about many targets: each is looked at, and what is alike is one line."""

from dataclasses import replace
from typing import Any

import pytest

from bot.core.hosts.inventory import Inventory
from bot.core.input.grammar import Question, QuestionKind, parse
from bot.core.requests import Selection, Stage, Verb
from bot.core.systemd.units import UnitName
from bot.errors import HostError, UsageError
from bot.workflow.queries import many_targets
from handlers import cli_queries
from tests.workflow.rollout.rolled import ask_rollout
from tests.workflow.slack import ALICE, BOB, EVE, caller
from tests.workflow.wire import Call
from tests.workflow.world import World

WORKER = UnitName("worker.service")
QUESTION = Question(QuestionKind.STATUS, "web-01,web-02", WORKER, selection=Selection(("web-01", "web-02"), (WORKER,)))


def grouped(world: World) -> None:
    """Every host is in the group that its name begins with."""
    now = world.in_force.now
    hosts = (replace(one, groups=frozenset({one.name.partition("-")[0]})) for one in now.inventory.hosts)
    world.in_force.put(replace(now, inventory=Inventory(tuple(hosts))))


def asked(world: World, text: str) -> tuple[list[str], Any]:
    """The lines for people, and the data, of a question as it is typed."""
    question = parse(Verb.MASK, text, world.desk.places, world.desk.now)
    assert isinstance(question, Question)
    told = cli_queries.answer(world.deps, question, caller(ALICE))
    return told["lines"], told["answer"]


def silence(world: World, host: str) -> None:
    def trouble(call: Call) -> None:
        if call.host == host:
            raise HostError(f"{host} does not answer.", code="ssh_unreachable", passing=True)

    world.wire.before.append(trouble)


def test_the_state_of_each_is_told_and_what_is_alike_is_one_line(world: World) -> None:
    grouped(world)
    world.masked("worker", host="web-02")
    silence(world, "db-01")
    lines, data = asked(world, "status @web,db-01 worker,patient")
    said = "\n".join(lines)
    assert "STATUS · 6 targets on @web,db-01" in lines[0]
    assert "patient.service on web-01, web-02: there is no such unit" in said
    assert "worker.service on web-02: masked, inactive (by maskbot)" in said
    assert "worker.service on db-01: not known: db-01 does not answer." in said
    assert [(one["host"], one["asked"]) for one in data["targets"]] == [
        (host, f"{unit}.service") for host in ("web-01", "web-02", "db-01") for unit in ("worker", "patient")
    ]
    assert [one["unit"]["is_masked"] for one in data["targets"][:4]] == [False, False, True, False]
    assert data["targets"][4]["error"] == "db-01 does not answer."


def test_a_plan_says_what_the_policy_would_of_each_and_is_posted_where_people_would_be_asked(world: World) -> None:
    lines, data = asked(world, "plan web-01,db-01 worker,ssh")
    said = "\n".join(lines)
    assert "PLAN, NOBODY IS ASKED · mask web-01,db-01 worker.service,ssh.service" in lines[0]
    assert (
        "worker.service on web-01, db-01: running, enabled; stops metrics.service, partof.service; needs 1 of" in said
    )
    assert "no. ssh.service is on the critical list" in said
    assert [one["decision"]["answer"] for one in data["targets"]] == ["needs_approval", "refuse"] * 2
    question = parse(Verb.MASK, "plan web-01,db-01 worker", world.desk.places, world.desk.now)
    assert isinstance(question, Question)
    world.desk.answer(question, caller(BOB))
    world.until(lambda: any(mark.startswith("plan:") for mark in marks(world)), "a plan in the channel")
    assert question.selection
    mixed = replace(question, selection=replace(question.selection, units=(WORKER, UnitName("ssh.service"))))
    assert not many_targets.plan(world.deps, mixed, caller(BOB))[1]
    assert many_targets.plan(world.deps, replace(question, **about_ssh(question)), caller(BOB))[1]
    assert world.requests() == []


def marks(world: World) -> list[str]:
    return [one.mark for one in world.slack.messages.values()]


def about_ssh(question: Question) -> dict[str, Any]:
    assert question.selection and question.change
    unit = UnitName("ssh.service")
    change = replace(question.change, unit=unit)
    return {"unit": unit, "change": change, "selection": replace(question.selection, units=(unit,))}


def test_why_names_the_check_that_decides(world: World) -> None:
    lines, data = asked(world, "why web-01,web-02 ssh")
    assert 'decided by the check "' in "\n".join(lines)
    assert all(one["explained"] for one in data["targets"])


def test_lists_and_histories_are_about_the_hosts_named(world: World) -> None:
    grouped(world)
    for host in ("web-01", "db-01"):
        world.masked("worker", host=host)
    lines, data = asked(world, "list @web")
    assert lines[0].startswith("MASKS ON @web · 1 by maskbot")
    assert {one["host"] for one in data["hosts"]} == {"web-01", "web-02"}
    assert {one["host"] for one in asked(world, "status web-01,db-01")[1]["masks"]} == {"web-01", "db-01"}
    history = many_targets.answer_any(world.deps, Question(QuestionKind.HISTORY, "db-01"), caller(ALICE))
    assert "mask worker.service on db-01" in str(history.blocks)
    assert "web-01" not in str(history.blocks)


def test_a_history_shows_a_rollout_as_one_and_on_a_host_what_it_did_there(world: World) -> None:
    done = world.approve(world.until_answered(ask_rollout(world, "web-01", "web-02")))
    assert done.stage is Stage.DONE

    def told(host: str) -> str:
        return str(many_targets.answer_any(world.deps, Question(QuestionKind.HISTORY, host), caller(ALICE)).blocks)

    assert "as asked on 2 of 2 targets" in told("")
    assert "HISTORY · 1 requests" in told("")
    assert "mask worker.service on web-02" in told("web-02")


def test_who_may_not_look_gets_no_answer_and_too_many_targets_are_counted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(many_targets, "_MOST", 2)
    with pytest.raises(UsageError, match="That is 3 targets, and an answer looks at 2 at most"):
        asked(world, "status web-01,web-02,db-01 worker")
    for question in (QUESTION, replace(QUESTION, word=QuestionKind.LIST), replace(QUESTION, word=QuestionKind.WHY)):
        with pytest.raises(UsageError, match="guest"):
            many_targets.answer_any(world.deps, question, caller(EVE))
