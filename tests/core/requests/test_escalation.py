"""Who waits for a decision is helped by time: reminders that back off, and a ladder whose steps are taken once."""

from datetime import timedelta
from itertools import pairwise

from bot.core.requests import REMIND, Escalation, EscalationStep
from bot.core.requests.timers import next_due
from tests.core.situations import NOW, waiting_since

MINUTE = timedelta(minutes=1)
LADDER = (
    EscalationStep(7 * MINUTE, ("leads",)),
    EscalationStep(9 * MINUTE, channel="C2"),
    EscalationStep(12 * MINUTE, page=True),
)


def test_by_default_each_reminder_waits_twice_as_long_as_the_one_before() -> None:
    gaps = [later - earlier for earlier, later in pairwise((timedelta(), *REMIND))]

    assert gaps[0] == 5 * MINUTE
    assert all(longer == 2 * shorter for shorter, longer in pairwise(gaps))


def test_reminders_that_came_due_while_no_bot_ran_are_one() -> None:
    escalation = Escalation(NOW, (5 * MINUTE, 10 * MINUTE, 60 * MINUTE))
    assert escalation.next_reminder == NOW + 5 * MINUTE

    reminded = escalation.after_reminder(NOW + 11 * MINUTE)

    assert reminded.next_reminder == NOW + 60 * MINUTE
    assert reminded.after_reminder(NOW + 99 * MINUTE).next_reminder is None


def test_every_step_of_the_ladder_that_is_due_is_taken_in_its_order_and_once() -> None:
    escalation = Escalation(NOW, steps=LADDER)
    assert escalation.reached(NOW + 6 * MINUTE) == ()
    assert escalation.reached(NOW + 10 * MINUTE) == LADDER[:2]

    one_step_on = Escalation(NOW, steps=LADDER, escalated=1)

    assert one_step_on.next_step == NOW + 9 * MINUTE
    assert one_step_on.reached(NOW + 10 * MINUTE) == LADDER[1:2]
    assert Escalation(NOW, steps=LADDER, escalated=3).next_step is None


def test_people_who_are_asked_once_more_are_called_from_the_beginning() -> None:
    asked_again = Escalation(NOW, REMIND, LADDER, reminded=2, escalated=1, counted_down=3).restart(NOW + 60 * MINUTE)

    assert asked_again == Escalation(NOW + 60 * MINUTE, REMIND, LADDER)


def test_the_card_is_drawn_for_its_countdown_once_for_all_marks_that_were_passed() -> None:
    end, escalation = NOW + 15 * MINUTE, Escalation(NOW)
    assert escalation.next_drawing(end) == end - 10 * MINUTE

    drawn = escalation.after_drawing(end, end - 4 * MINUTE)

    assert drawn.next_drawing(end) == end - 1 * MINUTE
    assert drawn.after_drawing(end, end).next_drawing(end) is None


def test_a_waiting_request_is_due_at_whatever_comes_first() -> None:
    assert next_due(waiting_since(Escalation(NOW, (4 * MINUTE,), LADDER))) == NOW + 4 * MINUTE
    assert next_due(waiting_since(Escalation(NOW, (), LADDER, counted_down=1))) == NOW + 7 * MINUTE
    assert next_due(waiting_since(Escalation(NOW, (9 * MINUTE,)))) == NOW + 5 * MINUTE  # ten minutes are left
    assert next_due(waiting_since(Escalation(NOW, counted_down=3))) == NOW + 15 * MINUTE
