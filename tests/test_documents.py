"""The documents say what the code says, in sentences that are read once."""

import os
import re
import shlex
import shutil
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from bot.__main__ import app
from bot.edges.guard.text import doas_line, sudoers_line
from config.settings import Settings

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = (*sorted(DOCS.rglob("*.md")), ROOT / "README.md")
ARCHITECTURE = (DOCS / "ARCHITECTURE.md").read_text()
OPERATIONS = (DOCS / "operations.md").read_text()
READ_ONCE = (
    DOCS / "operations.md",
    DOCS / "command-line.md",
    DOCS / "ARCHITECTURE.md",
    ROOT / "README.md",
    *sorted((DOCS / "adr").glob("*.md")),
)
MOST_WORDS = 30
PATH = f"{Path(sys.executable).parent}:{os.environ['PATH']}"


def test_the_rights_that_people_are_told_to_give_are_those_that_the_bot_needs() -> None:
    block = re.search(r"<!-- sudoers:.*?-->\n *```\n(.*?) *```", OPERATIONS, re.DOTALL)
    assert block
    assert textwrap.dedent(block[1]) == sudoers_line("maskbot")
    assert f"`{doas_line('maskbot').strip()}`" in OPERATIONS


def test_no_link_between_the_documents_leads_nowhere() -> None:
    for page in PAGES:
        for target, anchor in re.findall(r"\]\(([^)#\s]*)#?([^)\s]*)\)", prose(page.read_text())):
            if "://" not in target:
                file = page.parent / target if target else page
                assert file.exists(), f"{page.name} links {target}"
                assert not anchor or anchor in anchors(file.read_text()), f"{page.name} links {target}#{anchor}"


@pytest.mark.parametrize("page", READ_ONCE, ids=lambda page: page.name)
def test_no_sentence_is_too_long_to_be_read_once(page: Path) -> None:
    assert [one for one in sentences(page.read_text()) if len(one.split()) > MOST_WORDS] == []


def test_a_sentence_that_is_too_long_is_found() -> None:
    long = " ".join(["word"] * (MOST_WORDS + 1))
    page = f"Short.\nOne that ends\nhere: {long}. **Bold.** (End of it.)\n\n- item\n- {long}\n\n"
    page += f"```\n{long}\n```\n| {long} | b |"
    found = [one for one in sentences(page) if len(one.split()) > MOST_WORDS]
    assert found == [f"One that ends here: {long}.", f"- item - {long}", long]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_setting_that_is_named_exists(page: Path) -> None:
    known = {name.upper() for name in Settings.model_fields} | {
        f"{name.upper()}_FILE" for name in Settings.model_fields
    }
    named = set(re.findall(r"MASKBOT_([A-Z_]*[A-Z])\b", page.read_text())) - {"COMMANDS"}  # an alias in sudoers
    assert named - known == set()


def test_every_metric_that_is_named_exists() -> None:
    counted = (ROOT / "bot/edges/metrics.py").read_text()
    named = set(re.findall(r"\b(maskbot_[a-z_]+?)(?:_total|_bucket|_count)?\b(?=[{>\[ ])", OPERATIONS))
    assert named
    assert {name for name in named if f'"{name}"' not in counted} == set()


def test_every_message_that_troubleshooting_explains_is_one_of_the_bot() -> None:
    sources = (*(ROOT / "bot").rglob("*.py"), *(ROOT / "tests/core/cards/golden").glob("*.txt"))
    code = " ".join(" ".join(file.read_text() for file in sources).split())
    section = OPERATIONS.partition("\n## Troubleshooting\n")[2].partition("\n## ")[0]
    first = [line.split(" | ")[0] for line in section.splitlines() if line.startswith("| ")][1:]
    shown = [quoted for cell in first for quoted in re.findall(r"`([^`]+)`|([A-Z]{3,}[A-Z ,:]+)", cell)]
    parts = [part.strip(" ;()") for quoted in shown for part in re.split(r"\.\.\.|N\)", "".join(quoted))]
    assert shown
    assert [part for part in parts if part not in code] == []


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`([\w/]+(?:\.py|\.yaml|/))`", ARCHITECTURE))))
def test_every_file_that_the_architecture_names_exists(name: str) -> None:
    """From the root, from `bot/`, or, in the table of its folders, from `bot/workflow/`."""
    assert any((folder / name).exists() for folder in (ROOT, ROOT / "bot", ROOT / "bot/workflow"))


