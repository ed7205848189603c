"""What people do in a real browser, and never with an id in their hands.

With MASKBOT_PICTURES=1 the pictures of the documentation are taken anew, docs/*.png; else none is.
"""

import os
import re
import shutil
from collections.abc import Iterator, Mapping

import pytest
from playwright.sync_api import Browser, Locator, Page, TimeoutError, ViewportSize, expect, sync_playwright

from tests.lab.demo import Demo
from tests.lab.hosts import LabHost
from tests.lab.installation import ROOT
from tests.lab.slack.workspace import USERS
from tests.stories.conftest import booted
from tests.stories.scene import MASKED, PATIENCE, RUNS, Story

pytestmark = [pytest.mark.browser, pytest.mark.slack, pytest.mark.ssh]

WANTED = os.environ.get("MASKBOT_PICTURES") == "1"
CHROMIUM = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-sync"
# So narrow that a card fills its picture, so high that a thread fits.
NARROW, WIDE = ViewportSize(width=920, height=900), ViewportSize(width=1420, height=1300)
HIGH = ViewportSize(width=1000, height=1200)  # for somebody's page, and for a form with a list under a field
# The stand-in draws each line of code as a box of its own, Slack one box round all.
AS_IN_SLACK = """
.bk-text:has(code) { background: #f8f8f8; border: 1px solid #ddd; border-radius: 4px; padding: 6px 10px; }
code { background: none; border: 0; padding: 0; }
.thread-pane { width: 820px !important; max-width: none !important; }
.home-inner { padding: 16px; }
.home-inner .blocks { gap: 6px; }
.home-inner .bk-header { margin-top: 14px; }
.modal .blocks { gap: 12px; }
"""


@pytest.fixture(scope="module")
def demo(lab_hosts: Mapping[str, LabHost]) -> Iterator[Demo]:
    """A Slack in which nothing was said yet: a page draws all of it, and pictures are taken of it."""
    with booted(lab_hosts, {}) as one:
        yield one


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium without a window."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("chromium is not installed (script/setup test)")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=program, args=CHROMIUM.split())
        yield running
        running.close()


@pytest.fixture
def page(browser: Browser, story: Story) -> Iterator[Page]:
    """The workspace as Alice first sees it, at the scale of a good screen; nothing on it may go wrong."""
    errors: list[str] = []
    context = browser.new_context(viewport=NARROW, device_scale_factor=2 if WANTED else 1)
    shown = context.new_page()
    shown.on("pageerror", lambda error: errors.append(str(error)))
    shown.set_default_timeout(PATIENCE * 1000)
    expect.set_options(timeout=PATIENCE * 1000)
    shown.goto(story.demo.slack.url)
    shown.add_style_tag(content=AS_IN_SLACK)
    yield shown
    context.close()
    assert errors == []


def act_as(page: Page, user: str) -> None:
    """Choose who sits before the page."""
    page.locator("label.actas select").select_option(USERS[user])


def card(page: Page, head: str) -> Locator:
    """The message of the channel whose head line begins so."""
    return page.locator(".messages .msg", has=page.locator(".bk-header", has_text=head)).last


def picture(page: Page, what: Locator, name: str) -> None:
    """As it looks to somebody whose pointer is elsewhere."""
    page.mouse.move(0, 0)
    if WANTED:
        what.screenshot(path=ROOT / "docs" / name)


def says(page: Page, text: str) -> None:
    """Type it into the channel and send it."""
    page.locator(".composer-input").fill(text)
    page.locator(".composer-send").click()


def field(page: Page, label: str) -> Locator:
    """The field of the open form that is called so."""
    named = page.locator(".bk-label", has_text=re.compile(rf"^{re.escape(label)}( \(optional\))?$"))
    return page.locator(".modal .bk-input", has=named)


def offered(page: Page, label: str, typed: str, wanted: str) -> Locator:
    """What a list offers under what was typed; while it is still being looked for, one types on."""
    box, option = field(page, label), field(page, label).get_by_role("option", name=wanted).first
    for _ in range(int(PATIENCE)):
        box.locator("input").fill("")
        box.locator("input").press_sequentially(typed, delay=20)
        try:
            option.wait_for(timeout=1000)
            break
        except TimeoutError:
            continue
    expect(option).to_be_visible(timeout=1000)
    return option


def sends_off(page: Page) -> None:
    """The button of the open form that does it."""
    page.locator(".modal-btn.primary").click()


def at_home(page: Page, user: str) -> Locator:
    """Somebody's own page of the bot."""
    act_as(page, user)
    page.locator(".sidebar-item", has_text="incident").click()
    page.locator(".sidebar-item", has_text="maskbot").click()
    return page.locator(".home-inner")


def test_alice_types_bob_clicks_and_both_see_the_proof(page: Page, story: Story) -> None:
    says(page, "/mask web-01 cron INC-2041: runaway job")
    waiting = card(page, "MASK cron.service on web-01 · needs 1 approval")
    expect(waiting).to_be_visible()
    picture(page, waiting, "waiting.png")

    act_as(page, "bob")
    card(page, "MASK cron.service").get_by_role("button", name="Approve").click()
    done = card(page, "MASKED AND PROVEN · cron.service on web-01")
    expect(done).to_be_visible()
    expect(page.get_by_text("masked and proven: cron.service on web-01")).to_be_visible()
    assert story.sees("cron.service") == MASKED
    expect(done).to_contain_text("4 replies")
    picture(page, done, "card.png")

    page.set_viewport_size(WIDE)
    done.locator(".thread-summary").click()
    expect(page.locator(".thread-body")).to_contain_text("Unit cron.service is masked")
    expect(page.locator(".thread-body")).to_contain_text("What the last check of cron.service on web-01 showed")
    picture(page, page.locator(".thread-pane"), "thread.png")
    page.locator(".thread-x").click()

    act_as(page, "alice")
    card(page, "MASKED AND PROVEN").get_by_role("button", name="Unmask").click()
    expect(card(page, "UNMASKED, AS BEFORE · cron.service on web-01")).to_be_visible()
    assert story.sees("cron.service") == RUNS


