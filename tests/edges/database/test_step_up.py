"""Step-up, on both databases: a code counts once whoever takes it, and no row that was put back counts."""

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import create_engine, text

from bot.core.audit.seal_keys import KeyRing, SealKey
from bot.core.cards import step_up as words
from bot.core.hosts.inventory import Inventory
from bot.core.people.identity import Caller, PersonId, Place
from bot.core.policy.configuration import ConfigSnapshot
from bot.core.step_up.authenticator import MOST_WRONG, Offer, Result, StepUpState
from bot.edges.database import Database
from bot.errors import CodeRefused, Stale, UsageError
from bot.ports import MessageKind, Periodic
from bot.workflow import Deps, InForce
from bot.workflow.step_up import StepUp
from tests.edges.conftest import Hands, Opening
from tests.handlers.world import POLICY, NoHost
from tests.lab.authenticator import PhoneApp
from tests.lab.keys import KEY, KEYS
from tests.workflow.slack import Channels, People

BOB = Caller(PersonId("T1", "UBOB"), "bob", Place("C1"), "k1")
ROW = "step_up:T1:UBOB"
TABLES = ("periodic_tasks", "events", "messages", "chain_head")


def step_up(store: Database, clock: Hands, keys: KeyRing = KEYS) -> StepUp:
    """Step-up as one process has it."""
    in_force = InForce(ConfigSnapshot(Inventory(()), POLICY))
    return StepUp(Deps(store, NoHost(), People(), Channels(), clock, in_force, keys=keys))


def enrolled(store: Database, clock: Hands) -> PhoneApp:
    """Bob has enrolled, a minute ago."""
    codes = step_up(store, clock)
    app = PhoneApp(codes.offer(BOB).secret)
    codes.confirm(BOB, app.code(clock.now()))
    clock.wait(60)
    return app


def refusal(codes: StepUp, code: str, who: Caller = BOB) -> str:
    """Why a code does not count; empty if it does."""
    try:
        codes.use(who, code, used_for="approval")
    except CodeRefused as error:
        return str(error)
    return ""


def events(store: Database) -> list[tuple[str, str]]:
    return [(one["type"], one["reason_code"]) for one in store.chain() if one["type"].startswith("step_up.")]


def said(store: Database) -> list[tuple[MessageKind, str, str]]:
    """Every message that waits to be delivered."""
    found = []
    while due := store.claim_message("poster"):
        found.append((due.message.kind, due.message.to, due.message.body))
    return found


def execute(url: str, statement: str) -> None:
    """Somebody writes into the database, about bob's row."""
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text(statement.replace(":name", f"'{ROW}'")))
    engine.dispose()


def test_a_code_counts_once_however_many_take_it_at_once(
    store: Database, opened: Opening, clock: Hands, *, is_sqlite: bool
) -> None:
    app = enrolled(store, clock)
    replicas = [store, store if is_sqlite else opened(instance="bot-2")]
    code = app.code(clock.now())
    with ThreadPoolExecutor(4) as pool:
        answers = [*pool.map(lambda number: refusal(step_up(replicas[number % 2], clock), code), range(4))]

    assert sorted(answer != "" for answer in answers) == [False, True, True, True]
    assert {answer for answer in answers if answer} == {words.why_not(Result.USED, StepUpState())}
    assert [kind for kind, _ in events(store)].count("step_up.accepted") == 1


def test_wrong_codes_at_two_replicas_lock_it_together_and_operators_and_owner_are_told(
    store: Database, opened: Opening, clock: Hands, *, is_sqlite: bool
) -> None:
    app = enrolled(store, clock)
    said(store)
    replicas = [store, store if is_sqlite else opened(instance="bot-2")]
    wrong = app.wrong_code(clock.now())
    *_, answer = [refusal(step_up(replicas[number % 2], clock), wrong) for number in range(MOST_WRONG)]
    assert "After 5 wrong codes" in answer
    assert refusal(step_up(store, clock), app.code(clock.now())) == answer
    assert events(store)[1:] == [("step_up.refused", "wrong_code")] * 4 + [("step_up.locked", "wrong_code")]
    told = {kind: body for kind, _, body in said(store)}
    assert "STEP-UP LOCKED: 5 wrong codes were typed in the name of bob" in told[MessageKind.NOTE]
    assert told[MessageKind.DIRECT] == answer

    clock.wait(15 * 60)
    assert refusal(step_up(store, clock), app.code(clock.now())) == ""


