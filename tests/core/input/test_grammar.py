"""What people type is read as they meant it, or refused with what would have been right."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.core.input.grammar import ChangeCommand, Command, Form, Question, QuestionKind, parse, parse_mention
from bot.core.input.kill_switch import Switch, SwitchCommand
from bot.core.input.names import read_duration, read_host, read_scheduled_window, read_unit
from bot.core.requests import Change, Duration, Verb
from bot.core.systemd.units import UnitName
from bot.core.time.human_time import Now
from bot.errors import UsageError

HOSTS = ("db-01", "web-01", "web-02")
CRON = UnitName("cron.service")
NOW = Now(datetime(2026, 3, 14, 15, tzinfo=UTC))  # a Saturday
SIX = Duration(until=datetime(2026, 3, 14, 18, tzinfo=UTC))


def mask(text: str) -> Command:
    return parse(Verb.MASK, text, HOSTS, NOW)


def order(text: str, verb: Verb = Verb.MASK) -> ChangeCommand:
    command = parse(verb, text, HOSTS, NOW)
    assert isinstance(command, ChangeCommand)
    return command


def refusal(text: str, verb: Verb = Verb.MASK, hosts: Sequence[str] = HOSTS) -> str:
    with pytest.raises(UsageError) as raised:
        parse(verb, text, hosts, NOW)
    return str(raised.value)


def escaped(text: str) -> str:
    """As Slack sends it."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


# What is meant and makes no sense by itself: each needs another option, or a group that there is.
_NOT_ALONE = ("--hold @sre", "--hold sre", "--review 2026-06-01 09:00", "--console-works")


