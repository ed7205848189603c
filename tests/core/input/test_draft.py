"""What is kept of a command that makes no sense: all that was right, and nothing that was guessed."""

import pytest
from hypothesis import given

from bot.core.input.draft import Draft, draft_from_message, read_draft
from bot.core.input.names import REASON_LIMIT, read_user
from bot.core.input.selection import read_hosts, read_units
from tests.core.input.test_grammar import HOSTS, NOW, typed


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("web-01", Draft("web-01")),
        ("web-01 cr* INC-1", Draft("web-01", reason="INC-1")),
        ("web-1 cron runaway job", Draft(unit="cron.service", reason="runaway job")),
        ("cron", Draft(unit="cron.service")),
        ("cron web-01 it runs away", Draft("web-01", "cron.service", reason="it runs away")),
        ("web-01 cron --now —runtime INC-1", Draft("web-01", "cron.service", runtime=True, reason="INC-1")),
        ("web-01 --keep-running --keep-running cron", Draft("web-01", "cron.service", keep_running=True)),
        ("web-01 cron --user deploy --user root", Draft("web-01", "cron.service", user="deploy", reason="root")),
        ("web-01 cron --user a;b late", Draft("web-01", "cron.service", reason="late")),
        ("web-01 cron for 2h INC-1", Draft("web-01", "cron.service", duration="2h", reason="INC-1")),
        ("web-01 cron until tomorrow 06:30", Draft("web-01", "cron.service", duration="until tomorrow 06:30")),
        (
            "web-01 cron keep running for 2h INC-1",
            Draft("web-01", "cron.service", keep_running=True, duration="2h", reason="INC-1"),
        ),
        ("web-01 cron hold sre review 90d", Draft("web-01", "cron.service", owners="sre", review="90d")),
        ("web-01 cron --adopt", Draft("web-01", "cron.service", adopt=True)),
        ("web-01 cron keep running", Draft("web-01", "cron.service", keep_running=True)),
        ("web-01 cron -- for 2h", Draft("web-01", "cron.service", reason="for 2h")),
        ("web-01 cron --for 2h --now INC-1", Draft("web-01", "cron.service", duration="2h", reason="INC-1")),
        ("web-1 cron --until tomorrow 06:30", Draft(unit="cron.service", duration="until tomorrow 06:30")),
        (
            "web-01 cron --at Tue 22:00 --window 2h --now",
            Draft("web-01", "cron.service", scheduled_window="Tue 22:00 for 2h"),
        ),
        ("web-01 cron --at soon --now INC-1", Draft("web-01", "cron.service", reason="INC-1")),
        (
            "web-01 cron INC-1 --for 2h --runtime",
            Draft("web-01", "cron.service", runtime=True, duration="2h", reason="INC-1"),
        ),
        ("web-01 cron --for a while", Draft("web-01", "cron.service", reason="while")),
        ("web-01 cron --for 2h --until 18:00", Draft("web-01", "cron.service")),
        ("web-01 cron nginx.service", Draft("web-01", "cron.service", reason="nginx.service")),
        ("web-02,web-9,web-01 cron,cr*,nginx why", Draft("web-02,web-01", "cron.service,nginx.service", reason="why")),
        ("web-01, web-02 cron", Draft("web-01,web-02", reason="cron")),
        ("cron,nginx web-01,web-02 --set", Draft("web-01,web-02", "cron.service,nginx.service", with_triggers=True)),
        ("web-01,web-02 cr* --order --waves 1,rest", Draft("web-01,web-02", waves="1,rest", in_order=True)),
        ("web-01,web-02 cron --waves x", Draft("web-01,web-02", "cron.service")),
    ],
)
def test_what_made_sense_is_kept(text: str, kept: Draft) -> None:
    assert read_draft(text, HOSTS, NOW) == kept


@pytest.mark.parametrize(
    "text",
    [
        "",
        "--",
        "--now",
        "web-1",
        "cr* ../x because",
        "web-01;id",
        "status web-9",
        "Why web-01 c*",
        "stauts web-01 cron",
        "freeze",
        "freez it",
        "web-01 cr* --break-glass nobody is awake",
        "web-01 cron --alnoe nobody is awake",
        "web-01 cron —break-glass nobody is awake",
        "web-01 cron alone",
    ],
)
def test_of_a_question_of_what_makes_no_sense_and_of_what_no_form_can_say_nothing_is_kept(text: str) -> None:
    assert read_draft(text, HOSTS, NOW) is None


def test_a_reason_that_is_too_long_is_cut() -> None:
    draft = read_draft("web-01 cr* " + "x" * 6000, HOSTS, NOW)
    assert draft is not None
    assert draft.reason == "x" * REASON_LIMIT


@given(typed)
def test_every_part_that_is_kept_makes_sense(text: str) -> None:
    draft = read_draft(text, HOSTS, NOW) or Draft()
    assert not draft.user or read_user(draft.user) == draft.user
    assert not draft.unit or ",".join(map(str, read_units(draft.unit))) == draft.unit
    assert not draft.host or ",".join(read_hosts(draft.host, HOSTS)) == draft.host


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("cron is running away", Draft(reason="cron is running away LINK")),
        ("`cron.service` on web-01: 7 x", Draft("web-01", "cron.service", reason="`cron.service` on web-01: 7 x LINK")),
        ("(web-01, web-02) worker.timer!", Draft(unit="worker.timer", reason="(web-01, web-02) worker.timer! LINK")),
        ("a.service b.service on web-01.", Draft("web-01", reason="a.service b.service on web-01. LINK")),
        ("web-01\n\neats &lt;all&gt; <http://web-01|web-01>", Draft("web-01", reason="web-01 eats <all> web-01 LINK")),
        ("../cron.service cr*.service", Draft(reason="../cron.service cr*.service LINK")),
        ("", Draft(reason="LINK")),
    ],
)
def test_a_message_is_the_reason_and_names_what_it_is_about(text: str, kept: Draft) -> None:
    assert draft_from_message(text, "LINK", HOSTS) == kept


def test_a_long_message_is_cut_and_its_link_is_not() -> None:
    reason = draft_from_message("word " * 900, "https://lab.slack.com/archives/C1/p1", HOSTS).reason
    assert reason.startswith("word word")
    assert reason.endswith("… https://lab.slack.com/archives/C1/p1")
    assert len(reason) <= REASON_LIMIT


def test_without_a_link_there_is_the_message_alone() -> None:
    assert draft_from_message("it flaps", "", HOSTS).reason == "it flaps"
