"""Lists of hosts, groups and units: what one request for several targets is about."""

from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.core.input.grammar import ChangeCommand, Question, QuestionKind, parse, parse_mention
from bot.core.requests import Selection, Verb
from bot.core.systemd.units import UnitName
from bot.errors import UsageError
from tests.core.input.test_grammar import HOSTS, NOW, escaped

PLACES = (*HOSTS, "@db", "@web")
CRON, NGINX = UnitName("cron.service"), UnitName("nginx.service")


def order(text: str, verb: Verb = Verb.MASK) -> ChangeCommand:
    command = parse(verb, text, PLACES, NOW)
    assert isinstance(command, ChangeCommand)
    return command


def question(text: str) -> Question:
    command = parse(Verb.MASK, text, PLACES, NOW)
    assert isinstance(command, Question)
    return command


def refusal(text: str, verb: Verb = Verb.MASK) -> str:
    with pytest.raises(UsageError) as raised:
        parse(verb, text, PLACES, NOW)
    return str(raised.value)


class TestAChangeOfManyTargets:
    """Hosts, groups and units as lists without spaces."""

    @pytest.mark.parametrize("verb", Verb)
    @pytest.mark.parametrize(
        ("text", "selection"),
        [
            ("web-01,web-02 cron", Selection(("web-01", "web-02"), (CRON,))),
            ("@web cron", Selection(("@web",), (CRON,))),
            ("<!subteam^S0WEB|@web>,db-01 cron", Selection(("@web", "db-01"), (CRON,))),
            ("@web,db-01 nginx,cron.service", Selection(("@web", "db-01"), (NGINX, CRON))),
            ("web-02,web-01,web-02 cron,cron.service", Selection(("web-02", "web-01"), (CRON,))),
            ("*web-01*,`web-02` “nginx”,_cron_", Selection(("web-01", "web-02"), (NGINX, CRON))),
            ("<http://web-01|web-01>,<http://web-02|web-02> cron", Selection(("web-01", "web-02"), (CRON,))),
            ("web-01 cron,nginx", Selection(("web-01",), (CRON, NGINX))),
            ("web-01 cron --set", Selection(("web-01",), (CRON,), with_triggers=True)),
            ("@web cron --waves=1,10%,rest", Selection(("@web",), (CRON,), ("1", "10%", "rest"))),
            (
                "--order web-02,web-01 --waves 1 cron",  # one host first, and not all of them at once
                Selection(("web-02", "web-01"), (CRON,), ("1", "rest"), in_order=True),
            ),
        ],
    )
    def test_names_each_host_and_each_unit_once_in_the_order_typed(
        self, text: str, selection: Selection, verb: Verb
    ) -> None:
        asked = order(f"{text} INC-1", verb)
        assert (asked.selection, asked.reason) == (selection, "INC-1")
        assert (asked.change.host, asked.change.unit) == (",".join(selection.hosts), selection.units[0])
        assert str(asked) == f"{verb} {selection}"
        mentioned = parse_mention(f"<@UBOT> {verb} {text} INC-1", PLACES, NOW)
        assert mentioned == asked

    @pytest.mark.parametrize("text", ["web-01 cron", "web-01,web-01 cron", "web-01 cron.service,cron"])
    def test_of_one_host_and_one_unit_is_a_single_request(self, text: str) -> None:
        assert order(text) == order("web-01 cron")
        assert order(text).selection is None

    def test_has_the_options_of_one(self) -> None:
        options = "--runtime --keep-running --user deploy --for 2h --at 2026-03-14T22:00Z --window 1h --break-glass"
        many, one = order(f"@web,db-01 cron {options} -- now"), order(f"web-01 cron {options} -- now")
        assert replace(many.change, host="web-01") == one.change
        assert many.break_glass
        assert str(many).startswith("mask @web,db-01 cron.service --runtime --keep-running --user deploy --for 2h")

    def test_is_held_like_one(self) -> None:
        held = order("@web,db-01 cron,nginx --hold sre --review 90d --waves 1,rest --set --break-glass -- now")
        assert held.selection == Selection(("@web", "db-01"), (CRON, NGINX), ("1", "rest"), with_triggers=True)
        assert held.change.hold and held.change.hold.owners == "sre"


