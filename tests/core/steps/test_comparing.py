"""Is everything as before? Each part of it is compared with the record, and what is not so is named."""

from dataclasses import replace
from typing import Any

import pytest

from bot.core.requests import Outcome, Target
from bot.core.steps import Done
from bot.core.steps.comparing import is_deaf, not_as_before, not_known
from bot.core.systemd.look import parse_look
from bot.core.systemd.side_effects import ElapseBase, NextElapse, SideEffects
from bot.core.systemd.units import ActiveState, Snapshot, UnitName
from tests.core.record import CASES
from tests.core.situations import masked, related_unit, snapshot
from tests.core.systemd.test_look import parsed_look, recording
from tests.core.walks import FILE as WORKERS
from tests.core.walks import Site, undoing
from tests.core.walks import masked as made

UP, DOWN = ActiveState.ACTIVE, ActiveState.INACTIVE
LINK = "/etc/systemd/system/multi-user.target.wants/cron.service"


def compared(
    before: Snapshot, now: Snapshot, *, after: Snapshot | None = None, undo: Snapshot | None = None
) -> list[str]:
    mask = Target("web-01", before.id, before=before, after=after)
    return [*not_as_before(mask, Target("web-01", before.id, before=undo), now)]


def test_what_is_the_same_is_the_same() -> None:
    one = snapshot(
        drop_ins=(("/etc/a.conf", "h"),), wants_links=((LINK, "/lib/x"),), up=("cron.service", "ssh.service")
    )
    assert compared(one, one, after=masked(up=("ssh.service",)), undo=masked(up=("ssh.service",))) == []


FILE = "/lib/systemd/system/cron.service"
CHANGES = "another program may run:"
FILES: dict[str, Any] = {"fragment_hash": "a", "drop_ins": (("/etc/a.conf", "h"),)}
CHANGED: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "its unit file": (FILES, FILES | {"fragment_hash": "b"}, f"{CHANGES} {FILE} was changed"),
    "a drop-in": (FILES, FILES | {"drop_ins": (("/etc/a.conf", "i"),)}, f"{CHANGES} /etc/a.conf was changed"),
    "a drop-in that is new": (
        FILES,
        FILES | {"drop_ins": (("/etc/a.conf", "h"), ("/etc/b.conf", "h"))},
        f"{CHANGES} /etc/b.conf is new",
    ),
    "a drop-in that is gone": (FILES, FILES | {"drop_ins": ()}, f"{CHANGES} /etc/a.conf is not part of it any more"),
    "a link that is gone": ({"wants_links": ((LINK, "/a"),)}, {}, f"the link {LINK} is gone"),
    "a link that is new": ({}, {"wants_links": ((LINK, "/a"),)}, f"the link {LINK} is new"),
    "a link to elsewhere": (
        {"wants_links": ((LINK, "/a"),)},
        {"wants_links": ((LINK, "/b"),)},
        f"the link {LINK} led to /a, and leads to /b",
    ),
    "frozen": ({"side_effects": SideEffects(is_frozen=True)}, {}, "it was frozen, and is now active but not frozen"),
    "down": ({}, {"active": DOWN}, "It was active and is inactive now"),
    "down, as a condition is not met": (
        {},
        {"active": DOWN, "side_effects": SideEffects(is_skipped=True)},
        "It was active and is inactive now: it did not start, because a condition of its file "
        "(Condition...= or Assert...=) is not met",
    ),
    "a turn": (
        {"side_effects": SideEffects(turn=ElapseBase.MONOTONIC)},
        {},
        "it had a next turn (monotonic) and has none: it does not fire again by itself",
    ),
}


@pytest.mark.parametrize(("was", "is_now", "said"), CHANGED.values(), ids=CHANGED)
def test_what_is_not_the_same_is_named(was: dict[str, Any], is_now: dict[str, Any], said: str) -> None:
    assert compared(snapshot(**was), snapshot(**is_now)) == [said]