class TestAChange:
    """HOST UNIT [options] [reason...]."""

    @pytest.mark.parametrize(
        ("typed", "meant"),
        [
            ("for 2h", "--for 2h"),
            ("for 2h runaway job", "--for 2h"),
            ("For 2 hours, see INC-1", "--for 2h"),
            ("for an hour", "--for 1h"),
            ("for 2 weeks", "--for 14d"),
            ("for today 23:50", "--for today 23:50"),
            ("for midnight", "--for midnight"),
            ("for=2h", "--for 2h"),
            ("until=18:00 INC-1", "--until 18:00"),
            ("until Tue 22:00 UTC", "--until Tue 22:00 UTC"),
            ("until 2026-03-20T22:00Z, deploy", "--until 2026-03-20T22:00Z"),
            ("until tomorrow", "--until tomorrow 09:00"),
            ("until Monday, when bob is back", "--until Monday 09:00"),
            ("until 2h", "--for 2h"),
            ("at 22:00 window 2h", "--at 22:00 --window 2h"),
            ("hold sre review 90d", "--hold sre --review 90d"),
            ("hold @sre", "--hold @sre"),
            ("hold=sre", "--hold sre"),
            ("review 2026-06-01", "--review 2026-06-01 09:00"),
            ("user deploy", "--user deploy"),
            ("user=deploy it crashes", "--user deploy"),
            ("break glass", "--break-glass"),
            ("break-glass", "--break-glass"),
            ("alone", "--break-glass"),
            ("console works", "--console-works"),
            ("set", "--set"),
            ("runtime for 2h", "--runtime --for 2h"),
            ("for 2h keep running", "--for 2h --keep-running"),
            ("for 2h runtime errors are too many", "--for 2h"),
            ("hold on until 18:00", "--until 18:00"),
            ("hold it", ""),
            ("hold the line", ""),
            ("user deploy complains", ""),
            ("user: deploy", ""),
            ("review of the logs", ""),
            ("review for", ""),
            ("window is broken", ""),
            ("at 22:00pm", ""),
            ("for ever", ""),
            ("for 2 hours while we look", "--for 2h"),
            ("for 90 minutes", "--for 90m"),
            ("2h", "--for 2h"),
            ("until 18:00", "--until 18:00"),
            ("until tomorrow 06:30 because", "--until tomorrow 06:30"),
            ("till midnight", "--until midnight"),
            ("at 22:00 deploy", "--at 22:00"),
            ("runtime", "--runtime"),
            ("keep running", "--keep-running"),
            ("keep-running", "--keep-running"),
            ("for two hours", "--for 2h"),
            ("for about 2h", "--for 2h"),
            ("for 1.5 hours", "--for 90m"),
            ("for half an hour", "--for 30m"),
            ("for the next 2 weeks", "--for 14d"),
            ("until 10pm", "--until 10pm"),
            ("until tomorrow 6 am", "--until tomorrow 6 am"),
            ("INC-1 for 30 minutes", "--for 30m"),
            ("runaway job, for 2h", "--for 2h"),
            ("runaway job until 18:00", "--until 18:00"),
            ("INC-1: deploy for two hours.", "--for 2h"),
            ("it is broken until 18:00", "--until 18:00"),
            ("2h INC-1 runaway", "--for 2h"),
            ("90m, runaway job", "--for 90m"),
            ("it has been failing for 2 hours", ""),
            ("crashing for 2h", ""),
            ("2h outage", ""),
            ("runaway job for alice", ""),
            ("a fix for 2 of the hosts", ""),
            ("for one or two customers", ""),
            ("runtime errors since noon", ""),
            ("2h of noise", ""),
            ("for alice, who asked", ""),
            ("until somebody looks", ""),
            ("-- for 2h", ""),
            ("--for 3h for 2h", ""),
            ("--until 18:00 for 2h", ""),
            ("--at 22:00 at 22:00", ""),
        ],
    )
    def test_an_option_without_its_dashes_is_asked_about(self, typed: str, meant: str) -> None:
        if not meant:
            assert order(f"web-01 cron {typed}").reason
            return
        said = refusal(f"web-01 cron {typed}")
        assert said.startswith(f"Did you mean `{meant}`? Without dashes, `{typed}` is part of the reason")
        assert order(f"web-01 cron -- {typed}").reason == typed
        if meant not in _NOT_ALONE:
            assert order(f"web-01 cron {meant} INC-1").reason == "INC-1"

    @pytest.mark.parametrize(
        ("typed", "meant"),
        [
            ("for 2h", "/mask web-01 cron.service --for 2h"),
            ("until tomorrow 06:30 because", "/mask web-01 cron.service --until tomorrow 06:30"),
            ("keep running", "/mask web-01 cron.service --keep-running"),
            ("at 22:00 for 2h", "/mask web-01 cron.service --at 22:00 --for 2h"),
            ("at 22:00", "--at 22:00"),
            ("user deploy", "--user deploy"),
            ("for alice, who asked", ""),
        ],
    )
    def test_it_is_asked_about_at_an_unmask_as_well(self, typed: str, meant: str) -> None:
        if not meant:
            assert order(f"web-01 cron {typed}", Verb.UNMASK).reason == typed
            return
        assert refusal(f"web-01 cron {typed}", Verb.UNMASK).startswith(f"Did you mean `{meant}`?")
        assert order(f"web-01 cron -- {typed}", Verb.UNMASK).reason == typed

    @pytest.mark.parametrize("word", ["freeze", "thaw"])
    def test_the_kill_switch_does_not_turn_by_itself(self, word: str) -> None:
        for typed in ("for 2h", "until 18:00, deploy", "2h"):
            assert "The kill switch stays o" in refusal(f"{word} {typed}")
            assert parse(Verb.MASK, f"{word} -- {typed}", HOSTS, NOW) == SwitchCommand(Switch(word), typed)
        for typed in ("runtime", "for the deploy", "at 22:00 it broke"):
            assert parse(Verb.MASK, f"{word} {typed}", HOSTS, NOW) == SwitchCommand(Switch(word), typed)

    @pytest.mark.parametrize(
        "typed",
        [
            "web-01 *cron*",
            "*web-01* _cron_",
            "*web-01 cron*",
            "web-01 *`cron`*",
            "web-01 **cron**",
            "_*web-01*_ ~cron~",
            "_web-01 cron_",
        ],
    )
    def test_marks_that_make_words_bold_or_italic_are_taken_off(self, typed: str) -> None:
        assert str(order(typed).change) == "mask web-01 cron.service"
        assert order(f"{typed} *now* it 2*3*4").reason == "*now* it 2*3*4"

    def test_a_comma_behind_a_list_is_no_unit(self) -> None:
        for typed in ("cron,", "cron,nginx,", ",cron"):
            assert refusal(f"web-01 {typed} it loops").startswith(f"`{typed}` has a comma too many")

    @pytest.mark.parametrize("typed", ["*cron", "cron*", "cr*n", "*", "**", "*cr*n*"])
    def test_other_stars_are_a_pattern_still(self, typed: str) -> None:
        assert "is a pattern" in refusal(f"web-01 {typed}")

    @pytest.mark.parametrize(
        ("typed", "until"),
        [
            ("--for today 23:50", "2026-03-14T23:50"),
            ("--for midnight", "2026-03-15T00:00"),
            ("--until 24:00", "2026-03-15T00:00"),
        ],
    )
    def test_a_moment_where_a_length_is_asked_for_is_one(self, typed: str, until: str) -> None:
        given = order(f"web-01 cron {typed} INC-1")
        assert given.change.duration == Duration(until=datetime.fromisoformat(until).replace(tzinfo=UTC))
        assert given.reason == "INC-1"
        assert "not a duration" in refusal("web-01 cron --for 2:30")

    def test_a_name_without_a_suffix_is_a_service_and_is_shown_in_full(self) -> None:
        assert str(order("web-01 cron").change) == "mask web-01 cron.service"

    @pytest.mark.parametrize("unit", ["app.socket", "tidy.timer", "worker@blue.service", "dev-disk-by\\x2duuid.device"])
    def test_a_name_with_a_known_suffix_stays(self, unit: str) -> None:
        assert str(order(f"web-01 {unit}").change.unit) == unit

    def test_an_unknown_suffix_is_a_part_of_the_name(self) -> None:
        assert str(order("web-01 foo.bar").change.unit) == "foo.bar.service"

    def test_what_follows_is_the_reason_as_typed(self) -> None:
        assert order("web-01 cron  runaway job, see INC-2041").reason == "runaway job, see INC-2041"

    def test_options_end_at_the_first_word_of_the_reason(self) -> None:
        asked = order("web-01 cron --runtime it said --keep-running — oddly")
        assert (asked.change.runtime, asked.change.keep_running) == (True, False)
        assert asked.reason == "it said --keep-running — oddly"

    @pytest.mark.parametrize(
        ("late", "reason"),
        [
            ("--for 2h", "INC-7: leak"),
            ("—runtime", "why"),
            ("--until=18:00 --keep-running", "by hand"),
            ("-for 2h", "x"),
        ],
    )
    def test_options_behind_the_reason_are_asked_about(self, late: str, reason: str) -> None:
        told = refusal(f"web-01 cron {reason} {late}")
        assert "comes after the reason and would be read as part of it" in told
        assert order(f"web-01 cron -- {reason} {late}").reason.startswith(reason)

    def test_options_that_do_not_end_the_reason_or_are_none_belong_to_it(self) -> None:
        for reason in ("see --for 2h in the log", "it wants --frobnicate", "see a-b"):
            assert order(f"web-01 cron {reason}").reason == reason

    @pytest.mark.parametrize(
        "text",
        [
            "--runtime --keep-running --user deploy web-01 cron why",
            "web-01 --runtime --user=deploy cron --keep-running why",
            "web-01 cron --keep-running --user deploy --runtime why",
            "web-01 cron --Runtime --keep-running --user deploy -- why",
        ],
    )
    def test_options_may_stand_anywhere_before_the_reason(self, text: str) -> None:
        wanted = Change(Verb.MASK, "web-01", CRON, runtime=True, keep_running=True, user="deploy")
        assert order(text) == ChangeCommand(wanted, "why")

    def test_two_dashes_begin_a_reason_that_looks_like_an_option(self) -> None:
        assert order("web-01 cron -- --runtime was wrong").reason == "--runtime was wrong"

    def test_a_single_dash_begins_the_reason(self) -> None:
        assert order("web-01 cron - runaway").reason == "- runaway"

    def test_unmask_takes_a_user_and_a_reason(self) -> None:
        asked = order("web-01 cron --user deploy all well again", Verb.UNMASK)
        assert str(asked.change) == "unmask web-01 cron.service --user deploy"
        assert asked.reason == "all well again"

    def test_a_reason_of_500_characters_fits_and_one_more_does_not(self) -> None:
        assert len(order(f"web-01 cron {escaped('&' * 500)}").reason) == 500
        assert "501 characters; at most 500 are allowed" in refusal("web-01 cron " + "x" * 501)

    def test_control_signs_and_half_characters_never_reach_the_record(self) -> None:
        assert order("web-01 cron a\0b\x1b[31m\ud800c\td").reason == "ab[31mc d"

    def test_a_bare_mask_wants_the_form(self) -> None:
        assert mask(" \u200b ") == Form()

    @pytest.mark.parametrize("text", ["enrol", " Enrol ", "enroll"])
    def test_a_word_wants_the_form_for_an_authenticator_which_no_message_can_open(self, text: str) -> None:
        assert mask(text) == Form(enrols=True)
        assert "goes with `/mask`" in refusal(text, Verb.UNMASK)
        with pytest.raises(UsageError, match="in a form that only you see"):
            parse_mention(f"<@U1> {text}", HOSTS, NOW)