class TestRefusals:
    """Each says what would have been right."""

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("web-01, web-02 cron", "`web-01,` has a comma too many: leave out the comma, or write a list without"),
            ("web-01,", "`web-01,` has a comma too many"),
            ("web-01,,web-02 cron", "as in `web-01,web-02`"),
            ("web-01,web-9 cron", "There is no host `web-9`. Did you mean `web-02`"),
            ("web-01,@wbe cron", "No host is in a group `@wbe`. Did you mean `@web`?"),
            ("@everything cron", "No host is in a group `@everything`. Known groups: `@db`, `@web`."),
            ("web-01,web-02", "Which unit on web-01,web-02?"),
            ("cron,nginx @web,db-01", "The host comes first: `/mask @web,db-01 cron,nginx`."),
            ("web-01 cron,ng*nx", "is a pattern"),
            ("web-01 cron,-.mount", "It is never masked"),
            ("web-01 cron,../x.service", "is a path"),
            ("web-01 cron --waves 1,rest", "`--waves` is about several hosts, and you named one"),
            ("web-01 cron,nginx --order", "`--order` is about several hosts, and you named one"),
            ("@web cron --waves", "`--waves` needs a value, as in `--waves 1,10%,rest`"),
            ("@web cron --waves rest,1", "write them like `1,10%,rest`"),
            (f"@web cron --waves {'1,' * 50}rest", "At most 50 waves can be named"),
            ("@web cron --waves 1 --waves 2", "is given twice"),
            ("@web cron --waves 10 %,rest why", "has a space before `%,rest`"),
            ("web-01,web-02 cron ,nginx why", "has a space before `,nginx`"),
            ("@web cron --set=yes", "takes no value"),
            ("@web cron --adopt --for 2h", "`--adopt` adopts one existing mask: name one host and one unit."),
            ("@web cron --force", "`--force` ends one stop that a mask waits for: name one host and one unit."),
            ("web-01,web-02 cron waves 1,rest INC-1", "Did you mean `--waves 1,rest`?"),
            ("web-01,web-02 cron for 2h", "Did you mean `--for 2h`?"),
            ("web-01,web-02 cron INC-1 --set", "Options go first: `/mask web-01,web-02 cron.service --set INC-1`"),
            ("web-01,web-02 cron --break-glass", "`/mask web-01,web-02 cron.service --break-glass WHY`"),
            ("status web-01, cron", "has a comma too many"),
            ("list web-01,web-9", "There is no host `web-9`"),
        ],
    )
    def test_a_mistake_is_named(self, text: str, said: str) -> None:
        assert said in refusal(text)

    def test_a_mistyped_command_before_a_list_of_hosts_is_a_command(self) -> None:
        for text in ("plann plan-01 cron", "plann plan-01,plan-02 cron"):
            with pytest.raises(UsageError, match=f"Did you mean `/mask plan {text.removeprefix('plann ')}`"):
                parse(Verb.MASK, text, ("plan-01", "plan-02"), NOW)

    def test_what_only_a_mask_has_is_not_for_an_unmask(self) -> None:
        assert "`--for` belongs to `/mask`" in refusal("@web cron --for 2h", Verb.UNMASK)
        assert refusal("web-01,web-02 cron for 2h", Verb.UNMASK).startswith(
            "Did you mean `/mask web-01,web-02 cron.service --for 2h`?"
        )


class TestQuestions:
    """The same lists, for looks."""

    @pytest.mark.parametrize("word", [QuestionKind.STATUS, QuestionKind.LIST, QuestionKind.HISTORY])
    def test_about_hosts(self, word: QuestionKind) -> None:
        assert question(f"{word} @web,db-01").selection == Selection(("@web", "db-01"), ())
        assert question(f"{word} web-01,web-01") == Question(word, "web-01")

    def test_about_units(self) -> None:
        asked = question("status web-01,web-02 cron,nginx")
        assert asked == Question(
            QuestionKind.STATUS, "web-01,web-02", CRON, selection=Selection(("web-01", "web-02"), (CRON, NGINX))
        )

    @pytest.mark.parametrize("word", [QuestionKind.PLAN, QuestionKind.WHY])
    def test_about_a_change(self, word: QuestionKind) -> None:
        asked, meant = question(f"{word} @web cron --runtime --waves 1"), order("@web cron --runtime --waves 1")
        assert (asked.change, asked.selection) == (meant.change, meant.selection)
        assert question(f"{word} web-01 cron").selection is None

    def test_about_a_hold_for_a_group(self) -> None:
        assert question("plan @web cron --hold sre --review 90d").selection == Selection(("@web",), (CRON,))


hosts = st.lists(st.sampled_from(PLACES), min_size=1, max_size=4).map(",".join)
units = st.lists(st.sampled_from(["cron", "nginx.service", "a.timer", "a@b.socket"]), min_size=1, max_size=4).map(
    ",".join
)
options = st.sets(st.sampled_from(["--set", "--order", "--waves 1,10%,rest", "--runtime", "--until 18:00"]))
signs = st.text(st.sampled_from("a1-,@%.<>|*`“ --"), max_size=12)


@given(verb=st.sampled_from(Verb), hosts=hosts, units=units, options=options, reason=signs)
@example(verb=Verb.MASK, hosts="web-01,web-01", units="cron,cron.service", options={"--set"}, reason="")
def test_what_was_accepted_reads_the_same_when_it_is_typed_again(
    verb: Verb, hosts: str, units: str, options: set[str], reason: str
) -> None:
    try:
        first = order(escaped(f"{hosts} {units} {' '.join(sorted(options))} -- {reason}"), verb)
    except UsageError:
        return  # an option of a mask, or of several hosts
    again = f"{first} -- {first.reason}".removeprefix(f"{verb} ")
    assert order(escaped(again), verb) == first


@given(
    verb=st.sampled_from(Verb),
    hosts=hosts | signs,
    units=units | signs,
    rest=signs,
    word=st.sampled_from(["", *QuestionKind]),
)
def test_whatever_is_typed_is_a_command_or_a_usage_error(
    verb: Verb, hosts: str, units: str, rest: str, word: str
) -> None:
    text = f"{word} {hosts} {units} {rest}"
    try:
        parse(verb, text, PLACES, NOW)
        parse_mention(f"<@UBOT> {verb} {text}", PLACES, NOW)
    except UsageError as error:
        assert str(error)