def test_nothing_that_is_stored_or_logged_holds_a_secret_or_a_code(
    store: Database, clock: Hands, database_url: str, capfd: pytest.CaptureFixture[str]
) -> None:
    codes = step_up(store, clock)
    offer = codes.offer(BOB)
    app = PhoneApp(offer.secret)
    typed = [app.code(clock.now()), app.wrong_code(clock.now()), app.code(clock.now(), ahead=1)]
    codes.confirm(BOB, typed[0])
    refusals = [refusal(codes, code) for code in typed]
    assert refusals[2] == ""
    engine = create_engine(database_url)
    with engine.connect() as connection:
        stored = repr([connection.execute(text(f"SELECT * FROM {name}")).all() for name in TABLES])  # noqa: S608
    engine.dispose()
    assert ROW in stored
    everything = stored + repr(refusals) + repr(offer) + repr([*store.chain()]) + "".join(capfd.readouterr())
    for secret in (*typed, offer.secret, offer.secret.replace(" ", ""), "otpauth"):
        assert secret not in everything


class TestTheDatabaseIsNotBelieved:
    def test_a_row_that_is_put_back_makes_no_used_code_good_again(
        self, store: Database, clock: Hands, database_url: str
    ) -> None:
        app, codes = enrolled(store, clock), step_up(store, clock)
        execute(database_url, "CREATE TABLE stolen AS SELECT document, seal FROM periodic_tasks WHERE name = :name")
        code = app.code(clock.now())
        assert refusal(codes, code) == ""
        old = "document = (SELECT document FROM stolen), seal = (SELECT seal FROM stolen)"
        execute(database_url, f"UPDATE periodic_tasks SET {old} WHERE name = :name")  # noqa: S608
        execute(database_url, "DROP TABLE stolen")
        assert refusal(codes, code) == words.NOT_BELIEVED
        assert refusal(codes, app.code(clock.now(), ahead=1)) == words.NOT_BELIEVED
        assert [one["data"]["why"] for one in store.chain() if one["type"] == "audit.forgery"] == [words.SET_BACK]

    def test_a_row_that_is_removed_lets_nobody_enrol_in_its_place(
        self, store: Database, clock: Hands, database_url: str
    ) -> None:
        enrolled(store, clock)
        execute(database_url, "DELETE FROM periodic_tasks WHERE name = :name")
        with pytest.raises(CodeRefused, match=re.escape(words.NOT_BELIEVED)):
            step_up(store, clock).offer(BOB)

    @pytest.mark.parametrize(
        "hide",
        ["DELETE FROM events WHERE request_id = :name", "UPDATE events SET request_id = 'r1' WHERE request_id = :name"],
    )
    def test_neither_helps_it_to_hide_the_events_about_it(
        self, store: Database, clock: Hands, database_url: str, hide: str
    ) -> None:
        app, codes = enrolled(store, clock), step_up(store, clock)
        assert refusal(codes, code := app.code(clock.now())) == ""
        execute(database_url, "DELETE FROM periodic_tasks WHERE name = :name")
        execute(database_url, hide)
        with pytest.raises(CodeRefused, match=re.escape(words.NOT_BELIEVED)):
            codes.offer(BOB)
        assert refusal(codes, code) == words.NOT_BELIEVED

    def test_a_row_that_somebody_wrote_does_not_count_and_a_reset_helps(
        self, store: Database, clock: Hands, database_url: str
    ) -> None:
        app, codes = enrolled(store, clock), step_up(store, clock)
        execute(database_url, "UPDATE periodic_tasks SET seal = 'lab:00' WHERE name = :name")
        assert refusal(codes, app.code(clock.now())) == words.NOT_BELIEVED

        codes.reset(BOB.id, "bob", by=None, by_name="root", reason="the database was restored")

        assert refusal(codes, app.code(clock.now())) == words.why_not(Result.NOT_ENROLLED, StepUpState())
        newer = PhoneApp(codes.offer(BOB).secret)
        codes.confirm(BOB, newer.code(clock.now()))
        clock.wait(60)
        assert refusal(codes, newer.code(clock.now())) == ""