class TestGoingAlone:
    """`--break-glass`, and the reason it cannot be without."""

    def test_a_code_goes_with_it_and_is_not_shown(self) -> None:
        asked = order("web-01 cron --break-glass --code=123456 on fire")
        assert (asked.code, asked.reason) == ("123456", "on fire")
        assert "123456" not in repr(asked)
        assert "`--code` only goes with `--break-glass`" in refusal("web-01 cron --code 123456 on fire")
        assert "needs a value" in refusal("web-01 cron --break-glass --code")

    @pytest.mark.parametrize("verb", Verb)
    def test_it_is_said_of_the_order_and_not_of_the_change(self, verb: Verb) -> None:
        asked = order("web-01 —break-glass cron nobody is awake", verb)
        assert asked == ChangeCommand(Change(verb, "web-01", CRON), "nobody is awake", break_glass=True)
        assert order("web-01 --alone cron nobody is awake", verb) == asked
        assert not order("web-01 cron -- nobody is --break-glass", verb).break_glass

    @pytest.mark.parametrize(
        "text", ["web-01 cron --break-glass", "web-01 cron --break-glass --", "--break-glass web-01 cron --runtime"]
    )
    def test_without_a_reason_it_is_nothing(self, text: str) -> None:
        assert "so it needs a reason: `/mask web-01 cron.service --break-glass WHY`." in refusal(text)

    def test_the_word_that_console_access_works_can_be_typed_beside_it(self) -> None:
        asked = order("web-01 docker --break-glass --console-works nobody is awake", Verb.MASK)
        assert (asked.break_glass, asked.console_works, asked.reason) == (True, True, "nobody is awake")

    def test_by_itself_that_word_is_said_to_nobody(self) -> None:
        assert "`--console-works` only goes with `--break-glass`." in refusal("web-01 docker --console-works late")


