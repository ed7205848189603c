"""The forms: within Slack's limits, filled with what was typed, and speaking of the request as it is stored."""

import json
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from bot.core.cards import forms, plain
from bot.core.cards.blocks import Block
from bot.core.cards.step_up_forms import CODE, enrol_form, replace_form
from bot.core.input.draft import Draft
from bot.core.input.names import REASON_LIMIT
from bot.core.requests import Request
from bot.core.step_up.authenticator import Authenticator, StepUpState, offer
from tests.core.cards.cases import guarded
from tests.core.cards.limits import problems
from tests.core.cards.reading import read_form
from tests.core.cards.situations import NAMES, NOW, approval, waiting
from tests.lab.keys import KEYS

FULL = Draft("web-01", "worker.service", runtime=True, keep_running=True, user="deploy")


def field(view: Block, name: str) -> Any:
    """The element of one block of a form."""
    (element,) = [block["element"] for block in view["blocks"] if block["block_id"] == name]
    return element


def chosen(view: Block, name: str) -> list[str]:
    """The values of the options that are chosen when the form opens."""
    return [option["value"] for option in field(view, name)["initial_options"]]


@pytest.mark.parametrize("hosts", [0, 1, 100, 101])
def test_any_number_of_hosts_makes_a_form_that_slack_takes(hosts: int) -> None:
    view = forms.mask_form([f"web-{number:03}" for number in range(hosts)], replace(FULL, reason="r" * 600))
    assert problems(view) == []
    assert field(view, forms.HOST)["type"] == ("multi_static_select" if 0 < hosts <= 100 else "multi_external_select")


def test_what_was_typed_stands_in_the_form() -> None:
    view = forms.mask_form(["db-01", "web-01"], replace(FULL, reason="a <b> & c"))
    assert chosen(view, forms.HOST) == ["web-01"]
    assert chosen(view, forms.UNIT) == ["worker.service"]
    assert field(view, forms.USER)["initial_value"] == "deploy"
    assert field(view, forms.REASON)["initial_value"] == "a <b> & c"
    assert [option["value"] for option in field(view, forms.HOW)["initial_options"]] == ["runtime", "keep_running"]


def test_lists_of_hosts_groups_and_units_stand_in_the_form_with_their_waves() -> None:
    many = Draft("web-01,@db,gone", "a.service,b.timer", waves="1,rest", with_triggers=True, in_order=True, adopt=True)
    view = forms.mask_form(["db-01", "web-01", "@db"], many)
    assert problems(view) == []
    assert chosen(view, forms.HOST) == ["web-01", "@db"]
    assert chosen(view, forms.UNIT) == ["a.service", "b.timer"]
    assert field(view, forms.WAVES)["initial_value"] == "1,rest"
    assert chosen(view, forms.HOW) == ["set", "order", "adopt"]
    assert json.loads(view["private_metadata"]) == {"host": "web-01"}


def test_an_empty_form_has_no_empty_values() -> None:
    view = forms.mask_form(["web-01"])
    assert problems(view) == []
    assert not any("initial" in key for block in view["blocks"] for key in block["element"])


def test_a_host_that_is_not_on_the_list_is_not_chosen() -> None:
    assert "initial_options" not in field(forms.mask_form(["db-01"], FULL), forms.HOST)


def test_a_reason_fits_where_it_is_read() -> None:
    assert field(forms.mask_form(["web-01"]), forms.REASON)["max_length"] == REASON_LIMIT


def test_a_form_remembers_the_host_whose_units_it_offers() -> None:
    assert json.loads(forms.mask_form([], FULL)["private_metadata"]) == {"host": "web-01"}


def test_a_unit_whose_name_is_too_long_for_a_list_is_not_chosen() -> None:
    assert "initial_options" not in field(
        forms.mask_form(["web-01"], Draft("web-01", "x" * 150 + ".service")), forms.UNIT
    )


EVERY_FORM = (
    forms.deny_form,
    forms.approve_form,
    partial(forms.break_glass_form, least=10),
    forms.answer_form,
    forms.hand_over_form,
    forms.sign_off_form,
)


@pytest.mark.parametrize("form", EVERY_FORM)
def test_a_form_about_a_request_remembers_it_and_its_plan(form: Any) -> None:
    view = form(waiting())
    assert problems(view) == []
    assert json.loads(view["private_metadata"]) == {"request": "r1f2e3d4c5", "digest": "3fa9c1d27b64"}