@pytest.mark.parametrize("line", re.findall(r"^\| (.*\.py`.*)", ARCHITECTURE, re.MULTILINE), ids=lambda line: line[:20])
def test_every_name_in_the_architecture_is_in_a_file_beside_it(line: str) -> None:
    places = [folder / name for name in re.findall(r"`([\w/]+\.(?:py|yaml))`", line) for folder in (ROOT, ROOT / "bot")]
    text = "".join(place.read_text() for place in places if place.exists())
    names = re.findall(r"`([A-Za-z_]+)`", line)
    assert [name for name in names if name not in text] == []


def test_the_architecture_has_two_pages() -> None:
    assert len(ARCHITECTURE.split()) <= 1700


def prose(page: str) -> str:
    """Without blocks of code, where a regular expression is no link, and without comments."""
    return re.sub(r"```.*?```|<!--.*?-->", "\n\n", page, flags=re.DOTALL)


def sentences(page: str) -> Iterator[str]:
    """The sentences of its paragraphs and lists, and of the cells of its tables."""
    lines = [line for line in prose(page).splitlines() if not line.startswith("#")]
    cells = [cell for line in lines if line.startswith("|") for cell in re.split(r"(?<!\\)\|", line)]
    rest = "\n".join("" if line.startswith("|") else line for line in lines)
    for paragraph in (*re.split(r"\n\s*\n", rest), *cells):
        yield from filter(None, re.split(r"(?<=[.?!])[*)]*\s+", " ".join(paragraph.split())))