class TestRepairs:
    """What Slack and phones do to a text is undone before it is read."""

    @pytest.mark.parametrize(
        "text",
        [
            "web-01 cron —runtime",
            "web-01 cron –runtime",
            "web-01 cron \u2212-runtime",
            "web-01 cron -runtime",
            "<http://web-01|web-01> cron --runtime",
            "<http://web-01/|web-01> <http://cron.service|cron.service> --runtime",
            "“web-01” ‘cron’ --runtime",
            "`web-01` `cron.service` --runtime",
            "web\u200b-01 \ufeffcron\u200d --runtime",
            "web-01\u00a0cron\u3000--runtime",
            "web-01\ncron\t--runtime",
        ],
    )
    def test_the_same_change_comes_out(self, text: str) -> None:
        assert order(text) == ChangeCommand(Change(Verb.MASK, "web-01", CRON, runtime=True))

    def test_an_instance_that_looks_like_mail_is_unlinked(self) -> None:
        unit = order("web-01 <mailto:worker@blue.service|worker@blue.service>").change.unit
        assert str(unit) == "worker@blue.service"

    def test_a_link_whose_label_is_not_its_address_is_not_believed(self) -> None:
        assert "There is no host" in refusal("<https://evil.example|web-01> cron")

    def test_links_and_entities_in_a_reason_are_what_was_typed(self) -> None:
        typed = "web-01 cron see <https://t.example/1> &amp; <https://t.example/2|t.example/2> &lt;now&gt;"
        assert order(typed).reason == "see https://t.example/1 & t.example/2 <now>"

    def test_an_entity_is_undone_once(self) -> None:
        assert order("web-01 cron &amp;lt;").reason == "&lt;"

    def test_full_width_letters_are_other_letters(self) -> None:
        assert "not a unit name" in refusal("web-01 \uff41.service")


class TestMasksThatEnd:
    """`--for` and `--until`, before the reason or between the names."""

    @pytest.mark.parametrize(
        ("text", "canonical"),
        [
            ("web-01 cron --for 2h", "--for 2h"),
            ("web-01 cron —for=90m it runs away", "--for 1h30m"),
            ("--for 2H30S web-01 cron it runs away", "--for 2h30s"),
            ("web-01 --until 18:00 cron it runs away", "--until 2026-03-14T18:00Z"),
            ("web-01 cron --until Tue 18:00 UTC it runs away", "--until 2026-03-17T18:00Z"),
            ("web-01 cron --until “tomorrow 06:30” it runs away", "--until 2026-03-15T06:30Z"),
            ("web-01 cron --until='Tue 18:00 +02:00' it runs away", "--until 2026-03-17T16:00Z"),
            ("web-01 cron --for until 18:00 it runs away", "--until 2026-03-14T18:00Z"),
            ("web-01 cron --for 'until 18:00' it runs away", "--until 2026-03-14T18:00Z"),
            ("web-01 cron --for until tomorrow 18:00 it runs away", "--until 2026-03-15T18:00Z"),
        ],
    )
    def test_the_end_is_read_and_said_in_one_form(self, text: str, canonical: str) -> None:
        asked = order(text)
        assert str(asked.change) == f"mask web-01 cron.service {canonical}"
        assert asked.reason == ("it runs away" if "away" in text else "")

    def test_a_form_says_it_as_it_could_be_typed(self) -> None:
        assert str(Duration()) == ""
        assert str(Duration(until=datetime(2026, 3, 14, 18, 0, 9, tzinfo=UTC))) == "--until 2026-03-14T18:00:09Z"
        assert str(Duration(lasts=timedelta())) == "--for 0s"


