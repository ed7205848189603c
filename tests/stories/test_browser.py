"""The main story in a real browser: Alice types, Bob clicks, and what they see is kept in pictures.

With MASKBOT_PICTURES=1 the pictures are those of the documentation, docs/*.png; else they go where a test may write.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect, sync_playwright

from tests.lab.installation import ROOT
from tests.lab.slack.workspace import USERS
from tests.stories.scene import MASKED, PATIENCE, RUNS, Story

pytestmark = [pytest.mark.browser, pytest.mark.slack, pytest.mark.ssh]

CHROMIUM = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-sync"
# So narrow that a card fills its picture, so high that a thread fits.
NARROW, WIDE = ViewportSize(width=920, height=900), ViewportSize(width=1420, height=1300)
# The stand-in draws each line of code as a box of its own, Slack one box round all. And no pointer is in the pictures.
AS_IN_SLACK = """
.bk-text:has(code) { background: #f8f8f8; border: 1px solid #ddd; border-radius: 4px; padding: 6px 10px; }
code { background: none; border: 0; padding: 0; }
.msg { background: none !important; }
.msg-hover-actions { visibility: hidden; }
.thread-pane { width: 820px !important; max-width: none !important; }
"""


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
def pictures(tmp_path: Path) -> Path:
    """Where pictures are kept."""
    return ROOT / "docs" if os.environ.get("MASKBOT_PICTURES") == "1" else tmp_path


@pytest.fixture
def page(browser: Browser, story: Story) -> Iterator[Page]:
    """The workspace as Alice first sees it, at the scale of a good screen; nothing on it may go wrong."""
    errors: list[str] = []
    context = browser.new_context(viewport=NARROW, device_scale_factor=2)
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


def test_alice_types_bob_clicks_and_both_see_the_proof(page: Page, story: Story, pictures: Path) -> None:
    page.locator(".composer-input").fill("/mask web-01 cron INC-2041: runaway job")
    page.locator(".composer-send").click()
    waiting = card(page, "MASK cron.service on web-01 · needs 1 approval")
    expect(waiting).to_be_visible()
    waiting.screenshot(path=pictures / "waiting.png")

    act_as(page, "bob")
    card(page, "MASK cron.service").get_by_role("button", name="Approve").click()
    done = card(page, "MASKED AND PROVEN · cron.service on web-01")
    expect(done).to_be_visible()
    expect(page.get_by_text("masked and proven: cron.service on web-01")).to_be_visible()
    assert story.sees("cron.service") == MASKED
    expect(done).to_contain_text("4 replies")
    done.screenshot(path=pictures / "card.png")

    page.set_viewport_size(WIDE)
    done.locator(".thread-summary").click()
    expect(page.locator(".thread-body")).to_contain_text("Unit cron.service is masked")
    expect(page.locator(".thread-body")).to_contain_text("What the last look at cron.service on web-01 showed")
    page.locator(".thread-pane").screenshot(path=pictures / "thread.png")
    page.locator(".thread-x").click()

    act_as(page, "alice")
    card(page, "MASKED AND PROVEN").get_by_role("button", name="Unmask").click()
    expect(card(page, "UNMASKED, AS BEFORE · cron.service on web-01")).to_be_visible()
    assert story.sees("cron.service") == RUNS