class TestReset:
    def test_it_removes_the_authenticator_and_the_lock_and_is_recorded_and_told(
        self, store: Database, clock: Hands
    ) -> None:
        app, codes = enrolled(store, clock), step_up(store, clock)
        said(store)
        codes.reset(BOB.id, "bob", by=PersonId("T1", "UCAROL"), by_name="carol", reason="his phone is gone")
        assert "you have none here yet" in refusal(codes, app.code(clock.now()))
        (event,) = [one for one in store.chain() if one["type"] == "step_up.reset"]
        assert (event["actor"]["user"], event["data"]) == (
            "UCAROL", {"person": "UBOB", "by": "carol", "reason": "his phone is gone"},
        )  # fmt: skip
        assert [(kind, to) for kind, to, _ in said(store)] == [(MessageKind.NOTE, ""), (MessageKind.DIRECT, "UBOB")]

    def test_where_there_is_nothing_it_says_so(self, store: Database, clock: Hands) -> None:
        enrolled(store, clock)
        codes = step_up(store, clock)
        for _ in range(2):
            with pytest.raises(UsageError, match="carol has no authenticator here"):
                codes.reset(PersonId("T1", "UCAROL"), "carol", by=None, by_name="root", reason="?")
        codes.reset(BOB.id, "bob", by=None, by_name="root", reason="?")
        with pytest.raises(UsageError, match="bob has no authenticator here"):
            codes.reset(BOB.id, "bob", by=None, by_name="root", reason="?")


class TestSealKeys:
    def test_a_new_key_in_front_changes_nothing_and_a_key_that_is_gone_is_said(
        self, store: Database, clock: Hands, opened: Opening
    ) -> None:
        app, new = enrolled(store, clock), SealKey("new", b"\x01" * 32)
        rotated = KeyRing((new, KEY))
        newer = opened(keys=rotated)
        assert refusal(step_up(newer, clock, rotated), app.code(clock.now())) == ""  # and the row is sealed with it
        clock.wait(60)
        gone = step_up(newer, clock, KeyRing((new,)))
        assert "depends on a seal key that the bot does not have any more" in refusal(gone, app.code(clock.now()))
        gone.reset(BOB.id, "bob", by=None, by_name="root", reason="the old key is gone")
        assert "none here yet" in refusal(gone, app.code(clock.now()))


def test_on_enterprise_grid_the_command_line_finds_what_was_enrolled_in_slack(store: Database, clock: Hands) -> None:
    in_slack = replace(BOB, id=PersonId("T1", "UBOB", enterprise="E1"))
    codes = step_up(store, clock)
    app = PhoneApp(codes.offer(in_slack).secret)
    codes.confirm(in_slack, app.code(clock.now()))
    clock.wait(60)
    assert refusal(codes, app.code(clock.now()), replace(BOB, id=PersonId("T1", "UBOB"))) == ""
    assert "none here yet" in refusal(codes, "123456", replace(BOB, id=PersonId("T1", "UCAROL")))
    assert "none here yet" in refusal(codes, "123456", replace(BOB, id=PersonId("T2", "UBOB", enterprise="E2")))


def test_a_second_authenticator_takes_a_code_of_the_first(store: Database, clock: Hands) -> None:
    app, codes = enrolled(store, clock), step_up(store, clock)
    for typed in ("", "12345x", app.wrong_code(clock.now())):
        with pytest.raises(CodeRefused):
            codes.offer(BOB, typed)
    newer = PhoneApp(codes.offer(BOB, app.code(clock.now())).secret)
    codes.confirm(BOB, newer.code(clock.now()))
    clock.wait(60)
    assert refusal(codes, newer.code(clock.now())) == ""
    assert "not right" in refusal(codes, app.code(clock.now()))
    assert [kind for kind, _ in events(store)][-3:] == ["step_up.enrolled", "step_up.accepted", "step_up.refused"]


def test_a_forced_save_writes_over_whatever_is_there_and_voids_what_others_have_read(store: Database) -> None:
    assert store.save_periodic(Periodic("step_up:T1:UX", {"a": 1}), forced=True).version == 1
    read = store.get_periodic("step_up:T1:UX")
    assert read
    assert store.save_periodic(Periodic("step_up:T1:UX", {"a": 2}), forced=True).version == 2
    with pytest.raises(Stale):
        store.save_periodic(replace(read, document={"a": 3}))


def test_an_offer_ends(store: Database, clock: Hands) -> None:
    codes = step_up(store, clock)
    offer: Offer = codes.offer(BOB)
    clock.wait(timedelta(minutes=15).total_seconds())
    with pytest.raises(CodeRefused, match="too old"):
        codes.confirm(BOB, PhoneApp(offer.secret).code(clock.now()))