class TestWindows:
    """`--at` and `--window`, before the reason or between the names."""

    @pytest.mark.parametrize(
        ("text", "window"),
        [
            ("web-01 cron --at 22:00 disk swap", "--at 2026-03-14T22:00Z --window 1h"),
            ('web-01 cron --at "Tue 22:00 UTC" disk swap', "--at 2026-03-17T22:00Z --window 1h"),
            ("web-01 cron --at “Tue 22:00 UTC” disk swap", "--at 2026-03-17T22:00Z --window 1h"),
            ("web-01 —at Tue 22:00 UTC cron —window 90m disk swap", "--at 2026-03-17T22:00Z --window 1h30m"),
            ("--window=2h --at=2026-12-01T22:00Z web-01 cron disk swap", "--at 2026-12-01T22:00Z --window 2h"),
            ('web-01 cron --at="22:00" --window="2h" disk swap', "--at 2026-03-14T22:00Z --window 2h"),
            ("web-01 cron --at='tomorrow 06:30' disk swap", "--at 2026-03-15T06:30Z --window 1h"),
        ],
    )
    def test_say_when_it_may_run_and_for_how_long(self, text: str, window: str) -> None:
        asked = order(text)
        assert (str(asked.change.scheduled_window), asked.reason) == (window, "disk swap")
        assert str(asked.change) == f"mask web-01 cron.service {window}"
        assert str(order(text, Verb.UNMASK).change) == f"unmask web-01 cron.service {window}"

    def test_go_with_an_end(self) -> None:
        assert str(order("web-01 cron --for 2h --at 22:00").change).endswith(
            "--for 2h --at 2026-03-14T22:00Z --window 1h"
        )

    def test_are_meant_in_the_zone_and_as_long_as_the_policy_says(self) -> None:
        berlin = Now(NOW.at, ZoneInfo("Europe/Berlin"), timedelta(minutes=30))
        command = parse(Verb.MASK, "web-01 cron --at 22:00", HOSTS, berlin)
        assert isinstance(command, ChangeCommand)
        assert str(command.change.scheduled_window) == "--at 2026-03-14T21:00Z --window 30m"

    def test_in_the_form_they_are_one_field(self) -> None:
        assert str(read_scheduled_window("Tue 22:00 UTC for 2h", NOW)) == "--at 2026-03-17T22:00Z --window 2h"
        assert str(read_scheduled_window("22:00", NOW)) == "--at 2026-03-14T22:00Z --window 1h"


class TestRefusals:
    """Each says what would have been right."""

    @pytest.mark.parametrize("name", ["--for", "--until", "--at", "--window", "--user", "--hold", "--review"])
    @pytest.mark.parametrize("behind", ["", " --runtime", " -runtime INC-1"])
    def test_an_option_without_its_value_is_never_left_out(self, name: str, behind: str) -> None:
        """`--hold` alone once asked for a mask without a hold."""
        assert refusal(f"web-01 cron {name}{behind}").startswith(f"`{name}` needs a value, as in `--")

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("web-1 cron", "There is no host `web-1`. Did you mean `web-01`"),
            ("WEB-01 cron", "There is no host `WEB-01`. Did you mean `web-01`"),
            ("web-01;id cron", "There is no host `web-01;id`. Did you mean `web-01`"),
            ("@web cron", "No host is in a group `@web`."),
            ("<!subteam^S1|@web> cron", "No host is in a group `@web`."),
            ("web-01", "Which unit on web-01? Write it as in `/mask web-01 cron`."),
            ("cron", "Name a host and a unit, as in `/mask db-01 cron`."),
            ("--runtime", "Name a host and a unit"),
            ("cron web-01", "The host comes first: `/mask web-01 cron`."),
            ("web-01 cr*", "is a pattern"),
            ("web-01 ../cron.service", "is a path"),
            ("web-01 cron ssh.service", "Then write units as a list without spaces: `cron.service,ssh.service`."),
            ("web-01 x.Service", "Did you mean `x.service`?"),
            ("web-01 -.mount", "It is never masked"),
            ("web-01 cron --runtme", "no option `--runtme`. Did you mean `--runtime`"),
            ("web-01 cron --frobnicate", "no option `--frobnicate`."),
            ("web-01 cron --alon now", "no option `--alon`. Did you mean `--break-glass`?"),
            ("web-01 cron --alone=yes now", "`--break-glass` takes no value"),
            ("web-01 cron --break-glass=yes now", "`--break-glass` takes no value"),
            ("web-01 cron --runtime=yes", "takes no value"),
            ("web-01 cron --runtime --runtime", "is given twice"),
            ("web-01 cron --user", "`--user` needs a value, as in `--user deploy`"),
            ("web-01 cron --user 0day", "name of one user"),
            ("web-01 cron --user a;id", "name of one user"),
            ("web-01 cron --for", "`--for` needs a value, as in `--for 2h`"),
            ("web-01 cron --for soon", "`soon` is not a duration"),
            ("web-01 cron --for 18:00", "`18:00` is not a duration"),
            ("web-01 cron --until", "`--until` needs a value, as in `--until 18:00`"),
            ("web-01 cron --until 2h", "`2h` is not a time"),
            ("web-01 cron --until 2026-03-14T14:00Z", "has passed"),
            ("web-01 cron --for 2h --for 3h", "is given twice"),
            ("web-01 cron --for 2h --until 18:00", "Use one"),
            ("web-01 cron --at", "`--at` needs a value, as in `--at 22:00`"),
            ("web-01 cron --at soon", "`soon` is not a time"),
            ("web-01 cron --at 22:00 --window", "`--window` needs a value, as in `--at 22:00 --window 2h`"),
            ("web-01 cron --at 22:00 --window 0m", "`0m` is not a duration"),
            ("web-01 cron --at 22:00 --at 23:00", "`--at` is given twice"),
            ("web-01 cron --window 2h", "which says when the window opens"),
            ("web-01 cron --now", "always stopped, and gracefully"),
            ("web-01 cron " + "x" * 4000, "too long"),
        ],
    )
    def test_a_mistake_is_named(self, text: str, said: str) -> None:
        assert said in refusal(text)

    @pytest.mark.parametrize("option", ["--runtime", "--for 2h", "--until 18:00"])
    def test_options_of_a_mask_are_not_for_unmask(self, option: str) -> None:
        assert "belongs to `/mask`" in refusal(f"web-01 cron {option}", Verb.UNMASK)

    def test_a_bare_unmask_is_told_how(self) -> None:
        assert "`/unmask db-01 cron`" in refusal("", Verb.UNMASK)