def test_who_ran_before_an_edit_was_loaded_and_was_started_again_runs_as_edited() -> None:
    db, web = related_unit("db.service"), related_unit("web@1.service")
    edits: dict[str, Any] = {"is_edited": True, "pending_reload": ("db.service", "web@.service")}
    was = snapshot(invocation="a", would_stop=(replace(db, invocation="a"), replace(web, invocation="a")), **edits)
    again = snapshot(invocation="b", others=(replace(db, invocation="b"), replace(web, invocation="b")))
    how = "as edited: systemd had not loaded its changed files before"
    assert compared(was, again) == [f"it runs {how}", f"db.service runs {how}", f"web@1.service runs {how}"]
    same = snapshot(invocation="a", others=(replace(db, invocation="a"), replace(web, invocation="a")))
    assert compared(was, same) == []
    assert compared(snapshot(active=DOWN, is_edited=True), snapshot(active=DOWN)) == []


def test_what_other_requests_changed_meanwhile_is_said_on_their_cards() -> None:
    everything = ("b.service", "cron.service", "d.service")
    before, after = snapshot(up=everything), masked(up=("c.service", "d.service"))
    undo, now = masked(up=("c.service", "d.service")), snapshot(up=("c.service", "cron.service"))
    mask = Target("web-01", before.id, before=before, after=after)
    back = Target("web-01", before.id, before=undo)
    assert [*not_as_before(mask, back, now)] == [
        "b.service went down when this was stopped, and is not running",
        "c.service came up when this was stopped, and is running",
        "d.service went down when this was started",
    ]
    meanwhile = replace(mask, beside=("b.service", "c.service"))
    assert [*not_as_before(meanwhile, replace(back, beside=("d.service",)), now)] == []


def test_what_the_bot_cannot_read_is_not_known_and_not_the_same() -> None:
    before, now = snapshot(**FILES), snapshot(**FILES | {"fragment_hash": ""})
    assert compared(before, now) == []
    assert [*not_known(before, now)] == [
        "Whether /lib/systemd/system/cron.service was changed is not known: the bot cannot read it."
    ]
    assert [*not_known(before, before)] == []


def test_a_timer_beside_it_that_does_not_fire_any_more_is_named() -> None:
    before = snapshot(
        triggers=(replace(related_unit("a.timer"), sub="waiting"), replace(related_unit("b.socket"), sub="listening"))
    )
    now = snapshot(
        triggers=(replace(related_unit("a.timer"), sub="elapsed"), replace(related_unit("b.socket"), sub="running"))
    )
    assert compared(before, now) == ["a.timer was waiting and is elapsed now: it does not fire again by itself"]


def test_what_stopped_with_it_is_known_by_the_record_alone() -> None:
    before = snapshot(
        would_stop=(related_unit("a.service"), related_unit("b.service"), related_unit("c.service", active=DOWN))
    )
    assert compared(before, snapshot(others=(related_unit("a.service", active=DOWN),))) == [
        "a.service was active and is inactive now",
        "b.service was active and is gone now",
    ]


def test_whatever_else_went_down_or_came_up_is_named() -> None:
    idle = related_unit("idle.service", active=DOWN)
    before = snapshot(up=("cron.service", "helper.service", "back.service", "rival.service"), would_stop=(idle,))
    after = masked(up=("rival.service", "handler.service", "short.service"))
    undo = masked(up=("rival.service", "handler.service", "idle.service"))
    now = snapshot(up=("cron.service", "back.service", "handler.service"))
    assert compared(before, now, after=after, undo=undo) == [
        "helper.service went down when this was stopped, and is not running",
        "handler.service came up when this was stopped, and is running",
        "rival.service went down when this was started",
    ]
    assert compared(before, now, after=after)[-1] == "handler.service came up when this was stopped, and is running"
    assert compared(before, snapshot(), after=after, undo=undo) == []


