"""Nothing that a host or a person writes can speak for the bot, page anybody, or break out of its place."""

import json
import re
from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bot.core.cards import answers, break_glass, details, evidence, forms, home, line, note, plain, refusal, render
from bot.core.cards.blocks import (
    Action,
    Block,
    Text,
    code,
    escape,
    link_to,
    mention,
    message,
    plain_text,
    section,
    words,
)
from bot.core.cards.buttons import buttons
from bot.core.people.identity import PersonId, Place, Shift
from bot.core.policy.home import Health, HomeView, RuleRights, UnreachableHost
from bot.core.policy.model import Allow, Explanation, NeedsApproval, Refuse, Routing, Rule
from bot.core.requests import (
    BreakGlass,
    Followup,
    FollowupKind,
    KillSwitch,
    Outcome,
    Remark,
    Request,
    Sent,
    Signature,
    Stage,
    Tally,
    Transfer,
    Verdict,
)
from bot.core.systemd.unit_files import NOT_KNOWN
from bot.core.systemd.units import ActiveState, Layer, Snapshot
from tests.core.cards.limits import problems
from tests.core.cards.situations import (
    ALICE,
    ASKED,
    BOB,
    CAROL,
    NOW,
    approval,
    around,
    layers,
    proven,
    related_unit,
    running,
    vote,
    waiting,
)

OURS = {ALICE.user, BOB.user, CAROL.user}
DATE = re.compile(r"<!date\^\d+\^\{[a-z_]+\}(?: \{[a-z_]+\})?\|[\d: UTC-]+>")
KNOWN = re.compile("|".join(f"<@{user}>" for user in OURS))
LINK = "https://example.slack.com/archives/C1/p1"
INVISIBLE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029\ud800-\udfff]")

