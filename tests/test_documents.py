"""The documents say what the code says."""

import re
import textwrap
from pathlib import Path

from bot.core.systemd.systemctl import sudoers_fragment

DOCS = Path(__file__).parents[1] / "docs"


def test_the_rights_that_people_are_told_to_give_are_those_that_the_bot_needs() -> None:
    text = (DOCS / "operations.md").read_text()
    block = re.search(r"<!-- sudoers:.*?-->\n *```\n(.*?) *```", text, re.DOTALL)
    assert block
    assert textwrap.dedent(block[1]) == sudoers_fragment("maskbot")


def test_no_link_between_the_documents_leads_nowhere() -> None:
    for page in (*DOCS.rglob("*.md"), DOCS.parent / "README.md"):
        text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)  # a regular expression is no link
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name} links {target}"
