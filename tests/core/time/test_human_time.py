"""Lengths and moments: read as people mean them, refused where nobody could say what is meant."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.core.time.human_time import Now, cut_moment, humanize, names_a_day, read_length, read_moment
from bot.errors import UsageError

BERLIN = ZoneInfo("Europe/Berlin")
# A Sunday, 13:00 in Berlin.
HERE = Now(datetime(2026, 3, 1, 12, 0, tzinfo=UTC), BERLIN)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


class TestALength:
    """`2h`."""

    @pytest.mark.parametrize(
        ("typed", "seconds"),
        [("90s", 90), ("30m", 1800), ("2h", 7200), ("1h30m", 5400), ("7d", 604800), (" 2H ", 7200)],
    )
    def test_is_a_number_with_its_unit(self, typed: str, seconds: int) -> None:
        assert read_length(typed) == timedelta(seconds=seconds)

    @pytest.mark.parametrize(
        "typed",
        [
            "",
            "2",
            "h",
            "2 h",
            "-2h",
            "0m",
            "1.5h",
            "two hours",
            "999999d",
            "9999999999d",
            "9" * 5000 + "h",
            "٢h",
            "2h" * 9,
        ],
    )
    def test_anything_else_is_refused_with_an_example(self, typed: str) -> None:
        with pytest.raises(UsageError, match="write it like 30m, 2h"):
            read_length(typed)


class TestAMoment:
    """`Tue 22:00 UTC`."""

    def test_midnight_of_a_named_day_may_be_either_of_its_ends(self) -> None:
        with pytest.raises(UsageError, match="the start or the end of that day; write 00:00 or 24:00"):
            read_moment("tomorrow midnight", HERE)

    @pytest.mark.parametrize("typed", ["today 23:50", "midnight", "24:00", "2026-12-01T22:00Z", "Tue noon", "6am"])
    def test_some_can_be_nothing_else(self, typed: str) -> None:
        assert names_a_day(typed)

    @pytest.mark.parametrize("typed", ["2:30", "02:30", "2h", "", "someday"])
    def test_others_may_be_lengths(self, typed: str) -> None:
        assert not names_a_day(typed)

    @pytest.mark.parametrize(
        ("typed", "meant"),
        [
            ("22:00", "2026-03-01 21:00"),
            ("12:59", "2026-03-02 11:59"),  # it is past that today
            ("13:00", "2026-03-02 12:00"),  # it is that now
            ("9:05", "2026-03-02 08:05"),
            ("22:00 UTC", "2026-03-01 22:00"),
            ("22:00Z", "2026-03-01 22:00"),
            ("22:00 Europe/Berlin", "2026-03-01 21:00"),
            ("22:00 -05:00", "2026-03-02 03:00"),
            ("22:00+0530", "2026-03-01 16:30"),
            ("Tue 22:00 UTC", "2026-03-03 22:00"),
            ("tuesday, 22:00", "2026-03-03 21:00"),
            ("SUN 22:00", "2026-03-01 21:00"),
            ("Sun 12:00", "2026-03-08 11:00"),
            ("today 22:00", "2026-03-01 21:00"),
            ("tomorrow  06:30", "2026-03-02 05:30"),
            ("2026-12-01T22:00Z", "2026-12-01 22:00"),
            ("2026-12-01 22:00", "2026-12-01 21:00"),
            ("2026-7-1 22:00", "2026-07-01 20:00"),  # summer
            ("today 23:50", "2026-03-01 22:50"),
            ("today at 23:50", "2026-03-01 22:50"),
            ("tonight 23:50", "2026-03-01 22:50"),
            ("24:00", "2026-03-01 23:00"),
            ("today 24:00", "2026-03-01 23:00"),
            ("tomorrow 24:00 UTC", "2026-03-03 00:00"),
            ("2026-12-31 24:00", "2026-12-31 23:00"),
            ("midnight", "2026-03-01 23:00"),
            ("today midnight", "2026-03-01 23:00"),
            ("Midnight UTC", "2026-03-02 00:00"),
            ("noon", "2026-03-02 11:00"),
            ("Tue noon", "2026-03-03 11:00"),
            ("10pm", "2026-03-01 21:00"),
            ("6 AM", "2026-03-02 05:00"),
            ("tomorrow 6:30am UTC", "2026-03-02 06:30"),
            ("12am", "2026-03-01 23:00"),
            ("12:15pm", "2026-03-02 11:15"),
        ],
    )
    def test_is_the_next_one_in_the_zone_of_the_policy(self, typed: str, meant: str) -> None:
        assert read_moment(typed, HERE) == utc(meant)

    @pytest.mark.parametrize(
        "typed",
        [
            "",
            "22",
            "10p",
            "13pm",
            "0am",
            "10:75pm",
            "25:00",
            "24:01",
            "midnight-ish",
            "22:60",
            "Tue",
            "someday 22:00",
            "tu 22:00",
            "2026-02-30 22:00",
            "22:00 CET",
            "0-0-0 1:00",
        ],
    )
    def test_anything_else_is_refused_with_examples(self, typed: str) -> None:
        with pytest.raises(UsageError, match="write it like 22:00, Tue 22:00 UTC"):
            read_moment(typed, HERE)

    @pytest.mark.parametrize(
        "typed", ["today 12:59", "2026-03-01 13:00", "2025-12-01T22:00Z", "0001-01-01 00:00 +14:00"]
    )
    def test_what_has_passed_is_refused(self, typed: str) -> None:
        with pytest.raises(UsageError, match=r"has passed: it is (Sun|Mon)"):
            read_moment(typed, HERE)

    @pytest.mark.parametrize("typed", ["2062-12-01 22:00", "9999-12-31 23:59 -14:00"])
    def test_a_mistyped_year_is_refused(self, typed: str) -> None:
        with pytest.raises(UsageError, match="more than a year away"):
            read_moment(typed, HERE)

    def test_a_zone_that_nobody_agreed_on_is_refused(self) -> None:
        with pytest.raises(UsageError, match="Times here are in Europe/Berlin, or in UTC, or with an offset"):
            read_moment("22:00 America/New_York", HERE)
        with pytest.raises(UsageError, match="not an offset"):
            read_moment("22:00 +19:00", HERE)

    def test_the_hour_that_is_left_out_in_spring_is_no_time(self) -> None:
        before = Now(utc("2026-03-28 20:00"), BERLIN)

        assert read_moment("01:59", before) == utc("2026-03-29 00:59")
        assert read_moment("03:00", before) == utc("2026-03-29 01:00")
        with pytest.raises(UsageError, match="02:30 does not come on 29 March in Europe/Berlin"):
            read_moment("02:30", before)
        assert read_moment("02:30", Now(utc("2026-03-29 02:00"), BERLIN)) == utc("2026-03-30 00:30")

    def test_the_hour_that_comes_twice_in_autumn_has_to_be_said_in_utc(self) -> None:
        before = Now(utc("2026-10-24 20:00"), BERLIN)

        with pytest.raises(UsageError, match=r"02:30 comes twice on 25 October in Europe/Berlin.*Give it in UTC"):
            read_moment("02:30", before)
        assert read_moment("02:30 +02:00", before) == utc("2026-10-25 00:30")
        assert read_moment("02:30 +01:00", before) == utc("2026-10-25 01:30")
        assert read_moment("03:00", before) == utc("2026-10-25 02:00")

    def test_a_weekday_after_the_clock_change_keeps_its_time_on_the_wall(self) -> None:
        friday = Now(utc("2026-03-27 12:00"), BERLIN)

        assert read_moment("Sat 22:00", friday) == utc("2026-03-28 21:00")
        assert read_moment("Mon 22:00", friday) == utc("2026-03-30 20:00")

    @given(st.text() | st.from_regex(r"[A-Za-z0-9-]{0,10}[ T]?\d{1,2}:\d{2} ?[A-Z+:0-9-]{0,6}", fullmatch=True))
    @example("9999-12-31 23:59")
    def test_whatever_is_typed_is_a_time_to_come_or_a_sentence(self, typed: str) -> None:
        try:
            at = read_moment(typed, HERE)
        except UsageError as error:
            assert str(error).endswith((".", "now."))
        else:
            assert HERE.at < at


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("22:00 disk swap", ("22:00", "disk swap")),
        ("22:00 UTC disk swap", ("22:00 UTC", "disk swap")),
        ("Tue 22:00 UTC", ("Tue 22:00 UTC", "")),
        ("2026-12-01 22:00 --runtime why", ("2026-12-01 22:00", "--runtime why")),
        ("2026-12-01T22:00Z why", ("2026-12-01T22:00Z", "why")),
        ('"Tue 22:00 UTC" at last', ("Tue 22:00 UTC", "at last")),
        ("'Tue 22:00'", ("Tue 22:00", "")),
        ('"Tue 22:00', ('"Tue', "22:00")),
        ("soon it breaks", ("soon", "it breaks")),
        ("22:00utcish", ("22:00utcish", "")),
        ("soon\nit breaks", ("soon", "it breaks")),
        ("", ("", "")),
    ],
)
def test_a_moment_of_several_words_is_taken_from_the_front_of_a_text(text: str, cut: tuple[str, str]) -> None:
    assert cut_moment(text) == cut


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "0 seconds"),
        (1, "1 second"),
        (59.6, "1 minute"),
        (45, "45 seconds"),
        (720, "12 minutes"),
        (3570, "1 hour"),
        (5400, "1 hour 30 minutes"),
        (2 * 86400, "2 days"),
        (86400 + 3 * 3600 + 60, "1 day 3 hours"),
    ],
)
def test_a_length_is_said_in_the_words_that_people_use(seconds: float, words: str) -> None:
    assert humanize(timedelta(seconds=seconds)) == words