NASTY = (
    "<!channel>",
    "<!here|here>",
    "<@U0EVIL>",
    "<#C1>",
    "<http://evil|https://good>",
    "&lt;!everyone&gt;",
    "```",
    "`",
    "\n*MASKED AND PROVEN*",
    "\r",
    "\x1b[31m",
    "\x1b]8;;http://evil\x07",
    "\u202e",
    "\x9b2J",
    "&" * 600,
    "<" * 600,
    "{}",
    "{0}",
    "{time_secs}",
    "@here",
    ":sos:",
    "%s",
)
FOREIGN = st.lists(st.one_of(st.sampled_from(NASTY), st.text(max_size=30)), max_size=6).map("".join)
NO_ID = FOREIGN.filter(lambda text: not re.fullmatch("[UW][A-Z0-9]+", text))
# One of these is a whole request in which everything is foreign: a quarter of the usual number says as much.
SLOW = settings(
    max_examples=settings().max_examples // 4,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@st.composite
def hostile_snapshots(draw: st.DrawFn) -> Snapshot:
    def text() -> str:
        return draw(FOREIGN)

    others = tuple(
        replace(related_unit(text(), active), sub=text(), file_state=text())
        for active in (ActiveState.ACTIVE, ActiveState.FAILED)
    )
    hood = around(
        hostname=text(),
        systemd=text(),
        drop_ins=((text(), text()), (text(), NOT_KNOWN)),
        would_stop=others,
        triggers=(*others, related_unit(text() + ".socket")),
        members=others,
        starts=others,
        pending_reload=(text(), text()),
        counted_anew=(text(), text()),
        copies=(text(), text()),
        failed=(text(),),
        agents=(text(),),
        near=(text(),),
    )
    return running(
        sub=text(),
        names=frozenset({"worker.service", text()}),
        file_state=text(),
        fragment=text(),
        result=text(),
        kill_mode=text(),
        restart=text(),
        restarts=draw(st.integers(0, 9)),
        pending_job=text(),
        machine_id=text(),
        active=draw(st.sampled_from(ActiveState)),
        layers=layers("worker.service", *draw(st.lists(st.sampled_from(Layer), max_size=1))),
        around=draw(st.sampled_from((hood, None))),
    )


@st.composite
def hostile_requests(draw: st.DrawFn) -> Request:
    """A request at any stage in which everything that somebody else wrote is hostile."""

    def text() -> str:
        return draw(FOREIGN)

    def person() -> PersonId:
        return PersonId("T1", draw(st.one_of(st.sampled_from(sorted(OURS)), NO_ID)))

    seen = st.one_of(st.none(), hostile_snapshots())
    votes = tuple(
        replace(vote(), voter=person(), voter_name=text(), reason=text(), tally=tally, verdict=verdict)
        for tally in Tally
        for verdict in Verdict
    )
    request = proven().on_target(
        planned=draw(seen),
        before=draw(seen),
        after=draw(seen),
        last_seen=draw(seen),
        layer=draw(st.sampled_from(Layer)),
        outcome=draw(st.sampled_from((*Outcome, None))),
        note=text(),
        status_before=text(),
        status_after=text(),
        sent=tuple(
            Sent(text(), ("maskbot-guard", text()), NOW, draw(st.sampled_from((None, 0, 1))), text()) for _ in range(3)
        ),
        unknown_since=draw(st.sampled_from((None, NOW))),
    )
    ask = replace(
        request.ask,
        requester=person(),
        requester_name=text(),
        reason=text(),
        undoes=draw(st.sampled_from(("", "r0"))),
        change=replace(request.ask.change, host=text(), user=text()),
    )
    target = replace(request.target, host=text())
    signed = draw(st.sampled_from((None, Signature(person(), text(), NOW, text()))))
    return replace(
        request,
        ask=ask,
        target=target,
        votes=votes,
        stage=draw(st.sampled_from(Stage)),
        approval=draw(st.sampled_from((approval(rule=text(), groups=(text(), text()), guarded=text()), None))),
        because=text(),
        changed_since=(text(), text()),
        due_at=draw(st.sampled_from((None, ASKED, NOW))),
        break_glass=draw(
            st.sampled_from((None, BreakGlass(person(), text(), text(), NOW, "", groups=(text(),), signed=signed)))
        ),
        remarks=(
            Remark(person(), text(), text(), NOW),
            Remark(person(), text(), text(), NOW, is_answer=draw(st.booleans())),
        ),
        followups=(Followup(FollowupKind.SIGN_OFF, person(), text(), NOW, Place("C1"), text(), refusal=text()),),
        transfers=draw(st.sampled_from(((), (Transfer(person(), text(), person(), text(), NOW),)))),
    )


def texts(block: Any) -> list[tuple[str, str]]:
    """Every text of a message with its kind, wherever it stands."""
    if isinstance(block, list | tuple):
        return [found for part in block for found in texts(part)]
    if not isinstance(block, dict):
        return []
    if block.get("type") in ("mrkdwn", "plain_text"):
        return [(block["type"], block["text"])]
    return [found for part in block.values() for found in texts(part)]


def assert_harmless(said: Text | Block) -> None:
    blocks = said.blocks if isinstance(said, Text) else said["blocks"]
    fallback = [("mrkdwn", said.text)] if isinstance(said, Text) else []
    assert problems(said) == []
    for kind, text in [*fallback, *texts(blocks)]:
        rest = KNOWN.sub("", DATE.sub("", text)).replace(f"<{LINK}|", "")
        if f"<{LINK}|" in text:
            rest = rest.replace(">", "", 1)
        assert not re.search("[<>]", rest), text
        assert not INVISIBLE.search(text), ascii(text)
        assert kind == "plain_text" or text.count("```") % 2 == 0
        assert kind == "mrkdwn" or "&" not in text
        assert not re.search(r"&(?!(?:amp|lt|gt);)", rest)
    raw = json.dumps(blocks, ensure_ascii=False)
    assert "<#" not in raw
    assert "<http" not in raw.replace(f"<{LINK}", "")


@SLOW
@given(hostile_requests())
def test_a_card_its_line_its_evidence_and_its_details_stay_ours(request: Request) -> None:
    said: tuple[Text | Block, ...] = (
        render(request, now=NOW),
        line(request, link=LINK),
        details(request, now=NOW, offers=(Action.BREAK_GLASS,)),
        *evidence(request),
        forms.deny_form(request),
        forms.approve_form(request),
        forms.break_glass_form(request, least=10),
        forms.answer_form(request),
        forms.hand_over_form(request),
        forms.sign_off_form(request),
        *([note(break_glass.announcement(request, request.break_glass))] if request.break_glass else []),
        *([note(break_glass.reminder(request, request.break_glass))] if request.break_glass else []),
    )
    for one in said:
        assert_harmless(one)


@SLOW
@given(hostile_requests(), hostile_snapshots(), FOREIGN)
def test_an_answer_stays_ours(request: Request, seen: Snapshot, text: str) -> None:
    needs = replace(
        NeedsApproval(text, text, 2, 0, (text,), NOW - ASKED, NOW - ASKED, guarded=text),
        routing=Routing(f"#{text}", (text,), (f"#{text}",)),  # no id, so no link either
        on_call=(Shift(PersonId("T1", text), NOW, text), Shift(PersonId("T1", text))),
    )
    explained = [Explanation(text, applies=True, why=text), Explanation(text, applies=False, why=text, line=3)]
    lost = UnreachableHost(text, NOW, text)
    mine = HomeView(
        Health("1", unreachable=(lost,), kill_switch=KillSwitch(ALICE, text, text, NOW)),
        (request,),
        (),
        (request,),
        (request,),
        (request,),
        not_known=text,
    )
    assert_harmless(home.view(mine, NOW))
    assert_harmless(home.closed_view(text))
    for said in (
        answers.status("web-01", seen, [request], NOW),
        answers.plan(request, needs, NOW),
        answers.plan(request, Allow(text, text), NOW),
        answers.why(
            request, Refuse("code", text, text), [*explained, Explanation(text, applies=True, why=text, decides=True)]
        ),
        answers.history([request] * 60, NOW),
        answers.help_text(
            [text],
            [RuleRights(Rule(text, units=(text,)), may_ask=True, may_approve=True)],
            uses_kill_switch=True,
            not_here=text,
        ),
        plain(text),
        note(text, mentions=[text], link=text),
        refusal(text, text),
    ):
        assert_harmless(said)


@given(FOREIGN, st.integers(1, 40))
def test_an_escaped_text_is_one_line_and_no_longer_than_it_may_be(text: str, width: int) -> None:
    shown = escape(text, width=width)
    assert "\n" not in shown
    plain_again = shown.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").replace("\u200b", "")
    assert len(plain_again) <= width


def test_a_run_of_backticks_cannot_close_a_code_block() -> None:
    assert code("a ``` b") == "```\na `\u200b`\u200b` b\n```"


def test_cutting_comes_before_escaping() -> None:
    assert escape("&" * 300, width=3) == "&amp;&amp;…"


def test_what_is_escaped_is_not_escaped_again() -> None:
    assert words("{} {}", escape("a<b"), "c<d") == "a&lt;b c&lt;d"


def test_only_ids_are_mentioned() -> None:
    assert mention(PersonId("T", "U123"), "mallory") == "<@U123>"
    assert mention(PersonId("T", "!channel"), "mallory") == "mallory"
    assert mention(PersonId("T", "<!here>")) == "&lt;!here&gt;"


def test_only_an_address_becomes_a_link() -> None:
    assert link_to("card", LINK) == f"<{LINK}|card>"
    assert link_to("card", "javascript:alert(1)") == "card"
    assert link_to("card", "https://a|b>") == "card"
    assert link_to("card", "") == "card"


def test_plain_text_has_no_sign_that_is_special_elsewhere() -> None:
    assert plain_text("<!channel> & co", 75)["text"] == "!channel  co"
    assert plain_text("", 75)["text"] == " "


def test_lines_beyond_the_limit_are_counted() -> None:
    text = section("x", ["a" * 400] * 10)["text"]["text"]
    assert text.endswith("\n… 3 more lines")
    assert len(text) <= 3000


def test_a_message_stays_below_its_limit_says_what_is_left_out_and_keeps_its_buttons() -> None:
    long = [section(f"part-{number}", ["a" * 400] * 7) for number in range(5)]
    said = message("HEAD", *long, buttons(proven(), [Action.DETAILS]))
    assert problems(said) == []
    shown = [block["text"]["text"] for block in said.blocks if block["type"] == "section"]
    assert [len(text) > 100 for text in shown] == [True, True, True, False, False]
    assert said.blocks[-1]["type"] == "actions"


def test_code_beyond_the_limit_is_counted() -> None:
    shown = code("\n".join(["<" * 100] * 30))
    assert shown.endswith("\n… 24 more lines\n```")
    assert len(shown) <= 3000


_FORMATTED = re.compile(r"(?<![^\W_])([*_~])\S([^\n]*\S)?\1(?![^\W_])")


@example(["*", "`", "`", "*", "*"])
@given(st.lists(st.sampled_from(["*", "_", "~", "`", " ", "a", ".", "<", "\u200b"]), max_size=12))
def test_nothing_foreign_is_formatted_outside_of_code(signs: list[str]) -> None:
    outside = re.sub(r"`[^`]*`", "", escape("".join(signs)))
    assert _FORMATTED.search(outside.replace("\u200b_", "")) is None


def test_a_reason_cannot_look_like_rows_of_the_card() -> None:
    request = waiting()
    asked = replace(
        request, ask=replace(request.ask, reason="please *Stops*  nothing ~*Approved*  by @sre~ *and* so on")
    )
    card = render(asked, now=NOW)
    texts = [block["text"]["text"] for block in card.blocks if block["type"] == "section"]
    bold = [label for text in texts for label in re.findall(r"\*([^*\n]+)\*", text)]
    assert not {"Stops", "Approved", "and"} & set(bold)
    assert any("please" in text for text in (*texts, card.text))


def test_patterns_and_names_in_code_and_within_words_stay_as_they_are() -> None:
    for text in ("`*.mount` is critical", "pay* and db_main_1", "2 * 3", "a `_netdev` b", "web~1"):
        assert escape(text) == text