class TestQuestions:
    """Looks, which change nothing."""

    @pytest.mark.parametrize(
        ("text", "question"),
        [
            ("help", Question(QuestionKind.HELP)),
            ("Help me please", Question(QuestionKind.HELP)),
            ("list", Question(QuestionKind.LIST)),
            ("list web-01", Question(QuestionKind.LIST, "web-01")),
            ("handover", Question(QuestionKind.HANDOVER)),
            ("history", Question(QuestionKind.HISTORY)),
            ("history web-01", Question(QuestionKind.HISTORY, "web-01")),
            ("status web-01", Question(QuestionKind.STATUS, "web-01")),
            ("Status “web-01” cron", Question(QuestionKind.STATUS, "web-01", CRON)),
            ("plan web-01 cron", Question(QuestionKind.PLAN, "web-01", CRON, Change(Verb.MASK, "web-01", CRON))),
            (
                "why web-01 cron --runtime because",
                Question(QuestionKind.WHY, "web-01", CRON, Change(Verb.MASK, "web-01", CRON, runtime=True)),
            ),
        ],
    )
    def test_each_word_has_its_form(self, text: str, question: Question) -> None:
        assert mask(text) == question

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("status", "`/mask status HOST [UNIT]`"),
            ("status web-01 cron now", "`/mask status HOST [UNIT]`"),
            ("status nowhere", "There is no host `nowhere`"),
            ("status web-01 cr*", "is a pattern"),
            ("list web-01 cron", "`/mask list [HOST]`"),
            ("list nowhere", "There is no host `nowhere`"),
            ("handover web-01", "`/mask handover`"),
            ("history web-01 cron", "`/mask history [HOST]`"),
            ("plan web-01", "`/mask plan web-01 cron`"),
            ("why", "`/mask why db-01 cron`"),
        ],
    )
    def test_a_mistake_is_named(self, text: str, said: str) -> None:
        assert said in refusal(text)

    def test_unmask_knows_help_and_no_other_question(self) -> None:
        assert parse(Verb.UNMASK, "help", HOSTS, NOW) == Question(QuestionKind.HELP)
        assert "`/mask status`" in refusal("status web-01", Verb.UNMASK)


