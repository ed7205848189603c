"""What an on-call source may answer, and everything that is no answer."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from bot.core.people.identity import PersonId, Shift
from bot.core.people.on_call import read_shifts

NOW = datetime(2026, 3, 14, 17, 0, tzinfo=UTC)
BOB, CAROL = PersonId("", "U0BOB"), PersonId("", "W0CAROL")

ANSWERS = {
    "nobody": ('{"on_call": []}', ()),
    "somebody, nobody knows until when": ('{"on_call": [{"user": "U0BOB"}]}', (Shift(BOB),)),
    "the same, said so": ('{"on_call": [{"user": "U0BOB", "until": null}]}', (Shift(BOB),)),
    "somebody until six": (
        '{"on_call": [{"user": "U0BOB", "until": "2026-03-14T18:00:00Z"}]}',
        (Shift(BOB, NOW + timedelta(hours=1)),),
    ),
    "until six in another zone, and somebody else": (
        '{"on_call": [{"until": "2026-03-14T19:00:00+01:00", "user": "U0BOB"}, {"user": "W0CAROL"}]}',
        (Shift(BOB, NOW + timedelta(hours=1)), Shift(CAROL)),
    ),
    "a shift that is over": ('{"on_call": [{"user": "U0BOB", "until": "2026-03-14T17:00:00Z"}]}', ()),
}


@pytest.mark.parametrize(("answer", "shifts"), ANSWERS.values(), ids=ANSWERS)
def test_an_answer_says_who_is_on_call_now(answer: str, shifts: tuple[Shift, ...]) -> None:
    assert read_shifts(answer, now=NOW) == shifts


NO_ANSWERS = {
    "nothing": ("", "not JSON"),
    "words": ("bob", "not JSON"),
    "half of it": ('{"on_call": [', "not JSON"),
    "a list": ("[]", "has to be an object"),
    "another word": ('{"oncall": []}', "has to be an object"),
    "more than asked for": ('{"on_call": [], "team": "sre"}', "and nothing else"),
    "no list": ('{"on_call": {"user": "U0BOB"}}', "with a list"),
    "a key twice": ('{"on_call": [], "on_call": [{"user": "U0BOB"}]}', "a key twice"),
    "a person by itself": ('{"on_call": ["U0BOB"]}', "an object with `user`"),
    "nobody until six": ('{"on_call": [{"until": "2026-03-14T18:00:00Z"}]}', "an object with `user`"),
    "a person with more": ('{"on_call": [{"user": "U0BOB", "email": "bob@example.com"}]}', "and nothing else"),
    "a name": ('{"on_call": [{"user": "bob"}]}', "has to be a Slack user id"),
    "a number": ('{"on_call": [{"user": 7}]}', "has to be a Slack user id"),
    "an id with something behind it": ('{"on_call": [{"user": "U0BOB\\n"}]}', "has to be a Slack user id"),
    "a time without a zone": ('{"on_call": [{"user": "U0BOB", "until": "2026-03-14T18:00:00"}]}', "with its zone"),
    "a number of seconds": ('{"on_call": [{"user": "U0BOB", "until": 1773511200}]}', "with its zone"),
    "no time": ('{"on_call": [{"user": "U0BOB", "until": "six"}]}', "with its zone"),
    "far too many": (json.dumps({"on_call": [{"user": "U0BOB"}] * 51}), "more than 50 people"),
    "a tower of brackets": ("[" * 60_000, "nested too deeply"),
}


@pytest.mark.parametrize(("answer", "why"), NO_ANSWERS.values(), ids=NO_ANSWERS)
def test_what_is_no_answer_is_refused_with_the_reason(answer: str, why: str) -> None:
    with pytest.raises(ValueError, match=why) as refused:
        read_shifts(answer, now=NOW)
    assert "bob" not in str(refused.value)