def anchors(page: str) -> set[str]:
    """What can be linked in it, as GitHub names it: its headings in small letters, with dashes."""
    headings = re.findall(r"^#+ (.*)$", page, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_image_looks_where_people_are_told_to_mount() -> None:
    """What is mounted elsewhere would be ignored without a word."""
    image = (ROOT / "Dockerfile").read_text()
    said = dict(re.findall(r"^ +(MASKBOT_[A-Z_]+)=(\S+)", image, re.MULTILINE))
    text = (ROOT / "docs/operations.md").read_text().partition("## The container image")[2]
    mounted = re.findall(r"^\| `(/\S+)` \|", text, re.MULTILINE)
    assert mounted == [
        said["MASKBOT_CONFIG_DIR"],
        said["MASKBOT_SECRETS_DIR"],
        str(Path(said["MASKBOT_DATABASE_URL"].removeprefix("sqlite:///")).parent),
    ]
    assert Path(said["MASKBOT_SSH_KEY_FILE"]) == Path(said["MASKBOT_SECRETS_DIR"]) / "ssh_key"
    assert all(f"install -d {folder}" in image or f" {folder} " in image for folder in mounted[:2])


def commands_of(page: str) -> Iterator[str]:
    """What people are told to type to `maskbot`, in blocks and between backticks, without what comes behind a pipe."""
    blocks = re.findall(r"^ *```\w*\n(.*?)^ *```$", page, re.DOTALL | re.MULTILINE)
    lines = [re.sub(r"\s+#.*", "", line) for block in blocks for line in block.splitlines()]
    parts = [part for line in lines for part in re.split(r"\s(?:\||&&)\s|;\s|\s>\s?", line)]
    inline = re.findall(r"`([^`\n]+)`", re.sub(r"^ *```.*?^ *```$", "", page, flags=re.DOTALL | re.MULTILINE))
    for part in (*parts, *inline):
        words = re.sub(r"[<>].*", "", part.strip().removeprefix("/opt/maskbot/bin/").removeprefix("bot-venv/bin/"))
        if re.match(r"maskbot [a-z-]", words):
            yield words.strip().removesuffix(")").removesuffix(" ...")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_that_people_are_told_to_type_is_understood(page: Path) -> None:
    """Its words and options are those that there are; it is not run."""
    maskbot = get_command(app)
    for typed in commands_of(page.read_text()):
        command: Any = maskbot
        _, *words = shlex.split(typed)
        while words and not words[0].startswith("-") and getattr(command, "commands", None):
            assert words[0] in command.commands, f"{page.name}: {typed}"
            command = command.commands[words.pop(0)]
        for word in words:
            name = word.partition("=")[0]
            known = [option for one in command.params for option in one.opts] + ["-h", "--help", "--"]
            assert not name.startswith("-") or name in known, f"{page.name}: {typed}"


def test_commands_are_found_where_people_read_them() -> None:
    page = "Run `maskbot check --files`.\n```\nmaskbot doctor web-01 # look\nx && maskbot run | cat\n```\n`maskbot`\n"
    assert [*commands_of(page)] == ["maskbot doctor web-01", "maskbot run", "maskbot check --files"]


# Every other line that people are told to type into a shell, and the file that runs it as it stands there.
TYPED = {
    "script/demo": "tests/lab/demo.py",
    "python3 -m venv bot-venv": "tests/deploy/test_first_hour.py",
    "export PATH=$PWD/bot-venv/bin:$PATH": "tests/deploy/test_first_hour.py",
    "set -a": "tests/deploy/test_first_hour.py",
    ". maskbot/maskbot.env": "tests/deploy/test_first_hour.py",
    "set +a": "tests/deploy/test_first_hour.py",
    "ssh root@web-01 sh -s": "tests/deploy/setting_up.py",
    "ansible-playbook -i inventory deploy/ansible/hosts.yml": "tests/deploy/conftest.py",
    "ansible-inventory --list": "tests/config/test_host_sources.py",
    "install -": "tests/deploy/service.py",
    "systemd-sysusers": "tests/deploy/service.py",
    "systemctl reload maskbot": "tests/deploy/test_systemd_unit.py",
    "systemctl stop maskbot": "tests/deploy/test_systemd_unit.py",
    "mv /var/lib/maskbot /var/lib/maskbot.lost-key": "tests/deploy/test_systemd_unit.py",
    "systemctl start maskbot": "tests/deploy/test_systemd_unit.py",
}
# Those that nothing here can run, and why.
NOT_TYPED = {
    "script/test": "it runs this test",
    "bot-venv/bin/pip": "it installs what `script/setup` has installed by the same lock",
    "python3 -m venv /opt/maskbot": "an environment is made for each of these tests already",
    "/opt/maskbot/bin/pip": "it installs what `script/setup` has installed by the same lock",
}


def shell_lines(page: str) -> Iterator[str]:
    """The lines in blocks that begin with a program, and parts of them; not those for `maskbot`."""
    blocks = re.findall(r"^ *```(\w*)\n(.*?)^ *```$", page, re.DOTALL | re.MULTILINE)
    for block in (text for language, text in blocks if not language):
        for part in re.split(r"\n|\s(?:\||&&)\s|;\s", block):
            words = re.sub(r"^(?:[A-Z_]+=\S* )*", "", part.strip()).split(" ")
            first = words[0]
            is_there = (
                shutil.which(first, path=PATH) or first.startswith("script/") or first in ("set", "export", "cd", ".")
            )
            is_there = is_there or first.startswith(("/opt/maskbot/bin/", "bot-venv/bin/"))
            if is_there and not first.endswith("maskbot") and words[-1:] != ["{"]:
                yield " ".join(words)


def test_every_other_line_for_a_shell_is_run_by_a_test_or_known_not_to_be() -> None:
    found = [line for page in PAGES for line in shell_lines(page.read_text())]
    known = [*TYPED, *NOT_TYPED]
    assert [line for line in found if not any(line.startswith(one) for one in known)] == []
    assert [one for one in known if not any(line.startswith(one) for line in found)] == []
    assert [file for file in TYPED.values() if not (ROOT / file).exists()] == []


def test_lines_for_a_shell_are_found_in_blocks() -> None:
    page = "```\nsh -s <x && maskbot run | cat\nlogin: maskbot\nA=/b/c ls x\n```\n"
    assert [*shell_lines(page)] == ["sh -s <x", "cat", "ls x"]