class TestOtherWords:
    """What people type where a host belongs."""

    @pytest.mark.parametrize("word", ["undo", "unmask", "Revert", "restore"])
    def test_an_undo_by_another_name_is_an_unmask(self, word: str) -> None:
        undo = ChangeCommand(Change(Verb.UNMASK, "web-01", CRON), "it is mended")
        assert mask(f"{word} web-01 cron it is mended") == undo
        assert parse(Verb.UNMASK, f"{word} web-01 cron it is mended", HOSTS, NOW) == undo
        assert parse_mention(f"<@UBOT> {word} web-01 cron it is mended", HOSTS, NOW) == undo

    def test_the_verb_once_more_is_the_verb(self) -> None:
        assert mask("mask web-01 cron") == ChangeCommand(Change(Verb.MASK, "web-01", CRON))
        assert "Which one?" in refusal("mask web-01 cron", Verb.UNMASK)

    def test_a_host_of_that_name_comes_first(self) -> None:
        hosts = [*HOSTS, "undo", "stat"]
        assert parse(Verb.MASK, "undo cron", hosts, NOW) == ChangeCommand(Change(Verb.MASK, "undo", CRON))
        assert parse(Verb.MASK, "stat cron", hosts, NOW) == ChangeCommand(Change(Verb.MASK, "stat", CRON))

    @pytest.mark.parametrize("text", ["approve r5f3a91c07e", "aprove r5f3a91c07e"])
    def test_a_vote_is_sent_to_the_card(self, text: str) -> None:
        said = "Press *Approve* on the card of `r5f3a91c07e`"
        assert said in refusal(text)
        assert "`maskbot approve r5f3a91c07e`" in refusal(text)
        with pytest.raises(UsageError, match="Press \\*Deny\\* on the card: .*`maskbot deny ID`"):
            parse_mention("<@UBOT> deny", HOSTS, NOW)

    @pytest.mark.parametrize(
        ("text", "meant"),
        [
            ("staus web-01", "`/mask status web-01`"),
            ("handovr", "`/mask handover`"),
            ("hisotry", "`/mask history`"),
            ("unmak web-01 cron", "`/unmask web-01 cron`"),
            ("msak web-01 cron", "`/mask web-01 cron`"),
            ("freez now", "`/mask freeze now`"),
        ],
    )
    def test_a_typo_is_understood_and_asked_about(self, text: str, meant: str) -> None:
        assert f"Did you mean {meant}?" in refusal(text)

    def test_what_looks_more_like_a_host_is_one(self) -> None:
        assert refusal("list-01 cron", hosts=["list-02"]) == "There is no host `list-01`. Did you mean `list-02`?"
        assert "`/mask list list-02`" in refusal("lists list-02", hosts=["list-02"])


class TestTheKillSwitch:
    """`freeze REASON` and `thaw [reason]`."""

    @pytest.mark.parametrize(
        ("text", "order"),
        [
            ("freeze it masks the wrong hosts", SwitchCommand(Switch.FREEZE, "it masks the wrong hosts")),
            ("Freeze  not now!", SwitchCommand(Switch.FREEZE, "not now!")),
            ("thaw", SwitchCommand(Switch.THAW)),
            ("thaw it is mended", SwitchCommand(Switch.THAW, "it is mended")),
        ],
    )
    def test_is_read_after_the_command_and_after_a_mention(self, text: str, order: SwitchCommand) -> None:
        assert mask(text) == order
        assert parse_mention(f"<@UBOT> {text}", HOSTS, NOW) == order

    @pytest.mark.parametrize(
        ("text", "verb", "said"),
        [
            ("freeze", Verb.MASK, "Say why new masks are stopped: `/mask freeze REASON`."),
            ("freeze \u200b ", Verb.MASK, "Say why"),
            ("thaw " + "x" * 501, Verb.MASK, "at most 500"),
            ("freeze x", Verb.UNMASK, "goes with `/mask`, not `/unmask`: use `/mask freeze`"),
            ("thaw", Verb.UNMASK, "goes with `/mask`, not `/unmask`: use `/mask thaw`"),
        ],
    )
    def test_a_mistake_is_named(self, text: str, verb: Verb, said: str) -> None:
        assert said in refusal(text, verb)

    def test_a_word_like_it_is_named(self) -> None:
        with pytest.raises(UsageError, match="Did you mean `freeze`"):
            parse_mention("<@UBOT> freez x", HOSTS, NOW)


class TestMentions:
    """The same words behind the bot's name, because slash commands do not work inside threads."""

    @pytest.mark.parametrize("text", ["<@UBOT> mask web-01 cron", " <@UBOT|maskbot>: Mask <http://web-01|web-01> cron"])
    def test_a_change(self, text: str) -> None:
        assert parse_mention(text, HOSTS, NOW) == ChangeCommand(Change(Verb.MASK, "web-01", CRON))

    def test_unmask_with_its_slash(self) -> None:
        assert parse_mention("<@UBOT> /unmask web-01 cron", HOSTS, NOW) == ChangeCommand(
            Change(Verb.UNMASK, "web-01", CRON)
        )

    @pytest.mark.parametrize(
        ("text", "word"),
        [
            ("<@UBOT>", QuestionKind.HELP),
            ("<@UBOT>, list", QuestionKind.LIST),
            ("<@UBOT> handover", QuestionKind.HANDOVER),
        ],
    )
    def test_a_question(self, text: str, word: QuestionKind) -> None:
        assert parse_mention(text, HOSTS, NOW) == Question(word)

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("thanks <@UBOT>", "begin with the mention"),
            ("<@UBOT> msak web-01 cron", "There is no command `msak`. Did you mean `mask`"),
            ("<@UBOT> mask", "Name a host and a unit"),
            ("<@UBOT> mask web-01 " + "x" * 5000, "too long"),
        ],
    )
    def test_a_mistake_is_named(self, text: str, said: str) -> None:
        with pytest.raises(UsageError) as raised:
            parse_mention(text, HOSTS, NOW)
        assert said in str(raised.value)