def test_a_rival_that_still_stops_went_down_too() -> None:
    rivals = SideEffects(conflicts=("rival.service", "late.service", "shutdown.target"))
    undo = masked(up=("cron.service", "rival.service"))
    now = replace(snapshot(up=("cron.service",), moving=("late.service", "rival.service")), side_effects=rivals)
    assert compared(snapshot(up=("cron.service",)), now, after=masked(up=("cron.service",)), undo=undo) == [
        "rival.service went down when this was started"
    ]


def test_what_crashes_in_a_loop_is_no_news() -> None:
    up, moving = snapshot(up=("a.service", "b.service")), snapshot(up=("a.service",), moving=("b.service",))
    assert compared(up, moving, after=moving, undo=up) == compared(moving, up, after=up, undo=up) == []


def test_a_record_of_before_says_nothing_about_the_rest() -> None:
    assert compared(snapshot(), snapshot(up=("a.service",)), after=masked()) == []


def test_a_comparison_without_a_full_look_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="full look"):
        compared(snapshot(), replace(snapshot(), around=None))


def test_a_socket_without_a_listener_is_told_from_one_that_serves() -> None:
    service = related_unit("echo.service", active=DOWN)
    deaf = snapshot("echo.socket", sub="running", starts=(service,))
    assert is_deaf(deaf)
    assert not is_deaf(replace(deaf, sub="listening"))
    assert not is_deaf(snapshot("echo.socket", sub="running", starts=(related_unit("echo.service"),)))
    assert not is_deaf(replace(deaf, id=UnitName("echo.service")))
    assert is_deaf(replace(deaf, around=None))
    assert compared(deaf, deaf) == ["it is active but no longer listens: its service ended while it was masked"]


@pytest.mark.parametrize(
    ("shown", "is_skipped"),
    [
        ("ConditionResult=no\nAssertResult=no\nConditionTimestampMonotonic=0", False),  # it was never started
        ("ConditionResult=no\nAssertResult=no\nConditionTimestampMonotonic=77", True),
        ("ConditionResult=yes\nAssertResult=no\nConditionTimestampMonotonic=77", True),
        ("ConditionResult=yes\nAssertResult=yes\nConditionTimestampMonotonic=77", False),
    ],
)
def test_a_start_that_was_skipped_is_told_from_none(shown: str, *, is_skipped: bool) -> None:
    text = recording("frozen").replace("FreezerState=", f"{shown}\nFreezerState=", 1)
    assert parse_look(text, UnitName(CASES["frozen"].unit)).side_effects.is_skipped is is_skipped


def test_habits_are_read_as_systemd_says_them() -> None:
    assert parsed_look("frozen").side_effects.is_frozen
    turn = NextElapse(after_boot=6_649_288_339)
    assert parsed_look("timer").side_effects == SideEffects(
        conflicts=("shutdown.target",), turn=ElapseBase.MONOTONIC, next_turn=turn
    )
    assert parsed_look("elapsed_timer").side_effects.turn is ElapseBase.NONE
    calendar = parsed_look("calendar_timer").side_effects
    assert (calendar.turn, calendar.is_persistent) == (ElapseBase.CALENDAR, True)
    assert calendar.next_turn == NextElapse(at="Sun 2026-11-29 00:00:00 UTC")
    service = parsed_look("conflicting").side_effects
    assert service.stop_starts == ("tuned.service",)
    assert {*service.conflicts} == {"shutdown.target", "cron.service"}  # in no order that would stay


def test_an_undo_tells_what_is_not_as_before_and_what_is_not_known() -> None:
    mask = made(Site())
    assert mask.target.before
    assert mask.target.before.around
    other = replace(mask.target.before.around, fragment_hash="", drop_ins=(("/etc/a.conf", "h"),))
    timer = replace(mask.target.before, around=other)
    mask.target = replace(mask.target, before=timer)
    why = f"Whether {WORKERS} was changed is not known: the bot cannot read it."
    gone = f"{CHANGES} /etc/a.conf is not part of it any more"
    assert undoing(mask).run() == Done(Outcome.RESTORED_PARTLY, f"{gone}. {why}")