def test_a_form_that_denies_says_no_unless_a_question_is_asked() -> None:
    choice = field(forms.deny_form(waiting()), forms.VERDICT)
    assert choice["initial_option"]["value"] == forms.NO
    assert [option["value"] for option in choice["options"]] == [forms.NO, forms.MORE]


@pytest.mark.parametrize("guarded", ["", "it carries the mail"])
def test_who_goes_ahead_alone_reads_host_unit_and_verb_gives_a_reason_and_vouches_where_a_unit_is_guarded(
    guarded: str,
) -> None:
    view = forms.break_glass_form(waiting(approval=approval(guarded=guarded)), least=12)
    assert "MASK worker.service on web-01" in read_form(view, NAMES)
    assert field(view, forms.REASON)["min_length"] == 12
    blocks = {block["block_id"]: block["optional"] for block in view["blocks"] if block["type"] == "input"}
    assert blocks == {forms.REASON: False} | ({forms.CONSOLE: False} if guarded else {})


def test_an_approver_of_a_guarded_unit_reads_host_unit_and_verb_before_the_tick() -> None:
    view = forms.approve_form(guarded())
    assert "MASK worker.service on web-01" in read_form(view, NAMES)
    (block,) = [block for block in view["blocks"] if block["block_id"] == forms.CONSOLE]
    assert block["optional"] is False
    assert [option["value"] for option in block["element"]["options"]] == [forms.CONSOLE_WORKS]


@pytest.mark.parametrize("form", [forms.approve_form, forms.confirm_form])
def test_an_approver_is_asked_for_what_the_policy_asks_for_and_for_nothing_else(form: Any) -> None:
    asked = {
        (tick, step_up): {
            block["block_id"]
            for block in form(waiting(approval=approval(guarded=tick, step_up=step_up)))["blocks"]
            if block["type"] == "input"
        }
        for tick in ("", "it carries the mail")
        for step_up in (False, True)
    }
    for (tick, step_up), fields in asked.items():
        assert (forms.CONSOLE in fields, CODE in fields, len(fields)) == (bool(tick), step_up, bool(tick) + step_up)


def test_who_goes_ahead_alone_is_asked_for_a_code_where_that_is_needed() -> None:
    for asks_code in (False, True):
        view = forms.break_glass_form(waiting(), least=10, asks_code=asks_code)
        assert any(block["block_id"] == CODE for block in view["blocks"]) is asks_code


def test_a_new_secret_is_shown_with_a_field_for_its_first_code_and_in_nothing_that_comes_back() -> None:
    _, shown = offer(StepUpState(), "step_up:T1:UBOB", "bob & <!here>" + "é" * 60, KEYS, NOW, salt="a1")
    view = enrol_form(shown)
    assert problems(view) == []
    assert shown.secret in read_form(view, NAMES)
    assert "otpauth://totp/maskbot:bob%20%26%20%3C%21here%3E" in json.dumps(view)
    assert field(view, CODE)["max_length"] == 20
    assert "private_metadata" not in view
    assert shown.secret not in repr(shown)


@pytest.mark.parametrize("since", [NOW, None])
def test_before_another_secret_is_shown_a_code_of_the_present_one_is_asked_for(since: Any) -> None:
    view = replace_form(StepUpState(Authenticator("lab", "a1", since) if since else None))
    assert problems(view) == []
    assert ("since 2026" in read_form(view, NAMES)) is bool(since)
    assert field(view, CODE)


def test_what_is_only_read_has_nothing_to_send() -> None:
    view = forms.text_modal(plain("Too late: it is approved by <bob> already."))
    assert problems(view) == []
    assert "submit" not in view


@pytest.mark.parametrize("request_", [waiting(), guarded(), replace(guarded(), approval=None)])
def test_where_there_is_no_card_the_whole_plan_is_confirmed(request_: Request) -> None:
    view = forms.confirm_form(request_)
    assert problems(view) == []
    assert "MASK worker.service on web-01" in read_form(view, NAMES)
    assert "stopped and cannot be started" in read_form(view, NAMES)
    is_guarded = bool(request_.approval and request_.approval.guarded)
    assert any(block["block_id"] == forms.CONSOLE for block in view["blocks"]) == is_guarded