class TestFieldsOfTheForm:
    """The same readers, one field at a time."""

    def test_a_field_that_is_needed_says_so(self) -> None:
        with pytest.raises(UsageError, match="Name a host"):
            read_host("", HOSTS)
        with pytest.raises(UsageError, match="Name a unit"):
            read_unit("")

    def test_how_long_is_a_length_or_a_moment(self) -> None:
        assert read_duration(" 1h30m", NOW) == Duration(lasts=timedelta(minutes=90))
        assert read_duration("Until  18:00 ", NOW) == SIX
        with pytest.raises(UsageError, match="not a duration"):
            read_duration("a while", NOW)


ATTACKS = [
    "--now.service", "-H.service", "-.mount", "-.slice", "--root=/.service", "../x.service", "/etc/x.service",
    "a/b.service", "*.service", "?.service", "[a].service", "a b.service", "a\tb.service", "a\nid.service",
    "a\rid.service", "a\0.service", "a;id.service", "a|id.service", "a&amp;&amp;b.service", "$(id).service",
    "`id`.service", "${IFS}.service", "%i.service", "@.service", "@x.service", ".service", "x.Service", "x.service.",
    "\uff41.service", "\u0430.service", "a\u202eb.service", "x" * 256 + ".service", "x" * 1_000_000,
    "~root.service", "{a,b}.service", "!x.service", "#x.service", "<!channel>.service", "<@U1>.service",
    "&lt;.service", '"a".service', "'a'.service", "a\\x2.service", "a\\x2f.service", "tmpl@../x.service",
    "a\\x41.service", "a\x1b[0m.service", "a\ud800.service", "x..service", "\\x2d.service",
]  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: ascii(attack)[:30])
def test_nothing_that_could_be_more_than_a_name_is_a_unit(attack: str) -> None:
    for text in (f"web-01 {attack}", f"status web-01 {attack}", f"plan web-01 {attack}"):
        refusal(text)
    refusal(f"web-01 {attack}", Verb.UNMASK)


@pytest.mark.parametrize("attack", [*ATTACKS, "127.0.0.1", "root@web-01", "web-01.", "web-01:22"], ids=ascii)
def test_nothing_but_a_name_of_the_inventory_is_a_host(attack: str) -> None:
    refusal(f"{attack} cron")
    refusal(f"status {attack}")


def test_a_carriage_return_or_newline_behind_a_unit_is_not_a_part_of_it() -> None:
    assert order("web-01 a.service\r\n").change.unit == UnitName("a.service")


FLAGS = ("--runtime", "--keep-running", "--until 18:00")
signs = st.sampled_from("a1-_.:@\\x=—“'`\u200b \n\t;|&$<>/*\0\ud800é,")
pieces = st.sampled_from(
    [
        "web-01",
        "cron",
        "cron.service",
        "--runtime",
        "--user",
        "deploy",
        "--for",
        "2h",
        "until",
        "18:00",
        "--",
        "status",
        "<@U1>",
    ]
)
typed = st.lists(pieces | st.text(signs, max_size=12) | st.text(max_size=12), max_size=8).map(" ".join)


@given(typed)
@example("web-01 cron -- -- x")
def test_whatever_is_typed_is_a_command_or_a_usage_error(text: str) -> None:
    for verb in Verb:
        try:
            parse(verb, text, HOSTS, NOW)
            parse_mention(f"<@UBOT> {verb} {text}", HOSTS, NOW)
        except UsageError as error:
            assert str(error)


@given(verb=st.sampled_from(Verb), options=st.sets(st.sampled_from([*FLAGS])), reason=typed)
@example(verb=Verb.MASK, options=set(), reason="\0 cron.service")
def test_what_was_accepted_reads_the_same_when_it_is_typed_again(verb: Verb, options: set[str], reason: str) -> None:
    words = ["web-01 cron", *(options if verb is Verb.MASK else ())]
    try:
        first = order(escaped(" ".join([*words, "--", reason])), verb)
    except UsageError:
        return  # a reason that begins with a unit, or is too long
    again = f"{first.change} -- {first.reason}".removeprefix(f"{verb} ")
    assert order(escaped(again), verb) == first