def test_the_form_offers_the_units_of_a_host_and_a_mistake_opens_it_with_what_made_sense(
    page: Page, story: Story
) -> None:
    page.set_viewport_size(HIGH)
    says(page, "/mask")
    field(page, "Host").locator("select").select_option("web-01")
    field(page, "Reason").locator("input").fill("INC-2042: it flaps")
    field(page, "For how long").locator("input").fill("2h")
    refused = offered(page, "Unit", "ss", "ssh.service (critical")
    picture(page, page.locator(".modal"), "form.png")

    refused.click()
    sends_off(page)
    expect(page.locator(".modal-error")).to_contain_text("ssh.service is on the critical list")
    offered(page, "Unit", "restl", "restless.service").click()
    sends_off(page)
    expect(page.locator(".modal")).to_be_hidden()
    waiting = card(page, "MASK restless.service on web-01 · needs 1 approval")
    expect(waiting).to_contain_text("INC-2042: it flaps")
    expect(waiting).to_contain_text("Expires")
    waiting.get_by_role("button", name="Withdraw").click()
    expect(card(page, "WITHDRAWN")).to_be_visible()

    says(page, "/mask web-01 cr* --keep-running INC-2041: runaway job")
    expect(field(page, "Host").locator("select")).to_have_value("web-01")
    expect(field(page, "How").get_by_label("Leave the unit running")).to_be_checked()
    expect(field(page, "Reason").locator("input")).to_have_value("INC-2041: runaway job")
    expect(page.get_by_text("is a pattern. Name one unit")).to_be_visible()
    page.locator(".modal").get_by_role("button", name="Cancel").click()
    expect(page.locator(".modal")).to_be_hidden()


def test_everybody_has_a_page_of_their_own_with_what_waits_for_them_and_what_is_theirs(
    page: Page, story: Story
) -> None:
    page.set_viewport_size(HIGH)
    story.presses("carol", "Approve", story.asks("/mask web-02 restless --for 2h INC-2043: it flaps", user="bob"))
    story.card("MASKED AND PROVEN")
    story.asks("/mask web-01 cron INC-2041: runaway job", head="MASK cron.service")

    mine = at_home(page, "bob")
    expect(mine).to_contain_text("Waiting for you · 1")
    expect(mine).to_contain_text(re.compile("expires [0-9:]+ UTC .2 hours left"))
    expect(mine).to_contain_text("you may ask for masks and unmasks, and approve")
    expect(mine).to_contain_text("Slack is connected, and the database answers.")
    picture(page, mine, "home.png")

    mine.get_by_role("button", name="Approve").click()
    expect(page.locator(".modal")).to_contain_text("MASK cron.service on web-01")
    sends_off(page)
    expect(mine).to_contain_text("Waiting for you · nothing")
    story.card("MASKED AND PROVEN · cron.service on web-01")
    assert story.sees("cron.service") == MASKED
    mine.get_by_role("button", name="Unmask").click()
    expect(mine).to_contain_text("Your live masks · nothing")
    assert story.sees("restless.service", "web-02") == RUNS


def test_shortcuts_on_a_message_and_from_anywhere_open_the_form_and_a_request_is_handed_over(
    page: Page, story: Story
) -> None:
    said = story.demo.slack.write("bob", "incident", "worker.service eats all memory of web-01")
    page.locator(f".messages .msg[data-ts='{said['ts']}']").hover()
    page.locator(".msg-hover-actions .shortcut").click()
    expect(field(page, "Host").locator("select")).to_have_value("web-01")
    expect(field(page, "Unit").locator("input")).to_have_value("worker.service")
    sends_off(page)
    expect(card(page, "MASK worker.service on web-01")).to_contain_text("worker.service eats all memory of web-01")

    mine = at_home(page, "alice")
    mine.get_by_role("button", name="Hand over").last.click()
    field(page, "To whom?").locator("select").select_option("Carol")
    sends_off(page)
    expect(mine).to_contain_text("Your requests · nothing")
    theirs = at_home(page, "carol")
    expect(theirs).to_contain_text("Your requests · 1")
    theirs.get_by_role("button", name="Withdraw").click()
    story.card("WITHDRAWN")
    _from_anywhere(page)


def _from_anywhere(page: Page) -> None:
    """The form behind the bar above asks for the channel as well."""
    act_as(page, "alice")
    page.locator(".sidebar-item", has_text="incident").click()
    page.locator(".topbar .shortcut").click()
    field(page, "Channel").locator("select").select_option("#incident")
    field(page, "Host").locator("select").select_option("web-01")
    offered(page, "Unit", "cro", "cron.service").click()
    sends_off(page)
    card(page, "MASK cron.service on web-01 · needs 1 approval").get_by_role("button", name="Withdraw").click()
    expect(card(page, "WITHDRAWN · mask cron.service")).to_be_visible()
